"""A small OpenFX host that loads the built plugin, behaves like a real host, and checks the plugin as it goes.

with Host("nuke") as host:
    effect = host.load("build/StereoConvert.ofx.bundle").create("Filter")
    effect.set_clip("Source", ArrayClip(frames))
    effect.set("disparity", 3.0)
    right = effect.render(12)
    effect.check()
"""

from tests.ofx_host.clips import ArrayClip, Clip, SequenceClip, VideoClip, open_clip, read_image, write_image
from tests.ofx_host.effect import Effect, RenderOptions
from tests.ofx_host.errors import HostCheckError, HostError, PluginRefused, RenderAborted, RenderFailed
from tests.ofx_host.host import Host, Plugin
from tests.ofx_host.personality import PERSONALITIES, Personality

__all__ = [
    "PERSONALITIES",
    "ArrayClip",
    "Clip",
    "Effect",
    "Host",
    "HostCheckError",
    "HostError",
    "Personality",
    "Plugin",
    "PluginRefused",
    "RenderAborted",
    "RenderFailed",
    "RenderOptions",
    "SequenceClip",
    "VideoClip",
    "open_clip",
    "read_image",
    "write_image",
]
