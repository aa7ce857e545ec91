"""Add a fill network (Wan 2.1) to the store of models: copied, proved to fill a frame, then moved into place."""

from __future__ import annotations

import shutil
from pathlib import Path

from model.errors import InvalidInputError, WeightsError
from model.sasi.fill_store import FILES, PARTS, FillManifest, FillStore
from service.models.model_download import check_space
from service.models.model_install import Terms, check_terms, license_of_card
from service.models.store_writing import check_free, writing

_KEPT = (".json", ".safetensors")
"""What is copied: a release holds demos, tokenizers and 22 GB of text encoder that a fill never reads."""


def add_fill(store: FillStore, name: str, source: Path, terms: Terms) -> FillManifest:
    """Copy a folder of Wan 2.1 into the store.

    Raises InvalidInputError when the name is taken or the licence unknown or not accepted, WeightsError when the
    folder cannot fill. Then the store is as it was.
    """
    check_free(store.store, name)
    license = terms.license or license_of_card(source / "README.md")
    if license is None:
        raise InvalidInputError(f"{source} has no model card that names a licence; say it: --license SPDX")
    check_terms(name, license, terms)
    partial = store.path / ".partial" / name
    with writing(store.store):
        check_free(store.store, name)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            _copy(source, partial)
            manifest = FillManifest(name, license, _proved(partial))
            store.write_manifest(partial, manifest)
            partial.rename(store.path / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return manifest


def remove_fill(store: FillStore, name: str) -> None:
    """Delete a fill network.

    Raises WeightsError when there is none of that name or it cannot be deleted, InvalidInputError while another
    process changes the store.
    """
    with writing(store.store):
        folder = store.folder(name)
        gone = store.path / ".partial" / name
        gone.parent.mkdir(exist_ok=True)
        shutil.rmtree(gone, ignore_errors=True)
        folder.rename(gone)  # at once, so that there is never half of one
        shutil.rmtree(gone)


def problem_of_fill(store: FillStore, name: str) -> str:
    """What is wrong with a fill network, by hashing and loading it; "" when nothing is."""
    from model.sasi.inpainter import load_inpainter

    try:
        expected, found = store.manifest(name).version, load_inpainter(store.folder(name)).version
    except WeightsError as error:
        return str(error)
    return "" if found == expected else f"its files have changed since it was added; remove {name} and add it again"


def _copy(source: Path, target: Path) -> None:
    files = [path for part in PARTS for path in sorted((source / part).iterdir()) if path.suffix in _KEPT]
    files += [source / name for name in FILES if (source / name).is_file()]
    target.mkdir(parents=True)
    check_space(target, sum(path.stat().st_size for path in files))
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)


def _proved(folder: Path) -> str:
    """Let it fill one small frame; its version."""
    import torch

    from model.sasi.inpainter import load_inpainter

    inpainter = load_inpainter(folder)
    hole = torch.zeros(1, 1, 32, 48, dtype=torch.bool)
    hole[..., 8:24, 16:32] = True
    filled = inpainter(torch.rand(1, 3, 32, 48), hole, torch.zeros(1, 1, 32, 48))
    if not torch.isfinite(filled).all():
        raise WeightsError(f"{folder.name} fills a frame with values that are not finite: it cannot be used")
    return inpainter.version
