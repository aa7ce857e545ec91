"""An effect as an artist has it: clips, settings, frames. Which actions that takes is the host's personality."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tests.ofx_host import ofx_names as ofx
from tests.ofx_host import pixels
from tests.ofx_host.clips import Clip
from tests.ofx_host.errors import RenderAborted, RenderFailed
from tests.ofx_host.instance import Instance

if TYPE_CHECKING:
    from tests.ofx_host.host import Plugin


@dataclass(frozen=True)
class RenderOptions:
    """How a frame is asked for; window in pixels, None for all that the effect defines."""

    window: pixels.Rect | None = None
    scale: float = 1.0
    interactive: bool = False
    draft: bool = False
    sequential: bool = False  # frames follow one another, as in playback and in final renders
    eye: int | None = None  # Resolve's stereo timelines: 0 left, 1 right


class Effect:
    """One use of a plugin. Settings may be changed and frames rendered in any order.

    Where the host makes an instance for every frame, this is what it keeps between frames.
    """

    def __init__(self, plugin: Plugin, context: str, params: dict[str, Any]) -> None:
        self.plugin = plugin
        self.host = plugin.host
        self.context = context
        self.clips: dict[str, Clip] = {}
        self.params = dict(params)
        self._instance: Instance | None = None
        self._abort_after_ms: float | None = None

    def set_clip(self, name: str, clip: Clip | None) -> None:
        """Connect a clip, or disconnect it. An instance that lives is told."""
        if clip is None:
            self.clips.pop(name, None)
        else:
            self.clips[name] = clip
        if self._instance is not None:
            self._instance.reconnect(name)

    def set(self, name: str, value: Any, time: float = 0.0) -> None:
        """Set a parameter, or animate it with {time: value}, as an artist does; choices by label or index."""
        self.params[name] = value
        if self._instance is not None:
            self._instance.put_param(name, value)
            self._instance.changed(ofx.TYPE_PARAMETER, name, time)

    def get(self, name: str, time: float = 0.0) -> Any:
        """The parameter's value at a time; a choice is its index."""
        return self.instance.native.param_value(name, float(time))

    def open_panel(self) -> None:
        """Show the effect's panel to the user: BeginInstanceEdit."""
        self.instance.ask(ofx.ACTION_BEGIN_INSTANCE_EDIT)

    def press(self, button: str) -> None:
        """Press a push button."""
        self.instance.changed(ofx.TYPE_PARAMETER, button)

    @property
    def instance(self) -> Instance:
        """The instance that lives, made if there is none."""
        if self._instance is None:
            self._instance = Instance(self.plugin, self.context, self.clips, self.params)
        return self._instance

    def render(self, time: float, **options: Any) -> NDArray:
        """Render one frame as a sequence of its own. Options are those of RenderOptions.

        returns   (H, W, C), top row first, in the output's depth
        Raises RenderFailed, or RenderAborted if an abort was asked for.
        """
        (picture,) = self.render_range([time], **options)  # runs to the end of the sequence
        return picture

    def render_range(self, times: Iterable[float], **options: Any) -> Iterator[NDArray]:
        """Render frames in that order between one Begin- and EndSequenceRender."""
        times = list(times)
        how = RenderOptions(**options)
        if self.host.personality.instance_per_frame:
            for time in times:
                with self._instance_for_a_frame() as instance, self._sequence(instance, [time], how):
                    yield self._render(instance, time, how)
            return
        with self._sequence(self.instance, times, how):
            for time in times:
                yield self._render(self.instance, time, how)

    def render_many(self, times: Iterable[float], threads: int | None = None, **options: Any) -> list[NDArray]:
        """Render frames on several threads at once, on one instance where the host has one."""
        times = list(times)
        how = RenderOptions(**options)
        count = threads or self.host.personality.parallel_frames
        with ThreadPoolExecutor(count) as pool:
            if self.host.personality.instance_per_frame:
                return list(pool.map(lambda time: self.render(time, **options), times))
            instance = self.instance
            with self._sequence(instance, times, how):
                return list(pool.map(lambda time: self._render(instance, time, how), times))

    def abort_after(self, milliseconds: float | None) -> None:
        """Let abort() answer yes that long after each coming render begins; None ends this."""
        self._abort_after_ms = milliseconds

    def abort(self) -> None:
        """Let abort() answer yes from now on in the render that is under way; from any thread."""
        self.instance.native.request_abort(0)

    @property
    def abort_polls(self) -> int:
        """How often the plugin called abort() in the last render."""
        return self.instance.native.abort_polls

    @property
    def persistent_message(self) -> str | None:
        """The message that stands on the node now."""
        message = None if self._instance is None else self._instance.native.persistent_message
        return None if message is None else message[2]

    def check(self) -> None:
        """Raise HostCheckError if the plugin broke a rule so far."""
        if self._instance is not None and self._instance.native.images_out:
            self.host.problem("leaked-image", f"{self._instance.native.images_out} images are out between actions")
        self.host.check()

    def close(self) -> None:
        """Remove the effect: DestroyInstance."""
        if self._instance is not None:
            self._instance.destroy()
            self._instance = None

    @contextmanager
    def _instance_for_a_frame(self) -> Iterator[Instance]:
        instance = Instance(self.plugin, self.context, self.clips, self.params)
        try:
            yield instance
        finally:
            instance.destroy()

    @contextmanager
    def _sequence(self, instance: Instance, times: list[float], how: RenderOptions) -> Iterator[None]:
        arguments = {
            ofx.PROP_FRAME_RANGE: [float(min(times)), float(max(times))],
            ofx.PROP_FRAME_STEP: 1.0,
            ofx.PROP_IS_INTERACTIVE: int(how.interactive),
            **_status_arguments(how),
        }
        instance.ask(ofx.ACTION_BEGIN_SEQUENCE_RENDER, arguments)
        try:
            yield
        finally:
            instance.ask(ofx.ACTION_END_SEQUENCE_RENDER, arguments)

    def _render(self, instance: Instance, time: float, how: RenderOptions) -> NDArray:
        scale = (how.scale, how.scale)
        instance.footage.rendering = time
        region = instance.region_of_definition(time, scale)
        whole = pixels.pixel_rect(region, scale)
        window = whole if how.window is None else pixels.intersection(whole, how.window)
        x1, y1, x2, y2 = (side / how.scale for side in window)
        regions = instance.regions_of_interest(time, scale, (x1, y1, x2, y2))
        frames = instance.frames_needed(time)
        same = self._identity(instance, time, window, how)
        if same is not None:
            return same
        return self._render_action(instance, time, how, whole, window, regions, frames)

    def _identity(self, instance: Instance, time: float, window: pixels.Rect, how: RenderOptions) -> NDArray | None:
        """The input picture that the plugin says the frame equals, if it says so."""
        if not self.host.personality.asks_identity:
            return None
        proposal = {ofx.PROP_NAME: "", ofx.PROP_TIME: float(time)}
        answered, answer = instance.ask(ofx.ACTION_IS_IDENTITY, _render_arguments(time, window, how), proposal)
        name = answer[ofx.PROP_NAME][0]
        if not answered or name not in instance.footage.clips:
            return None
        picture = instance.footage.picture(name, answer[ofx.PROP_TIME][0], (how.scale, how.scale), None)
        if picture is None or picture.pixels is None:
            return None
        return pixels.from_rows(picture.pixels, *instance.footage.formats[name])

    def _render_action(
        self,
        instance: Instance,
        time: float,
        how: RenderOptions,
        whole: pixels.Rect,
        window: pixels.Rect,
        regions: dict,
        frames: dict | None,
    ) -> NDArray:
        scale = (how.scale, how.scale)
        bounds = whole
        output = instance.footage.describe("Output", None, bounds, whole, scale, f"Output@{time:g}")
        told_before = len(self.host.messages)
        instance.native.reset_abort()
        if self._abort_after_ms is not None:
            instance.native.request_abort(self._abort_after_ms)
        crop = regions if self.host.personality.crops_inputs else {}
        declared = frames if self.host.personality.needs_frames_needed else None
        arguments = _render_arguments(time, window, how) | _status_arguments(how)
        self.host.actions.append(ofx.ACTION_RENDER)
        status, rows = self.plugin.native.render(self.host.native, instance.native, arguments, output, crop, declared)
        self._judge(instance, time, status, told_before)
        return pixels.from_rows(rows, *instance.footage.formats["Output"])

    def _judge(self, instance: Instance, time: float, status: int, told_before: int) -> None:
        told = [text for _, _, text, _ in self.host.messages[told_before:]]
        if instance.native.is_aborting:
            raise RenderAborted(status, time, told)
        if status not in ofx.STATUS_NAMES or status == ofx.STATUS_REPLY_DEFAULT:
            self.host.problem("status", f"Render gave {ofx.status_name(status)}")
        if status != ofx.STATUS_OK:
            raise RenderFailed(status, time, told)
        standing = instance.native.persistent_message
        if standing is not None and standing[0] == "OfxMessageError" and self.host.personality.clears_error_needed:
            self.host.problem("persistent-error", f"an error still stands after a good render: {standing[2]}")


def _render_arguments(time: float, window: pixels.Rect, how: RenderOptions) -> dict[str, Any]:
    return {
        ofx.PROP_TIME: float(time),
        ofx.PROP_FIELD_TO_RENDER: ofx.FIELD_NONE,
        ofx.PROP_RENDER_WINDOW: list(window),
        ofx.PROP_RENDER_SCALE: [how.scale, how.scale],
    }


def _status_arguments(how: RenderOptions) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        ofx.PROP_SEQUENTIAL_STATUS: int(how.sequential),
        ofx.PROP_INTERACTIVE_STATUS: int(how.interactive),
        ofx.PROP_DRAFT: int(how.draft),
        ofx.PROP_RENDER_SCALE: [how.scale, how.scale],
    }
    if how.eye is not None:
        arguments["OfxImageEffectPropEyeToRender"] = how.eye
    return arguments
