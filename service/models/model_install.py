"""Put a depth model into the store: from a folder or from its public home, proved to work before it is there."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from model.depth.model_folder import (
    CONFIG,
    MODEL_FILES,
    PREPROCESSOR,
    WEIGHTS,
    Manifest,
    ModelFolder,
    check_license,
    is_noncommercial,
    read_json,
    record_of,
)
from model.depth.model_store import ModelStore
from model.errors import InvalidInputError, StereoError, WeightsError
from service.models.known_models import KnownModel
from service.models.model_download import Progress, check_space, download
from service.models.store_writing import check_free, writing

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_CARD = "README.md"
_SPDX = {"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-4.0": "CC-BY-4.0", "cc-by-nc-4.0": "CC-BY-NC-4.0",
         "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0", "bsd-3-clause": "BSD-3-Clause"}  # fmt: skip
"""Licences as model cards spell them."""


@dataclass(frozen=True)
class Terms:
    """What the user has said about a model."""

    license: str | None = None  # SPDX; None: as its model card says
    predicts: str | None = None  # None: as its architecture says
    accept_noncommercial: bool = False


def add_from_folder(store: ModelStore, name: str, source: Path, terms: Terms) -> ModelFolder:
    """Copy a model from a folder into the store.

    Raises InvalidInputError when the name is taken or the licence unknown or not accepted, WeightsError when the
    folder holds no model that can be loaded. Then the store is as it was.
    """
    _check_ready(store, name)
    _check_source(source)
    license = terms.license or license_of_card(source / _CARD)
    if license is None:
        raise InvalidInputError(
            f"{source} has no model card that names a licence; say it: --license SPDX, as in Apache-2.0"
        )
    check_terms(name, license, terms)
    with writing(store.path):
        check_free(store.path, name)
        store.drop_partial(name)
        partial = store.partial(name)
        try:
            check_space(partial, sum((source / file).stat().st_size for file in MODEL_FILES))
            for file in MODEL_FILES:
                shutil.copyfile(source / file, partial / file)
            return _proved(store, name, license, f"folder {source.name}", terms.predicts)
        finally:
            store.drop_partial(name)


def add_known(
    store: ModelStore, known: KnownModel, home: str, terms: Terms, progress: Progress = lambda _: None
) -> ModelFolder:
    """Fetch a model into the store; what an interrupted try has fetched is used.

    Raises InvalidInputError when it is there already or its licence is not accepted, DownloadError (see there),
    WeightsError when what came cannot be loaded. The store never holds half a model.
    """
    _check_ready(store, known.name)
    check_terms(known.name, known.license, terms)
    with writing(store.path):
        check_free(store.path, known.name)
        partial = store.partial(known.name)
        present = sum(path.stat().st_size for path in partial.iterdir())
        check_space(partial, max(0, known.size_bytes - present))
        for record in known.files:
            download(known.url(home, record.name), partial / record.name, record, progress)
        try:
            return _proved(store, known.name, known.license, known.origin, terms.predicts)
        except WeightsError:
            store.drop_partial(known.name)
            raise


def check_terms(name: str, license: str, terms: Terms) -> None:
    """Raise InvalidInputError when the licence is no SPDX expression, or forbids what nobody has agreed to forgo."""
    check_license(license)
    if is_noncommercial(license) and not terms.accept_noncommercial:
        raise InvalidInputError(
            f"{name} is under {license}: its results may not be used commercially. If that is fine for you, add "
            "--accept-noncommercial; it is then used only when chosen by name"
        )


def _proved(store: ModelStore, name: str, license: str, origin: str, predicts: str | None) -> ModelFolder:
    """Load what lies in the partial folder, let it look at one frame, and move it into place."""
    import torch

    from model.depth.depth_network import check_config, predicts_by_default
    from model.depth.learned import LearnedEstimator

    partial = store.partial(name)
    config = read_json(partial / CONFIG)
    check_config(config)
    manifest = Manifest(
        name=name,
        architecture=config["model_type"],
        predicts=predicts or predicts_by_default(config),
        license=license,
        origin=origin,
        files=tuple(record_of(partial / file) for file in MODEL_FILES),
    )
    try:
        LearnedEstimator(ModelFolder(partial, manifest)).estimate(torch.linspace(0, 1, 3 * 48 * 64).view(1, 3, 48, 64))
    except StereoError:
        raise
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(f"{name} cannot look at a frame as {PREPROCESSOR} prepares it: {error}") from error
    return store.commit(manifest)


def _check_ready(store: ModelStore, name: str) -> None:
    """Find before anything is copied or fetched what would make it useless."""
    from model.depth.depth_network import check_transformers

    check_transformers()
    check_free(store.path, name)


def _check_source(source: Path) -> None:
    missing = [file for file in MODEL_FILES if not (source / file).is_file()]
    if not missing:
        return
    hint = f"{', '.join(missing)} is not there"
    if WEIGHTS in missing and (pickles := [path.name for kind in _PICKLES for path in sorted(source.glob(kind))]):
        hint = (
            f"only {', '.join(pickles)}: pickles can run any code when they are loaded and are refused; look for a "
            "release of the same model as safetensors"
        )
    elif WEIGHTS in missing and (source / f"{WEIGHTS}.index.json").exists():
        hint = "its weights are in several pieces; save it again as one file (max_shard_size)"
    raise WeightsError(f"expected a folder with {', '.join(MODEL_FILES)}, as transformers saves it; in {source} {hint}")


def license_of_card(card: Path) -> str | None:
    """The licence that a model card states in its header, as SPDX; None when it states none that is known."""
    if not card.is_file():
        return None
    header = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    stated = header and re.search(r"^license:\s*([\w.-]+)\s*$", header[1], re.MULTILINE)
    return _SPDX.get(stated[1].lower()) if stated else None


def remove(store: ModelStore, name: str) -> None:
    """Remove a model. Raises InvalidInputError when there is none of that name."""
    with writing(store.path):
        store.remove(name)


def problem_of(store: ModelStore, name: str) -> str:
    """What is wrong with an installed model, by hashing all of it and loading it; "" when nothing is."""
    from model.depth.depth_network import load_network

    try:
        load_network(store.open(name))
    except WeightsError as error:
        return str(error)
    return ""
