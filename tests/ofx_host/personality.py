"""What real hosts do, as data: one Personality for each (README.md says where the habits were seen)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ESSENTIAL_SUITES = frozenset(
    {"OfxPropertySuite", "OfxImageEffectSuite", "OfxParameterSuite", "OfxMemorySuite", "OfxMultiThreadSuite"}
)
ALL_SUITES = ESSENTIAL_SUITES | {"OfxMessageSuite", "OfxProgressSuite", "OfxTimeLineSuite"}

RENDER_ACTIONS = frozenset(
    {
        "OfxActionCreateInstance",
        "OfxImageEffectActionBeginSequenceRender",
        "OfxImageEffectActionRender",
        "OfxImageEffectActionEndSequenceRender",
        "OfxImageEffectActionIsIdentity",
        "OfxImageEffectActionGetRegionOfDefinition",
        "OfxImageEffectActionGetRegionsOfInterest",
        "OfxImageEffectActionGetFramesNeeded",
        "OfxImageEffectActionGetClipPreferences",
    }
)
"""Actions in which a strict host lets no plugin change its parameters."""


@dataclass(frozen=True)
class Personality:
    """Habits of one host. The defaults are those of a complete, friendly host."""

    name: str
    host_name: str
    label: str
    version: tuple[int, ...] = (1, 0, 0)
    api_version: tuple[int, ...] = (1, 4)
    contexts: tuple[str, ...] = ("Filter", "General")
    depths: tuple[str, ...] = ("Float", "Half", "Short", "Byte")  # best first
    components: tuple[str, ...] = ("RGBA", "RGB", "Alpha")
    keeps_clip_depth: bool = True  # False: every image has the first depth that the plugin also knows
    multi_resolution: bool = True
    tiles: bool = True
    temporal: bool = True
    project_size: tuple[float, float] | None = None  # None: that of Source
    background: bool = False  # renders without a user
    thumbnails: bool = False  # says of its clips, as Resolve can, that a thumbnail is being made
    multiple_depths: bool = False

    rows: Literal["positive", "negative"] = "positive"
    padding_bytes: int = 0  # after each row
    crops_inputs: bool = False  # gives no more of an input than its region of interest
    parallel_frames: int = 1  # Effect.render_many uses so many threads

    suites: frozenset[str] = ALL_SUITES
    message_suite: Literal["v1", "v2", "v2-null"] = "v2"
    missing_image: Literal["failed", "ok-null", "ok-no-data"] = "failed"
    unset_clip: Literal["unconnected", "connected-black", "connected-null", "undefined"] = "unconnected"
    unknown_clip_is_null: bool = False
    only_source_clip: bool = False  # no other input ever gets pictures
    ignores_clip_time: bool = False  # an input gives the frame that is rendered whatever time is asked for

    asks_region_of_definition: bool = True
    asks_regions_of_interest: bool = True
    asks_frames_needed: bool = True
    asks_identity: bool = True
    calls_instance_changed: bool = True
    needs_frames_needed: bool = False  # an empty or failed answer is an error; other frames are not there
    accepts_reply_default: bool = True  # of Load, CreateInstance and DestroyInstance
    instance_per_frame: bool = False  # Load ... DestroyInstance around every frame
    clips_known_at_create: bool = True
    unloads: bool = True

    no_param_set_in: frozenset[str] = frozenset()
    freezes_after_describe: bool = False
    clears_error_needed: bool = True  # a persistent error that survives a good render stops the node
    has_param_getters: bool = True  # False: paramGetValue answers MissingHostFeature and writes nothing
    omitted: dict[str, frozenset[str]] = field(default_factory=dict)
    create_arguments: dict[str, str | int] = field(default_factory=dict)


RESOLVE = Personality(
    name="resolve",
    host_name="DaVinciResolve",
    label="DaVinci Resolve",
    version=(21, 0, 0),
    contexts=("Filter", "General", "Transition", "Generator"),
    depths=("Float",),
    components=("RGBA",),
    multi_resolution=False,
    tiles=False,
    message_suite="v2-null",
    missing_image="ok-null",
    asks_region_of_definition=False,
    accepts_reply_default=False,
    create_arguments={"OfxImageEffectPropResolvePage": "Edit"},
)

NUKE = Personality(
    name="nuke",
    host_name="uk.co.thefoundry.nuke",
    label="Nuke",
    version=(17, 0, 0),
    depths=("Float",),
    padding_bytes=64,
    crops_inputs=True,
    no_param_set_in=RENDER_ACTIONS,
    freezes_after_describe=True,
)

NATRON = Personality(
    name="natron",
    host_name="fr.inria.Natron",
    label="Natron",
    version=(2, 5, 0),
    depths=("Float", "Short", "Byte"),
    multiple_depths=True,
    parallel_frames=4,
    needs_frames_needed=True,
)

MELT = Personality(
    name="melt",
    host_name="MLT",
    label="MLT",
    version=(7, 36, 0),
    contexts=("Filter",),
    depths=("Byte", "Short", "Half", "Float"),
    components=("RGBA",),
    keeps_clip_depth=False,
    multi_resolution=False,
    tiles=False,
    temporal=False,
    rows="negative",
    missing_image="ok-no-data",
    unset_clip="undefined",
    unknown_clip_is_null=True,
    only_source_clip=True,
    ignores_clip_time=True,
    asks_frames_needed=False,
    asks_identity=False,
    calls_instance_changed=False,
    accepts_reply_default=False,
    instance_per_frame=True,
    clips_known_at_create=False,
    unloads=False,
    omitted={"descriptor": frozenset({"OfxPluginPropFilePath"})},
)

STRICT = Personality(
    name="strict",
    host_name="org.stereoconvert.StrictHost",
    label="Strict test host",
    api_version=(1, 5),
    multiple_depths=True,
    rows="negative",
    padding_bytes=20,
    crops_inputs=True,
    parallel_frames=4,
    suites=ESSENTIAL_SUITES | {"OfxMessageSuite"},
    message_suite="v1",
    missing_image="ok-null",
    needs_frames_needed=True,
    accepts_reply_default=False,
    no_param_set_in=RENDER_ACTIONS,
    freezes_after_describe=True,
)

HOST_DEMO = Personality(
    name="hostdemo",
    host_name="uk.co.thefoundry.hostdemo",
    label="Host demo of the SDK",
    depths=("Byte",),
    components=("RGBA",),
    keeps_clip_depth=False,
    unset_clip="connected-black",
    message_suite="v1",
    has_param_getters=False,
)
"""Not among the others: without getters no setting can be made."""

PERSONALITIES = {personality.name: personality for personality in (RESOLVE, NUKE, NATRON, MELT, STRICT)}
