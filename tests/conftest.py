"""What every test shares: fixed seeds and few threads, so that a run is repeatable and two runs do not fight."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(20260412)
    np.random.seed(20260412)
    torch.manual_seed(20260412)


def pytest_configure() -> None:
    torch.set_num_threads(2)
