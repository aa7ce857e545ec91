"""The OpenFX strings that the host uses, under the standard's own names (ofx_plugin/openfx/*.h)."""

from __future__ import annotations

ACTION_LOAD = "OfxActionLoad"
ACTION_UNLOAD = "OfxActionUnload"
ACTION_DESCRIBE = "OfxActionDescribe"
ACTION_DESCRIBE_IN_CONTEXT = "OfxImageEffectActionDescribeInContext"
ACTION_CREATE_INSTANCE = "OfxActionCreateInstance"
ACTION_DESTROY_INSTANCE = "OfxActionDestroyInstance"
ACTION_BEGIN_INSTANCE_CHANGED = "OfxActionBeginInstanceChanged"
ACTION_BEGIN_INSTANCE_EDIT = "OfxActionBeginInstanceEdit"
ACTION_INSTANCE_CHANGED = "OfxActionInstanceChanged"
ACTION_END_INSTANCE_CHANGED = "OfxActionEndInstanceChanged"
ACTION_PURGE_CACHES = "OfxActionPurgeCaches"
ACTION_SYNC_PRIVATE_DATA = "OfxActionSyncPrivateData"
ACTION_GET_CLIP_PREFERENCES = "OfxImageEffectActionGetClipPreferences"
ACTION_GET_REGION_OF_DEFINITION = "OfxImageEffectActionGetRegionOfDefinition"
ACTION_GET_REGIONS_OF_INTEREST = "OfxImageEffectActionGetRegionsOfInterest"
ACTION_GET_FRAMES_NEEDED = "OfxImageEffectActionGetFramesNeeded"
ACTION_IS_IDENTITY = "OfxImageEffectActionIsIdentity"
ACTION_BEGIN_SEQUENCE_RENDER = "OfxImageEffectActionBeginSequenceRender"
ACTION_RENDER = "OfxImageEffectActionRender"
ACTION_END_SEQUENCE_RENDER = "OfxImageEffectActionEndSequenceRender"

STATUS_OK = 0
STATUS_FAILED = 1
STATUS_REPLY_DEFAULT = 14
STATUS_NAMES = {
    0: "OK",
    1: "Failed",
    2: "ErrFatal",
    3: "ErrUnknown",
    4: "ErrMissingHostFeature",
    5: "ErrUnsupported",
    6: "ErrExists",
    7: "ErrFormat",
    8: "ErrMemory",
    9: "ErrBadHandle",
    10: "ErrBadIndex",
    11: "ErrValue",
    12: "ReplyYes",
    13: "ReplyNo",
    14: "ReplyDefault",
    1000: "ErrImageFormat",
}

PROP_NAME = "OfxPropName"
PROP_TYPE = "OfxPropType"
PROP_TIME = "OfxPropTime"
PROP_CHANGE_REASON = "OfxPropChangeReason"
PROP_CONTEXT = "OfxImageEffectPropContext"
PROP_RENDER_SCALE = "OfxImageEffectPropRenderScale"
PROP_RENDER_WINDOW = "OfxImageEffectPropRenderWindow"
PROP_FIELD_TO_RENDER = "OfxImageEffectPropFieldToRender"
PROP_FRAME_RANGE = "OfxImageEffectPropFrameRange"
PROP_FRAME_RATE = "OfxImageEffectPropFrameRate"
PROP_FRAME_STEP = "OfxImageEffectPropFrameStep"
PROP_IS_INTERACTIVE = "OfxPropIsInteractive"
PROP_SEQUENTIAL_STATUS = "OfxImageEffectPropSequentialRenderStatus"
PROP_INTERACTIVE_STATUS = "OfxImageEffectPropInteractiveRenderStatus"
PROP_DRAFT = "OfxImageEffectPropRenderQualityDraft"
PROP_REGION_OF_DEFINITION = "OfxImageEffectPropRegionOfDefinition"
PROP_REGION_OF_INTEREST = "OfxImageEffectPropRegionOfInterest"
PROP_CONNECTED = "OfxImageClipPropConnected"
PROP_OPTIONAL = "OfxImageClipPropOptional"
PROP_DEPTH = "OfxImageEffectPropPixelDepth"
PROP_COMPONENTS = "OfxImageEffectPropComponents"
PROP_UNMAPPED_DEPTH = "OfxImageClipPropUnmappedPixelDepth"
PROP_UNMAPPED_COMPONENTS = "OfxImageClipPropUnmappedComponents"
PROP_PREMULTIPLICATION = "OfxImageEffectPropPreMultiplication"
PROP_PIXEL_ASPECT = "OfxImagePropPixelAspectRatio"
PROP_UNMAPPED_FRAME_RANGE = "OfxImageEffectPropUnmappedFrameRange"
PROP_UNMAPPED_FRAME_RATE = "OfxImageEffectPropUnmappedFrameRate"
PROP_CONTINUOUS_SAMPLES = "OfxImageClipPropContinuousSamples"
PROP_THUMBNAIL = "kOfxImageClipPropThumbnail"  # of Resolve
PROP_FIELD_ORDER = "OfxImageClipPropFieldOrder"
PROP_FRAME_VARYING = "OfxImageEffectFrameVarying"
PROP_SUPPORTED_CONTEXTS = "OfxImageEffectPropSupportedContexts"
PROP_SUPPORTED_DEPTHS = "OfxImageEffectPropSupportedPixelDepths"
PROP_SUPPORTED_COMPONENTS = "OfxImageEffectPropSupportedComponents"
PROP_TEMPORAL = "OfxImageEffectPropTemporalClipAccess"
PROP_TILES = "OfxImageEffectPropSupportsTiles"
PROP_MULTI_RESOLUTION = "OfxImageEffectPropSupportsMultiResolution"
PROP_MULTIPLE_DEPTHS = "OfxImageEffectPropMultipleClipDepths"
PROP_SLAVE_PARAM = "OfxImageEffectPropClipPreferencesSlaveParam"
PROP_THREAD_SAFETY = "OfxImageEffectPluginRenderThreadSafety"

PROJECT_PROPERTIES = (
    "OfxImageEffectPropProjectSize",
    "OfxImageEffectPropProjectExtent",
    "OfxImageEffectPropProjectOffset",
    "OfxImageEffectPropPixelAspectRatio",
    "OfxImageEffectInstancePropEffectDuration",
)

CHANGE_USER_EDITED = "OfxChangeUserEdited"
CHANGE_PLUGIN_EDITED = "OfxChangePluginEdited"
TYPE_PARAMETER = "OfxTypeParameter"
TYPE_CLIP = "OfxTypeClip"
FIELD_NONE = "OfxFieldNone"
RENDER_FULLY_SAFE = "OfxImageEffectRenderFullySafe"


def context(name: str) -> str:
    """The standard's word for a context: `Filter` gives `OfxImageEffectContextFilter`."""
    return f"OfxImageEffectContext{name}"


def depth(name: str) -> str:
    """The standard's word for a pixel depth: `Float` gives `OfxBitDepthFloat`."""
    return f"OfxBitDepth{name}"


def components(name: str) -> str:
    """The standard's word for components: `RGBA` gives `OfxImageComponentRGBA`."""
    return f"OfxImageComponent{name}"


def short(name: str) -> str:
    """The part of a depth, component or context that tells it from its kin."""
    for prefix in ("OfxBitDepth", "OfxImageComponent", "OfxImageEffectContext"):
        name = name.removeprefix(prefix)
    return name


def status_name(status: int) -> str:
    """`Failed` for 1; the number itself for one that the standard does not have."""
    return STATUS_NAMES.get(status, str(status))
