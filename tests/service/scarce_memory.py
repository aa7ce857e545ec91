"""A device that has only so much memory: counts what tensors hold, and raises what torch raises on a GPU."""

from __future__ import annotations

import weakref
from collections import Counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class ScarceMemory(TorchDispatchMode):
    """Within it no more than `limit_bytes` may be held by tensors that operators make; `peak_bytes` is the most."""

    def __init__(self, limit_bytes: float) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes
        self._users: Counter[int] = Counter()  # tensors by the place of their memory: views share it
        self._held_bytes = 0
        self.peak_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._hold(tensor)
        return result

    def _hold(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        place, size_bytes = storage.data_ptr(), storage.nbytes()
        self._held_bytes += 0 if self._users[place] else size_bytes
        self._users[place] += 1
        weakref.finalize(tensor, self._let_go, place, size_bytes)
        self.peak_bytes = max(self.peak_bytes, self._held_bytes)
        if self._held_bytes > self._limit_bytes:
            raise torch.OutOfMemoryError(f"{self._held_bytes} bytes are held, more than {self._limit_bytes}")

    def _let_go(self, place: int, size_bytes: int) -> None:
        self._users[place] -= 1
        if not self._users[place]:
            del self._users[place]
            self._held_bytes -= size_bytes
