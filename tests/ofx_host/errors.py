"""What a host reports about a plugin.

HostError                 base
├── PluginRefused         the plugin cannot be loaded, described or created here
├── RenderFailed          Render gave an error status; `messages` is what the user was told
│   └── RenderAborted     the host had asked to stop
└── HostCheckError        rules were broken; `problems` lists them
"""

from __future__ import annotations

from tests.ofx_host.ofx_names import status_name


class HostError(Exception):
    """Base of the errors below."""


class PluginRefused(HostError):
    """The plugin cannot be used in this host."""


class RenderFailed(HostError):
    """A render that made no picture."""

    def __init__(self, status: int, time: float, messages: list[str]) -> None:
        self.status = status
        self.time = time
        self.messages = messages
        told = "; ".join(messages) or "the user was told nothing"
        super().__init__(f"rendering {time:g} gave {status_name(status)}: {told}")


class RenderAborted(RenderFailed):
    """A render that the host had asked to stop; its pixels mean nothing."""


class HostCheckError(HostError):
    """Rules that the plugin broke, as (kind, text)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{kind}: {text}" for kind, text in problems))
