"""⑧ Fills by content: another output or floating window of the same shot never runs the fill network again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from model.settings import Settings
from service.caches.entry_file import Entry
from service.caches.guarded_cache import GuardedCache
from service.caches.kept_array import KeptArray
from service.caches.spill import Spill
from service.caches.spilled_cache import EntryKind

if TYPE_CHECKING:
    from torch import Tensor

    from model.sasi.inpainter import Fill, Inpainter

FillKey = tuple[object, ...]

_AFTER_THE_FILL = {"output": "right", "floating_window": "off", "floating_window_width": 1.0}
"""Settings that only what follows the fill looks at; see `model.conversion.convert`."""


class KeptFill:
    """The pixels that a fill changed.

    where   (T·H·W / 8) uint8, a bit for each pixel     values  (n, C) float32     retention  0..1
    """

    def __init__(self, where: KeptArray, values: KeptArray, retention: float) -> None:
        self.where, self.values, self.retention = where, values, retention

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""
        return self.where.values.nbytes + self.values.values.nbytes

    @property
    def is_intact(self) -> bool:
        """Whether it is still what was kept."""
        return self.where.is_intact and self.values.is_intact


class _FillEntries(EntryKind[KeptFill]):
    name = "fills"

    def to_entry(self, value: KeptFill) -> Entry:
        """Both arrays."""
        return Entry((value.where.values, value.values.values), {"retention": value.retention})

    def from_entry(self, entry: Entry) -> tuple[KeptFill, int]:
        """Both arrays, guarded."""
        where, values = entry.arrays
        kept = KeptFill(KeptArray.of(where), KeptArray.of(values), entry.meta["retention"])
        return kept, kept.size_bytes


class FillCache(GuardedCache[FillKey, KeptFill]):
    """What fills changed."""

    def __init__(self, max_bytes: int, spill: Spill | None = None) -> None:
        super().__init__(max_bytes, _FillEntries(), spill)


def settings_of_fill(settings: Settings) -> Settings:
    """The same settings, without what comes after the fill: equal where the fill is."""
    return replace(settings, **_AFTER_THE_FILL)


def remembering_fill(inpainter: Inpainter, cache: FillCache, key: FillKey) -> Inpainter:
    """The same inpainter, but it asks the cache first. For one window, whose fill `key` names."""
    return cast("Inpainter", _RememberingInpainter(inpainter, cache, key))


class _RememberingInpainter:
    def __init__(self, inpainter: Inpainter, cache: FillCache, key: FillKey) -> None:
        self._inpainter, self._cache = inpainter, cache
        self._key = (inpainter.version, *key)

    def __getattr__(self, name: str) -> Any:
        """All but `fill` is the inpainter's own."""
        return getattr(self._inpainter, name)

    def fill(self, view: Tensor, *arguments: Tensor, **rules: Any) -> Fill:
        """As the inpainter's own `fill`, with the same bits."""
        kept = self._cache.get(self._key)
        if kept is not None:
            return _filled_again(view, kept)
        fill = self._inpainter.fill(view, *arguments, **rules)
        kept = _what_changed(view, fill)
        self._cache.put(self._key, kept, kept.size_bytes)
        return fill


def _what_changed(view: Tensor, fill: Fill) -> KeptFill:
    import torch

    before, after = (image.contiguous().view(torch.int32) for image in (view, fill.view))  # bits: 0.0 is not −0.0
    where = (before != after).any(dim=1)  # (T, H, W)
    values = fill.view.permute(0, 2, 3, 1)[where].cpu().numpy()
    return KeptFill(KeptArray.of(np.packbits(where.cpu().numpy())), KeptArray.of(values), fill.retention)


def _filled_again(view: Tensor, kept: KeptFill) -> Fill:
    import torch

    from model.sasi.inpainter import Fill

    frames, _, height, width = view.shape
    bits = np.unpackbits(kept.where.values, count=frames * height * width).astype(bool)
    where = torch.from_numpy(bits.reshape(frames, height, width)).to(view.device)
    filled = view.clone()
    filled.permute(0, 2, 3, 1)[where] = torch.from_numpy(kept.values.values.copy()).to(view.device)
    return Fill(filled, kept.retention)
