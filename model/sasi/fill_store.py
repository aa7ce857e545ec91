"""Fill networks that the user has added: folders of Wan 2.1 in the store of models, beside the depth models.

STORE/.fills/NAME/   transformer, vae, null_prompt.safetensors, perhaps lora.safetensors, and the manifest

The name starts with a dot because every other folder of the store is a depth model.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from model.errors import WeightsError

FOLDER = ".fills"
MANIFEST = "stereo-convert.json"
PARTS = ("transformer", "vae")
FILES = ("null_prompt.safetensors", "lora.safetensors")
"""The second is optional."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class FillManifest:
    """What was added: its name, licence (SPDX), and `version`, a hash of its weights as `Inpainter.version`."""

    name: str
    license: str
    version: str


@dataclass(frozen=True)
class FillStore:
    """The fill networks below one store of models. The folder need not exist: then there are none."""

    store: Path

    @property
    def path(self) -> Path:
        """Where they lie."""
        return self.store / FOLDER

    def names(self) -> tuple[str, ...]:
        """All that are complete, sorted: those with a manifest."""
        return tuple(sorted(path.parent.name for path in self.path.glob(f"*/{MANIFEST}")))

    def folder(self, name: str) -> Path:
        """Where one lies. Raises WeightsError when there is none of that name."""
        if not _NAME.fullmatch(name) or name not in self.names():
            raise WeightsError(
                f"no fill network {name!r} in {self.path}; installed: {', '.join(self.names()) or 'none'}"
            )
        return self.path / name

    def manifest(self, name: str) -> FillManifest:
        """Read what was written when it was added. Raises WeightsError when that is damaged."""
        path = self.folder(name) / MANIFEST
        try:
            found = FillManifest(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise WeightsError(f"{path} is no manifest ({error}); remove {name} and add it again") from error
        if found.name != name:
            raise WeightsError(f"{path} is for {found.name!r}: was the folder renamed? Remove it and add it again")
        return found

    def write_manifest(self, folder: Path, manifest: FillManifest) -> None:
        """Complete a folder: from now on it counts."""
        (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")

    def fingerprint(self) -> str:
        """A text that changes with any of them; part of what equal pixels depend on. Reads manifests alone."""
        texts = []
        for name in self.names():
            try:
                texts.append(f"{name}:{self.manifest(name).version}")
            except WeightsError as error:
                texts.append(f"{name}:{error}")
        return ",".join(texts)


def is_fill_folder(folder: Path) -> bool:
    """Tell a folder with Wan 2.1 from one with a depth model."""
    return all((folder / part).is_dir() for part in PARTS)
