"""Depth models that `python -m service models add NAME` can fetch: where from, under which licence, which bytes.

Sizes and hashes are written down here, so a mirror can be used and nothing else can be slipped in. Models for which
only pickled weights are published (Video-Depth-Anything) are not here, nor are those under a non-commercial licence
(Depth Anything V2 Base and Large): these can be added from a folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from model.depth.model_folder import CONFIG, PREPROCESSOR, WEIGHTS, FileRecord
from model.errors import InvalidInputError

HOME = "https://huggingface.co"


@dataclass(frozen=True)
class KnownModel:
    """One model that can be fetched."""

    name: str
    repository: str
    revision: str  # commit: what it names never changes
    license: str  # SPDX
    summary: str
    files: tuple[FileRecord, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(record.size_bytes for record in self.files)

    @property
    def origin(self) -> str:
        """For the manifest and for people."""
        return f"{self.repository}@{self.revision[:12]}"

    def url(self, home: str, file: str) -> str:
        """Address of one file at `home` or a mirror of it."""
        return f"{home}/{self.repository}/resolve/{self.revision}/{file}"


KNOWN_MODELS = (
    KnownModel(
        name="depth-anything-v2-small",
        repository="depth-anything/Depth-Anything-V2-Small-hf",
        revision="5426e4f0f36572d16453bbda7a8389317b1bef99",
        license="Apache-2.0",
        summary="relative depth, 25 M parameters, sharp edges; the usual choice",
        files=(
            FileRecord(CONFIG, "c56698d3643dde1f83ea2212759e6b31a22b8f827246a36dd007ee8a22b3ff75", 950),
            FileRecord(PREPROCESSOR, "d41175c0d889477ca8fc67191e540faef14baf6275157b3fdecf78469e6bbf84", 775),
            FileRecord(WEIGHTS, "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70", 99_173_660),
        ),
    ),
)


def find_known(name: str, models: tuple[KnownModel, ...] = KNOWN_MODELS) -> KnownModel:
    """Find a model by name. Raises InvalidInputError listing those there are."""
    for model in models:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in models)
    raise InvalidInputError(
        f"no known model is called {name!r}; known: {names}. A model of your own comes from a folder: "
        f"python -m service models add {name} --from FOLDER --license SPDX"
    )


def model_home(environment: Mapping[str, str] | None = None) -> str:
    """Base address of downloads: STEREO_CONVERT_MODEL_HOME (a mirror), else the models' public home."""
    env = os.environ if environment is None else environment
    home = (env.get("STEREO_CONVERT_MODEL_HOME") or HOME).rstrip("/")
    parts = urlsplit(home)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInputError(f"STEREO_CONVERT_MODEL_HOME must be an http or https address; got {home!r}")
    return home
