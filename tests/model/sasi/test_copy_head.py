import pytest
import torch

from model.sasi.conditions import token_guesses
from model.sasi.config import SasiConfig, Scope
from model.sasi.copy_head import CopyHead, _between_tokens, _neighbours
from model.sasi.tokens import keep_index, token_mask

CONFIG = SasiConfig(width=24, heads=1, rope=(8, 8, 8), scopes=(Scope((1, 8, 8)),))


@pytest.fixture
def still(object_before_texture):
    return object_before_texture(1)


def asked(conditions):
    return keep_index(token_mask(conditions.hole, 8), torch.arange(1))


def predict(conditions, head, tokens=None):
    index = asked(conditions)
    tokens = torch.zeros(len(index), CONFIG.width) if tokens is None else tokens
    return head(tokens, index, conditions)


def test_the_untrained_head_is_mostly_push_pull_where_nothing_else_is_known(still):
    colours = predict(still, CopyHead(CONFIG))
    known = token_guesses(still, asked(still), 8).known
    row = token_guesses(still, asked(still), 8).copied
    assert (colours - known).abs().mean() < 0.6 * (row - known).abs().mean()


def test_no_foreground_is_copied_into_a_hole(still):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        head = CopyHead(CONFIG)
        torch.nn.init.normal_(head.judge.weight, std=1.0)
        with torch.no_grad():
            head.judge.weight[-3:] = 0  # the residual may darken by itself
        colours = predict(still, head, torch.randn(len(asked(still)), CONFIG.width))
    # background is 0.5..0.9; detail is its difference from its own mean, at most 0.4
    assert colours.min() > 0.05


def test_all_shares_of_detail_on_one_source_copy_its_texture_onto_push_pull(still):
    head = CopyHead(CONFIG)
    with torch.no_grad():
        head.judge.bias[:] = 0
        head.judge.bias[CONFIG.sources + 3] = 30.0  # the known pixel
        head.judge.bias[CONFIG.sources + 4] = 30.0  # detail of the first source, which is the row source itself
    colours = predict(still, head)[:, 0].view(8, 8, 8)  # of one column of 8 tokens
    detail = still.atlas[0, :, 41, 5].view(8, 8)  # column 40 is the hole's rim, the next one is background
    known = still.known[0, 0, :, 32:40].view(8, 8, 8)
    torch.testing.assert_close(colours - known, detail[..., None].expand(8, 8, 8), atol=1e-2, rtol=0)


def test_a_value_that_is_equal_in_all_tokens_is_equal_between_them(still):
    index = asked(still)
    between = _between_tokens(torch.full((len(index), 5), 0.7), _neighbours(index), 8)
    torch.testing.assert_close(between, torch.full((len(index), 64, 5), 0.7))


def test_values_change_evenly_from_the_middle_of_a_token_to_the_next():
    index = keep_index(torch.ones(1, 1, 2, dtype=torch.bool), torch.arange(1))
    between = _between_tokens(torch.tensor([[0.0], [1.0]]), _neighbours(index), 8)[..., 0].view(2, 8, 8)
    row = torch.cat((between[0, 0], between[1, 0]))
    torch.testing.assert_close(row[4:12], (torch.arange(8) + 0.5) / 8)
    assert row[:4].unique().tolist() == [0.0] and row[12:].unique().tolist() == [1.0]


def test_detail_has_no_mean_and_stays_out_of_the_foreground(still):
    background, detail = still.atlas[..., 3] > 0, still.atlas[..., 5:]
    assert detail[~background].abs().max() == 0
    assert detail[0, 10:50, 60:90].mean().abs() < 0.01
    assert detail[0, 10:50, 60:90].std() > 0.08
