"""The warp for CUDA in Triton: five passes, each with one program a row; `reference.py` is its definition.

Measured cuts of all rows must be known before a row can be fitted to its neighbours, and Triton has no scatter into
shared memory: what passes between the steps lies in global memory, and the depth test is an atomic maximum there.
Written against the interpreter (TRITON_INTERPRET=1) alone: none of it has ever run on a GPU.
"""

# Triton is an extra, not there on every machine, and its types describe Python, not what it compiles.
# pyright: reportMissingImports=false, reportGeneralTypeIssues=false

from __future__ import annotations

import triton
import triton.language as tl

FOLDED, TORN = tl.constexpr(1), tl.constexpr(2)
FOLD_PX = tl.constexpr(0.5)
CONTRAST_FLOOR = tl.constexpr(0.003)
EDGE_REACH = tl.constexpr(4)
LARGEST_BEND = tl.constexpr(2.0)
HALF_ROW = tl.constexpr(0.25)
MIRROR_SPEED = tl.constexpr(0.5)


@triton.jit
def _larger(a, b):
    return tl.maximum(a, b)


@triton.jit
def _smaller(a, b):
    return tl.minimum(a, b)


@triton.jit
def _clamp(value, low, high):
    return tl.minimum(tl.maximum(value, low), high)


@triton.jit
def _whole(value, width):
    """Make an integer of whole px; far outside the frame is outside however far."""
    limit = 2.0 * width + 8
    return _clamp(value, -limit, limit).to(tl.int32)


@triton.jit
def _place(row, height, channels):
    """Where channel 0 of a row starts, in rows."""
    return (row // height) * channels * height + row % height


@triton.jit
def measure_row(image, disparity, kind, edge, height, width, channels, threshold, block: tl.constexpr):
    """Find the kind of cut behind every pixel (0 is none) and where its colours say that the edge lies."""
    row, i = tl.program_id(0).to(tl.int64), tl.arange(0, block)
    inner = i < width - 1
    here = disparity + row * width + i
    step = tl.load(here + 1, mask=inner, other=0.0) - tl.load(here, mask=i < width, other=0.0)
    before = tl.load(here, mask=i < width, other=0.0) - tl.load(here - 1, mask=(i > 0) & (i < width), other=0.0)
    second = i < width - 2
    behind = tl.load(here + 2, mask=second, other=0.0) - tl.load(here + 1, mask=second, other=0.0)
    folded, torn = inner & (step >= FOLD_PX), inner & (1 - step > threshold)
    alone_left = (i == 0) | (before >= FOLD_PX) | (1 - before > threshold)
    alone_right = (i >= width - 2) | (behind >= FOLD_PX) | (1 - behind > threshold)
    cut = folded | torn
    contrast = tl.zeros([block], tl.float32)
    of_left = tl.zeros([block], tl.float32)
    of_right = tl.zeros([block], tl.float32)
    for c in range(channels):
        base = image + (_place(row, height, channels) + c * height) * width
        pure_left = tl.load(base + tl.where(alone_left, i, i - 1), mask=cut, other=0.0).to(tl.float32)
        pure_right = tl.load(base + tl.where(alone_right, i + 1, i + 2), mask=cut, other=0.0).to(tl.float32)
        difference = pure_left - pure_right
        contrast += difference * difference
        of_left += (tl.load(base + i, mask=cut, other=0.0).to(tl.float32) - pure_right) * difference
        of_right += (tl.load(base + i + 1, mask=cut, other=0.0).to(tl.float32) - pure_right) * difference
    scale = tl.maximum(contrast, 1e-12)
    excess = _clamp(tl.div_rn(of_left, scale), 0.0, 1.0) + _clamp(tl.div_rn(of_right, scale), 0.0, 1.0) - 1
    offset = excess * tl.div_rn(contrast, contrast + CONTRAST_FLOOR)
    offset = tl.where(cut & (tl.abs(offset) < float("inf")), _clamp(offset, -0.5, 0.5), 0.0)
    tl.store(kind + row * width + i, tl.where(folded, FOLDED, tl.where(torn, TORN, 0)), mask=i < width)
    tl.store(edge + row * width + i, offset, mask=i < width)


@triton.jit
def _position(kind, edge, row, own, i, width, inside):
    """Where the nearest cut of the same kind lies in a row, px from the middle of this one, and whether one does."""
    position = tl.zeros_like(i).to(tl.float32)
    found = i < 0
    for step in tl.static_range(0, 2 * EDGE_REACH + 1):
        # From far to near, at equal distance the right one last: the last one stays.
        away = (EDGE_REACH - step // 2) * (2 * (step % 2) - 1)
        at = i + away
        within = inside & (at >= 0) & (at < width)
        same = within & (own > 0) & (tl.load(kind + row * width + at, mask=within, other=0) == own)
        position = tl.where(same, away + tl.load(edge + row * width + at, mask=same, other=0.0), position)
        found = found | same
    return position, found


@triton.jit
def fit_row(kind, edge, fitted, slope, height, width, block: tl.constexpr):
    """Move every edge of a row halfway to the line through its neighbours above and below; find its slope."""
    row, i = tl.program_id(0).to(tl.int64), tl.arange(0, block)
    y = row % height
    own = tl.load(kind + row * width + i, mask=i < width, other=0)
    offset = tl.load(edge + row * width + i, mask=i < width, other=0.0)
    # Comparisons of vectors alone make a mask that the interpreter takes, too.
    above, has_above = _position(kind, edge, row - 1, own, i, width, tl.where(y > 0, i, width) < width)
    below, has_below = _position(kind, edge, row + 1, own, i, width, tl.where(y + 1 < height, i, width) < width)
    straight = has_above & has_below & (tl.abs(above + below - 2 * offset) < LARGEST_BEND)
    one = tl.where(has_above & ~has_below, offset - above, tl.where(has_below & ~has_above, below - offset, 0.0))
    turn = tl.where(straight, 0.5 * (below - above), one)
    halfway = _clamp(0.5 * (offset + 0.5 * (above + below)), -0.5, 0.5)
    tl.store(fitted + row * width + i, tl.where(straight, halfway, offset), mask=i < width)
    tl.store(slope + row * width + i, _clamp(turn, -1.0 * EDGE_REACH, 1.0 * EDGE_REACH), mask=i < width)


@triton.jit
def _covered(edge, slope):
    """Mean over the row's heights of the part of a pixel that ends at an edge `edge` px behind its border."""
    turn = HALF_ROW * slope
    return 0.5 * (_clamp(edge - turn, 0.0, 1.0) + _clamp(edge + turn, 0.0, 1.0))


@triton.jit
def _unmixed(mixed, pure, other, part):
    alone = tl.div_rn(mixed - part * other, 1 - part)
    bounded = _clamp(alone, tl.minimum(mixed, pure), tl.maximum(mixed, pure))
    return tl.where(part > 0, bounded, mixed)


@triton.jit
def unmix_row(image, kind, edge, slope, first, last, colour, height, width, channels, block: tl.constexpr):
    """Find the run of every pixel and take the other surface's colour out of the pixels beside cuts."""
    row, i = tl.program_id(0).to(tl.int64), tl.arange(0, block)
    at = row * width + i
    cut_behind = tl.load(kind + at, mask=i < width, other=0) > 0
    cut_before = tl.load(kind + at - 1, mask=(i > 0) & (i < width), other=0) > 0
    run_first = tl.associative_scan(tl.where(cut_before, i, 0), 0, _larger)
    run_last = tl.associative_scan(tl.where(cut_behind, i, width - 1), 0, _smaller, reverse=True)
    tl.store(first + at, run_first, mask=i < width)
    tl.store(last + at, run_last, mask=i < width)
    edge_behind = tl.load(edge + at, mask=cut_behind, other=0.0)
    edge_before = tl.load(edge + at - 1, mask=cut_before, other=0.0)
    of_right = _covered(-edge_behind, tl.load(slope + at, mask=cut_behind, other=0.0))
    of_left = _covered(edge_before, tl.load(slope + at - 1, mask=cut_before, other=0.0))
    # The colour beyond a cut is that of the second pixel there, where its run has two.
    two_behind = cut_behind & (i + 2 < width) & (tl.load(kind + at + 1, mask=i + 2 < width, other=1) == 0)
    two_before = cut_before & (i >= 2) & (tl.load(kind + at - 2, mask=(i >= 2) & (i < width), other=1) == 0)
    for c in range(channels):
        base = image + (_place(row, height, channels) + c * height) * width
        mixed = tl.load(base + i, mask=i < width, other=0.0).to(tl.float32)
        inside_left = tl.load(base + tl.where(run_first < i, i - 1, i), mask=cut_behind, other=0.0).to(tl.float32)
        inside_right = tl.load(base + tl.where(run_last > i, i + 1, i), mask=cut_before, other=0.0).to(tl.float32)
        right = tl.load(base + tl.where(two_behind, i + 2, i + 1), mask=cut_behind, other=0.0).to(tl.float32)
        left = tl.load(base + tl.where(two_before, i - 2, i - 1), mask=cut_before, other=0.0).to(tl.float32)
        own = _unmixed(mixed, inside_left, right, of_right)
        own = tl.where(of_left > 0, _unmixed(mixed, inside_right, left, of_left), own)
        tl.store(colour + (_place(row, height, channels) + c * height) * width + i, own, mask=i < width)


@triton.jit
def scatter_row(
    disparity, kind, edge, slope, first, front, nearest, width, columns,
    margin: tl.constexpr, behind_front: tl.constexpr, block: tl.constexpr,
):  # fmt: skip
    """Raise `nearest` of every target column to the largest source pixel that reaches it: the depth test.

    columns       of the target that one pixel reaches at most
    margin        0: a surface must cover the column's centre; 0.5: it must touch the column's pixel at any height
    behind_front  leave out the surface of the pixels in `front`
    """
    row, i = tl.program_id(0).to(tl.int64), tl.arange(0, block)
    at = row * width + i
    here = tl.load(disparity + at, mask=i < width, other=0.0)
    step = tl.load(disparity + at + 1, mask=i < width - 1, other=0.0) - here
    step = tl.where(i < width - 1, step, 0.0)
    behind = tl.load(kind + at, mask=i < width - 1, other=0)
    before = tl.load(kind + at - 1, mask=(i > 0) & (i < width), other=0)
    is_first, is_last = (i == 0) | (before > 0), (i == width - 1) | (behind > 0)
    left = (tl.load(edge + at - 1, mask=before > 0, other=0.0) - 0.5) - here
    right = (tl.load(edge + at, mask=behind > 0, other=0.0) + 0.5) - here
    if margin > 0:
        left = left - HALF_ROW * tl.abs(tl.load(slope + at - 1, mask=before > 0, other=0.0))
        right = right + HALF_ROW * tl.abs(tl.load(slope + at, mask=behind > 0, other=0.0))
        edge_begin = i + _whole(tl.floor(left - margin) + 1, width)
    else:
        edge_begin = i + _whole(tl.ceil(left), width)
    edge_end = i + _whole(tl.ceil(right + margin), width)
    begin = tl.where(is_first, edge_begin, i + _whole(-tl.floor(here), width))
    end = tl.where(is_last, edge_end, i + _whole(1 - tl.floor(here + step), width))
    shown = (i < width) & ~((before == TORN) & (behind == TORN))
    run = tl.load(first + at, mask=i < width, other=0)
    for offset in range(columns):
        target = begin + offset
        lands = shown & (target < end) & (target >= 0) & (target < width)
        if behind_front:
            in_front = tl.maximum(tl.load(front + row * width + target, mask=lands, other=0), 0)
            lands = lands & (run != tl.load(first + row * width + in_front, mask=lands, other=0))
        tl.atomic_max(nearest + row * width + target, i, mask=lands)
