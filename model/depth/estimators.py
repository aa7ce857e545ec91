"""The seam for depth estimators: what one is, which there are, how to find one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from model.depth.draft import Draft
from model.depth.learned import installed_estimators
from model.depth.model_folder import is_noncommercial
from model.depth.stabilise import stabilised
from model.errors import InvalidInputError


class DepthEstimator(Protocol):
    """Something that finds depth in a window of frames; its result depends on these frames alone."""

    @property
    def name(self) -> str:
        """What the panel and the command line call it."""
        ...

    @property
    def license(self) -> str:
        """SPDX identifier of the licence of its weights or code."""
        ...

    @property
    def detail(self) -> str:
        """One line for the panel's status: what it looks at, which weights."""
        ...

    @property
    def normalised(self) -> bool:
        """Whether 0 and 1 are the ends of its scale, so that the automatic range need not look for them."""
        ...

    @property
    def steady(self) -> bool:
        """Whether what it gives is steady in time; else it is averaged along the window's flow (stabilise.py)."""
        ...

    def estimate(self, frames: Tensor) -> Tensor:
        """Estimate nearness.

        frames   (T, 3, H, W)  float32, about 0..1, finite
        returns  (T, 1, h, w)  float32, larger is nearer; stretched over the frame. Draft gives 0 far .. 1 near;
                               learned ones inverse depth >= 0 of their own scale, which the automatic range takes
        """
        ...


_ESTIMATORS: dict[str, Callable[[], DepthEstimator]] = {Draft.name: Draft}
"""By name, best last. Building one is cheap; weights are loaded by the first `estimate`."""


def steady_depth(estimator: DepthEstimator, frames: Tensor) -> Tensor:
    """Estimate the depth of a window (T, C, H, W), averaged in time unless the estimator's own is steady already."""
    nearness = estimator.estimate(frames)
    return nearness if estimator.steady else stabilised(nearness, frames)


def available_estimators() -> list[DepthEstimator]:
    """List the estimators of this installation, best first: those that "" may choose, then those under terms.

    Learned models come before what needs none; one that forbids commercial use comes last and is used only by name.
    """
    learned = installed_estimators()
    free = [estimator for estimator in learned if not is_noncommercial(estimator.license)]
    under_terms = [estimator for estimator in learned if is_noncommercial(estimator.license)]
    return [*free, *(build() for build in reversed(_ESTIMATORS.values())), *under_terms]


def find_estimator(name: str = "") -> DepthEstimator:
    """Find an estimator by name, whatever its case; "" is the best there is.

    Raises InvalidInputError for a name that is not installed.
    """
    estimators = available_estimators()
    for estimator in estimators:
        if name.lower() in ("", estimator.name.lower()):
            return estimator
    names = ", ".join(estimator.name for estimator in estimators)
    raise InvalidInputError(
        f"no depth estimator is called {name!r}; installed are {names}; leave it empty for the best, or add a model: "
        "python -m service models add"
    )
