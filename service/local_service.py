"""A service of one's own, in a child process on a private socket: for the benchmark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

import grpc

from service.errors import ServiceUnreachableError

START_TIMEOUT_S = 120.0
_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))


class LocalService:
    """Starts `python -m service serve` in `folder` and stops it in the end."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.socket = folder / "service.sock"
        self._log = folder / "service.log"
        self._command = [sys.executable, "-m", "service", "serve", "--socket", str(self.socket), *flags]
        self._command += ["--exit-with-parent", "--log-file", str(self._log)]

    def __enter__(self) -> LocalService:
        self.socket.parent.chmod(0o700)
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        with grpc.insecure_channel(f"unix:{self.socket}", _OPTIONS) as channel:
            try:
                grpc.channel_ready_future(channel).result(START_TIMEOUT_S)
            except grpc.FutureTimeoutError:
                self._stop()
                said = self._log.read_text()[-500:] if self._log.exists() else "it wrote no log"
                raise ServiceUnreachableError(f"the service did not start: {said}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._stop()

    def _stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
