from __future__ import annotations

import math

import pytest

from model.errors import SettingsError
from model.settings import Settings, parse_settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"disparity": 10.5},
        {"disparity": math.nan},
        {"disparity": "3"},
        {"steps": 0},
        {"steps": 1.5},
        {"dilation": 4},
        {"window": 16},
        {"output": "both"},
        {"blend": 1},
        {"dilation": True},
        {"range": "manual", "near": 2.0, "far": 2.0},
    ],
)
def test_a_value_outside_its_range_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong)) if len(wrong) == 1 else "near and far"):
        Settings(**wrong)  # type: ignore[arg-type]


def test_texts_become_settings() -> None:
    settings = parse_settings(
        {"disparity": "3", "blend": "off", "temporal_stride": "off", "window": "33", "output": "mask"}
    )
    assert settings == Settings(disparity=3.0, blend=False, temporal_stride=0, window=33, output="mask")


@pytest.mark.parametrize("texts", [{"disparity": "much"}, {"blend": "perhaps"}, {"steps": "1.5"}, {"colour": "1"}])
def test_a_text_that_is_no_value_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(texts))):
        parse_settings(texts)


def test_pixel_settings_scale_with_the_frame() -> None:
    assert Settings().px_at(960, 2.0) == 1.0
