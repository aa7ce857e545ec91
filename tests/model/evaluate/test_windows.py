import numpy as np
import pytest
import torch

from model.data.media import Library, MediaRules
from model.errors import InvalidInputError
from model.evaluate.windows import (
    LayeredWindows,
    WindowRules,
    footage,
    media_of,
    projection_windows,
    with_estimated_disparity,
)

SMALL = WindowRules(height=64, width=96, frames=2, per_medium=2)


class Step:
    """An estimator for which the left third of every frame is near."""

    normalised = steady = True
    name = license = detail = "step"

    def estimate(self, frames):
        nearness = torch.zeros(len(frames), 1, *frames.shape[2:])
        nearness[..., : frames.shape[-1] // 3] = 1
        return nearness


def test_every_medium_is_kept_apart(folder):
    media = media_of(folder, MediaRules())
    assert list(media) == ["far.png", "near.png"]
    assert all(len(library.photos) == 1 for library in media.values())


def test_a_folder_without_media_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="found none"):
        media_of(tmp_path, MediaRules())


def test_drawn_windows_show_their_medium_where_nothing_is_hidden_and_are_always_the_same(folder):
    media = media_of(folder, MediaRules())
    first, second = (LayeredWindows(media, media["near.png"], SMALL) for _ in range(2))
    assert [window.medium for window in first] == ["far.png"] * 2 + ["near.png"] * 2
    for window, again in zip(first, second, strict=True):
        assert torch.equal(window.view, again.view)
        assert window.hole.any()
        assert not (window.edge & ~window.hole).any()


def test_a_window_does_not_depend_on_the_other_media(folder):
    media = media_of(folder, MediaRules())
    alone = LayeredWindows({"near.png": media["near.png"]}, media["far.png"], SMALL)
    among = list(LayeredWindows(media, media["far.png"], SMALL))[2:]
    assert all(torch.equal(a.view, b.view) for a, b in zip(alone, among, strict=True))


def test_projected_holes_lie_on_the_right_of_near_surfaces_and_hide_the_truth(folder):
    (window, _) = projection_windows(media_of(folder, MediaRules()), Step(), 0.1, SMALL)
    columns = (window.hole & ~window.edge).flatten(0, 2).any(dim=0).nonzero()[:, 0]
    # a step of 0.1 of 96 px hides about ten columns beside column 32
    assert len(columns) and columns.min() >= 31 and columns.max() <= 43
    assert torch.equal(window.view, window.truth)
    assert window.stretched is not None


def test_estimated_disparity_replaces_the_true_one_over_its_range_and_nothing_else(folder):
    media = media_of(folder, MediaRules())
    drawn = next(iter(LayeredWindows(media, media["near.png"], SMALL)))
    window = with_estimated_disparity(drawn, Step())
    span = float(drawn.disparity.max() - drawn.disparity.min())
    near, far = window.disparity[..., 8].unique(), window.disparity[..., 80].unique()
    assert len(near) == len(far) == 1
    assert (near - far).item() == pytest.approx(min(span, 9.6), rel=0.01)  # settings end at 10 % of the width
    assert torch.equal(window.hole, drawn.hole) and torch.equal(window.view, drawn.view)


def test_depth_without_edges_makes_no_window(folder):
    class Flat(Step):
        def estimate(self, frames):
            return torch.zeros(len(frames), 1, 4, 4)

    assert projection_windows(media_of(folder, MediaRules()), Flat(), 0.1, SMALL) == []


def test_footage_is_cut_from_the_middle_and_a_photo_stands_still():
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200] = 255
    frames = footage(Library([wide], [], ("wide",)), WindowRules(height=64, width=64, frames=3))
    assert frames.shape == (3, 3, 64, 64)
    assert torch.all(frames == 1)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match="multiples of 16"):
        WindowRules(height=100)
