"""Tokens: which patches of a window are computed, and moving pixels in and out of them (eq. 11).

A token is a patch of p×p pixels of one frame. All tensors below belong to one list of kept tokens of length N.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TokenIndex:
    """Where N kept tokens lie in the grid of all tokens.

    position      (N, 3) int64, (t, y, x) in tokens, sorted; t counts the frames at hand
    grid          all tokens along (t, y, x)
    frame_number  (T,) int64, number of each frame in its clip; frames that must not see each other lie far apart
    """

    position: Tensor
    grid: tuple[int, int, int]
    frame_number: Tensor

    @property
    def place(self) -> Tensor:
        """(N, 3) int64: position with frames counted from the clip's start, so that it is the same in every window."""
        return torch.cat((self.frame_number[self.position[:, :1]], self.position[:, 1:]), dim=1)

    def frame(self, number: int) -> tuple[slice, TokenIndex]:
        """Where the tokens of one frame stand in this list, and the index of them alone."""
        first, last = torch.searchsorted(
            self.position[:, 0].contiguous(), self.position.new_tensor([number, number + 1])
        ).tolist()
        position = self.position[first:last] * self.position.new_tensor([0, 1, 1])
        return slice(first, last), TokenIndex(position, (1, *self.grid[1:]), self.frame_number[number : number + 1])

    def subset(self, chosen: Tensor | slice) -> TokenIndex:
        """Keep only the chosen tokens: (N,) bool, their numbers, or a run of them."""
        return TokenIndex(self.position[chosen], self.grid, self.frame_number)

    def __len__(self) -> int:
        return self.position.shape[0]

    @property
    def flat(self) -> Tensor:
        """(N,) int64: place of each token in the flattened grid."""
        t, y, x = self.position.unbind(1)
        return (t * self.grid[1] + y) * self.grid[2] + x

    def lookup(self) -> Tensor:
        """Map the flattened grid to places in this list: (T·h·w,) int64, −1 where a token was not kept."""
        t, h, w = self.grid
        table = torch.full((t * h * w,), -1, dtype=torch.int64, device=self.position.device)
        table[self.flat] = torch.arange(len(self), device=self.position.device)
        return table

    def pixel_centres(self, patch_px: int) -> tuple[Tensor, Tensor]:
        """Pixel coordinates of every pixel of every token: x and y, each (N, p·p) float32."""
        inner = torch.arange(patch_px, device=self.position.device)
        x = self.position[:, 2, None, None] * patch_px + inner[None, None, :]
        y = self.position[:, 1, None, None] * patch_px + inner[None, :, None]
        x, y = torch.broadcast_tensors(x, y)
        return x.flatten(1).float(), y.flatten(1).float()


def runs(count: int, at_once: int) -> list[slice]:
    """Divide a list of `count` into runs of at most `at_once`; an empty list is one empty run."""
    return [slice(start, min(start + at_once, count)) for start in range(0, max(count, 1), at_once)]


def token_mask(mask: Tensor, patch_px: int) -> Tensor:
    """Mark the tokens that a pixel mask touches: (T, 1, H, W) bool -> (T, h, w) bool."""
    frames, _, height, width = mask.shape
    rows = mask.view(frames, height // patch_px, patch_px, width).any(dim=2)
    return rows.view(frames, height // patch_px, width // patch_px, patch_px).any(dim=3)


def grow(mask: Tensor) -> Tensor:
    """Grow marked places by one to all eight sides; (..., H, W) bool."""
    grown = mask.clone()
    grown[..., 1:, :] |= mask[..., :-1, :]
    grown[..., :-1, :] |= mask[..., 1:, :]
    tall = grown.clone()
    grown[..., 1:] |= tall[..., :-1]
    grown[..., :-1] |= tall[..., 1:]
    return grown


def dilate(marked: Tensor, kernel: int) -> Tensor:
    """Grow marked tokens by a square of `kernel` tokens (odd): Φ(m, k) of eq. 11. (T, h, w) bool, same out."""
    for _ in range(kernel // 2):
        marked = grow(marked)
    return marked


def keep_index(marked: Tensor, frame_number: Tensor, dilation: int = 1, temporal_stride: int = 0) -> TokenIndex:
    """Choose the tokens to compute: those near the mask, and every token of each `temporal_stride`-th frame.

    marked           (T, h, w) bool  tokens that the mask touches
    frame_number     (T,) int64      counted from the clip's start, so a window's place does not matter
    temporal_stride  0 = off
    """
    kept = dilate(marked, dilation)
    if temporal_stride:
        kept = kept | (frame_number % temporal_stride == 0)[:, None, None]
    t, h, w = marked.shape
    return TokenIndex(kept.nonzero(), (t, h, w), frame_number)


def gather_patches(image: Tensor, index: TokenIndex, patch_px: int) -> Tensor:
    """Cut the kept patches out: (T, C, h·p, w·p) -> (N, C, p·p)."""
    frames, channels, height, width = image.shape
    grid = image.view(frames, channels, height // patch_px, patch_px, width // patch_px, patch_px)
    t, y, x = index.position.unbind(1)
    return grid[t, :, y, :, x].flatten(2)


def scatter_patches(patches: Tensor, index: TokenIndex, image: Tensor, patch_px: int) -> Tensor:
    """Put patches (N, C, p·p) into a copy of `image` (T, C, h·p, w·p) and return it."""
    frames, channels, height, width = image.shape
    grid = image.clone().view(frames, channels, height // patch_px, patch_px, width // patch_px, patch_px)
    t, y, x = index.position.unbind(1)
    grid[t, :, y, :, x] = patches.unflatten(2, (patch_px, patch_px))
    return grid.view(frames, channels, height, width)
