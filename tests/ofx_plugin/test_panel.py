"""The panel answers the artist: presets, Reset, Status, Refresh model; projects saved with older versions still mean
what they meant."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.stereo_model import Inventory, InventoryEntry
from tests.ofx_host import PERSONALITIES
from tests.ofx_plugin.formula_service import FormulaModel, ServiceThread, formula

pytestmark = pytest.mark.host

SAVED_PROJECT = json.loads((Path(__file__).parent / "saved_project.json").read_text())
PRESETS = {  # disparity, convergence, floating window
    "Gentle": (1.5, 0.5, 0),
    "Standard": (2.5, 0.5, 0),
    "Strong": (4.0, 0.5, 1),
    "Screen-safe": (2.0, 1.0, 0),
}
TYPES = {
    "OfxParamTypeChoice": "choice",
    "OfxParamTypeDouble": "double",
    "OfxParamTypeInteger": "integer",
    "OfxParamTypeBoolean": "boolean",
    "OfxParamTypeString": "string",
    "OfxParamTypePushButton": "button",
}


def described(effect) -> dict[str, dict]:
    """What a host saves of each parameter: its type, default and choices."""
    table = {}
    for param in effect.instance.native.params():
        if param["type"] not in TYPES:
            continue
        props = param["properties"]
        entry: dict[str, Any] = {"type": TYPES[param["type"]]}
        if props.get("OfxParamPropDefault"):
            entry["default"] = props["OfxParamPropDefault"][0]
        if "OfxParamPropChoiceOption" in props:
            entry["options"] = list(props["OfxParamPropChoiceOption"])
        table[param["name"]] = entry
    del table["version"]["default"]
    return table


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_sets_its_values_and_keeps_its_name(make_effect, preset):
    effect = make_effect("nuke")
    assert effect.get("preset") == 2  # the effect exists, so that what follows is an artist's change
    effect.set("preset", preset)
    values = tuple(effect.get(name) for name in ("disparity", "convergence", "floating_window"))
    assert values == PRESETS[preset]
    assert effect.get("preset") == 1 + list(PRESETS).index(preset)
    effect.check()


def test_the_standard_preset_is_what_a_new_effect_has(make_effect):
    effect = make_effect("nuke")
    assert effect.get("preset") == 2
    values = tuple(effect.get(name) for name in ("disparity", "convergence", "floating_window"))
    assert values == PRESETS["Standard"]


@pytest.mark.parametrize(("name", "value"), [("disparity", 2.7), ("convergence", 0.4), ("floating_window", 2)])
def test_values_of_ones_own_are_called_custom(make_effect, name, value):
    effect = make_effect("nuke")
    effect.set("edge_fix", 3.0)
    assert effect.get("preset") == 2, "no preset says anything of edges"
    effect.set(name, value)
    assert effect.get("preset") == 0


def test_reset_gives_the_defaults_and_takes_keyframes_away(make_effect):
    effect = make_effect("nuke")
    effect.set("disparity", {0: 1.0, 10: 9.0})
    effect.set("output", "Disparity map")
    effect.set("dilation", 0)
    effect.set("steps", 4)
    effect.set("blend", 0)
    effect.set("address", "elsewhere:1")
    effect.press("reset")
    for name, saved in SAVED_PROJECT["params"].items():
        if "default" in saved and name not in ("address", "status"):
            assert effect.get(name) == saved["default"], name
    assert [effect.get("disparity", time) for time in (0, 5, 10)] == [2.5] * 3
    assert effect.get("address") == "elsewhere:1"
    effect.check()


@pytest.mark.parametrize("personality", sorted(PERSONALITIES))
def test_no_project_loses_its_meaning(make_effect, personality):
    """Names, types, defaults and the order of choices as saved once: hosts keep a choice as number or as word."""
    now = described(make_effect(personality))
    for name, saved in SAVED_PROJECT["params"].items():
        assert name in now, f"{name} is gone"
        known = dict(now[name])
        if "options" in saved:
            known["options"] = known["options"][: len(saved["options"])]
        assert known == saved, name


def test_an_old_project_is_rendered_with_its_values(make_effect, service, shot, clip):
    effect = make_effect("nuke", service.address, **SAVED_PROJECT["project"])
    effect.set_clip("Source", clip)
    seen = []
    service.model.before_window = lambda window: seen.append(window.settings)
    np.testing.assert_array_equal(effect.render(4), formula(shot[4], 4, 3.25))
    (settings,) = seen
    assert (settings.dilation, settings.engine, settings.window, settings.blend) == (7, "stretch", 33, False)


def test_a_choice_of_a_later_version_falls_back_to_the_default(make_effect, service, clip):
    effect = make_effect("nuke", service.address, output=99, dilation=99, preset=99, preview=99, on_error=99)
    effect.set_clip("Source", clip)
    seen = []
    service.model.before_window = lambda window: seen.append(window.settings)
    effect.render(4)
    assert (seen[0].output, seen[0].dilation) == ("right", 5)
    effect.set("disparity", 3.0)
    effect.check()


@pytest.fixture
def licensed_service(runtime_dir):
    model = FormulaModel()
    model.inventory = lambda: Inventory(
        inpainters=(InventoryEntry("lite", "Apache-2.0", True, ""),),
        depth_estimators=(InventoryEntry("formula", "MIT", True, ""),),
    )
    service = ServiceThread(runtime_dir, model)
    yield service
    service.stop()


def test_status_tells_device_models_licences_time_and_parallax(make_effect, licensed_service, clip):
    effect = make_effect("nuke", licensed_service.address)
    effect.set_clip("Source", clip)
    effect.render(4)
    effect.set("disparity", 3.0)
    assert re.fullmatch(
        r"Device cpu, fill lite \(Apache-2\.0\), depth formula \(MIT\)\. \d+ ms for the window, 0\.0 % filled, "
        r"0 % of tokens computed\. Parallax \+0\.00 % \(\+0 px\) to \+0\.00 % \(\+0 px\), above 0 in front of the "
        r"screen\.",
        effect.get("status"),
    )


def test_status_tells_parallax_in_percent_and_pixels_with_the_warnings(make_effect, service, clip, monkeypatch):
    convert = service.model.convert

    def strong(*arguments):
        from dataclasses import replace

        return replace(convert(*arguments), parallax=(-1.25, 5.0), warnings=("parallax reaches 5.0 %",))

    monkeypatch.setattr(service.model, "convert", strong)
    effect = make_effect("nuke", service.address)
    effect.set_clip("Source", clip)
    effect.render(4)
    effect.press("refresh_status")
    assert "Parallax -1.25 % (-0 px) to +5.00 % (+2 px)" in effect.get("status"), "frames are 40 px wide"
    assert "Warning: parallax reaches 5.0 %." in effect.get("status")


def test_each_effect_has_its_own_status(make_effect, service, runtime_dir, clip):
    good, bad = make_effect("nuke", service.address), make_effect("nuke", f"unix:{runtime_dir}/nobody", timeout=1.0)
    for effect in (good, bad):
        effect.set_clip("Source", clip)
    good.render(4)
    with pytest.raises(Exception, match="Address"):
        bad.render(4)
    for effect in (good, bad):
        effect.set("feather", 5.0)
    assert good.get("status").startswith("Device cpu")
    assert bad.get("status").startswith("Last render failed: the service at unix:")


def test_a_changed_model_changes_what_the_host_knows_the_picture_by(make_effect, runtime_dir, clip):
    effect = make_effect("nuke", f"unix:{runtime_dir}/service.sock")
    effect.set_clip("Source", clip)
    tokens = []
    for version in ("formula-1", "formula-2"):
        service = ServiceThread(runtime_dir, FormulaModel(model_version=version))
        effect.press("refresh_model")
        tokens.append(effect.get("model_token"))
        service.stop()
    assert tokens == ["formula-1 #1", "formula-2 #2"]
    effect.check()


def test_the_same_model_can_be_asked_to_render_anew(make_effect, service):
    effect = make_effect("nuke", service.address)
    effect.press("refresh_model")
    effect.press("refresh_model")
    assert effect.get("model_token") == "formula-1 #2"


def test_a_count_beyond_an_int_in_a_saved_project_goes_on(make_effect, service):
    effect = make_effect("nuke", service.address, model_token="formula-1 #2147483647")
    effect.press("refresh_model")
    assert effect.get("model_token") == "formula-1 #2147483648"


@pytest.mark.parametrize("button", ["refresh_status", "refresh_model"])
def test_a_button_without_a_service_tells_once_and_blocks_nothing(make_effect, runtime_dir, button):
    effect = make_effect("nuke", f"unix:{runtime_dir}/nobody")
    effect.press(button)
    ((kind, _, text, persistent),) = effect.host.messages
    assert (kind, persistent) == ("OfxMessageWarning", False)
    assert "start the service or correct Address" in text
    assert effect.get("status") == text
