"""A Ray cluster of this machine alone, and the worker processes in it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psutil

WAIT_S = 400.0


class RayHead:
    """A head node with places for a few workers; others need its token, which lies in this process's environment."""

    def __init__(self, places: int = 2) -> None:
        self._places = places

    def __enter__(self) -> RayHead:
        self._access = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        os.environ.update(self._access)
        _let_ray_read_its_environment()
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--port=0",
                   "--include-dashboard=false", "--num-cpus=2", f'--resources={{"stereo_worker": {self._places}}}',
                   "--object-store-memory=100000000", f"--temp-dir={self._folder.name}", "--disable-usage-stats",
                   "--block"]  # fmt: skip
        self._head = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        found = Path(self._folder.name) / "ray_current_cluster"
        until = time.monotonic() + WAIT_S
        while not (found.exists() and ":" in found.read_text()):
            if time.monotonic() > until:
                self._stop()
                raise TimeoutError(f"Ray did not start within {WAIT_S:g} s")
            time.sleep(0.1)
        self.address = found.read_text().strip()
        return self

    def workers(self) -> list[psutil.Process]:
        """The processes of the workers that live now."""
        everything = psutil.Process(self._head.pid).children(recursive=True)
        return [process for process in everything if _title(process).startswith("ray::ClusterWorker")]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._stop()

    def _stop(self) -> None:
        os.killpg(self._head.pid, signal.SIGTERM)
        self._head.wait(WAIT_S)
        for name in self._access:
            del os.environ[name]
        self._folder.cleanup()


def _let_ray_read_its_environment() -> None:
    """It does so once, when it is imported, and another test may have done that."""
    if "ray" in sys.modules:
        from ray._private.authentication_test_utils import reset_auth_token_state

        reset_auth_token_state()


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it just ended
        return ""
