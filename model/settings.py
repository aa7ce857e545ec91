"""The settings of a conversion: one table for the panel, the wire, the command line and the maths.

Names, units, ranges and defaults are those of `proto/stereoconvert/v1/settings.proto` and of the
effect panel (`ofx_plugin/params.h`); `tests/test_settings_agree.py` holds the three together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from model.errors import SettingsError

OUTPUTS = (  # new ones at the end: hosts keep a choice by its number
    "right", "left", "sbs-half", "tb-half", "anaglyph", "disparity", "mask", "sbs-full", "tb-full",
    "anaglyph-half-colour", "anaglyph-grey", "difference",
)  # fmt: skip
DEPTH_SOURCES = ("estimate", "clip", "alpha")
DEPTH_MEANINGS = ("white-near", "white-far", "disparity-px", "foundry-px")
DISPARITY_MEANINGS = ("disparity-px", "foundry-px")
"""Meanings whose values are disparity already; the second has the sign of Foundry's vectors, x_right − x_left."""

RANGE_MODES = ("auto", "manual")
FLOATING_WINDOWS = ("off", "auto", "manual")
ENGINES = ("sasi", "stretch", "none")

REFERENCE_WIDTH_PX = 1920
"""Settings in px are stated for a frame of this width and scale with it, so that a proxy matches."""


def _choice(default: Any, *choices: Any) -> Any:
    return field(default=default, metadata={"choices": choices})


def _number(default: float, low: float, high: float, unit: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "unit": unit})


@dataclass(frozen=True)
class Settings:
    """Everything the right eye depends on besides the frames and the model version.

    Raises SettingsError when a value is outside its range, of the wrong kind, or not finite.
    """

    output: str = _choice("right", *OUTPUTS)
    depth_source: str = _choice("estimate", *DEPTH_SOURCES)
    depth_meaning: str = _choice("white-near", *DEPTH_MEANINGS)
    range: str = _choice("auto", *RANGE_MODES)
    near: float = _number(1.0, -1e9, 1e9, "depth value of the nearest surface (manual range)")
    far: float = _number(0.0, -1e9, 1e9, "depth value of the farthest surface (manual range)")
    foreground_scale: float = _number(0.0, -3, 3, "bend of the depth curve; > 0 pushes the middle back")
    edge_fix: float = _number(2.0, 0, 8, "px at 1920 wide")
    disparity: float = _number(2.5, 0, 10, "% of the frame width between nearest and farthest")
    convergence: float = _number(0.5, -1, 2, "nearness that sits on the screen, 0 far, 1 near")
    floating_window: str = _choice("off", *FLOATING_WINDOWS)
    floating_window_width: float = _number(1.0, 0, 5, "% of the frame width")
    threshold: float = _number(1.5, 1.05, 4, "stretch dx'/dx above which a column is disoccluded (eq. 7)")
    mask_grow: float = _number(0.0, 0, 32, "px at 1920 wide")
    dilation: int = _choice(5, 1, 3, 5, 7, 9)
    temporal_stride: int = _choice(0, 0, 10, 20)
    engine: str = _choice("sasi", *ENGINES)
    steps: int = _number(1, 1, 8, "network calls")
    window: int = _choice(17, 1, 17, 33, 81)
    blend: bool = _choice(True, False, True)
    feather: float = _number(4.0, 0, 32, "px at 1920 wide")
    max_width: int = _number(1280, 640, 3840, "px, width the fill is computed at")

    def __post_init__(self) -> None:
        """Check every field, so that a Settings that exists is valid."""
        for setting in fields(self):
            object.__setattr__(self, setting.name, _checked(setting, getattr(self, setting.name)))
        if self.range == "manual" and self.near == self.far:
            raise SettingsError(f"near and far must differ; both are {self.near:g}")

    def px_at(self, width_px: int, setting_px: float) -> float:
        """Scale a setting stated in px at 1920 wide to a frame `width_px` wide."""
        return setting_px * width_px / REFERENCE_WIDTH_PX


def parse_settings(assignments: dict[str, str]) -> Settings:
    """Build Settings from texts, as on the command line; `true`, `off` and numbers are understood.

    Raises SettingsError for an unknown name or a text that is no value of that setting.
    """
    by_name = {setting.name: setting for setting in fields(Settings)}
    values = {}
    for name, text in assignments.items():
        if name not in by_name:
            raise SettingsError(f"unknown setting {name!r}; the settings are {', '.join(by_name)}")
        values[name] = _parsed(by_name[name], text)
    return Settings(**values)


def _parsed(setting: Any, text: str) -> Any:
    default = setting.default
    try:
        if isinstance(default, bool):
            return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}[text.lower()]
        if isinstance(default, int):
            return 0 if text.lower() == "off" else int(text)
        return float(text) if isinstance(default, float) else text
    except (KeyError, ValueError):
        raise SettingsError(f"{setting.name}={text!r} is no {type(default).__name__}") from None


def _checked(setting: Any, value: Any) -> Any:
    name, default, rules = setting.name, setting.default, setting.metadata
    if "choices" in rules:
        if value not in rules["choices"] or isinstance(value, bool) != isinstance(default, bool):
            raise SettingsError(f"{name} must be one of {', '.join(map(str, rules['choices']))}; got {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SettingsError(f"{name} must be a finite number; got {value!r}")
    if isinstance(default, int) and value != int(value):
        raise SettingsError(f"{name} must be a whole number; got {value!r}")
    if not rules["low"] <= value <= rules["high"]:
        raise SettingsError(f"{name} must be {rules['low']:g}..{rules['high']:g} ({rules['unit']}); got {value:g}")
    return type(default)(value)
