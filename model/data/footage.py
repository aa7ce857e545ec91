"""Moving pictures of a wanted size out of a media library: crops of clips, and pans and zooms over photos."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from model.data.media import Library

Frames = NDArray[np.float32]
"""(T, H, W, 3), RGB, 0..1."""

_CLIP_SHARE = 0.55
_FARTHEST_STRIDE = 4


def moving_crop(rng: np.random.Generator, library: Library, frames: int, height: int, width: int) -> Frames:
    """Cut a moving picture out of a random clip or photo, mirrored and re-exposed at random."""
    from_clip = library.clips and (not library.photos or rng.random() < _CLIP_SHARE)
    crop = _clip_crop(rng, library, frames, height, width) if from_clip else None
    if crop is None:
        crop = _photo_crop(rng, library, frames, height, width)
    if rng.random() < 0.5:
        crop = crop[:, :, ::-1]
    gain, gamma = rng.uniform(0.8, 1.15), np.exp(rng.normal(0, 0.12))
    return np.clip(gain * crop**gamma, 0, 1).astype(np.float32)


def _clip_crop(rng: np.random.Generator, library: Library, frames: int, height: int, width: int) -> Frames | None:
    clip = library.clips[rng.integers(len(library.clips))]
    stride = int(min(rng.integers(1, _FARTHEST_STRIDE + 1), (len(clip) - 1) // max(frames - 1, 1)))
    if stride < 1 and frames > 1:
        return None
    first = rng.integers(0, len(clip) - stride * (frames - 1))
    pictures = clip[first : first + stride * (frames - 1) + 1 : max(stride, 1)]
    if rng.random() < 0.5:
        pictures = pictures[::-1]
    tall, wide = pictures[0].shape[:2]
    scale = min(rng.uniform(1, 1.8), tall / height, wide / width)  # clip px per crop px
    cut_h, cut_w = min(tall, round(height * scale)), min(wide, round(width * scale))
    top, left = rng.integers(0, tall - cut_h + 1), rng.integers(0, wide - cut_w + 1)
    cuts = [picture[top : top + cut_h, left : left + cut_w] for picture in pictures]
    sized = [cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA) for cut in cuts]
    return _unit(sized)


def _photo_crop(rng: np.random.Generator, library: Library, frames: int, height: int, width: int) -> Frames:
    source = library.photos if library.photos else [picture for clip in library.clips for picture in clip]
    photo = source[rng.integers(len(source))]
    tall, wide = photo.shape[:2]
    scale = min(np.exp(rng.uniform(np.log(0.8), np.log(2.0))), tall / height, wide / width)
    speed = rng.normal(0, 1, 2) * rng.choice((0.0, 1.0, 4.0)) * scale  # px of the photo per frame
    zoom = np.exp(rng.normal(0, 0.01))
    centre = rng.uniform((width * scale / 2, height * scale / 2), (wide - width * scale / 2, tall - height * scale / 2))
    moving = []
    for number in range(frames):
        size = scale * zoom**number
        corner = centre + speed * number - np.array((width, height)) * size / 2
        place = np.array(((size, 0, corner[0]), (0, size, corner[1])))
        moving.append(_sampled(photo, place, width, height))
    return _unit(moving)


def _unit(pictures: Sequence[MatLike]) -> Frames:
    return np.stack(pictures).astype(np.float32) / np.float32(255)


def _sampled(photo: MatLike, place: NDArray, width: int, height: int) -> MatLike:
    """Sample a photo through an affine map; oversampled twice when it shrinks the picture, against aliasing."""
    if place[0, 0] <= 1.2:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(photo, place, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    finer = place.copy()
    finer[:, :2] /= 2
    return cv2.resize(_sampled(photo, finer, 2 * width, 2 * height), (width, height), interpolation=cv2.INTER_AREA)
