"""HTTP on loopback, for programs and people of this machine: bounded, since any user of it may connect.

One who connects and says nothing is let go after SILENCE_S; more than PLACES at once are hung up on.
"""

from __future__ import annotations

import logging
import sys
import threading
from http.server import HTTPServer
from socketserver import ThreadingMixIn
from typing import Any

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
PLACES = 16
SILENCE_S = 10.0
"""What handlers take as their `timeout`: for each read and each write."""


class BoundedThreads(ThreadingMixIn):
    """A thread for each connection, PLACES of them at most."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._places = threading.BoundedSemaphore(PLACES)
        super().__init__(*arguments, **more)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread, or hang up."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)  # pyright: ignore[reportAttributeAccessIssue] - of the server mixed with

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up or fell silent is no event; anything else is a bug, told without a stranger's words."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("bug: a page could not be answered (%s)", type(error).__name__)


class Listening:
    """A server that answers from a thread of its own; `port` is where."""

    def __init__(self, server: HTTPServer, name: str) -> None:
        self._server = server
        self.port: int = server.server_port
        self._thread = threading.Thread(target=server.serve_forever, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
