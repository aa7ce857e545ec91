"""A folder of training pairs: written piece by piece, never half a piece, and read again for training.

manifest.json                  what the pairs were made of and how; last of all, the list of pairs
NAME-HASH/000004.npz           the pair whose first frame is number 4 of the clip NAME with that sha256
NAME-HASH/000004.png           to look at: truth, holes in red, disparity of its middle frame
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.layered_scenes import Scene
from model.data.media import CLIP_SUFFIXES
from model.data.pairs import Pair, PairRules, make_pair, shots_of
from model.depth.estimators import DepthEstimator
from model.errors import InvalidInputError

MANIFEST = "manifest.json"
_FORMAT = 1
_HOLE_COLOUR = np.array((230, 40, 40), np.uint8)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A clip: its path below the folder of clips, the hash of its bytes, its licence if it was given."""

    path: str
    sha256: str
    license: str | None

    @property
    def folder(self) -> str:
        """Where its pairs lie."""
        return f"{Path(self.path).stem}-{self.sha256[:8]}"


def find_sources(clips: Path, licenses: Sequence[tuple[str, str]] = ()) -> list[Source]:
    """List the clips below a folder in the order of their paths, each content once.

    licenses  (pattern on the path, SPDX expression); the first that fits counts

    Raises InvalidInputError when there are none.
    """
    sources: dict[str, Source] = {}
    for path in sorted(clips.rglob("*")):
        if path.suffix.lower() in CLIP_SUFFIXES:
            name, sha256 = path.relative_to(clips).as_posix(), _sha256(path)
            license = next((spdx for pattern, spdx in licenses if fnmatch(name, pattern)), None)
            sources.setdefault(sha256, Source(name, sha256, license))
    if not sources:
        raise InvalidInputError(f"expected clips ({', '.join(CLIP_SUFFIXES)}) in {clips}; found none")
    return list(sources.values())


def write_pairs(
    clips: Path, output: Path, rules: PairRules, estimator: DepthEstimator, licenses: Sequence[tuple[str, str]] = ()
) -> int:
    """Make all pairs of a folder of clips that `output` does not hold yet; return how many it holds then.

    Killed at any moment and started again, it ends with the same bytes as in one go. Raises InvalidInputError when
    there is nothing to do or `output` holds pairs that were made otherwise.
    """
    sources = find_sources(clips, licenses)
    recipe = {
        "format": _FORMAT,
        "rules": asdict(rules),
        "estimator": {"name": estimator.name, "license": estimator.license, "detail": estimator.detail},
        "sources": [asdict(source) for source in sources],
    }
    _claim(output, recipe)
    pairs = [record for source in sources for record in _pairs_of(source, clips, output, rules, estimator)]
    _write_atomically(output / MANIFEST, lambda file: file.write(_json(recipe | {"pairs": pairs})))
    return len(pairs)


def _claim(output: Path, recipe: dict[str, Any]) -> None:
    """Make the folder ours, or go on in it if it was made by the same recipe."""
    manifest = output / MANIFEST
    if not manifest.exists():
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise InvalidInputError(
                f"{output} is a file or holds other files and no {MANIFEST}; name an empty or a new folder"
            )
        output.mkdir(parents=True, exist_ok=True)
        _write_atomically(manifest, lambda file: file.write(_json(recipe | {"pairs": []})))
        return
    found = _read_manifest(output)
    if different := [key for key in recipe if found.get(key) != recipe[key]]:
        raise InvalidInputError(
            f"{output} holds pairs made with other {' and '.join(different)}; use the same, or name a new folder"
        )


def _pairs_of(
    source: Source, clips: Path, output: Path, rules: PairRules, estimator: DepthEstimator
) -> list[dict[str, Any]]:
    """Make the pairs of one clip that are missing; records of all of them."""
    strength = rules.strength_of(source.sha256)
    folder = output / source.folder
    folder.mkdir(exist_ok=True)
    records = []
    for first, run in shots_of(clips / source.path, rules):
        file, preview = folder / f"{first:06d}.npz", folder / f"{first:06d}.png"
        if not file.exists():
            pair = make_pair(run, strength, estimator)
            picture = cv2.imencode(".png", _preview(pair))[1].tobytes()
            _write_atomically(preview, lambda out, picture=picture: out.write(picture))
            _write_atomically(file, lambda out, pair=pair: np.savez_compressed(out, **vars(pair)))
            _log.info("%s: pair at frame %d, %.1f %% hole", source.path, first, 100 * pair.hole.mean())
        records.append(
            {
                "file": file.relative_to(output).as_posix(),
                "sha256": _sha256(file),
                "source": source.path,
                "first_frame": first,
                "disparity_percent": strength[0],
                "convergence": strength[1],
            }
        )
    return records


def read_pair(file: Path) -> Pair:
    """Read one pair of a folder. Raises InvalidInputError when it is missing or damaged."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            return Pair(**{name: stored[name] for name in ("truth", "view", "hole", "disparity")})
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidInputError(
            f"{file} is missing or damaged ({error}); remove it and run python -m model.data pairs again"
        ) from error


class StoredPairs:
    """The pairs of a finished folder, to draw training scenes from.

    Raises InvalidInputError when the folder is none, or is not finished.
    """

    def __init__(self, folder: Path) -> None:
        self._files = [folder / record["file"] for record in _read_manifest(folder)["pairs"]]
        if not self._files:
            raise InvalidInputError(f"{folder} has no finished pairs; run python -m model.data pairs ... -o {folder}")

    def draw(self, rng: np.random.Generator, frames: int, height: int, width: int) -> Scene:
        """Cut a random scene of this size out of a random pair.

        Raises InvalidInputError when the pair is smaller than the scene.
        """
        file = self._files[rng.integers(len(self._files))]
        pair = read_pair(file)
        size = pair.hole.shape
        if any(have < need for have, need in zip(size, (frames, height, width), strict=True)):
            raise InvalidInputError(f"{file} holds {size} (T, H, W); a scene of {(frames, height, width)} needs more")
        first = [rng.integers(0, have - need + 1) for have, need in zip(size, (frames, height, width), strict=True)]
        cut = tuple(slice(at, at + need) for at, need in zip(first, (frames, height, width), strict=True))
        view, truth = (pair.view[cut].astype(np.float32) / 255, pair.truth[cut].astype(np.float32) / 255)
        disparity, hole = pair.disparity[cut].astype(np.float32), pair.hole[cut]
        seen_at = np.arange(width) + first[2] + disparity
        return Scene(view, truth, hole, hole & ((seen_at < 0) | (seen_at > size[2] - 1)), disparity)


def _read_manifest(folder: Path) -> dict[str, Any]:
    expected = f"expected {MANIFEST} of python -m model.data pairs in {folder}"
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{expected}: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("pairs"), list):
        raise InvalidInputError(f"{expected}; its content lists no pairs")
    return manifest


def _preview(pair: Pair) -> NDArray[np.uint8]:
    """Truth, truth with the holes in red, disparity: (H, 3 W, 3) BGR of the middle frame."""
    middle = len(pair.truth) // 2
    truth, hole, disparity = pair.truth[middle], pair.hole[middle], pair.disparity[middle].astype(np.float32)
    marked = np.where(hole[..., None], _HOLE_COLOUR, truth)
    spread = max(float(np.ptp(disparity)), 1e-3)
    grey = np.repeat((255 * (disparity - disparity.min()) / spread).astype(np.uint8)[..., None], 3, axis=2)
    return np.ascontiguousarray(np.concatenate((truth, marked, grey), axis=1)[..., ::-1])


def _write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that is either whole or not there, even when the power goes."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
