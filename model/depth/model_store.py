"""Where depth models live on this machine: one folder a model, each complete or not there at all.

STORE/
├── depth-anything-v2-small/   a model (model_folder.py)
└── .partial/                  what is being added or removed; a folder moves out of it by one rename
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.depth.model_folder import MANIFEST, Manifest, ModelFolder, check_name, open_folder
from model.errors import InvalidInputError, WeightsError

log = logging.getLogger(__name__)


def default_store_path(environment: Mapping[str, str] | None = None) -> Path:
    """STEREO_CONVERT_MODELS, else stereo-convert/models in the user's data folder."""
    env = os.environ if environment is None else environment
    if own := env.get("STEREO_CONVERT_MODELS"):
        return Path(own).expanduser()
    data = env.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "stereo-convert" / "models"


@dataclass(frozen=True)
class ModelStore:
    """The models in one folder. The folder need not exist: then there are none."""

    path: Path

    def names(self) -> tuple[str, ...]:
        """All models, also damaged ones, sorted."""
        if not self.path.is_dir():
            return ()
        folders = (entry.name for entry in self.path.iterdir() if entry.is_dir())
        return tuple(sorted(name for name in folders if not name.startswith(".")))

    def open(self, name: str) -> ModelFolder:
        """Read one model's manifest.

        Raises InvalidInputError when there is no such model, WeightsError when its manifest is damaged.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise InvalidInputError(f"no depth model {name!r} in {self.path}; installed: {known}")
        return open_folder(self.path / name)

    def readable(self) -> Iterator[ModelFolder]:
        """All models whose manifest can be read, by name; a line in the log for each of the others."""
        for name in self.names():
            try:
                yield self.open(name)
            except WeightsError as error:
                log.warning("depth model %s is left out: %s", name, error)

    def fingerprint(self) -> str:
        """A text that changes with any readable model; part of what equal pixels depend on."""
        return ",".join(f"{folder.manifest.name}:{folder.manifest.version}" for folder in self.readable())

    def partial(self, name: str) -> Path:
        """The folder in which `name` is put together, made if need be; what an earlier try left there stays."""
        folder = self.path / ".partial" / check_name(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def drop_partial(self, name: str) -> None:
        """Forget what an unfinished try left."""
        shutil.rmtree(self.path / ".partial" / check_name(name), ignore_errors=True)

    def commit(self, manifest: Manifest) -> ModelFolder:
        """Make the partial folder of `manifest.name` a model: write its manifest, then move it into place at once.

        Raises InvalidInputError when that model is there already, WeightsError when the files are not as recorded.
        """
        target = self.path / manifest.name
        if target.exists():
            raise InvalidInputError(
                f"{manifest.name} is installed already; run: python -m service models remove {manifest.name}"
            )
        partial = self.partial(manifest.name)
        ModelFolder(partial, manifest).verify()
        (partial / MANIFEST).write_text(manifest.to_json())
        for path in partial.iterdir():  # on disk before the name is, or a power cut could leave a hollow model
            _flush(path)
        partial.rename(target)
        _flush(self.path)
        return ModelFolder(target, manifest)

    def remove(self, name: str) -> None:
        """Remove a model, damaged or not. Raises InvalidInputError when there is none of that name."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise InvalidInputError(f"no depth model {name!r} in {self.path}; installed: {known}")
        self.drop_partial(name)
        try:
            (self.path / ".partial").mkdir(exist_ok=True)
            (self.path / name).rename(self.path / ".partial" / name)
        except OSError as error:
            raise WeightsError(f"cannot remove {self.path / name}: {error.strerror}") from error
        self.drop_partial(name)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
