"""The verb `render`: flags for one clip, or a job file for many."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import InvalidInputError, SettingsError
from model.settings import OUTPUTS, Settings, parse_settings

if TYPE_CHECKING:
    from service.batch.rendering.orders import JobOrder

EPILOG = """exit codes: 0 done, 1 failed, 2 wrong command line or job file, 3 source unreadable, 4 output exists,
5 cannot write (disk full), 6 some clips of a job failed, 130 interrupted.
The same command after a crash goes on where it stopped. docs/batch.md has codecs and job files."""

_OF_ONE_CLIP = {
    "--out": "out", "--also": "also", "--depth": "depth", "--output": "output", "--set": "assignments",
    "--codec": "codec", "--fps": "fps", "--first": "first", "--last": "last", "--frames": "frames",
    "--inpainter": "inpainter", "--estimator": "estimator", "--field-of-view": "field_of_view",
}  # fmt: skip
"""What a job file says of each of its clips itself: flag -> where argparse keeps it, None when it was not given."""


def add_render_verb(verbs: argparse._SubParsersAction) -> None:
    """Add `render` to the verbs of the command line."""
    verb = verbs.add_parser("render", help="convert a clip, or the clips of a job file", epilog=EPILOG)
    verb.add_argument("source", type=Path, metavar="IN",
                      help="video, image, folder of images, shot_%%04d.exr, or a job file .toml")  # fmt: skip
    verb.add_argument("-o", "--out", type=Path, metavar="OUT",
                      help=".mp4 .mov .mkv .avi, an image, a pattern out_%%05d.exr, or a folder")  # fmt: skip
    verb.add_argument("--depth", type=Path, metavar="D", help="depth, as many frames as IN (default: estimated)")
    verb.add_argument("--output", choices=(*OUTPUTS, "vr180"), help="what OUT shows (default: right)")
    verb.add_argument("--also", action="append", metavar="WHAT=FILE",
                      help="a further output of the same pass, as in left=left.mov; repeat for several")  # fmt: skip
    verb.add_argument("--set", action="append", metavar="NAME=VALUE", dest="assignments",
                      help="any setting, as in --set disparity=3; repeat for several")  # fmt: skip
    verb.add_argument("--codec", metavar="C", help="prores, dnxhr-hqx, h264, hevc, ffv1, exr, ... (default: by OUT)")
    verb.add_argument("--fps", type=Fraction, metavar="R", help="frames per second of OUT (default: as IN, images: 24)")
    verb.add_argument("--first", type=int, metavar="N", help="first frame, by its number")
    verb.add_argument("--last", type=int, metavar="N", help="last frame, by its number")
    verb.add_argument("--frames", type=int, metavar="N", help="at most N frames")
    verb.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    verb.add_argument("--device", action="append", metavar="D",
                      help="auto, cpu, cuda:0, ...; repeat to use several at once (auto)")  # fmt: skip
    verb.add_argument(
        "--cluster", metavar="ADDRESS", help="use the GPUs of a Ray cluster instead; auto: this machine's"
    )
    verb.add_argument("--plan", type=int, nargs="?", const=26, metavar="N",
                      help="render N frames of each clip (26), throw them away, tell what all would take")  # fmt: skip
    verb.add_argument("--report", type=Path, metavar="DIR", help="write figures and contact sheets here")
    verb.add_argument("--inpainter", metavar="NAME", help="fill network (lite)")
    verb.add_argument("--estimator", metavar="NAME", help="depth estimator (default: the best available)")
    verb.add_argument("--field-of-view", type=float, metavar="DEG",
                      help="of IN across its width, for vr180 (60)")  # fmt: skip
    verb.set_defaults(build=_build_render)


def _build_render(flags: argparse.Namespace) -> Callable[[], int]:
    if flags.plan is not None and flags.plan < 1:
        raise InvalidInputError(f"--plan must be 1 frame or more; got {flags.plan}")
    if flags.source.suffix.lower() == ".toml":
        _refuse_flags_of_one_clip(flags)
        return lambda: _run(lambda: _job_of_file(flags), flags.plan)
    if flags.out is None:
        raise InvalidInputError("-o OUT is missing: where should the result go?")
    # Checked before anything heavy is loaded, so that a typing error is answered at once.
    settings = _settings(flags)
    _check_above_zero(flags)
    return lambda: _run(lambda: _job_of_flags(flags, settings), flags.plan)


def _run(read: Callable[[], JobOrder], planned_frames: int | None) -> int:
    from service.batch.errors import EXIT_WRONG_ORDER
    from service.batch.jobs.job import render_job
    from service.batch.jobs.plan import plan_job
    from service.chosen_model import chosen_model

    try:
        job = read()  # before a model is loaded or a cluster joined
        with chosen_model(job.cluster) as model:
            return render_job(job, model) if planned_frames is None else plan_job(job, model, planned_frames)
    except InvalidInputError as error:  # of a clip would have been told by the job
        print(f"error: {error}", file=sys.stderr)
        return EXIT_WRONG_ORDER


def _job_of_file(flags: argparse.Namespace) -> JobOrder:
    from dataclasses import replace

    from service.batch.jobs.job_file import read_job

    job = read_job(flags.source, flags.overwrite)
    if flags.device:
        job = replace(job, devices=tuple(flags.device))
    if flags.cluster is not None:
        job = replace(job, cluster=flags.cluster)
    return job if flags.report is None else replace(job, report=flags.report)


def _job_of_flags(flags: argparse.Namespace, settings: Settings) -> JobOrder:
    from service.batch.outputs.picture_writer import OutputFile
    from service.batch.rendering.orders import DEFAULT_FIELD_OF_VIEW_DEG, ClipOrder, JobOrder
    from service.stereo_model import DEFAULT_INPAINTER

    outputs = [OutputFile(flags.output or "right", flags.out, flags.codec)]
    for text in flags.also or ():
        kind, path = _assignment("--also", text, "WHAT=FILE, as in --also left=left.mov")
        outputs.append(OutputFile(kind, Path(path), flags.codec))
    clip = ClipOrder(
        source=flags.source,
        outputs=tuple(outputs),
        settings=settings,
        depth=flags.depth,
        first=flags.first,
        last=flags.last,
        count=flags.frames,
        fps=flags.fps,
        inpainter=flags.inpainter or DEFAULT_INPAINTER,
        depth_estimator=flags.estimator or "",
        field_of_view_deg=DEFAULT_FIELD_OF_VIEW_DEG if flags.field_of_view is None else flags.field_of_view,
        overwrite=flags.overwrite,
    )
    return JobOrder((clip,), tuple(flags.device or ("auto",)), flags.cluster, flags.report)


def _settings(flags: argparse.Namespace) -> Settings:
    values = dict(_assignment("--set", text, "NAME=VALUE, as in --set disparity=3") for text in flags.assignments or ())
    if flags.depth is not None:
        values.setdefault("depth_source", "clip")
    settings = parse_settings(values)
    if (settings.depth_source == "clip") != (flags.depth is not None):
        raise SettingsError("depth_source=clip and --depth D go together; give both or neither")
    return settings


def _check_above_zero(flags: argparse.Namespace) -> None:
    for name in ("fps", "frames"):
        value = getattr(flags, name)
        if value is not None and not value > 0:
            raise InvalidInputError(f"--{name} must be above 0; got {value}")


def _refuse_flags_of_one_clip(flags: argparse.Namespace) -> None:
    given = [flag for flag, name in _OF_ONE_CLIP.items() if getattr(flags, name) is not None]
    if given:
        raise InvalidInputError(f"a job file says itself what to render; leave out {', '.join(given)}")


def _assignment(flag: str, text: str, form: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise SettingsError(f"{flag} takes {form}; got {text!r}")
    return name.strip(), value.strip()
