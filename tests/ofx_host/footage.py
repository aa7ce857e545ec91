"""The clips of one instance: what is connected, in which format, and the pictures that a plugin gets."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.ofx_host import ofx_names as ofx
from tests.ofx_host import pixels
from tests.ofx_host.clips import Clip
from tests.ofx_host.personality import Personality

PROJECT_SIZE = (96.0, 64.0)
"""Of a project without a Source clip, canonical px."""

Format = tuple[str, str]
"""Depth and components, such as ("Float", "RGBA")."""


class Footage:
    """Clips as the host `me` shows them to the instance `native`.

    clips    by name, shared with the effect that owns them
    depths   what host and plugin share, the host's order
    """

    def __init__(
        self,
        me: Personality,
        native: Any,
        clips: dict[str, Clip],
        depths: list[str],
        *,
        mixes_depths: bool,
        tiles: bool,
    ) -> None:
        self.me = me
        self.native = native
        self.depths = depths
        self.mixes_depths = mixes_depths and me.multiple_depths
        self.tiles = tiles and me.tiles
        self.formats: dict[str, Format] = {}
        self.rendering = 0.0  # the frame being rendered, for hosts whose clips know no other time
        self._all_clips = clips
        self._lock = threading.Lock()  # decoders are not made for several threads

    @property
    def clips(self) -> dict[str, Clip]:
        """The connected clips that exist in this host."""
        if not self.me.only_source_clip:
            return self._all_clips
        return {name: clip for name, clip in self._all_clips.items() if name == "Source"}

    def inputs(self) -> list[str]:
        """Names of the clips besides Output."""
        return [name for name in self.native.clips() if name != "Output"]

    def region(self, name: str) -> pixels.RectD | None:
        """Region of definition of an input, canonical; None if nothing is connected."""
        clip = self.clips.get(name)
        if clip is None:
            return None
        height, width = clip.sample().shape[:2]
        x, y = clip.origin if self.me.multi_resolution else (0, 0)
        return (float(x), float(y), float(x + width), float(y + height))

    def project_region(self) -> pixels.RectD:
        """The region of Source, or of an empty project."""
        return self.region("Source") or (0.0, 0.0, *PROJECT_SIZE)

    def picture(self, name: str, time: float, scale: tuple[float, float], wanted: Any) -> pixels.HostPicture | None:
        """The picture of a connected clip at a time as this host hands it out; None where the clip has none."""
        clip = self.clips[name]
        with self._lock:
            frame = clip.frame(round(time))
        if frame is None:
            return None
        depth, components = self.formats[name]
        frame = pixels.to_components(pixels.to_depth(frame, depth), components)
        x, y = clip.origin if self.me.multi_resolution else (0, 0)
        whole = pixels.pixel_rect((x, y, x + frame.shape[1], y + frame.shape[0]), scale)
        frame = pixels.scaled(frame, whole[2] - whole[0], whole[3] - whole[1])
        bounds = whole
        if wanted is not None and self.me.crops_inputs and self._may_tile(name):
            bounds = pixels.intersection(whole, pixels.pixel_rect(wanted, scale))
            if bounds[2] <= bounds[0] or bounds[3] <= bounds[1]:
                return None
            frame = _part(frame, whole, bounds)
        return self.describe(name, frame, bounds, whole, scale, f"{name}@{time:g}")

    def describe(
        self,
        clip: str,
        frame: NDArray | None,
        bounds: pixels.Rect,
        whole: pixels.Rect,
        scale: tuple[float, float],
        identifier: str,
    ) -> pixels.HostPicture:
        """A picture in this host's memory layout; `frame` is None for an output."""
        depth, components = self.formats[clip]
        source = self.clips.get(clip)
        row = (source.row if source is not None else None) or self.me.rows
        return pixels.HostPicture(
            pixels=None if frame is None else pixels.as_rows(frame),
            bounds=bounds,
            region_of_definition=whole,
            depth=ofx.depth(depth),
            components=ofx.components(components),
            bytes_per_pixel=pixels.bytes_per_pixel(depth, components),
            top_down=row == "negative",
            padding_bytes=self.me.padding_bytes,
            premultiplication=self.premultiplication(clip),
            identifier=identifier,
            scale=scale,
        )

    def connect(self) -> None:
        """Connect every clip as this host does, those that nobody set among them."""
        for name in self.inputs():
            if name in self.clips:
                self.native.connect(name, self._source(name), lambda _time, name=name: self.region(name))
            elif self.me.unset_clip == "connected-black" and "Source" in self.clips:
                self.native.connect(name, self._black(name), lambda _time: self.region("Source"))
            elif self.me.unset_clip == "undefined":
                self.native.connect(name, None, lambda _time: (0.0, 0.0, 0.0, 0.0))
            else:
                self.native.connect(name, None, None)

    def publish(self) -> None:
        """Set the clips' and the project's properties."""
        for name in self.native.clips():
            if self._is_undefined(name):
                self._hide_clip(name)
                continue
            for prop, value in self._properties(name).items():
                self.native.set_clip_property(name, prop, value)
        width, height = self.me.project_size or self.project_region()[2:]
        source = self.clips.get("Source")
        duration = float(source.last - source.first + 1) if source is not None else 0.0
        values = [[width, height], [width, height], [0.0, 0.0], 1.0, duration]
        for name, value in zip(ofx.PROJECT_PROPERTIES, values, strict=True):
            self.native.set_property(name, value)
        self.native.set_property(ofx.PROP_FRAME_RATE, self.fps())

    def hide(self) -> None:
        """Take all of that away, for hosts that do not know it yet."""
        for name in self.native.clips():
            self._hide_clip(name)
        for name in ofx.PROJECT_PROPERTIES:
            self.native.remove_property(name)

    def natural_formats(self) -> dict[str, Format]:
        """The format of each clip before the plugin is asked: its own where allowed, else the host's best."""
        formats: dict[str, Format] = {}
        names = self.native.clips()
        for name in sorted(names, key=lambda name: name != "Source"):
            clip = self.clips.get(name) or self.clips.get("Source")
            own = _format_of(clip) if clip is not None else (self.depths[0], "RGBA")
            depth = own[0] if self.me.keeps_clip_depth and own[0] in self.depths else self.depths[0]
            if "Source" in formats and (name == "Output" or not self.mixes_depths):
                depth = formats["Source"][0]
            allowed = self.allowed_components(name)
            formats[name] = (depth, own[1] if own[1] in allowed else allowed[0])
        return formats

    def settle(self, clip: str, format_: Format) -> None:
        """Give a clip this format from now on."""
        self.formats[clip] = format_
        if clip == "Output" or clip in self.clips:
            self.native.set_clip_property(clip, ofx.PROP_DEPTH, ofx.depth(format_[0]))
            self.native.set_clip_property(clip, ofx.PROP_COMPONENTS, ofx.components(format_[1]))

    def allowed_components(self, clip: str) -> list[str]:
        """What host and clip share, the host's order. Raises ValueError if nothing."""
        plugin = [ofx.short(name) for name in self.native.clip_property(clip, ofx.PROP_SUPPORTED_COMPONENTS)]
        allowed = [name for name in self.me.components if name in plugin]
        if not allowed:
            raise ValueError(f"clip {clip} supports {plugin or 'nothing'}; {self.me.label} has {self.me.components}")
        return allowed

    def premultiplication(self, clip: str) -> str:
        """The standard's word for a clip's alpha; Output has that of Source."""
        source = self.clips.get(clip) or self.clips.get("Source")
        return pixels.premultiplication(source.premultiplication if source is not None else "opaque")

    def fps(self) -> float:
        """Frames a second of Source, and so of the project."""
        source = self.clips.get("Source")
        return float(source.fps) if source is not None else 24.0

    def _may_tile(self, clip: str) -> bool:
        return self.tiles and bool(self.native.clip_property(clip, ofx.PROP_TILES)[0])

    def _is_undefined(self, clip: str) -> bool:
        return self.me.unset_clip == "undefined" and clip != "Output" and clip not in self.clips

    def _source(self, name: str) -> Any:
        def source(time: float, scale_x: float, scale_y: float, wanted: Any) -> pixels.HostPicture | None:
            if self.me.ignores_clip_time:
                time = self.rendering
            return self.picture(name, time, (scale_x, scale_y), wanted)

        return source

    def _black(self, name: str) -> Any:
        def source(time: float, scale_x: float, scale_y: float, wanted: Any) -> pixels.HostPicture | None:
            like = self.picture("Source", self.clips["Source"].first, (scale_x, scale_y), None)
            if like is None or like.pixels is None:
                return None
            like.pixels = np.zeros_like(like.pixels)
            like.identifier = f"{name}@{time:g}"
            return like

        return source

    def _hide_clip(self, name: str) -> None:
        for prop in self._properties(name):
            self.native.remove_clip_property(name, prop)

    def _properties(self, name: str) -> dict[str, Any]:
        clip = self.clips.get("Source" if name == "Output" else name)
        reference = clip or self.clips.get("Source")
        span = [float(reference.first), float(reference.last)] if reference is not None else [0.0, 0.0]
        depth, components = _format_of(clip) if clip is not None else ("None", "None")
        return {
            ofx.PROP_CONNECTED: int(clip is not None or self.me.unset_clip.startswith("connected")),
            ofx.PROP_UNMAPPED_DEPTH: ofx.depth(depth),
            ofx.PROP_UNMAPPED_COMPONENTS: ofx.components(components),
            ofx.PROP_DEPTH: ofx.depth(depth),
            ofx.PROP_COMPONENTS: ofx.components(components),
            ofx.PROP_PREMULTIPLICATION: self.premultiplication(name),
            ofx.PROP_PIXEL_ASPECT: 1.0,
            ofx.PROP_FRAME_RATE: self.fps(),
            ofx.PROP_FRAME_RANGE: span,
            ofx.PROP_FIELD_ORDER: ofx.FIELD_NONE,
            ofx.PROP_UNMAPPED_FRAME_RANGE: span,
            ofx.PROP_UNMAPPED_FRAME_RATE: self.fps(),
            ofx.PROP_CONTINUOUS_SAMPLES: 0,
            **({ofx.PROP_THUMBNAIL: 1} if self.me.thumbnails else {}),
        }


def _format_of(clip: Clip) -> Format:
    sample = clip.sample()
    return pixels.depth_of(sample), pixels.components_of(sample)


def _part(frame: NDArray, whole: pixels.Rect, bounds: pixels.Rect) -> NDArray:
    """The rows and columns of a top-down frame that cover `bounds` (y upwards)."""
    top, left = whole[3] - bounds[3], bounds[0] - whole[0]
    return frame[top : top + bounds[3] - bounds[1], left : left + bounds[2] - bounds[0]]
