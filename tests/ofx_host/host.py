"""A host with a personality, and the plugins that it loads."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

from tests.ofx_host import native
from tests.ofx_host import ofx_names as ofx
from tests.ofx_host.effect import Effect
from tests.ofx_host.errors import HostCheckError, PluginRefused
from tests.ofx_host.personality import PERSONALITIES, Personality

ARCHITECTURES = {"Linux": "Linux-x86-64", "Darwin": "MacOS", "Windows": "Win64"}


class Host:
    """One host application. A process has one at a time that is in use, as in life.

    with Host("nuke") as host:
        effect = host.load(path).create("Filter")
    """

    def __init__(
        self, personality: str | Personality = "strict", *, verify_inputs: bool = True, **changes: Any
    ) -> None:
        base = PERSONALITIES[personality] if isinstance(personality, str) else personality
        self.personality = dataclasses.replace(base, **changes)
        self.core = native.load()
        self.native = self.core.Host(self._habits(verify_inputs))
        self.actions: list[str] = []
        """Every action called, in order."""
        self._plugins: list[Plugin] = []
        self._set_properties()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, path: Path | str, identifier: str | None = None) -> Plugin:
        """Load a `.ofx` file or `.ofx.bundle` folder and describe its effect (the first, or the one named).

        Raises PluginRefused with the reason.
        """
        binary, bundle = _binary_of(Path(path))
        try:
            found = self.core.load(str(binary), self.native)
        except RuntimeError as error:
            raise PluginRefused(str(error)) from None
        for plugin in found:
            if identifier in (None, plugin.identifier):
                self._plugins.append(Plugin(self, plugin, bundle))
                return self._plugins[-1]
        raise PluginRefused(f"{binary.name} has no {identifier}, only {', '.join(p.identifier for p in found)}")

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Rules broken so far, as (kind, text)."""
        return self.native.problems()

    @property
    def messages(self) -> list[tuple[str, str, str, bool]]:
        """Everything the user was told, as (type, id, text, persistent)."""
        return self.native.messages()

    @property
    def reads(self) -> list[tuple[str, float, bool]]:
        """Every clipGetImage of an input, as (clip, time, found)."""
        return self.native.reads()

    def forget(self) -> None:
        """Begin with an empty journal."""
        self.actions.clear()
        self.native.clear_journal()

    def problem(self, kind: str, text: str) -> None:
        """Note a broken rule."""
        self.native.problem(kind, text)

    def check(self) -> None:
        """Raise HostCheckError if a rule was broken."""
        if self.problems:
            raise HostCheckError(self.problems)

    def close(self) -> None:
        """Destroy all instances and unload all plugins, as this host would; raises nothing."""
        for plugin in self._plugins:
            plugin.close()
        self._plugins.clear()
        if self.native.memory_out:
            self.problem("leaked-memory", f"{self.native.memory_out} blocks of the host's memory were never freed")
        if self.native.mutexes_out:
            self.problem("leaked-mutex", f"{self.native.mutexes_out} mutexes of the host were never destroyed")

    def _habits(self, verify_inputs: bool) -> Any:
        me = self.personality
        habits = self.core.Habits()
        suites = self.core.MessageSuite
        habits.message_suite = {"v1": suites.V1_ONLY, "v2": suites.V2, "v2-null": suites.V2_WITH_NULL_MEMBERS}[
            me.message_suite
        ]
        missing = self.core.MissingImage
        habits.missing_image = {
            "failed": missing.FAILED,
            "ok-null": missing.OK_WITH_NULL,
            "ok-no-data": missing.OK_WITHOUT_DATA,
        }[me.missing_image]
        habits.suites = set(me.suites)
        habits.no_param_set_in = set(me.no_param_set_in)
        habits.freeze_after_describe = me.freezes_after_describe
        habits.unknown_clip_is_null = me.unknown_clip_is_null
        habits.only_declared_frames = me.needs_frames_needed
        habits.verify_inputs = verify_inputs
        habits.no_param_getters = not me.has_param_getters
        habits.omitted = {key: set(names) for key, names in me.omitted.items()}
        return habits

    def _set_properties(self) -> None:
        me = self.personality
        values = {
            ofx.PROP_TYPE: "OfxTypeImageEffectHost",
            ofx.PROP_NAME: me.host_name,
            "OfxPropLabel": me.label,
            "OfxPropVersion": list(me.version),
            "OfxPropVersionLabel": ".".join(map(str, me.version)),
            "OfxPropAPIVersion": list(me.api_version),
            "OfxImageEffectHostPropIsBackground": int(me.background),
            "OfxImageEffectPropSupportsOverlays": 0,
            ofx.PROP_MULTI_RESOLUTION: int(me.multi_resolution),
            ofx.PROP_TILES: int(me.tiles),
            ofx.PROP_TEMPORAL: int(me.temporal),
            ofx.PROP_SUPPORTED_COMPONENTS: [ofx.components(name) for name in me.components],
            ofx.PROP_SUPPORTED_CONTEXTS: [ofx.context(name) for name in me.contexts],
            ofx.PROP_SUPPORTED_DEPTHS: [ofx.depth(name) for name in me.depths],
            ofx.PROP_MULTIPLE_DEPTHS: int(me.multiple_depths),
            "OfxImageEffectPropSupportsMultipleClipPARs": 0,
            "OfxImageEffectPropSetableFrameRate": 0,
            "OfxImageEffectPropSetableFielding": 0,
            "OfxImageEffectInstancePropSequentialRender": 2,
            ofx.PROP_DRAFT: 0,
            "OfxParamHostPropSupportsCustomInteract": 0,
            "OfxParamHostPropSupportsStringAnimation": 0,
            "OfxParamHostPropSupportsChoiceAnimation": 1,
            "OfxParamHostPropSupportsBooleanAnimation": 1,
            "OfxParamHostPropSupportsCustomAnimation": 0,
            "OfxParamHostPropMaxParameters": -1,
            "OfxParamHostPropMaxPages": 0,
            "OfxParamHostPropPageRowColumnCount": [0, 0],
        }
        for name, value in values.items():
            if name not in me.omitted.get("host", frozenset()):
                self.native.set_property(name, value)


class Plugin:
    """A loaded plugin, described. `create` makes effects of it."""

    def __init__(self, host: Host, native_plugin: Any, bundle: Path) -> None:
        self.host = host
        self.native = native_plugin
        self.bundle = bundle
        self.identifier: str = native_plugin.identifier
        self.version: tuple[int, int] = native_plugin.version
        self._effects: list[Effect] = []
        self._contexts: dict[str, Any] = {}
        if native_plugin.api != "OfxImageEffectPluginAPI" or native_plugin.api_version != 1:
            raise PluginRefused(f"{self.identifier} speaks {native_plugin.api} {native_plugin.api_version}")
        native_plugin.set_host(host.native)
        self.load()
        self.descriptor = self.describe()

    def call(self, action: str, effect: Any = None, in_args: dict | None = None, out_args: dict | None = None) -> Any:
        """Call an action; gives (status, out_args)."""
        self.host.actions.append(action)
        return self.native.call(action, self.host.native, effect, in_args, out_args)

    def load(self) -> None:
        """Call Load. Raises PluginRefused."""
        self.require(ofx.ACTION_LOAD, self.call(ofx.ACTION_LOAD)[0], self.host.personality.accepts_reply_default)

    def describe(self) -> Any:
        """Call Describe and give the filled descriptor. Raises PluginRefused."""
        descriptor = self.host.core.Effect(self.host.native, str(self.bundle))
        self.require(ofx.ACTION_DESCRIBE, self.call(ofx.ACTION_DESCRIBE, descriptor)[0], False)
        if not self.supported_depths(descriptor):
            raise PluginRefused(f"{self.identifier} and {self.host.personality.label} share no pixel depth")
        return descriptor

    def describe_in_context(self, context: str, descriptor: Any) -> Any:
        """Call DescribeInContext on a copy of `descriptor`. Raises PluginRefused."""
        if ofx.context(context) not in descriptor.property(ofx.PROP_SUPPORTED_CONTEXTS):
            raise PluginRefused(f"{self.identifier} has no context {context}")
        if context not in self.host.personality.contexts:
            raise PluginRefused(f"{self.host.personality.label} has no context {context}")
        described = descriptor.context_descriptor(ofx.context(context))
        arguments = {ofx.PROP_CONTEXT: ofx.context(context)}
        status = self.call(ofx.ACTION_DESCRIBE_IN_CONTEXT, described, arguments)[0]
        self.require(ofx.ACTION_DESCRIBE_IN_CONTEXT, status, False)
        return described

    def in_context(self, context: str) -> Any:
        """The descriptor of a context, described once, or afresh where the host does so for every frame."""
        if self.host.personality.instance_per_frame:
            self.load()
            return self.describe_in_context(context, self.describe())
        if context not in self._contexts:
            self._contexts[context] = self.describe_in_context(context, self.descriptor)
        return self._contexts[context]

    def supported_depths(self, descriptor: Any) -> list[str]:
        """Depths that host and plugin share, in the host's order."""
        plugin = [ofx.short(name) for name in descriptor.property(ofx.PROP_SUPPORTED_DEPTHS)]
        return [name for name in self.host.personality.depths if name in plugin]

    def create(self, context: str = "Filter", **params: Any) -> Effect:
        """Put the effect on a timeline or into a node graph, with these parameter values."""
        effect = Effect(self, context, params)
        self._effects.append(effect)
        return effect

    def require(self, action: str, status: int, default_is_fine: bool) -> None:
        """Raise PluginRefused unless the status is OK, or ReplyDefault where that is fine."""
        if status == ofx.STATUS_OK or (default_is_fine and status == ofx.STATUS_REPLY_DEFAULT):
            return
        told = "; ".join(text for _, _, text, _ in self.host.messages)
        raise PluginRefused(f"{self.identifier} answered {ofx.status_name(status)} to {action}. {told}")

    def close(self) -> None:
        """Destroy the effects and unload, where this host does."""
        for effect in self._effects:
            effect.close()
        self._effects.clear()
        self._contexts.clear()
        if self.host.personality.unloads:
            status = self.call(ofx.ACTION_UNLOAD)[0]
            if status not in (ofx.STATUS_OK, ofx.STATUS_REPLY_DEFAULT):
                self.host.problem("status", f"{ofx.ACTION_UNLOAD} gave {ofx.status_name(status)}")


def _binary_of(path: Path) -> tuple[Path, Path]:
    """The library and the bundle of a path to either. Raises PluginRefused if there is none."""
    if path.is_dir():
        found = sorted(path.glob(f"Contents/{ARCHITECTURES.get(platform.system(), '*')}/*.ofx"))
        if not found:
            raise PluginRefused(f"{path} has no Contents/{ARCHITECTURES.get(platform.system())}/*.ofx")
        return found[0], path
    if not path.exists():
        raise PluginRefused(f"no such plugin: {path}")
    parents = [parent for parent in path.parents if parent.name.endswith(".ofx.bundle")]
    return path, parents[0] if parents else path.parent
