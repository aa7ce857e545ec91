"""What every test shares: fixed seeds, few threads, no models of the user's: a run is repeatable, two do not fight."""

from __future__ import annotations

import os
import random
import tempfile

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(20260412)
    np.random.seed(20260412)
    torch.manual_seed(20260412)


def pytest_configure() -> None:
    torch.set_num_threads(1)  # two spin while they wait for each other: in company, small convolutions take 100 x
    os.environ["STEREO_CONVERT_MODELS"] = f"{tempfile.gettempdir()}/no-depth-models-for-tests"  # not the user's own
