"""Pairs cut out of made-up clips."""

import numpy as np
import pytest
import torch

from model.data.pairs import CONTEXT, PairRules, make_pair, shots_of
from model.data.projection_pairs import right_eye_projection
from model.errors import InvalidInputError

RULES = PairRules(frames=2, every=10, width=64, least_disparity=5, most_disparity=10)


class Wall:
    """Estimator that sees a near block in columns 24..39 before a wall."""

    name, license, detail, normalised = "Wall", "MIT", "a block before a wall", True
    steady = True

    def estimate(self, frames):
        nearness = torch.zeros(len(frames), 1, *frames.shape[2:])
        nearness[..., 24:40] = 1
        return nearness


def run_of(frames):
    """A bright block where `Wall` sees one, before a dark wall."""
    run = 0.3 * torch.rand(frames + 2 * CONTEXT, 3, 12, 64, generator=torch.Generator().manual_seed(0))
    run[..., 24:40] += 0.7
    return run


def test_the_truth_is_the_clip_and_the_hole_lies_on_the_right_of_what_is_near():
    run = run_of(2)
    pair = make_pair(run, (10.0, 0.0), Wall())
    assert np.array_equal(pair.truth, (run[CONTEXT:-CONTEXT] * 255).round().byte().permute(0, 2, 3, 1).numpy())
    # 10 % of 64 px: the block hides 6.4 columns beside it from the left eye
    columns = pair.hole[0, 5].nonzero()[0]
    assert columns.min() >= 40 and columns.max() <= 47
    assert len(columns) in (6, 7)
    assert pair.disparity[0, 5, 30] == pytest.approx(6.4, abs=0.01)


def test_outside_the_holes_the_view_is_the_truth():
    pair = make_pair(run_of(1), (6.25, 0.0), Wall())  # 4 px: nothing lies between pixels
    seen = ~pair.hole
    seen[..., [23, 24, 39, 40, 43, 44]] = False  # the warp takes pixels at edges for mixed ones
    assert pair.hole.any()
    assert np.array_equal(pair.view[seen], pair.truth[seen])


def test_a_right_eye_projection_is_the_mirrored_left_one():
    image, disparity = run_of(0)[:1], torch.zeros(1, 1, 12, 64)
    disparity[..., 20:30] = 4
    right = right_eye_projection(image, disparity).disocclusion
    assert right[0, 0, 5].nonzero().flatten().tolist() == [30, 31, 32, 33]


def test_each_clip_has_a_strength_of_its_own_within_the_rules():
    strengths = {RULES.strength_of(f"{number:064x}"[::-1]) for number in range(20)}
    assert len(strengths) == 20
    assert all(5 <= disparity <= 10 and 0 <= convergence <= 1 for disparity, convergence in strengths)
    assert RULES.strength_of("ab" * 32) == RULES.strength_of("ab" * 32)
    assert RULES.strength_of("ab" * 32) != PairRules(seed=1).strength_of("ab" * 32)


@pytest.mark.parametrize("frames", [18, 19, 20, 30])
def test_runs_that_the_end_of_the_clip_cuts_short_are_left_out(write_clip, frames):
    clip = write_clip("clip.avi", frames)
    starts = [first for first, run in shots_of(clip, RULES) if len(run) == RULES.run_length]
    assert starts == [CONTEXT + start for start in range(0, frames, 10) if start + 10 <= frames]


def test_a_run_with_a_cut_in_it_is_left_out(write_clip):
    clip = write_clip("clip.avi", 30, cut=15)
    assert [first for first, _ in shots_of(clip, RULES)] == [CONTEXT, CONTEXT + 20]


@pytest.mark.parametrize(
    "changes",
    [{"frames": 0}, {"every": 9}, {"width": 8}, {"seed": -1}, {"least_disparity": 0.0}, {"most_disparity": 11}],
)
def test_rules_that_contradict_each_other_are_refused(changes):
    with pytest.raises(InvalidInputError, match="expected"):
        PairRules(**{"frames": 2, "every": 10, **changes})
