"""`python -m service models`: the depth models and fill networks of this machine, and those it could have.

What copies, fetches and loads is imported when it runs: every other verb reads this module for its flags.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from model.depth.model_folder import PREDICTIONS, ModelFolder
from model.depth.model_store import ModelStore, default_store_path
from model.errors import InvalidInputError, WeightsError
from model.sasi.fill_store import FillManifest, FillStore, is_fill_folder
from service.models.known_models import KNOWN_MODELS, KnownModel, find_known, model_home

if TYPE_CHECKING:
    from service.models.model_install import Terms

Command = Callable[[], int]
_NEXT = "a service that runs uses it after it is started again"


def add_models_verb(verbs: argparse._SubParsersAction) -> None:
    """Add `models` with its own verbs to the command line; each sets `build`, which turns flags into a command."""
    models = verbs.add_parser("models", help="list, add, remove and verify learned depth models and fill networks")
    actions = models.add_subparsers(title="verbs", required=True, metavar="VERB")
    actions.add_parser("list", help="what is installed, and what could be").set_defaults(build=_build_list)
    add = actions.add_parser("add", help="add a known model by download, or any model from a folder")
    add.add_argument("name", metavar="NAME", help="what to call it; a known name when nothing else is said")
    add.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="config.json, preprocessor_config.json, model.safetensors; or Wan 2.1 (docs/wan.md)")  # fmt: skip # noqa: E501
    add.add_argument("--license", metavar="SPDX", help="of the weights in FOLDER (default: what its model card states)")
    add.add_argument("--predicts", choices=PREDICTIONS, help="what the network gives (default: by its architecture)")
    add.add_argument("--yes", action="store_true", help="yes, download it")
    add.add_argument("--accept-noncommercial", action="store_true", help="take a licence that forbids commercial use")
    add.set_defaults(build=_build_add)
    delete = actions.add_parser("remove", help="delete a model")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(build=lambda flags: partial(remove_model, _store(), flags.name))
    verify = actions.add_parser("verify", help="hash and load every model, or one")
    verify.add_argument("name", metavar="NAME", nargs="?")
    verify.set_defaults(build=lambda flags: partial(verify_models, _store(), flags.name))


def _store() -> ModelStore:
    return ModelStore(default_store_path())


def _build_list(_: argparse.Namespace) -> Command:
    return partial(list_models, _store())


def _build_add(flags: argparse.Namespace) -> Command:
    from service.models.model_install import Terms

    terms = Terms(flags.license, flags.predicts, flags.accept_noncommercial)
    if flags.source is not None:
        return partial(add_folder, _store(), flags.name, flags.source, terms)
    if flags.license is not None:
        raise InvalidInputError("--license goes with --from; the licence of a known model is known")
    return partial(fetch_model, _store(), find_known(flags.name), model_home(), terms, flags.yes)


def list_models(store: ModelStore) -> int:
    """Print what is installed and what is known."""
    names, fills = store.names(), _fills(store)
    print(f"installed in {store.path}:" if names or fills.names() else f"nothing is installed in {store.path}")
    for name in names:
        try:
            print(f"  {_line(store.open(name))}")
        except WeightsError as error:
            print(f"  {name}  DAMAGED: {error}")
    for name in fills.names():
        try:
            print(f"  {_fill_line(fills.manifest(name))}")
        except WeightsError as error:
            print(f"  {name}  DAMAGED: {error}")
    for known in KNOWN_MODELS:
        if known.name not in names:
            print(f"can be added: {_offer(known)}")
    return 0


def add_folder(store: ModelStore, name: str, source: Path, terms: Terms) -> int:
    """Add a model from a folder, a fill network if it holds one, and say what it is."""
    if is_fill_folder(source):
        from service.models.fill_install import add_fill

        print(f"added {_fill_line(add_fill(_fills(store), name, source, terms))}\n{_NEXT}")
        return 0
    from service.models.model_install import add_from_folder

    return _added(add_from_folder(store, name, source, terms))


def fetch_model(store: ModelStore, known: KnownModel, home: str, terms: Terms, yes: bool) -> int:
    """Show size and licence of a known model and, with `yes`, download it.

    Raises InvalidInputError without `yes`: nothing is ever fetched unasked.
    """
    from tqdm import tqdm

    from service.models.model_install import add_known, check_terms

    print(f"{_offer(known)}\nfrom {known.url(home, '')}")
    check_terms(known.name, known.license, terms)
    if not yes:
        raise InvalidInputError(f"nothing was fetched; to download {known.size_bytes / 1e6:.0f} MB, add --yes")
    with tqdm(total=known.size_bytes, unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:
        return _added(add_known(store, known, home, terms, bar.update))


def remove_model(store: ModelStore, name: str) -> int:
    """Remove a model or a fill network."""
    if name in _fills(store).names():
        from service.models.fill_install import remove_fill

        remove_fill(_fills(store), name)
    else:
        from service.models.model_install import remove

        remove(store, name)
    print(f"removed {name}; a service that runs keeps it until it is started again")
    return 0


def verify_models(store: ModelStore, name: str | None = None) -> int:
    """Hash and load every model and fill network, or one; 1 when one is damaged."""
    fills = _fills(store)
    everything = (*store.names(), *fills.names())
    if name is not None and name not in everything:
        raise InvalidInputError(f"no depth model {name!r}; installed: {', '.join(everything) or 'none'}")
    from service.models.fill_install import problem_of_fill
    from service.models.model_install import problem_of

    damaged = 0
    for each in everything if name is None else (name,):
        problem = problem_of_fill(fills, each) if each in fills.names() else problem_of(store, each)
        damaged += bool(problem)
        print(f"{each}: {problem or 'intact, config and weights agree'}")
    return 1 if damaged else 0


def _added(folder: ModelFolder) -> int:
    print(f"added {_line(folder)}\n{_NEXT}")
    return 0


def _line(folder: ModelFolder) -> str:
    manifest = folder.manifest
    return (
        f"{manifest.name}  {manifest.license}  {manifest.size_bytes / 1e6:.1f} MB  {manifest.architecture}, "
        f"{manifest.predicts}, from {manifest.origin} ({manifest.version})"
    )


def _fills(store: ModelStore) -> FillStore:
    return FillStore(store.path)


def _fill_line(manifest: FillManifest) -> str:
    return f"{manifest.name}  {manifest.license}  fill network ({manifest.version})"


def _offer(known: KnownModel) -> str:
    return f"{known.name}  {known.license}  {known.size_bytes / 1e6:.1f} MB  {known.summary}"
