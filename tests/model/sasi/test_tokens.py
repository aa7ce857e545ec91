import torch

from model.sasi.tokens import dilate, gather_patches, grow, keep_index, scatter_patches, token_mask


def marked(*places: tuple[int, int, int], size: tuple[int, int, int] = (2, 9, 9)) -> torch.Tensor:
    tokens = torch.zeros(size, dtype=torch.bool)
    for t, y, x in places:
        tokens[t, y, x] = True
    return tokens


def test_one_pixel_marks_its_token():
    mask = torch.zeros(1, 1, 16, 24, dtype=torch.bool)
    mask[0, 0, 7, 8] = True
    assert token_mask(mask, 8).nonzero().tolist() == [[0, 0, 1]]


def test_dilation_of_k_marks_a_square_of_k():
    for kernel in (1, 3, 5, 7, 9):
        assert dilate(marked((0, 4, 4)), kernel).sum() == kernel**2


def test_dilation_stays_within_its_frame():
    assert not dilate(marked((0, 4, 4)), 9)[1].any()


def test_grow_equals_a_max_pool():
    mask = torch.rand(2, 13, 11) > 0.8
    pooled = torch.nn.functional.max_pool2d(mask.float(), 3, stride=1, padding=1) > 0
    assert torch.equal(grow(mask), pooled)


def test_temporal_stride_keeps_whole_frames_of_the_clip_not_of_the_window():
    empty = torch.zeros(25, 2, 3, dtype=torch.bool)
    kept = keep_index(empty, torch.arange(-2, 23), temporal_stride=10)
    assert kept.position[:, 0].unique().tolist() == [2, 12, 22]  # frames 0, 10 and 20
    assert len(kept) == 3 * 6


def test_place_counts_frames_of_the_clip():
    kept = keep_index(marked((1, 3, 4)), torch.tensor([40, 41]))
    assert kept.place.tolist() == [[41, 3, 4]]


def test_lookup_finds_kept_tokens_and_no_others():
    kept = keep_index(marked((0, 1, 2), (1, 8, 8)), torch.arange(2))
    table = kept.lookup()
    assert table[kept.flat].tolist() == [0, 1]
    assert (table >= 0).sum() == 2


def test_scatter_undoes_gather():
    image = torch.rand(2, 3, 72, 72)
    kept = keep_index(marked((0, 0, 8), (1, 5, 3)), torch.arange(2), dilation=3)
    patches = gather_patches(image, kept, 8)
    assert patches.shape == (len(kept), 3, 64)
    assert torch.equal(scatter_patches(patches, kept, image, 8), image)


def test_scatter_writes_kept_tokens_only():
    image = torch.zeros(2, 1, 72, 72)
    kept = keep_index(marked((1, 2, 3)), torch.arange(2))
    written = scatter_patches(torch.ones(1, 1, 64), kept, image, 8)
    assert written.sum() == 64
    assert bool((written[1, 0, 16:24, 24:32] == 1).all())
    assert image.sum() == 0


def test_pixel_centres_are_those_of_the_gathered_pixels():
    y, x = torch.meshgrid(torch.arange(72.0), torch.arange(72.0), indexing="ij")
    kept = keep_index(marked((1, 2, 3)), torch.arange(2))
    gathered = gather_patches(torch.stack((x, y)).expand(2, 2, 72, 72).contiguous(), kept, 8)
    at_x, at_y = kept.pixel_centres(8)
    assert torch.equal(at_x, gathered[:, 0])
    assert torch.equal(at_y, gathered[:, 1])
