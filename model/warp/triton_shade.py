"""The last pass of the Triton warp: what every target column shows, given the surfaces that reach it."""

# Triton is an extra, not there on every machine, and its types describe Python, not what it compiles.
# pyright: reportMissingImports=false, reportGeneralTypeIssues=false

from __future__ import annotations

import triton
import triton.language as tl

from model.warp.triton_kernels import HALF_ROW, MIRROR_SPEED, _clamp, _larger, _place, _smaller


@triton.jit
def _sample(disparity, edge, slope, first, last, key, j, row, width, known):
    """Invert the map (eq. 3) at column j: source pixel, fraction, disparity, its run, its sides and their slopes."""
    pixel = tl.maximum(key, 0)
    at = row * width
    here = tl.load(disparity + at + pixel, mask=known, other=0.0)
    step = tl.load(disparity + at + pixel + 1, mask=known & (pixel < width - 1), other=0.0) - here
    step = tl.where(pixel < width - 1, step, 0.0)
    begin = tl.load(first + at + pixel, mask=known, other=0)
    end = tl.load(last + at + pixel, mask=known, other=0)
    from_pixel = (j - pixel) + here
    between = (from_pixel > 0) & (pixel != end)
    fraction = _clamp(tl.where(between, tl.div_rn(from_pixel, tl.where(between, 1 - step, 1.0)), 0.0), 0.0, 1.0)
    cut_left, cut_right = known & (begin > 0), known & (end < width - 1)
    left_edge = tl.load(edge + at + begin - 1, mask=cut_left, other=0.0) - 0.5
    right_edge = tl.load(edge + at + end, mask=cut_right, other=0.0) + 0.5
    left = (begin - j) + (left_edge - tl.load(disparity + at + begin, mask=known, other=0.0))
    right = (end - j) + (right_edge - tl.load(disparity + at + end, mask=known, other=0.0))
    left_slope = tl.load(slope + at + begin - 1, mask=cut_left, other=0.0)
    right_slope = tl.load(slope + at + end, mask=cut_right, other=0.0)
    return pixel, fraction, here + fraction * step, begin, end, left, right, left_slope, right_slope


@triton.jit
def _interpolate(colour, base, pixel, fraction, begin, end, known):
    """Sample Catmull-Rom (eq. 4) with taps that never leave the run."""
    t = fraction
    before = tl.load(colour + base + _clamp(pixel - 1, begin, end), mask=known, other=0.0)
    at = tl.load(colour + base + _clamp(pixel, begin, end), mask=known, other=0.0)
    after = tl.load(colour + base + _clamp(pixel + 1, begin, end), mask=known, other=0.0)
    beyond = tl.load(colour + base + _clamp(pixel + 2, begin, end), mask=known, other=0.0)
    total = (t * (-0.5 + t * (1 - 0.5 * t))) * before + (1 + t * t * (-2.5 + 1.5 * t)) * at
    return total + (t * (0.5 + t * (2 - 1.5 * t))) * after + (t * t * (-0.5 + 0.5 * t)) * beyond


@triton.jit
def _background(disparity, owner, first, last, j, row, width):
    """Continue the farther of the surfaces seen next on the left and right, mirrored about its end at half speed."""
    at = row * width
    before = tl.load(owner + at + j - 1, mask=(j > 0) & (j < width), other=-1) >= 0
    after = tl.load(owner + at + j + 1, mask=j + 1 < width, other=-1) >= 0
    at_left = tl.associative_scan(tl.where(before, j - 1, -1), 0, _larger)
    at_right = tl.associative_scan(tl.where(after, j + 1, width), 0, _smaller, reverse=True)
    has_left, has_right = (j < width) & (at_left >= 0), (j < width) & (at_right < width)
    left_owner = tl.load(owner + at + at_left, mask=has_left, other=0)
    right_owner = tl.load(owner + at + at_right, mask=has_right, other=0)
    left_end = tl.load(last + at + left_owner, mask=has_left, other=0)
    right_end = tl.load(first + at + right_owner, mask=has_right, other=0)
    infinity = float("inf")
    left_disparity = tl.load(disparity + at + left_end, mask=has_left, other=infinity)
    right_disparity = tl.load(disparity + at + right_end, mask=has_right, other=infinity)
    end = tl.where(left_disparity < right_disparity, left_end, right_end)
    shift = tl.minimum(left_disparity, right_disparity)
    away = _clamp((end - j) - shift, -2.0 * width, 2.0 * width)
    inside = MIRROR_SPEED * tl.maximum(tl.abs(away) - 1, 0.0)
    inside = tl.where(away < 0, -inside, inside)
    whole = tl.floor(inside)
    begin = tl.load(first + at + end, mask=j < width, other=0)
    stop = tl.load(last + at + end, mask=j < width, other=0)
    pixel = end + whole.to(tl.int32)
    fraction = tl.where((pixel < begin) | (pixel >= stop), 0.0, inside - whole)
    # A row that left the frame entirely: continue its farthest surface, to the nearest pixel, halves to even.
    farthest = tl.min(tl.load(disparity + at + j, mask=j < width, other=infinity), 0)
    source = _clamp(j + farthest, -1.0, 1.0 * width)
    rounded = tl.floor(source + 0.5)
    odd = rounded - 2 * tl.floor(0.5 * rounded) == 1
    rounded = tl.where((source + 0.5 == rounded) & odd, rounded - 1, rounded)
    gone = ~(has_left | has_right)
    pixel = tl.where(gone, _clamp(rounded, 0.0, width - 1.0).to(tl.int32), _clamp(pixel, begin, stop))
    fraction, shift = tl.where(gone, 0.0, fraction), tl.where(gone, farthest, shift)
    return pixel, fraction, shift, tl.where(gone, pixel, begin), tl.where(gone, pixel, stop)


@triton.jit
def shade_row(
    disparity, edge, slope, first, last, owner, front, second, colour,
    view, disocclusion, view_disparity, height, width, channels, block: tl.constexpr,
):  # fmt: skip
    """Blend the two nearest surfaces of every column by the part of its pixel each covers, the rest with background."""
    row, j = tl.program_id(0).to(tl.int64), tl.arange(0, block)
    at, inside = row * width + j, j < width
    owner_key = tl.load(owner + at, mask=inside, other=-1)
    key, key_behind = tl.load(front + at, mask=inside, other=-1), tl.load(second + at, mask=inside, other=-1)
    # When two slivers lie in front of the surface at the centre, it takes the second one's place.
    runs = first + row * width
    run = tl.load(runs + tl.maximum(owner_key, 0), mask=inside, other=0)
    apart = run != tl.load(runs + tl.maximum(key, 0), mask=inside, other=0)
    apart = apart & (run != tl.load(runs + tl.maximum(key_behind, 0), mask=inside, other=0))
    key_behind = tl.where((owner_key >= 0) & apart, owner_key, key_behind)

    a, a_t, _, a_first, a_last, a_left, a_right, a_ls, a_rs = _sample(
        disparity, edge, slope, first, last, key, j, row, width, inside
    )
    b, b_t, _, b_first, b_last, b_left, b_right, b_ls, b_rs = _sample(
        disparity, edge, slope, first, last, key_behind, j, row, width, inside
    )
    part, part_behind = tl.zeros([block], tl.float32), tl.zeros([block], tl.float32)
    for half in tl.static_range(2):
        turn = HALF_ROW * (2 * half - 1)
        low, high = _clamp(a_left + turn * a_ls, -0.5, 0.5), _clamp(a_right + turn * a_rs, -0.5, 0.5)
        low_behind, high_behind = _clamp(b_left + turn * b_ls, -0.5, 0.5), _clamp(b_right + turn * b_rs, -0.5, 0.5)
        covered = tl.where(key >= 0, tl.maximum(high - low, 0.0), 0.0)
        covered_behind = tl.where(key_behind >= 0, tl.maximum(high_behind - low_behind, 0.0), 0.0)
        overlap = tl.maximum(tl.minimum(high, high_behind) - tl.maximum(low, low_behind), 0.0)
        part += 0.5 * covered
        part_behind += 0.5 * tl.maximum(covered_behind - tl.where(covered > 0, overlap, 0.0), 0.0)
    rest = tl.maximum(1 - part - part_behind, 0.0)
    g, g_t, g_disparity, g_first, g_last = _background(disparity, owner, first, last, j, row, width)
    for c in range(channels):
        base = (_place(row, height, channels) + c * height) * width
        total = part * _interpolate(colour, base, a, a_t, a_first, a_last, inside)
        total += part_behind * _interpolate(colour, base, b, b_t, b_first, b_last, inside)
        total += rest * _interpolate(colour, base, g, g_t, g_first, g_last, inside)
        tl.store(view + base + j, total, mask=inside)
    _, _, owner_disparity, _, _, _, _, _, _ = _sample(
        disparity, edge, slope, first, last, owner_key, j, row, width, inside
    )
    tl.store(disocclusion + at, owner_key < 0, mask=inside)
    tl.store(view_disparity + at, tl.where(owner_key < 0, g_disparity, owner_disparity), mask=inside)
