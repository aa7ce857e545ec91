"""Scenes whose hidden background is known: near objects moving over a moving picture.

The left eye's picture is drawn with every object `gap` px to the right of where the right eye sees it
(x_right = x_left − disparity, background at disparity 0). The view is then warped from the left picture by the
*geometry*, which is allowed to differ from the drawn outlines by a pixel or two as real depth does; mixed pixels at
outlines arise as they do in practice. A hole is every place of the right view whose surface a nearer object covers
in the left picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.footage import Frames, moving_crop
from model.data.media import Library
from model.data.shapes import draw, random_outline

MARGIN_PX = 80
"""Drawn beyond the crop on the left and right, so that objects and their shadows can move in."""
_GAP_PX = (3, 40)
_MAX_OBJECTS = 3
_EDGE_STRIP_SHARE = 0.35


@dataclass(frozen=True)
class Scene:
    """One window with holes; arrays (T, H, W, ...) float32 or bool, colours 0..1.

    view, truth (T, H, W, 3)     hole, edge (T, H, W) bool, edge = the part of the hole that lies beyond the left
    picture's border     disparity (T, H, W) px
    """

    view: NDArray
    truth: NDArray
    hole: NDArray
    edge: NDArray
    disparity: NDArray


@dataclass(frozen=True)
class _Object:
    colour: Frames  # (T, H, W', 3)
    coverage: NDArray  # (T, H, W') float32
    geometry: NDArray  # (T, H, W') bool
    gap: int  # px of disparity over the background


def layered_scene(
    rng: np.random.Generator,
    library: Library,
    frames: int = 4,
    height: int = 128,
    width: int = 192,
    objects: Library | None = None,
) -> Scene:
    """Draw one random scene; the near objects are cut from `objects`, or from the same library."""
    wide = width + 2 * MARGIN_PX
    background = moving_crop(rng, library, frames, height, wide)
    things = range(rng.integers(1, _MAX_OBJECTS + 1))
    near = [_random_object(rng, objects or library, background.shape[:3]) for _ in things]
    near.sort(key=lambda thing: thing.gap)
    return _cropped(_seen_from_the_right(rng, background, near), rng, width)


def _random_object(rng: np.random.Generator, library: Library, size: tuple[int, ...]) -> _Object:
    frames, height, wide = size
    outline = random_outline(rng, height, wide)
    speed = rng.normal(0, 1, 2) * rng.choice((0.0, 2.0, 6.0))
    blur = rng.choice((0.0, 0.6, 1.2))
    texture = moving_crop(rng, library, 1, height, wide)[0]
    colour, coverage, geometry = [], [], []
    grow, slip = int(rng.choice((0, 0, 0, 1, 2, -1))), int(rng.choice((0, 0, 0, 1, -1, 2)))
    for number in range(frames):
        shift = speed * number
        cover = draw(outline, height, wide, (shift[0], shift[1]), blur)
        move = np.array(((1, 0, shift[0]), (0, 1, shift[1])))
        colour.append(cv2.warpAffine(texture, move, (wide, height), borderMode=cv2.BORDER_REFLECT_101))
        coverage.append(cover)
        geometry.append(_misjudged(cover > 0.5, grow, slip))
    gap = round(np.exp(rng.uniform(np.log(_GAP_PX[0]), np.log(_GAP_PX[1]))))
    return _Object(np.stack(colour), np.stack(coverage), np.stack(geometry), gap)


def _misjudged(outline: NDArray, grow: int, slip: int) -> NDArray:
    """Grow an outline by `grow` px (shrink if negative) and move it by `slip` px: depth is never exact."""
    kernel = np.ones((2 * abs(grow) + 1,) * 2, np.uint8)
    operation = cv2.dilate if grow > 0 else cv2.erode
    return np.roll(operation(outline.astype(np.uint8), kernel), slip, axis=1) > 0


def _over(colour: NDArray, thing: _Object, shift: int) -> NDArray:
    cover = np.roll(thing.coverage, shift, axis=2)[..., None]
    return colour + cover * (np.roll(thing.colour, shift, axis=2) - colour)


def _seen_from_the_right(rng: np.random.Generator, background: Frames, objects: list[_Object]) -> Scene:
    """Warp the drawn left picture into the right view; objects are sorted from far to near."""
    left, truth = background, background
    for thing in objects:
        left, truth = _over(left, thing, thing.gap), _over(truth, thing, 0)
    view, surface = left, np.zeros(background.shape[:3], np.int32)
    for thing in objects:
        view = np.where(thing.geometry[..., None], np.roll(left, -thing.gap, axis=2), view)
        surface = np.where(thing.geometry, thing.gap, surface)
    hole = np.zeros(background.shape[:3], bool)
    for thing in objects:
        for below in {0, *(other.gap for other in objects)}:
            if below < thing.gap:
                hole |= np.roll(thing.geometry, thing.gap - below, axis=2) & (surface == below)
    if rng.random() < 0.2:  # masks are often grown a little
        grow = np.ones((3, 3), np.uint8)
        hole = np.stack([cv2.dilate(frame.astype(np.uint8), grow) > 0 for frame in hole]) & (surface < 1)
    return Scene(view, truth, hole, np.zeros_like(hole), surface.astype(np.float32))


def _cropped(scene: Scene, rng: np.random.Generator, width: int) -> Scene:
    """Cut the margins off, mark the strip that lies beyond the left picture, and make the disparity imperfect."""
    view, truth, hole, surface = (
        array[:, :, MARGIN_PX : MARGIN_PX + width] for array in (scene.view, scene.truth, scene.hole, scene.disparity)
    )
    edge = np.zeros_like(hole)
    if rng.random() < _EDGE_STRIP_SHARE:
        screen = int(rng.integers(2, 30)) * (1 if rng.random() < 0.7 else -1)  # disparity of the background
        column = np.arange(width) + screen + surface
        edge = (column >= width) | (column < 0)
    height = hole.shape[1]
    slope_x, slope_y = rng.normal(0, (0.01, 0.02))
    plane = slope_x * np.arange(width) + slope_y * np.arange(height)[:, None] + rng.uniform(-10, 10)
    disparity = (surface + plane).astype(np.float32)
    if rng.random() < 0.4:
        blur = rng.uniform(0.5, 2.5)
        disparity = np.stack([cv2.GaussianBlur(frame, (0, 0), blur) for frame in disparity])
    return Scene(view, truth, hole | edge, edge, disparity)
