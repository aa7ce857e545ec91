"""Reads a job: TOML with a table for each clip. Unknown keys are refused, paths are relative to the file.

devices = ["cuda:0", "cuda:1"]
report = "report"

[defaults]                     # of every clip; a clip's own keys win
codec = "prores"
settings = { disparity = 2.5 }

[[clip]]
source = "shot_010.mov"
outputs = { right = "out/shot_010_right.mov", anaglyph = { path = "out/shot_010.mp4", codec = "h264" } }

[[clip.shot]]                  # frames with settings of their own
first = 120
last = 180
settings = { disparity = 1.5 }
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from model.errors import InvalidInputError
from model.settings import Settings
from service.batch.errors import JobError
from service.batch.outputs.picture_writer import ALL_CODECS, OutputFile
from service.batch.rendering.orders import DEFAULT_FIELD_OF_VIEW_DEG, ClipOrder, JobOrder, Shot
from service.stereo_model import DEFAULT_INPAINTER

_SETTINGS = tuple(setting.name for setting in fields(Settings) if setting.name != "output")
_JOB_KEYS = ("devices", "cluster", "report", "defaults", "clip")
_CLIP_KEYS = (
    "source", "outputs", "depth", "first", "last", "settings", "shot", "fps", "codec", "options", "inpainter",
    "estimator", "field_of_view", "overwrite",
)  # fmt: skip
_OUTPUT_KEYS = ("path", "codec", "options")
_SHOT_KEYS = ("first", "last", "settings")


def read_job(path: Path, overwrite: bool = False) -> JobOrder:
    """Read a job file.

    overwrite  of every clip, whatever the file says

    Raises JobError naming the file, the clip, the key and what is allowed.
    """
    try:
        job = tomllib.loads(path.read_text())
    except OSError as error:
        raise JobError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise JobError(f"{path} is no TOML: {error}") from None
    try:
        _check_keys("the job", job, _JOB_KEYS)
        defaults = _table("defaults", job.get("defaults", {}))
        _check_keys("[defaults]", defaults, _CLIP_KEYS)
        clips = job.get("clip", [])
        if not isinstance(clips, list) or not clips:
            raise JobError("there is no [[clip]]; name at least one")
        orders = tuple(
            _clip(f"clip {index}", _table("clip", clip), defaults, path.parent, overwrite)
            for index, clip in enumerate(clips, 1)
        )
        devices = tuple(str(name) for name in _list("devices", job.get("devices", ["auto"])))
        report = path.parent / str(job["report"]) if "report" in job else None
        cluster = str(job["cluster"]) if "cluster" in job else None
        return JobOrder(orders, devices, cluster, report, path.with_name(f".{path.name}.done"))
    except InvalidInputError as error:
        raise JobError(f"{path}: {error}") from None


def _clip(name: str, clip: dict, defaults: dict, folder: Path, overwrite: bool) -> ClipOrder:
    _check_keys(name, clip, _CLIP_KEYS)
    merged = {**defaults, **clip}
    for key in ("source", "outputs"):
        if key not in merged:
            raise JobError(f"{name} has no {key}")
    name = f"{name} ({merged['source']})"
    settings = {**_table("settings", defaults.get("settings", {})), **_table("settings", clip.get("settings", {}))}
    if "depth" in merged:
        settings.setdefault("depth_source", "clip")
    try:
        return ClipOrder(
            source=folder / str(merged["source"]),
            outputs=_outputs(merged, folder),
            settings=_settings(settings),
            depth=folder / str(merged["depth"]) if "depth" in merged else None,
            first=_whole("first", merged),
            last=_whole("last", merged),
            shots=tuple(_shot(shot, settings) for shot in _list("shot", merged.get("shot", []))),
            fps=_rate(str(merged["fps"])) if "fps" in merged else None,
            inpainter=str(merged.get("inpainter", DEFAULT_INPAINTER)),
            depth_estimator=str(merged.get("estimator", "")),
            field_of_view_deg=float(merged.get("field_of_view", DEFAULT_FIELD_OF_VIEW_DEG)),
            overwrite=overwrite or bool(merged.get("overwrite", False)),
        )
    except (ValueError, TypeError, ArithmeticError) as error:
        raise JobError(f"{name}: {error}") from None


def _outputs(clip: Mapping[str, Any], folder: Path) -> tuple[OutputFile, ...]:
    files = []
    for kind, entry in _table("outputs", clip["outputs"]).items():
        output = {"path": entry} if isinstance(entry, str) else _table(f"outputs.{kind}", entry)
        _check_keys(f"outputs.{kind}", output, _OUTPUT_KEYS)
        if "path" not in output:
            raise JobError(f"outputs.{kind} has no path")
        codec = output.get("codec", clip.get("codec"))
        if codec is not None and codec not in ALL_CODECS:
            raise JobError(f"codec {codec!r} is unknown; the codecs are {', '.join(ALL_CODECS)}")
        options = _table("options", output.get("options", clip.get("options", {})))
        files.append(OutputFile(kind, folder / str(output["path"]), codec, {k: str(v) for k, v in options.items()}))
    return tuple(files)


def _shot(shot: Any, settings: dict[str, Any]) -> Shot:
    table = _table("shot", shot)
    _check_keys("shot", table, _SHOT_KEYS)
    own = _table("shot.settings", table.get("settings", {}))
    return Shot(_whole("first", table), _whole("last", table), _settings({**settings, **own}))


def _settings(values: dict[str, Any]) -> Settings:
    _check_keys("settings", values, _SETTINGS)
    return Settings(**values)


def _rate(text: str) -> Fraction:
    if "e" in text.lower():  # Fraction would write out 1e999999999 digit by digit
        raise JobError(f"fps must be a number such as 25 or 24000/1001; got {text[:40]!r}")
    return Fraction(text)


def _whole(name: str, table: Mapping[str, Any]) -> int | None:
    value = table.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise JobError(f"{name} must be a frame number; got {value!r}")
    return value


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise JobError(f"{name} must be a table; got {value!r}")
    return value


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise JobError(f"{name} must be a list; got {value!r}")
    return value


def _check_keys(name: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if unknown := sorted(set(table) - set(known)):
        raise JobError(f"{name}: unknown {', '.join(unknown)}; the keys are {', '.join(known)}")
