"""A process that is started again whenever it was killed, and what can be done to it meanwhile."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.service.injected_faults import InjectedFaults


class Kept:
    """Runs until it ends well."""

    def __init__(self, *command: str, log: Path) -> None:
        """`command` are arguments of this Python; the log's folder also holds what the faults need."""
        self._command = command
        self._log = log.open("ab")
        self._faults = InjectedFaults(log.parent, log.stem)
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start it, again."""
        self.starts += 1
        self.process = subprocess.Popen(
            [sys.executable, *self._command],
            stdin=subprocess.DEVNULL,
            stderr=self._log,
            stdout=self._log,
            env=self._faults.environment,
        )

    def revive(self) -> bool:
        """Start it again if it was killed; False when it has ended well.

        Raises RuntimeError when it failed by itself.
        """
        code = self.process.poll()
        if code == -signal.SIGKILL:
            self.start()
        elif code is not None and code != 0:
            raise RuntimeError(f"{self._command[1]} ended with {code}; see {self._log.name}")
        return code != 0

    def kill(self) -> None:
        """kill -9, and bury it."""
        self.process.kill()
        self.process.wait()

    def pause(self, seconds: float) -> None:
        """SIGSTOP, and on again."""
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def without_disk(self, seconds: float) -> None:
        """No byte can be written to a file for a while: what a full disk or quota does, without mounting one."""
        limits = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        time.sleep(seconds)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, limits)

    def with_slow_disk(self, seconds: float, each_write_s: float) -> None:
        """Each write to a file takes so much longer, for a while."""
        self._faults.delay_writes(each_write_s)
        time.sleep(seconds)
        self._faults.delay_writes(0.0)

    def jump_clock(self, seconds: int) -> None:
        """The wall clock is so far off from now on, also after it was killed."""
        self._faults.shift_clock(seconds)
