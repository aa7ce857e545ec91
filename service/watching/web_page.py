"""The page of `--web`: queue, devices, throughput and the last frames, for whoever sits at this machine.

On loopback only, and under a path that nobody can guess: other users of the machine, and pages of other sites in the
user's own browser, must not see the frames. It only shows; nothing can be changed there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from service.errors import CannotListenError
from service.models.model_version import product_version
from service.watching.local_http import LOOPBACK, SILENCE_S, BoundedThreads, Listening

if TYPE_CHECKING:
    from service.watching.recent_frames import RecentFrames
    from service.workshop import Workshop

SECRET_BYTES = 16
_SAFETY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Answer = tuple[str, bytes]
"""Content type and body."""


class WebPage:
    """A running page; `address` is what to open, secret and all."""

    def __init__(self, port: int, shop: Workshop, recent: RecentFrames) -> None:
        """Listen; port 0 takes any free one. Raises CannotListenError."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        try:
            server = _Server((LOOPBACK, port), _handler(f"/{secret}/", _Routes(shop, recent).answer))
        except OSError as error:
            raise CannotListenError(
                f"cannot listen on {LOOPBACK}:{port} for the page ({error.strerror}); choose another --web port"
            ) from None
        self._listening = Listening(server, "web")
        self.address = f"http://{LOOPBACK}:{self._listening.port}/{secret}/"

    def close(self) -> None:
        """Answer no more."""
        self._listening.close()


class _Server(BoundedThreads, HTTPServer):
    """What browsers ask."""


class _Routes:
    """What lies under the secret path."""

    def __init__(self, shop: Workshop, recent: RecentFrames) -> None:
        self._shop = shop
        self._recent = recent

    def answer(self, path: str) -> Answer | None:
        """The answer to a path, None when there is nothing."""
        if path == "":
            return "text/html; charset=utf-8", (files("service.watching") / "web_page.html").read_bytes()
        if path == "state":
            return "application/json", json.dumps(self._state()).encode()
        number, _, view = path.removeprefix("frame/").partition("/")
        picture = self._recent.picture(int(number), view) if number.isascii() and number.isdigit() else None
        return ("image/png", picture) if picture is not None else None

    def _state(self) -> dict[str, Any]:
        return {
            "version": product_version(),
            "model": self._shop.model.version(),
            "devices": [{"name": worker.device, "queued": worker.load} for worker in self._shop.workers],
            "figures": [
                {"name": sample.name, "labels": sample.labels, "value": sample.value}
                for metric in self._shop.metrics.registry.collect()
                for sample in metric.samples
                if not sample.name.endswith(("_bucket", "_created"))
            ],
            "frames": [
                {"number": frame.number, "request": frame.request, "time": frame.time, "views": list(frame.pictures)}
                for frame in self._recent.all()
            ],
        }


def _handler(root: str, answer: Callable[[str], Answer | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET under `root` and nothing else."""

        timeout = SILENCE_S
        server_version = "StereoConvert"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            known = len(path) >= len(root) and secrets.compare_digest(path[: len(root)].encode(), root.encode())
            found = answer(path[len(root) :]) if known else None
            if found is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            kind, body = found
            self.send_response(HTTPStatus.OK)
            for name, value in {**_SAFETY, "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: the path is a secret."""

    return Handler
