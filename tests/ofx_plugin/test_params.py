"""The panel is model.Settings told to a host: same names, order, choices, ranges and defaults."""

from __future__ import annotations

from dataclasses import MISSING, fields
from types import ModuleType

import pytest
from stereoconvert.v1 import settings_pb2

from model.settings import Settings

SETTINGS = fields(Settings)
KINDS = {"choice": str, "integer": int, "double": float, "boolean": bool}


@pytest.fixture(scope="module")
def params(units: ModuleType) -> dict[str, dict]:
    return {param["name"]: param for param in units.setting_params()}


def test_panel_and_wire_have_the_settings_in_the_order_of_the_model(params):
    names = [setting.name for setting in SETTINGS]
    assert list(params) == names
    assert [field.name for field in settings_pb2.Settings.DESCRIPTOR.fields] == names


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_default_is_that_of_the_model(params, setting):
    param = params[setting.name]
    assert setting.default is not MISSING
    if param["kind"] == "choice":
        tokens = {value: token for token, _, value in param["options"]}
        assert tokens[param["default"]] == str(setting.default)
    else:
        assert param["default"] == setting.default
        assert isinstance(setting.default, KINDS[param["kind"]])


@pytest.mark.parametrize("setting", [s for s in SETTINGS if not isinstance(s.default, bool)], ids=lambda s: s.name)
def test_choices_and_ranges_are_those_of_the_model(params, setting):
    param = params[setting.name]
    if "choices" in setting.metadata:
        assert [token for token, _, _ in param["options"]] == [str(choice) for choice in setting.metadata["choices"]]
    else:
        assert param["range"] == (setting.metadata["low"], setting.metadata["high"])
        assert param["range"][0] <= param["slider"][0] <= param["default"] <= param["slider"][1] <= param["range"][1]


@pytest.mark.parametrize("setting", [s for s in SETTINGS if isinstance(s.default, str)], ids=lambda s: s.name)
def test_option_values_are_the_enum_numbers_less_one(params, setting):
    """0 is UNSPECIFIED on the wire, so the plugin sends value + 1."""
    numbers = settings_pb2.Settings.DESCRIPTOR.fields_by_name[setting.name].enum_type.values_by_number
    for token, _, value in params[setting.name]["options"]:
        assert numbers[value + 1].name.endswith("_" + token.upper().replace("-", "_"))


def test_every_parameter_has_a_label_and_a_tooltip_and_a_name_of_its_own(units):
    table = units.setting_params() + units.plugin_params()
    assert len({param["name"] for param in table}) == len(table)
    for param in table:
        assert param["label"] and len(param["hint"]) > 15, param["name"]


def test_disparity_slider_ends_at_five_percent(params):
    assert params["disparity"]["slider"] == (0, 5)


@pytest.mark.parametrize(
    ("changed", "identity"),
    [
        ({}, False),
        ({"disparity": 0}, True),
        ({"disparity": 0, "output": 6}, False),
        ({"output": 1}, True),
        ({"disparity": 0, "floating_window": 2}, False),
        ({"disparity": 0, "depth_meaning": 2}, False),
        ({"disparity": 0, "depth_meaning": 3}, False),
    ],
)
def test_flat_right_eye_and_left_eye_are_the_source(units, params, changed, identity):
    names = list(params)
    assert units.is_identity({names.index(name): value for name, value in changed.items()}) is identity
