"""Tiny Wan networks with random weights."""

from pathlib import Path

import pytest

from tests.wan_models import make_vae, make_wan, save_member


@pytest.fixture
def random_wan():
    """A function that makes diffusers' transformer: (seed, **sizes)."""
    return make_wan


@pytest.fixture
def wan_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "transformer"
    make_wan().save_pretrained(folder)
    return folder


@pytest.fixture
def random_vae():
    """A function that makes diffusers' VAE: (seed, attention, **sizes)."""
    return make_vae


@pytest.fixture
def vae_folder(tmp_path: Path) -> Path:
    make_vae().save_pretrained(tmp_path / "vae")
    return tmp_path / "vae"


@pytest.fixture
def member_folder(tmp_path: Path) -> Path:
    """A whole member: transformer, VAE and null prompt."""
    return save_member(tmp_path / "wan")
