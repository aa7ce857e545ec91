"""Holds windows up inside a service, so that a test knows what is under way instead of guessing by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
"""A plugin that waits for a closed gate gets its answer so late, and the test sees that windows have passed."""


@dataclass(frozen=True)
class Gate:
    """A gate of files in `folder`, for services in this process and in others; open unless `close` was called."""

    folder: Path
    when_reached: Callable[[], None] = lambda: None

    def __call__(self, _window: Any) -> None:
        """Wait for the gate as `before_window` of a FormulaModel does."""
        (self.folder / "reached").touch()
        self.when_reached()
        deadline = time.monotonic() + PATIENCE_S
        while self._closed.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        (self.folder / "passed").touch()

    def close(self) -> None:
        """Hold up every window from now on."""
        self._closed.touch()
        (self.folder / "reached").unlink(missing_ok=True)

    def open(self) -> None:
        """Let all windows through."""
        self._closed.unlink(missing_ok=True)

    @property
    def was_passed(self) -> bool:
        """Whether a window ever got through."""
        return (self.folder / "passed").exists()

    def wait_until_reached(self) -> None:
        """Return when a window has come since `close`. Raises TimeoutError if none does."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "reached").exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected a window within {PATIENCE_S:g} s; none reached the service")
            time.sleep(0.01)

    @property
    def _closed(self) -> Path:
        return self.folder / "closed"
