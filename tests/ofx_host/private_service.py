"""A service of one's own: a runtime folder apart from the user's, and the process that the plugin starts in it."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ofx_host.native import ROOT

BUNDLE = Path(os.environ.get("STEREO_CONVERT_BUNDLE", ROOT / "build" / "StereoConvert.ofx.bundle"))
IDENTIFIER = "org.stereoconvert.StereoConvert"
PATIENCE_S = 10.0
FROZEN_S = 60.0


class PrivateService:
    """The service whose socket and lock lie in `folder`, if one runs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def process(self) -> int | None:
        """Id of the process that serves this folder; None if none does."""
        _reap_children()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if f"{self.folder}/service.sock" in words:
                    return int(entry.name)
        return None

    def signal(self, number: int) -> None:
        """Send a signal to the service. Raises AssertionError if none runs."""
        process = self.process
        assert process is not None, f"no service runs in {self.folder}"
        os.kill(process, number)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the service neither work nor answer for a while, FROZEN_S at most: who waits for it gets an answer."""
        self.signal(signal.SIGSTOP)
        thaw = threading.Timer(FROZEN_S, self._thaw)
        thaw.start()
        try:
            yield
        finally:
            thaw.cancel()
            self._thaw()

    @property
    def is_frozen(self) -> bool:
        """Whether the service is still stopped, so that nobody can have had an answer from it."""
        process = self.process
        return process is not None and _state(process) == "T"

    def _thaw(self) -> None:
        if self.process is not None:
            self.signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the service and wait until it has gone; nothing if none runs."""
        deadline = time.monotonic() + PATIENCE_S
        asked = signal.SIGTERM
        while (process := self.process) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
                os.kill(process, asked)
            time.sleep(0.05)
            if time.monotonic() > deadline:
                asked = signal.SIGKILL


@contextmanager
def private_service() -> Iterator[PrivateService]:
    """Let every plugin in this process and its children use a service in a new folder, and end it afterwards."""
    before = os.environ.get("STEREO_CONVERT_RUNTIME_DIR")
    with tempfile.TemporaryDirectory(prefix="stereo-host-") as folder:  # short: it must hold the path of a socket
        os.environ["STEREO_CONVERT_RUNTIME_DIR"] = folder
        service = PrivateService(Path(folder))
        try:
            yield service
        finally:
            service.stop()
            if before is None:
                os.environ.pop("STEREO_CONVERT_RUNTIME_DIR")
            else:
                os.environ["STEREO_CONVERT_RUNTIME_DIR"] = before


def _reap_children() -> None:
    """Take the exit codes of services that this process's plugin started, which else stay as zombies."""
    for entry in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with contextlib.suppress(OSError):
            if _state(int(entry)) == "Z":
                os.waitpid(int(entry), os.WNOHANG)


def _state(process: int) -> str:
    """The letter by which the system tells running, stopped and ended processes apart."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
