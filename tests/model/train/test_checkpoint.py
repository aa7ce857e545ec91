import pytest
import torch

from model.errors import WeightsError
from model.train.checkpoint import follow, read_checkpoint, write_checkpoint, written_whole


def test_a_new_run_has_no_checkpoint(tmp_path):
    assert read_checkpoint(tmp_path) is None


def test_a_state_comes_back_as_it_was(tmp_path):
    write_checkpoint(tmp_path, {"step": 3, "network": {"weight": torch.arange(4.0)}})
    state = read_checkpoint(tmp_path)
    assert state["step"] == 3
    assert torch.equal(state["network"]["weight"], torch.arange(4.0))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("content", [b"", b"PK\3\4broken", b"\x80\2broken"])
def test_a_damaged_checkpoint_is_told(tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(WeightsError, match="remove it to begin anew"):
        read_checkpoint(tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "weights"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_whole(path) as partial:
        partial.write_text("ne")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    with written_whole(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


def test_a_running_mean_follows_fast_at_first_and_then_by_its_decay():
    mean, values = [torch.zeros(1)], [torch.ones(1)]
    follow(mean, values, decay=0.99, step=1)
    assert mean[0].item() == pytest.approx(1 - 1 / 11)
    mean = [torch.zeros(1)]
    follow(mean, values, decay=0.99, step=10_000)
    assert mean[0].item() == pytest.approx(0.01)
