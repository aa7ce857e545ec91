import pytest
import torch
from safetensors.torch import save_file

from model.errors import WeightsError
from model.sasi.tensor_file import check_tensors, read_tensor_file

EXPECTED = {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}


def test_tensors_and_metadata_come_back(tmp_path):
    save_file({"bias": torch.arange(2.0)}, tmp_path / "a.safetensors", {"license": "CC0-1.0"})
    file = read_tensor_file(tmp_path / "a.safetensors")
    assert file.tensors["bias"].tolist() == [0, 1]
    assert file.metadata == {"license": "CC0-1.0"}
    save_file({}, tmp_path / "bare.safetensors")
    assert read_tensor_file(tmp_path / "bare.safetensors").metadata == {}


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_missing_empty_and_foreign_files_are_told(tmp_path, content):
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"a\.safetensors is damaged"):
        read_tensor_file(path)


def test_tensors_that_fit_pass_wherever_the_expected_ones_lie():
    check_tensors(EXPECTED, EXPECTED, "net")
    check_tensors({name: value.to("meta") for name, value in EXPECTED.items()}, EXPECTED, "net")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bias": None}, r"1 tensors missing \['bias'\]"),
        ({"extra": torch.zeros(1)}, r"1 unknown \['extra'\]"),
        ({"bias": torch.zeros(3)}, r"bias must have shape \(2,\); it has \(3,\)"),
        ({"bias": torch.zeros(2, dtype=torch.int8)}, "floating-point"),
        ({"bias": torch.tensor([0, torch.inf])}, "not finite"),
    ],
)
def test_what_does_not_fit_is_named(change, told):
    found = {name: value for name, value in {**EXPECTED, **change}.items() if value is not None}
    with pytest.raises(WeightsError, match="net.*" + told):
        check_tensors(EXPECTED, found, "net")
