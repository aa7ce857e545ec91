"""Checks a WindowHeader, field by field, and turns it into a plan that the rest of the call can trust."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from model.errors import FrameFormatError, InvalidInputError, ShapeError
from model.settings import Settings
from model.window import context_of
from service.config import ServiceLimits
from service.errors import ContractSkewError
from service.stereo_model import DEFAULT_INPAINTER
from service.wire.frame_store import FrameStores, StoreSlot
from service.wire.frame_wire import FrameFormat, format_from_wire
from service.wire.settings_wire import count_unknown, settings_from_wire

CONTRACT_VERSION = 1000
"""MAJOR * 1000 + MINOR of proto/stereoconvert/v1."""

ID_BYTES = 16
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_GROWTH = {"sbs-full": (2, 1), "tb-full": (1, 2)}  # output -> how many times as (wide, high)


@dataclass(frozen=True)
class InputFrame:
    """Where the pixels of one input frame come from."""

    content_key: bytes
    format: FrameFormat
    slot: StoreSlot | None  # None: chunks, or the session's cache


@dataclass(frozen=True)
class WindowPlan:
    """A header that has been checked."""

    session_id: bytes
    request_id: bytes
    settings: Settings
    first_frame: int
    frames: tuple[InputFrame, ...]
    depth: tuple[InputFrame, ...]
    wanted: tuple[int, ...]
    output_slots: tuple[StoreSlot, ...]
    inpainter: str
    depth_estimator: str
    interactive: bool
    unknown_settings: int = 0  # of a newer plugin

    @property
    def result_format(self) -> FrameFormat:
        """Of every result: the source's pixels, at the size of the output."""
        return grown_format(self.frames[0].format, self.settings.output)

    @property
    def is_passthrough(self) -> bool:
        """Whether the results are the source frames themselves: a floating window's bar lies in the left eye too."""
        return self.settings.output == "left" and self.settings.floating_window == "off"

    @property
    def chunk_bytes(self) -> int:
        """Pixels that come as chunks; each content once."""
        sizes = {frame.content_key: frame.format.frame_bytes for frame in self.frames + self.depth if not frame.slot}
        return sum(sizes.values())

    @property
    def label(self) -> str:
        """The request in logs."""
        return self.request_id.hex()[:8]


def grown_format(source: FrameFormat, output: str) -> FrameFormat:
    """Format of results: full layouts are twice as wide or high as the source."""
    wide, high = _GROWTH.get(output, (1, 1))
    return source.resized(source.width * wide, source.height * high)


def check_contract(client_version: int) -> None:
    """Refuse a client whose contract does not fit ours.

    Raises InvalidInputError when it says none, ContractSkewError saying which side to update.
    """
    if client_version == 0:
        raise InvalidInputError("header.contract_version is unset; send the version the client was built for")
    major, minor = divmod(client_version, 1000)
    our_major, our_minor = divmod(CONTRACT_VERSION, 1000)
    if major == our_major and abs(minor - our_minor) <= 1:
        return
    older = "plugin" if (major, minor) < (our_major, our_minor) else "service"
    raise ContractSkewError(
        f"the plugin speaks contract {major}.{minor} and this service {our_major}.{our_minor}; "
        f"only one minor version apart works: update the {older}"
    )


def plan_window(header: stereo_convert_pb2.WindowHeader, limits: ServiceLimits, stores: FrameStores) -> WindowPlan:
    """Check everything that can be checked before any pixel is read.

    Raises InvalidInputError and its kinds, ContractSkewError, StoreNotFoundError.
    """
    check_contract(header.contract_version)
    for name in ("session_id", "request_id"):
        check_id(f"header.{name}", getattr(header, name))
    settings = settings_from_wire(header.settings)
    frames = _plan_frames("frames", header.frames, limits, stores)
    depth = _plan_frames("depth", header.depth, limits, stores)
    _check_window(frames, depth, settings, limits)
    plan = WindowPlan(
        session_id=header.session_id,
        request_id=header.request_id,
        settings=settings,
        first_frame=header.first_frame,
        frames=frames,
        depth=depth,
        wanted=_plan_wanted(header.wanted, len(frames)),
        output_slots=(),
        inpainter=_model_name("inpainter", header.inpainter) or DEFAULT_INPAINTER,
        depth_estimator=_model_name("depth_estimator", header.depth_estimator),
        interactive=header.interactive,
        unknown_settings=count_unknown(header.settings),
    )
    return _with_slots(plan, header.output_slots, stores)


def check_id(field: str, value: bytes) -> None:
    """Raise InvalidInputError unless `value` has the 16 bytes of an id."""
    if len(value) != ID_BYTES:
        raise InvalidInputError(f"{field} has {len(value)} bytes; it must have {ID_BYTES}")


def _model_name(field: str, name: str) -> str:
    # A name reaches a loader that also takes paths: nothing that could be one may pass.
    if name and not MODEL_NAME.fullmatch(name):
        raise InvalidInputError(f"header.{field} must be a name from Describe (letters, digits, blank, . _ -)")
    return name


def _plan_frames(
    field: str, references: Sequence[frame_pb2.FrameReference], limits: ServiceLimits, stores: FrameStores
) -> tuple[InputFrame, ...]:
    if len(references) > limits.max_window:
        raise InvalidInputError(f"header.{field} has {len(references)} frames; a window has 1..{limits.max_window}")
    frames = []
    for index, reference in enumerate(references):
        name = f"header.{field}[{index}]"
        check_id(f"{name}.content_key", reference.content_key)
        frame_format = format_from_wire(reference.format, f"{name}.format", limits.max_width, limits.max_height)
        if frames and frame_format != frames[0].format:
            raise FrameFormatError(f"{name}.format is {frame_format}; all must be like the first, {frames[0].format}")
        slot = None
        if reference.HasField("location"):
            slot = _slot(f"{name}.location", reference.location, frame_format.frame_bytes, stores)
        frames.append(InputFrame(reference.content_key, frame_format, slot))
    return tuple(frames)


def _slot(field: str, location: frame_pb2.StoreLocation, least_bytes: int, stores: FrameStores) -> StoreSlot:
    return stores.slot(field, location.store_id, location.offset_bytes, location.size_bytes, least_bytes)


def _check_window(
    frames: tuple[InputFrame, ...], depth: tuple[InputFrame, ...], settings: Settings, limits: ServiceLimits
) -> None:
    count = len(frames)
    if count == 0:
        raise ShapeError(f"header.frames is empty; a window has 1..{limits.max_window} frames")
    total = sum(frame.format.frame_bytes for frame in frames + depth)
    if total > limits.max_window_bytes:
        raise InvalidInputError(
            f"the frames of the window have {total} bytes; at most {limits.max_window_bytes} are allowed: "
            "use a shorter window"
        )
    source = frames[0].format
    if source.channels == 1:
        raise FrameFormatError("header.frames are GRAY; the source must be RGBA or RGB")
    _check_depth(source, count, depth, settings)


def _check_depth(source: FrameFormat, count: int, depth: tuple[InputFrame, ...], settings: Settings) -> None:
    if settings.depth_source == "clip":
        if len(depth) != count:
            raise ShapeError(
                f'depth_source is "clip" and header.depth has {len(depth)} frames; it must have {count}, '
                "one for each frame: connect the Depth clip or choose Estimate"
            )
    elif depth:
        raise InvalidInputError(
            f'header.depth has {len(depth)} frames but depth_source is "{settings.depth_source}"; '
            'send none or set depth_source to "clip"'
        )
    if settings.depth_source == "alpha" and source.channels != 4:
        raise FrameFormatError('depth_source is "alpha" but header.frames have no alpha; send RGBA')


def _plan_wanted(wanted: Sequence[int], count: int) -> tuple[int, ...]:
    if not wanted:
        context = context_of(count)
        if count <= 2 * context:
            raise InvalidInputError(
                f"a window of {count} frames keeps none beside its {context} context frames on each side; "
                "send more frames or name the ones you want in header.wanted"
            )
        return tuple(range(context, count - context))
    if len(set(wanted)) != len(wanted):
        raise InvalidInputError("header.wanted names a frame twice; each at most once")
    if max(wanted) >= count:
        raise InvalidInputError(f"header.wanted has {max(wanted)}; it must be 0..{count - 1}, an index into frames")
    return tuple(wanted)


def _with_slots(plan: WindowPlan, locations: Sequence[frame_pb2.StoreLocation], stores: FrameStores) -> WindowPlan:
    """Add the output slots; each must hold a result and lie apart from every other slot."""
    size = plan.result_format.frame_bytes
    taken = [frame.slot for frame in plan.frames + plan.depth if frame.slot is not None]
    slots: list[StoreSlot] = []
    if len(locations) > len(plan.frames):
        raise InvalidInputError(f"header.output_slots has {len(locations)} slots; at most one for each frame")
    for index, location in enumerate(locations):
        slot = _slot(f"header.output_slots[{index}]", location, size, stores)
        if any(slot.overlaps(other) for other in taken):
            raise InvalidInputError(f"header.output_slots[{index}] overlaps another slot of this window")
        taken.append(slot)
        slots.append(slot)
    return replace(plan, output_slots=tuple(slots))
