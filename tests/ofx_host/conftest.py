"""Fixtures of the headless host: its example plugin, hosts that are closed again, and frames that tell up from down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ofx_host import Effect, Host, native
from tests.ofx_host.private_service import BUNDLE, PrivateService, private_service


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no service for an effect that is never rendered."""
    monkeypatch.setenv("STEREO_CONVERT_WARM_UP", "0")


@pytest.fixture(scope="session")
def example_plugin() -> Path:
    """The built example effects; skips where the host is not built."""
    if not native.module_path().exists() or not native.EXAMPLE_PLUGIN.exists():
        pytest.skip(f"the headless host is not built; {native.HOW_TO_BUILD}")
    return native.EXAMPLE_PLUGIN


@pytest.fixture
def make_host(example_plugin: Path) -> Iterator[Callable[..., Host]]:
    """Makes hosts of any personality and closes them."""
    hosts: list[Host] = []

    def make(personality: str = "strict", **changes: Any) -> Host:
        hosts.append(Host(personality, **changes))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


@pytest.fixture
def make_gain(make_host: Callable[..., Host], example_plugin: Path) -> Callable[..., Effect]:
    """Makes the example effect in a host of any personality."""

    def make(
        personality: str = "strict", *, context: str = "Filter", host_changes: dict | None = None, **params
    ) -> Effect:
        return make_host(personality, **(host_changes or {})).load(example_plugin).create(context, **params)

    return make


@pytest.fixture
def frames() -> NDArray[np.float32]:
    """20 different float RGBA frames, 24x16, in which no two pixels are alike; values leave 0..1."""
    return np.random.default_rng(7).uniform(-0.5, 1.5, (20, 16, 24, 4)).astype(np.float32)


@pytest.fixture(scope="session")
def stereo_bundle() -> Path:
    """The built StereoConvert bundle; skips where bundle or host are not built."""
    if not native.module_path().exists() or not BUNDLE.exists():
        pytest.skip(f"needs the built plugin and host: make bundle (no {BUNDLE} or no {native.module_path().name})")
    return BUNDLE


@pytest.fixture(scope="session")
def service(stereo_bundle: Path) -> Iterator[PrivateService]:
    """One service for all tests of this run, started by the first plugin that needs it."""
    with private_service() as service:
        yield service


@pytest.fixture
def fresh_service(stereo_bundle: Path) -> Iterator[PrivateService]:
    """A runtime folder of its own in which no service runs yet."""
    with private_service() as service:
        yield service
