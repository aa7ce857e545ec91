"""One instance of an effect: CreateInstance to DestroyInstance, clips and their formats, all actions but Render."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.ofx_host import ofx_names as ofx
from tests.ofx_host import pixels
from tests.ofx_host.clips import Clip

if TYPE_CHECKING:
    from tests.ofx_host.host import Plugin

Ranges = list[tuple[float, float]]

PROJECT_SIZE = (96.0, 64.0)
"""Of a project without a Source clip, canonical px."""


class Instance:
    """What the plugin sees of an effect. Parameters and clips are set before CreateInstance, as in a loaded project."""

    def __init__(self, plugin: Plugin, context: str, clips: dict[str, Clip], params: dict[str, Any]) -> None:
        self.plugin = plugin
        self.host = plugin.host
        self.me = plugin.host.personality
        self._all_clips = clips
        self.descriptor = plugin.in_context(context)
        self.native = self.descriptor.instance()
        self.formats: dict[str, tuple[str, str]] = {}  # clip to (depth, components)
        self._lock = threading.Lock()
        for name, value in params.items():
            self.put_param(name, value)
        self._connect()
        if self.me.clips_known_at_create:
            self._publish_clips()
            self._publish_project()
        else:
            self._hide_everything()
        arguments = dict(self.me.create_arguments) or None
        status = self.call(ofx.ACTION_CREATE_INSTANCE, arguments)[0]
        plugin.require(ofx.ACTION_CREATE_INSTANCE, status, self.me.accepts_reply_default)
        self._publish_clips()
        self._publish_project()
        self.get_clip_preferences()

    @property
    def clips(self) -> dict[str, Clip]:
        """The connected clips that exist in this host."""
        if not self.me.only_source_clip:
            return self._all_clips
        return {name: clip for name, clip in self._all_clips.items() if name == "Source"}

    def call(self, action: str, in_args: dict | None = None, out_args: dict | None = None) -> Any:
        """Call an action on this instance; gives (status, out_args)."""
        return self.plugin.call(action, self.native, in_args, out_args)

    def ask(self, action: str, in_args: dict | None = None, out_args: dict | None = None) -> tuple[bool, dict]:
        """Call an action that may be left to the host; whether it was answered, and the answer. Errors are noted."""
        status, answer = self.call(action, in_args, out_args)
        if status not in (ofx.STATUS_OK, ofx.STATUS_REPLY_DEFAULT):
            self.host.problem("status", f"{action} gave {ofx.status_name(status)}")
        return status == ofx.STATUS_OK, answer

    def destroy(self) -> None:
        """Call DestroyInstance."""
        status = self.call(ofx.ACTION_DESTROY_INSTANCE)[0]
        allowed = {ofx.STATUS_OK} | ({ofx.STATUS_REPLY_DEFAULT} if self.me.accepts_reply_default else set())
        if status not in allowed:
            self.host.problem("status", f"{ofx.ACTION_DESTROY_INSTANCE} gave {ofx.status_name(status)}")

    def put_param(self, name: str, value: Any) -> None:
        """Set a parameter's value, or keys from {time: value}. A choice may be named by its label.

        Raises KeyError for an unknown name, ValueError for an unknown choice.
        """
        known = {param["name"]: param for param in self.native.params()}
        if name not in known:
            raise KeyError(f"no param {name}; there are {', '.join(known)}")
        options = known[name]["properties"].get("OfxParamPropChoiceOption")

        def number(single: Any) -> Any:
            if options is None or not isinstance(single, str):
                return single
            if single not in options:
                raise ValueError(f"{name} has no choice {single!r}; there are {', '.join(options)}")
            return options.index(single)

        if isinstance(value, dict):
            for time, single in value.items():
                self.native.set_param_key(name, float(time), number(single))
        else:
            self.native.set_param(name, number(value))

    def changed(self, object_type: str, name: str, time: float = 0.0, reason: str = ofx.CHANGE_USER_EDITED) -> None:
        """Tell the plugin that a parameter or clip changed, and what it changed in turn."""
        if not self.me.calls_instance_changed:
            return
        self.ask(ofx.ACTION_BEGIN_INSTANCE_CHANGED, {ofx.PROP_CHANGE_REASON: reason})
        self._tell_changed(object_type, name, time, reason)
        for edited in self.native.take_plugin_edits():
            self._tell_changed(ofx.TYPE_PARAMETER, edited, time, ofx.CHANGE_PLUGIN_EDITED)
        self.native.take_plugin_edits()
        self.ask(ofx.ACTION_END_INSTANCE_CHANGED, {ofx.PROP_CHANGE_REASON: reason})
        if object_type == ofx.TYPE_CLIP or name in self.descriptor.property(ofx.PROP_SLAVE_PARAM):
            self.get_clip_preferences()

    def reconnect(self, clip: str) -> None:
        """Follow a clip that was connected, replaced or disconnected."""
        self.native.connect(clip, None, None)
        self._connect()
        self._publish_clips()
        self._publish_project()
        if self.me.calls_instance_changed:
            self.changed(ofx.TYPE_CLIP, clip)
        else:
            self.get_clip_preferences()

    def get_clip_preferences(self) -> None:
        """Settle depth and components of every clip with the plugin."""
        natural = self._natural_formats()
        proposal: dict[str, Any] = {
            ofx.PROP_FRAME_RATE: self._fps(),
            ofx.PROP_PREMULTIPLICATION: self._premultiplication("Source"),
            ofx.PROP_FIELD_ORDER: ofx.FIELD_NONE,
            ofx.PROP_CONTINUOUS_SAMPLES: 0,
            ofx.PROP_FRAME_VARYING: 0,
        }
        for clip, (depth, components) in natural.items():
            proposal[f"OfxImageClipPropComponents_{clip}"] = ofx.components(components)
            proposal[f"OfxImageClipPropDepth_{clip}"] = ofx.depth(depth)
            proposal[f"OfxImageClipPropPAR_{clip}"] = 1.0
        _, answer = self.ask(ofx.ACTION_GET_CLIP_PREFERENCES, None, proposal)
        self.frame_varying = bool(answer[ofx.PROP_FRAME_VARYING][0])
        for clip in natural:
            depth = ofx.short(answer[f"OfxImageClipPropDepth_{clip}"][0])
            components = ofx.short(answer[f"OfxImageClipPropComponents_{clip}"][0])
            self._settle(clip, depth, components)

    def region_of_definition(self, time: float, scale: tuple[float, float]) -> pixels.RectD:
        """What the output covers, canonical: the plugin's answer where this host asks and can follow it."""
        default = self.clip_region("Source") or (0.0, 0.0, *PROJECT_SIZE)
        if not self.me.asks_region_of_definition:
            return default
        arguments = {ofx.PROP_TIME: float(time), ofx.PROP_RENDER_SCALE: list(scale)}
        _, answer = self.ask(
            ofx.ACTION_GET_REGION_OF_DEFINITION, arguments, {ofx.PROP_REGION_OF_DEFINITION: list(default)}
        )
        region = tuple(answer[ofx.PROP_REGION_OF_DEFINITION])
        return region if self.me.multi_resolution else default

    def regions_of_interest(self, time: float, scale: tuple[float, float], region: pixels.RectD) -> dict:
        """What the plugin wants of each input to render `region`, canonical."""
        if not self.me.asks_regions_of_interest:
            return {}
        arguments = {
            ofx.PROP_TIME: float(time),
            ofx.PROP_RENDER_SCALE: list(scale),
            ofx.PROP_REGION_OF_INTEREST: [float(side) for side in region],
        }
        wanted = {f"OfxImageClipPropRoI_{clip}": [float(side) for side in region] for clip in self.inputs()}
        _, answer = self.ask(ofx.ACTION_GET_REGIONS_OF_INTEREST, arguments, wanted)
        return {name.removeprefix("OfxImageClipPropRoI_"): tuple(sides) for name, sides in answer.items()}

    def frames_needed(self, time: float) -> dict[str, Ranges] | None:
        """Which frames of each input the plugin will read; None if this host or plugin has no temporal access."""
        if not (self.me.asks_frames_needed and self.me.temporal and self.descriptor.property(ofx.PROP_TEMPORAL)[0]):
            return None
        proposal = {f"OfxImageClipPropFrameRange_{clip}*": [float(time)] * 2 for clip in self.inputs()}
        _, answer = self.ask(ofx.ACTION_GET_FRAMES_NEEDED, {ofx.PROP_TIME: float(time)}, proposal)
        ranges = {}
        for name, values in answer.items():
            clip = name.removeprefix("OfxImageClipPropFrameRange_")
            ranges[clip] = list(zip(values[::2], values[1::2], strict=False))
            if self.me.needs_frames_needed and (not values or len(values) % 2):
                self.host.problem("status", f"GetFramesNeeded gave {len(values)} numbers for {clip}, not pairs")
        return ranges

    def inputs(self) -> list[str]:
        """Names of the clips besides Output."""
        return [name for name in self.native.clips() if name != "Output"]

    def clip_region(self, name: str) -> pixels.RectD | None:
        """Region of definition of an input, canonical; None if nothing is connected."""
        clip = self.clips.get(name)
        if clip is None:
            return None
        height, width = clip.sample().shape[:2]
        x, y = clip.origin if self.me.multi_resolution else (0, 0)
        return (float(x), float(y), float(x + width), float(y + height))

    def picture(self, name: str, time: float, scale: tuple[float, float], wanted: Any) -> pixels.HostPicture | None:
        """The picture of a connected clip at a time as this host hands it out."""
        clip = self.clips[name]
        with self._lock:
            frame = clip.frame(round(time))
        if frame is None:
            return None
        depth, components = self.formats[name]
        frame = pixels.to_components(pixels.to_depth(frame, depth), components)
        x, y = clip.origin if self.me.multi_resolution else (0, 0)
        region = (float(x), float(y), float(x + frame.shape[1]), float(y + frame.shape[0]))
        whole = pixels.pixel_rect(region, scale)
        frame = pixels.scaled(frame, whole[2] - whole[0], whole[3] - whole[1])
        bounds = whole
        if wanted is not None and self.me.crops_inputs and self.may_tile(name):
            bounds = pixels.intersection(whole, pixels.pixel_rect(wanted, scale))
            if bounds[2] <= bounds[0] or bounds[3] <= bounds[1]:
                return None
            top, left = whole[3] - bounds[3], bounds[0] - whole[0]
            frame = frame[top : top + bounds[3] - bounds[1], left : left + bounds[2] - bounds[0]]
        return self.describe_picture(name, frame, bounds, whole, scale, f"{name}@{time:g}")

    def describe_picture(
        self, clip: str, frame: Any, bounds: Any, whole: Any, scale: tuple[float, float], identifier: str
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
            premultiplication=self._premultiplication(clip),
            identifier=identifier,
            scale=scale,
        )

    def may_tile(self, clip: str | None = None) -> bool:
        """Whether host, plugin and clip all allow less than whole images."""
        allowed = self.me.tiles and bool(self.descriptor.property(ofx.PROP_TILES)[0])
        return allowed and (clip is None or bool(self.native.clip_property(clip, ofx.PROP_TILES)[0]))

    def _connect(self) -> None:
        for name in self.inputs():
            if name in self.clips:
                self._connect_clip(name)
            elif self.me.unset_clip == "connected-black":
                self.native.connect(name, self._black(name), lambda _time: self.clip_region("Source"))
            elif self.me.unset_clip == "undefined":
                self.native.connect(name, None, lambda _time: (0.0, 0.0, 0.0, 0.0))

    def _connect_clip(self, name: str) -> None:
        def source(time: float, scale_x: float, scale_y: float, wanted: Any) -> pixels.HostPicture | None:
            if self.me.ignores_clip_time:
                time = self.rendering
            return self.picture(name, time, (scale_x, scale_y), wanted)

        self.native.connect(name, source, lambda _time: self.clip_region(name))

    rendering: float = 0.0
    """The frame being rendered, for hosts whose clips know no other time."""

    def _black(self, name: str) -> Any:
        def source(time: float, scale_x: float, scale_y: float, wanted: Any) -> pixels.HostPicture | None:
            like = self.picture("Source", self.clips["Source"].first, (scale_x, scale_y), None)
            assert like is not None and like.pixels is not None
            like.pixels = np.zeros_like(like.pixels)
            like.identifier = f"{name}@{time:g}"
            return like

        return source

    def _publish_clips(self) -> None:
        for name in self.native.clips():
            if self.me.unset_clip == "undefined" and name != "Output" and name not in self.clips:
                for prop in self._clip_properties(name):
                    self.native.remove_clip_property(name, prop)
                continue
            for prop, value in self._clip_properties(name).items():
                self.native.set_clip_property(name, prop, value)

    def _clip_properties(self, name: str) -> dict[str, Any]:
        clip = self.clips.get("Source" if name == "Output" else name)
        connected = clip is not None or self.me.unset_clip.startswith("connected")
        reference = clip or self.clips.get("Source")
        span = [float(reference.first), float(reference.last)] if reference is not None else [0.0, 0.0]
        depth, components = "None", "None"
        if clip is not None:
            depth, components = pixels.depth_of(clip.sample()), pixels.components_of(clip.sample())
        return {
            ofx.PROP_CONNECTED: int(connected),
            ofx.PROP_UNMAPPED_DEPTH: ofx.depth(depth),
            ofx.PROP_UNMAPPED_COMPONENTS: ofx.components(components),
            ofx.PROP_DEPTH: ofx.depth(depth),
            ofx.PROP_COMPONENTS: ofx.components(components),
            ofx.PROP_PREMULTIPLICATION: self._premultiplication(name),
            ofx.PROP_PIXEL_ASPECT: 1.0,
            ofx.PROP_FRAME_RATE: self._fps(),
            ofx.PROP_FRAME_RANGE: span,
            ofx.PROP_FIELD_ORDER: ofx.FIELD_NONE,
            "OfxImageEffectPropUnmappedFrameRange": span,
            "OfxImageEffectPropUnmappedFrameRate": self._fps(),
            ofx.PROP_CONTINUOUS_SAMPLES: 0,
        }

    def _publish_project(self) -> None:
        region = self.clip_region("Source") or (0.0, 0.0, *PROJECT_SIZE)
        source = self.clips.get("Source")
        size = [region[2], region[3]]
        duration = float(source.last - source.first + 1) if source is not None else 0.0
        values = [size, size, [0.0, 0.0], 1.0, duration]
        for name, value in zip(ofx.PROJECT_PROPERTIES, values, strict=True):
            self.native.set_property(name, value)
        self.native.set_property(ofx.PROP_FRAME_RATE, self._fps())

    def _hide_everything(self) -> None:
        for name in self.native.clips():
            for prop in self._clip_properties(name):
                self.native.remove_clip_property(name, prop)
        for name in ofx.PROJECT_PROPERTIES:
            self.native.remove_property(name)

    def _natural_formats(self) -> dict[str, tuple[str, str]]:
        """The format of each clip before the plugin is asked: its own where allowed, else the host's best."""
        common = self.plugin.supported_depths(self.descriptor)
        formats = {}
        for name in ["Source", *[n for n in self.native.clips() if n != "Source"]]:
            if name not in self.native.clips():
                continue
            clip = self.clips.get(name) or self.clips.get("Source")
            own_depth = pixels.depth_of(clip.sample()) if clip is not None else common[0]
            own_components = pixels.components_of(clip.sample()) if clip is not None else "RGBA"
            depth = own_depth if self.me.keeps_clip_depth and own_depth in common else common[0]
            if "Source" in formats and (name == "Output" or not self._may_mix_depths()):
                depth = formats["Source"][0]
            allowed = self._allowed_components(name)
            components = own_components if own_components in allowed else allowed[0]
            formats[name] = (depth, components)
        return formats

    def _allowed_components(self, clip: str) -> list[str]:
        plugin = [ofx.short(name) for name in self.native.clip_property(clip, ofx.PROP_SUPPORTED_COMPONENTS)]
        allowed = [name for name in self.me.components if name in plugin]
        if not allowed:
            raise ValueError(
                f"clip {clip} supports {plugin or 'no components'}; {self.me.label} has {self.me.components}"
            )
        return allowed

    def _may_mix_depths(self) -> bool:
        return self.me.multiple_depths and bool(self.descriptor.property(ofx.PROP_MULTIPLE_DEPTHS)[0])

    def _settle(self, clip: str, depth: str, components: str) -> None:
        if depth not in self.plugin.supported_depths(self.descriptor):
            self.host.problem("preferences", f"clip {clip} was set to depth {depth}, which was not agreed on")
        if components not in self._allowed_components(clip):
            self.host.problem("preferences", f"clip {clip} was set to {components}, which it does not support")
        self.formats[clip] = (depth, components)
        if self.me.unset_clip == "undefined" and clip != "Output" and clip not in self.clips:
            return
        if clip == "Output" or clip in self.clips:
            self.native.set_clip_property(clip, ofx.PROP_DEPTH, ofx.depth(depth))
            self.native.set_clip_property(clip, ofx.PROP_COMPONENTS, ofx.components(components))

    def _tell_changed(self, object_type: str, name: str, time: float, reason: str) -> None:
        arguments = {
            ofx.PROP_TYPE: object_type,
            ofx.PROP_NAME: name,
            ofx.PROP_CHANGE_REASON: reason,
            ofx.PROP_TIME: float(time),
            ofx.PROP_RENDER_SCALE: [1.0, 1.0],
        }
        self.ask(ofx.ACTION_INSTANCE_CHANGED, arguments)

    def _premultiplication(self, clip: str) -> str:
        source = self.clips.get(clip) or self.clips.get("Source")
        return pixels.premultiplication(source.premultiplication if source is not None else "opaque")

    def _fps(self) -> float:
        source = self.clips.get("Source")
        return float(source.fps) if source is not None else 24.0
