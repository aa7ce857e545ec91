"""`model`, this project's own, behind the seam of `stereo_model`, with caches in front of what is slow.

Torch is imported on the worker's thread, with the first window or the warm-up, so that the service listens at once.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from model.depth.model_store import default_store_path
from model.errors import WeightsError
from model.sasi.fill_store import FillStore
from service.caches.bounded_cache import BoundedCache
from service.caches.depth_cache import remembering
from service.caches.fill_cache import remembering_fill, settings_of_fill
from service.caches.latent_cache import remembering_encoder
from service.caches.model_caches import ModelCaches
from service.devices.window_job import Progress
from service.models.model_version import model_folder, model_version
from service.stereo_model import DEFAULT_INPAINTER, Inventory, InventoryEntry, WindowInput, WindowOutput


class TorchModel:
    """A StereoModel that computes here."""

    def __init__(self, caches: ModelCaches | None = None) -> None:
        """Without `caches` nothing is remembered."""
        self._caches = caches or ModelCaches()
        self._inpainters: dict[tuple[str, str], Any] = {}
        self._loading = threading.Lock()
        self._inventory = Inventory(
            inpainters=(InventoryEntry(DEFAULT_INPAINTER, "Apache-2.0", False, "the service is still loading it"),)
        )

    def version(self) -> str:
        """Hash of code, weights and libraries."""
        return model_version()

    def inventory(self) -> Inventory:
        """What `load` found."""
        return self._inventory

    def lanes(self) -> int:
        """One: a window fills a device."""
        return 1

    def load(self, device: str) -> None:
        """Import torch and load the default weights; what is missing shows in the inventory."""
        from model.depth.estimators import available_estimators

        estimators = tuple(InventoryEntry(e.name, e.license, True, e.detail) for e in available_estimators())
        try:
            lite = self._inpainter(DEFAULT_INPAINTER, device)
            entry = InventoryEntry(lite.name, lite.license, True, lite.detail)
        except WeightsError as error:
            entry = InventoryEntry(DEFAULT_INPAINTER, "Apache-2.0", False, str(error))
        self._inventory = Inventory((entry, *_added_fills()), estimators)

    def unload(self, device: str) -> None:
        """Forget the networks of `device`; depth models forget theirs on every device and load when asked."""
        with self._loading:
            for key in [key for key in self._inpainters if key[1] == device]:
                del self._inpainters[key]
        if (torch := sys.modules.get("torch")) is None:
            return
        from model.depth.learned import installed_estimators

        for estimator in installed_estimators():
            estimator.unload()
        gc.collect()
        if device.startswith("cuda"):
            torch.cuda.empty_cache()

    def caches(self) -> Mapping[str, BoundedCache]:
        """Estimated depth, fills, latents."""
        return self._caches.by_name()

    def convert(self, window: WindowInput, device: str, progress: Progress) -> WindowOutput:
        """Run disparity, warp, fill and composite on one window."""
        import torch

        from model.conversion import convert
        from model.depth.estimators import find_estimator
        from model.layout import compose

        settings = window.settings
        frames = torch.from_numpy(window.frames).to(device).contiguous()
        depth = None if window.depth is None else torch.from_numpy(window.depth).to(device)
        estimator = find_estimator(window.depth_estimator) if settings.depth_source == "estimate" else None
        if estimator is not None and window.frames_digest:
            estimator = remembering(estimator, self._caches.depth, window.frames_digest)
        with torch.inference_mode():
            conversion = convert(
                frames,
                depth,
                settings,
                first_frame=window.first_frame,
                inpainter=self._inpainter_of(window, device) if settings.engine == "sasi" else None,
                estimator=estimator,
                frugal=window.frugal,
                progress=progress,
            )
            conversion = conversion.only(window.wanted)
            images = compose(settings.output, conversion)
            return WindowOutput(
                images=images.float().cpu().numpy(),
                depth_estimator=estimator.name if estimator is not None else "",
                stage_times=dict(conversion.stage_times),
                retention=float(conversion.retention),
                disoccluded=float(conversion.disocclusion.float().mean()),
                parallax=(float(conversion.min_parallax), float(conversion.max_parallax)),
                warnings=tuple(conversion.warnings),
                also=tuple(compose(output, conversion).float().cpu().numpy() for output in window.also),
            )

    def _inpainter_of(self, window: WindowInput, device: str) -> Any:
        """The fill network of a window, which asks the caches first."""
        inpainter = self._inpainter(window.inpainter, device)
        if not (self._caches.fills.is_on and window.frames_digest):
            return inpainter
        of_fill = settings_of_fill(window.settings)
        key = (window.frames_digest, window.depth_digest, of_fill, window.first_frame, window.depth_estimator, device)
        return remembering_fill(inpainter, self._caches.fills, key)

    def _inpainter(self, name: str, device: str) -> Any:
        from model.sasi.inpainter import load_inpainter

        sources = _fill_sources()
        if name not in sources:  # the loader takes paths too; a name that came over the wire must not become one
            raise WeightsError(
                f"no weights {name!r} here; this service has {', '.join(sources) or 'none'}: "
                "choose one of them, or see what is missing with `python -m service doctor`"
            )
        with self._loading:  # several devices load their own copies, one after the other
            if (name, device) not in self._inpainters:
                self._inpainters[name, device] = self._loaded(load_inpainter(sources[name], device=device))
            return self._inpainters[name, device]

    def _loaded(self, inpainter: Any) -> Any:
        """The same network, whose encoder, if it has one, asks the cache first."""
        latents = self._caches.latents
        if latents.is_on:
            inpainter.wrap_encoder(
                lambda encode: remembering_encoder(encode, latents, inpainter.version, self._caches.digest_seed)
            )
        return inpainter


def _fill_sources() -> dict[str, str | Path]:
    """What each fill network's name stands for: those that are shipped, and those that the user has added."""
    shipped = sorted(path.stem for path in (model_folder() / "weights").glob("*.safetensors"))
    added = FillStore(default_store_path())
    return {**{name: added.folder(name) for name in added.names()}, **{name: name for name in shipped}}


def _added_fills() -> Iterator[InventoryEntry]:
    """The fill networks of the store, told from their manifests: loading them would take gigabytes."""
    added = FillStore(default_store_path())
    for name in added.names():
        try:
            manifest = added.manifest(name)
            yield InventoryEntry(name, manifest.license, True, f"Wan 2.1, {manifest.version}")
        except WeightsError as error:
            yield InventoryEntry(name, "unknown", False, str(error))
