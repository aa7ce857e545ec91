"""One instance of an effect: CreateInstance to DestroyInstance, and every action but Render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.ofx_host import ofx_names as ofx
from tests.ofx_host import pixels
from tests.ofx_host.clips import Clip
from tests.ofx_host.footage import Footage

if TYPE_CHECKING:
    from tests.ofx_host.host import Plugin

Ranges = list[tuple[float, float]]


class Instance:
    """What the plugin sees of an effect. Parameters and clips are set before CreateInstance, as in a loaded project."""

    def __init__(self, plugin: Plugin, context: str, clips: dict[str, Clip], params: dict[str, Any]) -> None:
        self.plugin = plugin
        self.host = plugin.host
        self.me = plugin.host.personality
        self.descriptor = plugin.in_context(context)
        self.native = self.descriptor.instance()
        self.footage = Footage(
            self.me,
            self.native,
            clips,
            plugin.supported_depths(self.descriptor),
            mixes_depths=bool(self.descriptor.property(ofx.PROP_MULTIPLE_DEPTHS)[0]),
            tiles=bool(self.descriptor.property(ofx.PROP_TILES)[0]),
        )
        for name, value in params.items():
            self.put_param(name, value)
        self._create()
        self.get_clip_preferences()

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
        if isinstance(value, dict):
            for time, single in value.items():
                self.native.set_param_key(name, float(time), _choice(name, options, single))
        else:
            self.native.set_param(name, _choice(name, options, value))

    def changed(self, object_type: str, name: str, time: float = 0.0) -> None:
        """Tell the plugin that the user changed a parameter or clip, then what it changed in turn."""
        if not self.me.calls_instance_changed:
            return
        reason = {ofx.PROP_CHANGE_REASON: ofx.CHANGE_USER_EDITED}
        self.ask(ofx.ACTION_BEGIN_INSTANCE_CHANGED, reason)
        self._tell_changed(object_type, name, time, ofx.CHANGE_USER_EDITED)
        for edited in self.native.take_plugin_edits():
            self._tell_changed(ofx.TYPE_PARAMETER, edited, time, ofx.CHANGE_PLUGIN_EDITED)
        self.native.take_plugin_edits()
        self.ask(ofx.ACTION_END_INSTANCE_CHANGED, reason)
        if object_type == ofx.TYPE_CLIP or name in self.descriptor.property(ofx.PROP_SLAVE_PARAM):
            self.get_clip_preferences()

    def reconnect(self, clip: str) -> None:
        """Follow a clip that was connected, replaced or disconnected."""
        self.footage.connect()
        self.footage.publish()
        if self.me.calls_instance_changed:
            self.changed(ofx.TYPE_CLIP, clip)
        else:
            self.get_clip_preferences()

    def get_clip_preferences(self) -> None:
        """Settle depth and components of every clip with the plugin."""
        natural = self.footage.natural_formats()
        proposal: dict[str, Any] = {
            ofx.PROP_FRAME_RATE: self.footage.fps(),
            ofx.PROP_PREMULTIPLICATION: self.footage.premultiplication("Source"),
            ofx.PROP_FIELD_ORDER: ofx.FIELD_NONE,
            ofx.PROP_CONTINUOUS_SAMPLES: 0,
            ofx.PROP_FRAME_VARYING: 0,
        }
        for clip, (depth, components) in natural.items():
            proposal[f"OfxImageClipPropComponents_{clip}"] = ofx.components(components)
            proposal[f"OfxImageClipPropDepth_{clip}"] = ofx.depth(depth)
            proposal[f"OfxImageClipPropPAR_{clip}"] = 1.0
        _, answer = self.ask(ofx.ACTION_GET_CLIP_PREFERENCES, None, proposal)
        for clip in natural:
            depth = ofx.short(answer[f"OfxImageClipPropDepth_{clip}"][0])
            components = ofx.short(answer[f"OfxImageClipPropComponents_{clip}"][0])
            if depth not in self.footage.depths or components not in self.footage.allowed_components(clip):
                self.host.problem(
                    "preferences", f"clip {clip} was set to {depth} {components}, which was not agreed on"
                )
                depth, components = natural[clip]
            self.footage.settle(clip, (depth, components))

    def region_of_definition(self, time: float, scale: tuple[float, float]) -> pixels.RectD:
        """What the output covers, canonical: the plugin's answer where this host asks and can follow it."""
        default = self.footage.project_region()
        if not self.me.asks_region_of_definition:
            return default
        arguments = {ofx.PROP_TIME: float(time), ofx.PROP_RENDER_SCALE: list(scale)}
        proposal = {ofx.PROP_REGION_OF_DEFINITION: list(default)}
        _, answer = self.ask(ofx.ACTION_GET_REGION_OF_DEFINITION, arguments, proposal)
        x1, y1, x2, y2 = answer[ofx.PROP_REGION_OF_DEFINITION]
        return (x1, y1, x2, y2) if self.me.multi_resolution else default

    def regions_of_interest(self, time: float, scale: tuple[float, float], region: pixels.RectD) -> dict:
        """What the plugin wants of each input to render `region`, canonical."""
        if not self.me.asks_regions_of_interest:
            return {}
        arguments = {
            ofx.PROP_TIME: float(time),
            ofx.PROP_RENDER_SCALE: list(scale),
            ofx.PROP_REGION_OF_INTEREST: [float(side) for side in region],
        }
        proposal = {f"OfxImageClipPropRoI_{clip}": [float(side) for side in region] for clip in self.footage.inputs()}
        _, answer = self.ask(ofx.ACTION_GET_REGIONS_OF_INTEREST, arguments, proposal)
        return {name.removeprefix("OfxImageClipPropRoI_"): tuple(sides) for name, sides in answer.items()}

    def frames_needed(self, time: float) -> dict[str, Ranges] | None:
        """Which frames of each input the plugin will read; None if host or plugin has no temporal access."""
        if not (self.me.asks_frames_needed and self.me.temporal and self.descriptor.property(ofx.PROP_TEMPORAL)[0]):
            return None
        proposal = {f"OfxImageClipPropFrameRange_{clip}*": [float(time)] * 2 for clip in self.footage.inputs()}
        _, answer = self.ask(ofx.ACTION_GET_FRAMES_NEEDED, {ofx.PROP_TIME: float(time)}, proposal)
        ranges = {}
        for name, values in answer.items():
            clip = name.removeprefix("OfxImageClipPropFrameRange_")
            ranges[clip] = list(zip(values[::2], values[1::2], strict=False))
            if self.me.needs_frames_needed and (not values or len(values) % 2):
                self.host.problem("status", f"GetFramesNeeded gave {len(values)} numbers for {clip}, not pairs")
        return ranges

    def _create(self) -> None:
        self.footage.connect()
        if self.me.clips_known_at_create:
            self.footage.publish()
        else:
            self.footage.hide()
        status = self.call(ofx.ACTION_CREATE_INSTANCE, dict(self.me.create_arguments) or None)[0]
        self.plugin.require(ofx.ACTION_CREATE_INSTANCE, status, self.me.accepts_reply_default)
        self.footage.publish()

    def _tell_changed(self, object_type: str, name: str, time: float, reason: str) -> None:
        arguments = {
            ofx.PROP_TYPE: object_type,
            ofx.PROP_NAME: name,
            ofx.PROP_CHANGE_REASON: reason,
            ofx.PROP_TIME: float(time),
            ofx.PROP_RENDER_SCALE: [1.0, 1.0],
        }
        self.ask(ofx.ACTION_INSTANCE_CHANGED, arguments)


def _choice(name: str, options: list[str] | None, value: Any) -> Any:
    """The index of a choice that was named by its label; any other value as it is."""
    if options is None or not isinstance(value, str):
        return value
    if value not in options:
        raise ValueError(f"{name} has no choice {value!r}; there are {', '.join(options)}")
    return options.index(value)
