from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stereoconvert.v1 import settings_pb2

from model import settings as table
from model.errors import SettingsError
from model.settings import Settings
from service.wire.settings_wire import settings_from_wire, settings_to_wire


def test_nothing_set_means_all_defaults():
    assert settings_from_wire(settings_pb2.Settings()) == Settings()


def test_unspecified_means_the_default():
    assert settings_from_wire(settings_pb2.Settings.FromString(bytes((0x08, 0)))) == Settings()


@given(
    output=st.sampled_from(table.OUTPUTS),
    depth_meaning=st.sampled_from(table.DEPTH_MEANINGS),
    engine=st.sampled_from(table.ENGINES),
    disparity=st.decimals(0, 10, places=3).map(float),
    threshold=st.decimals("1.05", 4, places=2).map(float),
    dilation=st.sampled_from((1, 3, 5, 7, 9)),
    blend=st.booleans(),
)
def test_settings_survive_the_wire_exactly(**values):
    settings = Settings(**values)
    message = settings_pb2.Settings.FromString(settings_to_wire(settings).SerializeToString())
    assert settings_from_wire(message) == settings


def test_the_lowest_threshold_is_not_pushed_below_its_range_by_float32():
    assert settings_from_wire(settings_pb2.Settings(threshold=1.05)).threshold == 1.05


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (settings_pb2.Settings.FromString(bytes((0x08, 77))), r"output is 77; it must be one of 1 \(OUTPUT_RIGHT\)"),
        (settings_pb2.Settings(disparity=11), r"disparity must be 0\.\.10 .*got 11"),
        (settings_pb2.Settings(disparity=float("nan")), "disparity must be a finite number"),
        (settings_pb2.Settings(dilation=4), "dilation must be one of 1, 3, 5, 7, 9; got 4"),
        (settings_pb2.Settings(window=4294967295), "window must be one of"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_value_and_range(message, text):
    with pytest.raises(SettingsError, match=text):
        settings_from_wire(message)
