"""Layered scenes whose right eye is known exactly: cut-outs over a background at chosen disparities, for measuring."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

KINDS = ("plain", "thin", "slanted", "moving")

SUPERSAMPLING = 5
"""Scenes are composed at this (odd) multiple of their size, then averaged down: exact mixed pixels and centres."""


@dataclass(frozen=True)
class Scene:
    """Both eyes of a scene and what is true about them.

    left, right    (3, H, W) float32, 0..1
    disparity      (H, W) float32, px, of the left eye; at a mixed pixel that of the layer that covers its centre
    disocclusion   (H, W) bool: pixels of the right eye that the left eye does not see
    deceptive      (H, W) bool: those of them where the left eye sees something farther that would lie there, because
                   what hides it is itself hidden in the left eye; no warp can know
    """

    left: np.ndarray
    right: np.ndarray
    disparity: np.ndarray
    disocclusion: np.ndarray
    deceptive: np.ndarray


@dataclass(frozen=True)
class Layer:
    """A picture with a silhouette, all at the composed (large) size, wider than the frame by the margin on each side.

    colour     (3, H', W') float32
    opaque     (H', W') bool
    disparity  px of the frame, in its middle column
    """

    colour: np.ndarray
    opaque: np.ndarray
    disparity: float


def make_scene(
    seed: int,
    size: tuple[int, int] = (960, 540),
    reach_px: float = 24,
    kind: str = "plain",
    textures: tuple = (),
    frame: int = 0,
) -> Scene:
    """Compose a scene of a background and about eight cut-outs within ±reach_px.

    size      width and height, px
    kind      "plain"; "thin" has bars of 2..8 px at any slant, too; "slanted" turns every plane about the upright axis;
              in "moving" the cut-outs have moved by `frame` times their own speed, up to 4 px in each direction
    textures  (H, W, 3) float32 pictures to cut from; empty means procedural ones
    """
    rng, motion = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    width, height = size
    # All planes turn alike, so that none cuts through another.
    slope = float(motion.choice([-1, 1]) * motion.uniform(0.02, 0.05)) if kind == "slanted" else 0.0
    margin = int(reach_px + abs(slope) * width + 4) * SUPERSAMPLING
    large = (height * SUPERSAMPLING, width * SUPERSAMPLING + 2 * margin)
    count, bars = 8, 8 if kind == "thin" else 0
    # These fractions of a pixel land on whole columns of the composed picture, so that the truth is exact.
    reach = int(reach_px * SUPERSAMPLING)
    disparities = np.sort(rng.integers(-reach, reach + 1, count + bars + 1))
    is_bar = rng.permutation(np.arange(count + bars) < bars)
    layers = []
    for index, steps in enumerate(disparities):
        silhouette = _everywhere if index == 0 else _bar if is_bar[index - 1] else _blob
        opaque, colour = silhouette(rng, large), _texture(rng, large, textures)
        if kind == "moving" and index > 0:
            way = frame * motion.integers(-4 * SUPERSAMPLING, 4 * SUPERSAMPLING + 1, 2)
            opaque, colour = np.roll(opaque, way, (0, 1)), np.roll(colour, way, (1, 2))
        layers.append(Layer(colour, opaque, steps / SUPERSAMPLING))
    return _compose(layers, width, height, margin, slope)


def _compose(layers: list[Layer], width: int, height: int, margin: int, slope: float) -> Scene:
    """Paint both eyes back to front; `slope` is px of disparity per px of column, about the middle column."""
    shape = (height * SUPERSAMPLING, width * SUPERSAMPLING)
    columns = np.arange(shape[1])
    left, right = np.zeros((3, *shape), np.float32), np.zeros((3, *shape), np.float32)
    left_layer, right_layer = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    for index, layer in enumerate(layers):
        frame = slice(margin, margin + shape[1])
        seen = layer.opaque[:, frame]
        np.copyto(left, layer.colour[:, :, frame], where=seen)
        left_layer[seen] = index
        source = _source_columns(columns, layer.disparity, slope, width)
        seen = layer.opaque[:, np.round(source).astype(int) + margin]
        np.copyto(right, _read_columns(layer.colour, source + margin), where=seen)
        right_layer[seen] = index
    disparities = np.array([layer.disparity for layer in layers])
    center = slice(SUPERSAMPLING // 2, None, SUPERSAMPLING)
    left_center, right_center = left_layer[center], right_layer[center, center]
    lands = np.stack(
        [
            _seen_at(left_center, index, _source_columns(columns[center], layer.disparity, slope, width))
            for index, layer in enumerate(layers)
        ]
    )
    visible = np.take_along_axis(lands, right_center[None], 0)[0]
    farther = np.arange(len(layers))[:, None, None] < right_center
    turn = slope * (np.arange(width) - width / 2)
    return Scene(
        left=_average(left),
        right=_average(right),
        disparity=(disparities[left_center[:, center]] + turn).astype(np.float32),
        disocclusion=~visible,
        deceptive=~visible & (lands & farther).any(0),
    )


def _source_columns(columns: np.ndarray, disparity: float, slope: float, width: int) -> np.ndarray:
    """Invert x_right = x_left - disparity(x_left) on a plane; composed columns in, composed columns (float) out."""
    middle = SUPERSAMPLING // 2
    right = (columns - middle) / SUPERSAMPLING
    return SUPERSAMPLING * (right + disparity - slope * width / 2) / (1 - slope) + middle


def _read_columns(colour: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Read (3, H', W') between columns."""
    whole = np.floor(columns + 1e-6).astype(int)
    fraction = (columns - whole).astype(np.float32)
    if np.abs(fraction).max() < 1e-5:
        return colour[:, :, whole[0] : whole[-1] + 1]
    return (1 - fraction) * colour[:, :, whole] + fraction * colour[:, :, whole + 1]


def _seen_at(left_layer: np.ndarray, index: int, source: np.ndarray) -> np.ndarray:
    """Tell for every right pixel centre whether the left eye sees this layer at the place that lands there."""
    column = np.round(source).astype(int)
    inside = (column >= 0) & (column < left_layer.shape[1])
    return inside & (left_layer[:, column.clip(0, left_layer.shape[1] - 1)] == index)


def _average(picture: np.ndarray) -> np.ndarray:
    channels, height, width = picture.shape
    cells = picture.reshape(channels, height // SUPERSAMPLING, SUPERSAMPLING, width // SUPERSAMPLING, SUPERSAMPLING)
    return cells.mean((2, 4), dtype=np.float32)


def _texture(rng: np.random.Generator, size: tuple[int, int], textures: tuple) -> np.ndarray:
    """Cut a (3, H', W') piece from a picture, as sharp as a picture of the frame's own size is."""
    height, width = (-(-edge // SUPERSAMPLING) for edge in size)
    source = textures[rng.integers(len(textures))] if textures else _noise_picture(rng, height, width)
    scale = max(height / source.shape[0], width / source.shape[1], 0.5)
    source = cv2.resize(source, None, fx=scale * 1.02, fy=scale * 1.02, interpolation=cv2.INTER_AREA)
    top, left = rng.integers(source.shape[0] - height + 1), rng.integers(source.shape[1] - width + 1)
    piece = source[top : top + height, left : left + width]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    large = cv2.resize(piece, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large.transpose(2, 0, 1).clip(0, 1))


def _noise_picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Make a picture whose spectrum falls like a photograph's, 1/f, around a random colour."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    falloff = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    planes = []
    for _ in range(3):
        noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) * falloff, (height, width))
        planes.append(rng.uniform(0.3, 0.7) + 0.16 * noise / noise.std())
    shared = planes[0] - planes[0].mean()
    return np.stack([0.5 * plane + 0.25 + 0.5 * shared for plane in planes], -1).astype(np.float32).clip(0, 1)


def _everywhere(_: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return np.ones(size, bool)


def _blob(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Draw a rounded polygon a fifth to a half of the frame high."""
    height, width = size
    center = rng.uniform((0, 0), (width, height))
    radius = rng.uniform(0.1, 0.25) * height
    angle = np.sort(rng.uniform(0, 2 * np.pi, 14))
    reach = radius * rng.uniform(0.6, 1.3, 14)
    points = center + reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    drawn = np.zeros(size, np.uint8)
    cv2.fillPoly(drawn, [points.astype(np.int32)], 1)
    return drawn.astype(bool)


def _bar(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Draw a bar 2..8 frame px wide across much of the frame."""
    height, width = size
    center = rng.uniform((0.1 * width, 0.2 * height), (0.9 * width, 0.8 * height))
    slant = rng.uniform(0, np.pi)
    along = np.array([np.cos(slant), np.sin(slant)])
    across = np.array([-along[1], along[0]]) * rng.uniform(2, 8) * SUPERSAMPLING / 2
    length = rng.uniform(0.3, 0.8) * height
    corners = [center + along * length + across, center + along * length - across]
    corners += [center - along * length - across, center - along * length + across]
    drawn = np.zeros(size, np.uint8)
    cv2.fillPoly(drawn, [np.round(corners).astype(np.int32)], 1)
    return drawn.astype(bool)
