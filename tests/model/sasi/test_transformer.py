import torch

from model.sasi.conditions import FEATURE_CHANNELS, prepare_conditions, token_features, token_guesses
from model.sasi.noise import position_noise
from model.sasi.sampler import velocity_from_clean
from model.sasi.tokens import keep_index, token_mask
from model.sasi.transformer import known_latent


def conditions_of(window):
    size = (64, 96)
    view, hole, disparity = (x[..., : size[0], : size[1]] for x in (window.view, window.disocclusion, window.disparity))
    return prepare_conditions(view, hole, disparity, len(view))


def selection(conditions, dilation=3):
    marked = token_mask(conditions.hole, 8)
    kept = keep_index(marked, torch.arange(len(marked)), dilation)
    return kept, marked.flatten()[kept.flat]


def test_known_pixels_are_the_views_and_holes_hold_no_foreground(window):
    conditions = conditions_of(window)
    view = window.view[..., :64, :96]
    outside = ~conditions.hole.expand_as(view)
    assert torch.equal(conditions.known[outside], view[outside])
    red = conditions.known[:, 0] - conditions.known[:, 1]
    background = window.view[0, 0, :20] - window.view[0, 1, :20]
    assert red[conditions.hole[:, 0]].max() < max(
        0.75, background.max().item()
    )  # the object's red is 1 more than green


def test_what_the_view_holds_in_holes_does_not_matter(tiny_network, window):
    first = conditions_of(window)
    window.view[window.disocclusion.expand_as(window.view)] = 0.5
    second = conditions_of(window)
    kept, wanted = selection(first)
    noise = position_noise(kept.place, 192)
    filled = [tiny_network.predict(noise, 1.0, conditions, kept, wanted) for conditions in (first, second)]
    torch.testing.assert_close(filled[0], filled[1], atol=1e-4, rtol=0)


def test_features_have_the_stated_size(window):
    conditions = conditions_of(window)
    kept, _ = selection(conditions)
    features = token_features(conditions, token_guesses(conditions, kept, 8), kept, 8)
    assert features.shape == (len(kept), FEATURE_CHANNELS * 64)
    assert torch.isfinite(features).all()


def test_velocity_follows_from_the_predicted_colours(tiny_network, window):
    conditions = conditions_of(window)
    kept, wanted = selection(conditions)
    noisy = position_noise(kept.place, 192)
    clean = known_latent(conditions, kept, 8)
    clean[wanted] = tiny_network.predict(noisy, 0.5, conditions, kept, wanted).flatten(1) * 2 - 1
    expected = velocity_from_clean(noisy, clean, 0.5)
    torch.testing.assert_close(tiny_network(noisy, 0.5, conditions, kept, wanted), expected)


def test_keeping_every_token_equals_dense_where_cells_are_whole(tiny_network, window):
    """A cell whose tokens are all kept gives the same result whatever is kept elsewhere."""
    conditions = conditions_of(window)
    every = torch.ones_like(token_mask(conditions.hole, 8))
    number = torch.arange(len(every))
    some = every.clone()
    some[:, :, 8:] = False  # the first column of 8×8 cells stays whole; (4, 4, 4) cells with offset 2 end at 6
    predicted = []
    for marked in (every, some):
        kept = keep_index(marked, number)
        wanted = kept.position[:, 2] < 6
        noise = position_noise(kept.place, 192)
        tokens = tiny_network.predict(noise, 1.0, conditions, kept, wanted)
        inner = kept.subset(wanted).position[:, 2] < 5  # the head looks at the neighbours' displacements
        predicted.append(tokens[inner])
    torch.testing.assert_close(predicted[0], predicted[1], atol=1e-5, rtol=0)


def test_fill_is_a_mix_of_real_pixels_and_a_bounded_residual(tiny_network, window):
    conditions = conditions_of(window)
    kept, wanted = selection(conditions)
    colours = tiny_network.predict(position_noise(kept.place, 192), 1.0, conditions, kept, wanted)
    bound = tiny_network.config.residual
    assert colours.min() >= -bound - 1e-5
    assert colours.max() <= 1 + bound + 1e-5
