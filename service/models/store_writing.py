"""Who may change the store of models: one process at a time, whatever kind of network it adds or removes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.depth.model_folder import check_name
from model.depth.model_store import ModelStore
from model.errors import InvalidInputError, WeightsError
from model.sasi.fill_store import FillStore
from service.runtime_dir import InstanceLock


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Hold the store against others that write, and say what is wrong with the disk in one sentence.

    Raises InvalidInputError when another process holds it, WeightsError when the block raises OSError.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        lock = InstanceLock(store / ".lock")
        if not lock.acquire():
            raise InvalidInputError(f"another process is changing {store}; wait until it is done")
        try:
            yield
        finally:
            lock.release()
    except OSError as error:
        raise WeightsError(f"cannot write to {store}: {error.strerror or error}") from error


def check_free(store: Path, name: str) -> None:
    """Raise InvalidInputError when a network of any kind has this name. Only `writing` keeps it free."""
    from model.sasi.weights import is_shipped

    check_name(name)
    if name in ModelStore(store).names():
        raise InvalidInputError(f"{name} is installed already; run: python -m service models remove {name}")
    if name in FillStore(store).names() or is_shipped(name):
        raise InvalidInputError(f"{name} is a fill network here already; choose another name, or remove it first")
