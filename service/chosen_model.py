"""Which model does the work: ours, on this machine's devices, or the same on the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from model.errors import InvalidInputError
from service.caches.model_caches import NOTHING_KEPT, CacheSizes, ModelCaches

if TYPE_CHECKING:
    from service.caches.spill import Spill
    from service.stereo_model import StereoModel


@contextmanager
def chosen_model(
    cluster: str | None, sizes: CacheSizes = NOTHING_KEPT, spill: Spill | None = None
) -> Iterator[StereoModel]:
    """Open the model, and leave its cluster when the block ends.

    cluster  address of a Ray cluster, "auto" for this machine's; None: the devices here
    sizes    of what it remembers: once here, or in each worker
    spill    where its caches here go beyond memory; those of workers have memory alone

    Raises InvalidInputError where Ray is not installed, ServiceUnreachableError where there is no cluster.
    """
    if cluster is None:
        from service.torch_model import TorchModel

        yield TorchModel(ModelCaches(sizes, spill))
        return
    if find_spec("ray") is None:
        raise InvalidInputError("--cluster needs Ray; run: pip install 'stereo-convert[cluster]'")
    from service.cluster.cluster_model import ClusterModel

    model = ClusterModel(cluster, sizes)
    try:
        yield model
    finally:
        model.close()
