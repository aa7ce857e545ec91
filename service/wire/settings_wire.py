"""stereoconvert.v1.Settings ↔ model.Settings. Names agree on both sides, so only the choices need a table."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from google.protobuf.unknown_fields import UnknownFieldSet
from stereoconvert.v1 import settings_pb2

from model.errors import SettingsError
from model.settings import Settings

# setting -> (enum of the proto, prefix of its values); "sbs-half" is OUTPUT_SBS_HALF.
_ENUMS = {
    "output": (settings_pb2.Output, "OUTPUT_"),
    "depth_source": (settings_pb2.DepthSource, "DEPTH_SOURCE_"),
    "depth_meaning": (settings_pb2.DepthMeaning, "DEPTH_MEANING_"),
    "range": (settings_pb2.RangeMode, "RANGE_MODE_"),
    "floating_window": (settings_pb2.FloatingWindow, "FLOATING_WINDOW_"),
    "engine": (settings_pb2.Engine, "ENGINE_"),
}


def settings_from_wire(message: settings_pb2.Settings) -> Settings:
    """Fill what the message leaves unset with the defaults, and check every value.

    Raises SettingsError naming the setting, its value and its range.
    """
    values = {}
    for setting in fields(Settings):
        if not message.HasField(setting.name):
            continue
        value = getattr(message, setting.name)
        if setting.name in _ENUMS:
            value = _choice_from_wire(setting.name, value)
        elif isinstance(setting.default, float):
            value = _shortest(value)
        if value is not None:
            values[setting.name] = value
    return Settings(**values)


def count_unknown(message: settings_pb2.Settings) -> int:
    """How many settings the message has that this service does not know: those of a newer plugin."""
    return len(UnknownFieldSet(message))


def unknown_warning(count: int) -> str:
    """What the user is told of them: the picture may not be what the panel says."""
    what = "a setting" if count == 1 else f"{count} settings"
    return f"the service is older than the plugin and does not know {what} of it; update the service"


def settings_to_wire(settings: Settings) -> settings_pb2.Settings:
    """The message with every field set."""
    message = settings_pb2.Settings()
    for setting in fields(Settings):
        value = getattr(settings, setting.name)
        if setting.name in _ENUMS:
            enum, prefix = _ENUMS[setting.name]
            value = enum.Value(prefix + value.upper().replace("-", "_"))
        setattr(message, setting.name, value)
    return message


def _choice_from_wire(name: str, number: int) -> str | None:
    """The word of an enum number; None for UNSPECIFIED, which means the default."""
    enum, prefix = _ENUMS[name]
    if number == 0:
        return None
    if number not in enum.values():
        known = ", ".join(f"{value} ({key})" for key, value in enum.items() if value)
        raise SettingsError(f"{name} is {number}; it must be one of {known}")
    return enum.Name(number).removeprefix(prefix).lower().replace("_", "-")


def _shortest(value: float) -> float:
    """Undo the widening of a wire float: 1.05 came as 1.0499999523 and must mean what the command line says."""
    return float(str(np.float32(value)))
