import pytest
import torch

from model.errors import WeightsError
from model.sasi.blocks import Attention, Block, BlockShape, lay_out
from model.sasi.config import SasiConfig, Scope
from model.sasi.rope import rotate, rotations

CONFIG = SasiConfig(width=48, heads=2, rope=(8, 8, 8))


def scattered(count: int, seed: int = 0) -> torch.Tensor:
    grid = torch.stack(torch.meshgrid(torch.arange(-3, 3), torch.arange(20), torch.arange(20), indexing="ij"), -1)
    order = torch.randperm(2400, generator=torch.Generator().manual_seed(seed))[:count]
    return grid.reshape(-1, 3)[order.sort().values]


def test_each_token_gets_its_own_slot():
    layout = lay_out(scattered(500), Scope((4, 4, 4), (2, 2, 2)))
    assert layout.slot.unique().numel() == 500
    assert layout.taken.sum() == 500
    assert bool(layout.taken.any(dim=1).all())


def test_cells_join_exactly_the_tokens_whose_cell_numbers_agree():
    place, scope = scattered(300), Scope((2, 5, 3), (1, 2, 0))
    layout = lay_out(place, scope)
    cell = (place + torch.tensor(scope.offset)).div(torch.tensor(scope.extent), rounding_mode="floor")
    same = (cell[:, None] == cell[None]).all(dim=-1)
    row = layout.slot // layout.taken.shape[1]
    assert torch.equal(row[:, None] == row[None], same)


def test_attention_over_cells_equals_dense_attention_with_a_mask():
    torch.manual_seed(0)
    attention, place, scope = Attention(48, heads=2, norm_width=24), scattered(120), Scope((2, 8, 8), (0, 3, 3))
    tokens = torch.randn(120, 48)
    cos, sin = rotations(place - place.amin(0), CONFIG.rope)
    found = attention(tokens, lay_out(place, scope), cos, sin)

    query, key, value = attention.qkv(tokens).unflatten(1, (3, 2, 24)).unbind(1)
    query = rotate(attention.query_norm(query), cos, sin).transpose(0, 1)
    key = rotate(attention.key_norm(key), cos, sin).transpose(0, 1)
    cell = (place + torch.tensor(scope.offset)).div(torch.tensor(scope.extent), rounding_mode="floor")
    apart = (cell[:, None] != cell[None]).any(dim=-1)
    score = (query @ key.transpose(1, 2) / 24**0.5).masked_fill(apart, -torch.inf)
    expected = attention.out((score.softmax(-1) @ value.transpose(0, 1)).transpose(0, 1).flatten(1))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_rotation_makes_attention_depend_on_distance_alone():
    query, key = torch.randn(1, 1, 24), torch.randn(1, 1, 24)
    here, there = torch.tensor([[1, 2, 3]]), torch.tensor([[2, 5, 1]])

    def score(shift: torch.Tensor) -> torch.Tensor:
        turned = [rotate(x, *rotations(p + shift, (8, 8, 8))) for x, p in ((query, here), (key, there))]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(score(torch.tensor([0, 0, 0])), score(torch.tensor([7, 30, 11])), atol=1e-4, rtol=1e-4)


def test_a_block_moves_information_within_a_cell_and_not_across():
    torch.manual_seed(0)
    block, place = Block(BlockShape(width=48, heads=2, mlp_width=96)), torch.tensor([[0, 0, 0], [0, 0, 7], [0, 0, 8]])
    layout, (cos, sin) = lay_out(place, Scope((1, 8, 8))), rotations(place, CONFIG.rope)
    steer, tokens = torch.zeros(6, 48), torch.randn(3, 48)
    changed = tokens.clone()
    changed[0] += 1
    before, after = (block(x, steer, layout, cos, sin) for x in (tokens, changed))
    assert not torch.equal(before[1], after[1])
    assert torch.equal(before[2], after[2])


def test_config_survives_json():
    assert SasiConfig.from_json(CONFIG.to_json()) == CONFIG


@pytest.mark.parametrize("text", ["", "{}", "[1]", CONFIG.to_json().replace("width", "breadth")])
def test_a_config_that_cannot_be_read_is_refused(text):
    with pytest.raises(WeightsError):
        SasiConfig.from_json(text)


def test_rope_must_fill_the_head():
    with pytest.raises(WeightsError, match="sum"):
        SasiConfig(width=64, heads=2, rope=(8, 8, 8))


def test_runs_of_cells_give_what_all_cells_give_together():
    torch.manual_seed(0)
    block, place = Block(BlockShape(width=48, heads=2, mlp_width=96)).eval(), scattered(500)
    layout, (cos, sin) = lay_out(place, Scope((2, 5, 3), (1, 2, 0))), rotations(place - place.amin(0), CONFIG.rope)
    steer, tokens = torch.randn(6, 48), torch.randn(500, 48)
    runs = layout.divided(100)
    assert len(runs) > 10 and all(cells.taken.numel() <= 100 for _, cells in runs)
    assert torch.cat([chosen for chosen, _ in runs]).sort().values.tolist() == list(range(500))
    together = block(tokens, steer, layout, cos, sin)
    for chosen, cells in runs:
        alone = block(tokens[chosen], steer, cells, cos[chosen], sin[chosen])
        torch.testing.assert_close(alone, together[chosen], atol=1e-5, rtol=1e-5)
