"""What rules that come from a file have in common: numbers that must not be below something."""

from __future__ import annotations

import math

from model.errors import SettingsError


def check_least(rules: object, **least: float) -> None:
    """Raise SettingsError unless each named field of `rules` is finite and at least so large."""
    for name, bound in least.items():
        value = getattr(rules, name)
        if not (math.isfinite(value) and value >= bound):
            raise SettingsError(f"{name} must be a finite number of at least {bound:g}; got {value!r}")


def check_shares(rules: object, *names: str) -> None:
    """Raise SettingsError unless each named field of `rules` is within 0..1."""
    for name in names:
        value = getattr(rules, name)
        if not 0 <= value <= 1:
            raise SettingsError(f"{name} must be a share, 0..1; got {value!r}")
