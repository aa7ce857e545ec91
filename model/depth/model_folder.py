"""A depth model as a folder of files, and the manifest that says what it is and proves that it is intact.

NAME/
├── config.json                the architecture, as `transformers` writes it
├── preprocessor_config.json   what its input must look like
├── model.safetensors          the weights; pickles (.bin, .pt, .pth, .ckpt) run code when loaded and are refused
└── stereo-convert.json        our manifest: licence, origin, what it predicts, sha256 and size of each file
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.errors import InvalidInputError, WeightsError

CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
MODEL_FILES = (CONFIG, PREPROCESSOR, WEIGHTS)
MANIFEST = "stereo-convert.json"
PREDICTIONS = ("inverse-depth", "depth")
"""Relative models give inverse depth (near = large, any scale), metric ones depth in metres (far = large)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_JSON_BYTES = 1 << 20


@dataclass(frozen=True)
class FileRecord:
    """One file of a model: what it must be."""

    name: str
    sha256: str  # hexadecimal, lower case
    size_bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a model folder holds.

    Raises InvalidInputError for a field that cannot be.
    """

    name: str
    architecture: str  # `model_type` of config.json
    predicts: str  # one of PREDICTIONS
    license: str  # SPDX expression
    origin: str  # where it came from, for people
    files: tuple[FileRecord, ...]

    def __post_init__(self) -> None:
        check_name(self.name)
        check_license(self.license)
        if self.predicts not in PREDICTIONS:
            raise InvalidInputError(f"predicts must be one of {', '.join(PREDICTIONS)}; got {self.predicts!r}")
        if tuple(sorted(record.name for record in self.files)) != tuple(sorted(MODEL_FILES)):
            raise InvalidInputError(f"files must be exactly {', '.join(MODEL_FILES)}; got {self.files}")
        if not all(_SHA256.fullmatch(record.sha256) for record in self.files):
            raise InvalidInputError(f"sha256 must be 64 hexadecimal digits; got {self.files}")

    @property
    def version(self) -> str:
        """12 hexadecimal digits that change with any file and with what it is taken to predict."""
        content = "\n".join([self.predicts, *sorted(f"{record.name} {record.sha256}" for record in self.files)])
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(record.size_bytes for record in self.files)

    def to_json(self) -> str:
        """The text of stereo-convert.json."""
        return json.dumps(asdict(self), indent=2) + "\n"


@dataclass(frozen=True)
class ModelFolder:
    """A model on disk whose manifest has been read; `verify` says whether its files are what the manifest says."""

    path: Path
    manifest: Manifest

    def verify(self) -> None:
        """Check size and sha256 of every file. Raises WeightsError naming the first that differs."""
        for record in self.manifest.files:
            try:
                check_file(self.path / record.name, record)
            except WeightsError as error:
                name = self.manifest.name
                raise WeightsError(
                    f"depth model {name} is damaged: {error}; run: python -m service models remove {name}, "
                    "then add it again"
                ) from None


def open_folder(path: Path) -> ModelFolder:
    """Read the manifest of the model in `path`; its files are not looked at.

    Raises WeightsError when there is no manifest or it is damaged.
    """
    expected = f"expected a manifest {MANIFEST} in {path}"
    try:
        fields = read_json(path / MANIFEST)
        files = tuple(FileRecord(**record) for record in fields.pop("files"))
        manifest = Manifest(files=files, **fields)
    except (KeyError, TypeError, AttributeError, InvalidInputError) as error:
        raise WeightsError(f"{expected}; its content is no manifest: {error}") from error
    if manifest.name != path.name:
        raise WeightsError(f"{expected} for {path.name!r}; it is for {manifest.name!r}: was the folder renamed?")
    return ModelFolder(path, manifest)


def check_name(name: str) -> str:
    """Return `name` if it may name a model: it becomes a folder. Raises InvalidInputError."""
    if not _NAME.fullmatch(name):
        raise InvalidInputError(f"a model's name has 1..64 of a-z 0-9 . _ -, the first a letter or digit; got {name!r}")
    return name


def check_license(license: str) -> str:
    """Return `license` if it reads as an SPDX expression. Raises InvalidInputError."""
    if not _LICENSE.fullmatch(license):
        raise InvalidInputError(f"a licence is an SPDX expression as in Apache-2.0; got {license!r}")
    return license


def is_noncommercial(license: str) -> bool:
    """Whether an SPDX expression forbids commercial use (CC-BY-NC and its kin)."""
    return any("NC" in term.split("-") for term in license.upper().split())


def record_of(path: Path) -> FileRecord:
    """Hash a file."""
    return FileRecord(path.name, sha256_of(path), path.stat().st_size)


def check_file(path: Path, record: FileRecord) -> None:
    """Compare a file with its record. Raises WeightsError when it is missing or differs."""
    if not path.is_file():
        raise WeightsError(f"expected {record.name} ({record.size_bytes} bytes), found no such file in {path.parent}")
    if (size := path.stat().st_size) != record.size_bytes:
        raise WeightsError(f"expected {record.name} of {record.size_bytes} bytes, found {size}")
    if (found := sha256_of(path)) != record.sha256:
        raise WeightsError(f"expected {record.name} with sha256 {record.sha256}, found {found}")


def sha256_of(path: Path) -> str:
    """Hash a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """Read a small JSON object. Raises WeightsError when it is missing, too large or none."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_JSON_BYTES + 1)
        if len(text) > _MAX_JSON_BYTES:
            raise WeightsError(f"expected at most {_MAX_JSON_BYTES} bytes in {path}; is it the right file?")
        value = json.loads(text)
    except OSError as error:
        raise WeightsError(f"expected a readable file {path}: {error.strerror}") from error
    except ValueError as error:
        raise WeightsError(f"expected JSON in {path}: {error}") from error
    if not isinstance(value, dict):
        raise WeightsError(f"expected a JSON object in {path}; got a {type(value).__name__}")
    return value
