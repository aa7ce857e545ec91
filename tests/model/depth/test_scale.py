import pytest
import torch

from model.depth.scale import Linear, Open, percentiles, scale_of


def of(values, *, may_be_normalised=True):
    """The scale of one frame that holds `values`, a row each."""
    return scale_of(percentiles(torch.tensor(values)[None]), may_be_normalised=may_be_normalised)


def open_scale(values):
    """The same where it has no ends."""
    scale = of(values, may_be_normalised=False)
    assert isinstance(scale, Open)
    return scale


def test_nearness_is_0_at_the_farthest_half_at_the_reference_and_1_nowhere():
    scale = Open(farthest=2.0, reference=6.0, is_distance=False)
    values = torch.tensor([-9.0, 2.0, 4.0, 6.0, 10.0, 42.0, 1e30])
    # u = 1 + (v - 6) / 4: beyond the reference 1 - 1/(2u)
    assert scale.nearness(values).tolist() == pytest.approx([0, 0, 0.25, 0.5, 0.75, 0.95, 1])


def test_the_two_halves_meet_with_one_slope():
    scale = Open(farthest=0.0, reference=1.0, is_distance=False)
    below, at, above = scale.nearness(torch.tensor([1 - 1e-3, 1.0, 1 + 1e-3], dtype=torch.float64)).tolist()
    assert above - at == pytest.approx(at - below, rel=2e-3)


def test_distances_give_what_their_inverses_give():
    distance = torch.tensor([[20.0, 10.0, 5.0, 4.0], [8.0, 4.0, 2.0, 0.5]])
    near, far = (open_scale(values.tolist()) for values in (1 / distance, -distance))
    assert far.is_distance and not near.is_distance
    torch.testing.assert_close(far.nearness(-distance), near.nearness(1 / distance))


def test_the_unit_does_not_matter():
    metres = torch.tensor([[0.02, 0.05, 0.2, 0.4], [0.1, 0.2, 0.4, 2.0]])
    in_metres, in_feet = (of((metres * unit).tolist(), may_be_normalised=False) for unit in (1, 0.3048))
    torch.testing.assert_close(in_metres.nearness(metres), in_feet.nearness(metres * 0.3048))


def test_the_reference_is_the_median_of_what_is_far_in_each_row():
    rows = [[2.0, 9.0], [4.0, 70.0], [5.0, 5.0]]
    assert of(rows) == Open(farthest=2, reference=4, is_distance=False)


def test_the_ground_counts_under_a_sky_of_most_rows():
    # the median row is sky, at 0: three quarters of the mean 6/5 instead
    assert open_scale([[0.0, 0.0]] * 3 + [[2.0, 2.0], [4.0, 8.0]]).reference == pytest.approx(0.9)


def test_something_near_before_part_of_each_row_changes_nothing():
    background = torch.linspace(2, 6, 40).expand(30, 40).clone()
    with_object = background.clone()
    with_object[5:30, 10:38] = 50.0
    assert of(background.tolist()) == of(with_object.tolist())


def test_a_sky_without_end_leaves_the_rest_its_disparity():
    scale = of([[-1e10, -1e10], [-20.0, -10.0], [-5.0, -4.0]])
    # the reference is 3/4 of the mean (0 + 1/20 + 1/5) / 3, 1/16 per m: u is 16 times the inverse distance
    assert scale.nearness(torch.tensor([-1e10, -20.0, -4.0])).tolist() == pytest.approx([0, 0.4, 1 - 1 / 8])


def test_noise_on_a_wall_stays_noise():
    noise = torch.rand(60, 80, generator=torch.Generator().manual_seed(0))
    nearness = of((5 + 0.05 * noise).tolist()).nearness(5 + 0.05 * noise)
    assert nearness.max() - nearness.min() < 0.02


@pytest.mark.parametrize(
    ("rows", "scale"),
    [
        ([[0.2, 0.6]], Linear(0, 1)),
        ([[0.0, 0.0]], Linear(0, 1)),
        ([[0.2, 30.0]], Linear(0, 1)),  # what enters before normalised depth does not make it another unit
        ([[-0.6, -0.2]], Linear(-1, 0)),
        ([[-1.0, 0.0]], Linear(-1, 0)),
    ],
)
def test_depth_within_0_to_1_has_that_scale(rows, scale):
    assert of(rows) == scale


@pytest.mark.parametrize("rows", [[[1.2, 1.5]], [[-0.1, 0.9]], [[-3.0, -0.2]]])
def test_other_depth_has_no_ends(rows):
    assert isinstance(of(rows), Open)


def test_depth_that_cannot_be_normalised_has_no_ends_within_0_to_1_either():
    scale = open_scale([[0.2, 0.3]])
    assert (scale.farthest, scale.reference, scale.is_distance) == (pytest.approx(0.2), pytest.approx(0.2), False)


def test_outliers_do_not_move_the_scale():
    depth = torch.linspace(1, 3, 10_000).view(100, 100)
    clean = open_scale(depth.tolist())
    depth[40, 10:50] = 1e6
    depth[60, 10:13] = -1e6
    dirty = open_scale(depth.tolist())
    assert (dirty.farthest, dirty.reference) == pytest.approx((clean.farthest, clean.reference), rel=2e-3)


def test_distance_zero_is_at_the_lens():
    scale = of([[-4.0, -2.0]] * 3)
    assert scale.nearness(torch.tensor([-0.0, 1.0])).tolist() == pytest.approx([1, 1], abs=1e-5)
