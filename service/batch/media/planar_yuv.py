"""Planes of decoded video ↔ RGB. Decoding and encoding again changes no code value, whatever the colours.

Chroma is repeated on the way in and averaged on the way out, so a block of pixels that nothing touched gets back the
chroma it had. RGB is float: codes below black and above white, and colours outside the gamut, survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from model.errors import FrameFormatError
from service.batch.media.clip_info import RANGE_FULL, UNSPECIFIED

_NAME = re.compile(r"(yuva?|yuvj|gbra?|gray)(4[0-4][0-4])?p?(9|10|12|14|16|f32)?(le)?")
_KR_KB = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601, 625 lines
    6: (0.299, 0.114),  # BT.601, 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, not constant luminance
}
HD_HEIGHT_PX = 720
"""From here on, video whose matrix is unspecified is taken for BT.709, below for BT.601, as players do."""


@dataclass(frozen=True)
class PlanarFormat:
    """One of FFmpeg's planar pixel formats, little endian.

    chroma_step  luma samples for one chroma sample: (across, down)
    """

    name: str
    is_rgb: bool
    is_gray: bool
    has_alpha: bool
    bits: int  # 32: float
    chroma_step: tuple[int, int]
    is_full_range: bool  # by its name: yuvj

    @property
    def dtype(self) -> np.dtype:
        """Of one sample."""
        return np.dtype("u1" if self.bits == 8 else "<f4" if self.bits == 32 else "<u2")

    @property
    def largest(self) -> float:
        """The code of full scale."""
        return 1.0 if self.bits == 32 else float(2**self.bits - 1)

    def plane_shape(self, plane: int, height: int, width: int) -> tuple[int, int]:
        """(rows, columns) of a plane; chroma of odd sizes is rounded up."""
        across, down = self.chroma_step if plane in (1, 2) else (1, 1)
        return -(-height // down), -(-width // across)


def planar_format(name: str) -> PlanarFormat | None:
    """The format of that name, as in yuv420p10le; None when it is not planar YUV, RGB or gray in little endian."""
    found = _NAME.fullmatch(name)
    if found is None or name == "gbr":
        return None
    kind, chroma, bits, little = found.groups()
    if bool(chroma) != kind.startswith("yuv") or (bits is None) != (little is None):
        return None
    steps = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "440": (1, 2), "411": (4, 1), "410": (4, 4)}
    if chroma is not None and chroma not in steps:
        return None
    return PlanarFormat(
        name=name,
        is_rgb=kind.startswith("gbr"),
        is_gray=kind == "gray",
        has_alpha=kind in ("yuva", "gbra"),
        bits=32 if bits == "f32" else int(bits or 8),
        chroma_step=steps[chroma] if chroma else (1, 1),
        is_full_range=kind == "yuvj",
    )


@dataclass(frozen=True)
class PlanarCodec:
    """Turns planes into RGB and back.

    matrix  MatrixCoefficients of H.273; unspecified is guessed from the height
    range   FFmpeg's number: 2 is full, all else limited; RGB is always full

    Raises FrameFormatError for a matrix that is not linear in R'G'B'.
    """

    format: PlanarFormat
    height: int
    width: int
    matrix: int
    range: int

    def __post_init__(self) -> None:
        if not self.format.is_rgb and not self.format.is_gray:
            self._kr_kb()

    def to_rgb(self, planes: Sequence[np.ndarray]) -> np.ndarray:
        """Planes in FFmpeg's order to (H, W, 3 or 4) float32, black 0, white 1."""
        fmt = self.format
        if fmt.is_rgb:
            green, blue, red = planes[:3]
            image = np.stack([red, green, blue], axis=2).astype(np.float32) / np.float32(fmt.largest)
        elif fmt.is_gray:
            low, span = self._luma_scale()
            image = np.repeat((planes[0][..., None].astype(np.float32) - low) / np.float32(span), 3, axis=2)
        else:
            image = cv2.transform(self._full_size(planes), self._from_codes())
        if not fmt.has_alpha:
            return image
        return np.dstack((image, planes[3].astype(np.float32) / np.float32(fmt.largest)))

    def from_rgb(self, image: np.ndarray) -> tuple[list[np.ndarray], int]:
        """(H, W, 3 or 4) float32 to planes, and how many samples had to be clamped. Alpha that is missing is 1."""
        fmt = self.format
        colour = np.ascontiguousarray(image[..., :3], np.float32)
        if fmt.is_rgb:
            codes = [colour[..., channel] * np.float32(fmt.largest) for channel in (1, 2, 0)]
        elif fmt.is_gray:
            codes = [cv2.transform(colour, self._to_codes())[..., 0]]
        else:
            ycc = cv2.transform(colour, self._to_codes())
            codes = [ycc[..., 0], self._averaged(ycc[..., 1]), self._averaged(ycc[..., 2])]
        if fmt.has_alpha:
            alpha = image[..., 3] if image.shape[2] == 4 else np.ones(image.shape[:2], np.float32)
            codes.append(alpha * np.float32(fmt.largest))
        if fmt.bits == 32:
            return codes, 0
        pairs = [_rounded(plane, fmt) for plane in codes]
        return [plane for plane, _ in pairs], sum(clamped for _, clamped in pairs)

    def _full_size(self, planes: Sequence[np.ndarray]) -> np.ndarray:
        across, down = self.format.chroma_step
        chroma = [plane.repeat(down, axis=0).repeat(across, axis=1) for plane in planes[1:3]]
        return np.dstack([planes[0], *(plane[: self.height, : self.width] for plane in chroma)]).astype(np.float32)

    def _averaged(self, plane: np.ndarray) -> np.ndarray:
        across, down = self.format.chroma_step
        if (across, down) == (1, 1):
            return plane
        rows, columns = self.format.plane_shape(1, self.height, self.width)
        padding = ((0, rows * down - self.height), (0, columns * across - self.width))
        return np.pad(plane, padding, mode="edge").reshape(rows, down, columns, across).mean(axis=(1, 3))

    def _from_codes(self) -> np.ndarray:
        """3×4 matrix from Y, Cb, Cr codes to R, G, B."""
        kr, kb = self._kr_kb()
        kg = 1 - kr - kb
        colour = np.array(
            [
                [1, 0, 2 * (1 - kr)],
                [1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg],
                [1, 2 * (1 - kb), 0],
            ]
        )
        low, luma_span = self._luma_scale()
        middle, chroma_span = self._chroma_scale()
        scaled = colour / np.array([luma_span, chroma_span, chroma_span])
        return np.column_stack((scaled, -scaled @ np.array([low, middle, middle])))

    def _to_codes(self) -> np.ndarray:
        matrix = self._from_codes()
        inverse = np.linalg.inv(matrix[:, :3])
        return np.column_stack((inverse, -inverse @ matrix[:, 3]))

    def _luma_scale(self) -> tuple[float, float]:
        """(code of black, codes from black to white)."""
        if self._is_full():
            return 0.0, self.format.largest
        unit = 2.0 ** (self.format.bits - 8)
        return 16 * unit, 219 * unit

    def _chroma_scale(self) -> tuple[float, float]:
        """(code of no colour, codes from one end to the other)."""
        unit = 2.0 ** (self.format.bits - 8)
        return 128 * unit, self.format.largest if self._is_full() else 224 * unit

    def _is_full(self) -> bool:
        return self.range == RANGE_FULL or self.format.is_full_range or self.format.bits == 32

    def _kr_kb(self) -> tuple[float, float]:
        matrix = self.matrix
        if matrix in (UNSPECIFIED, 0) or self.format.is_gray:  # 0 is RGB: no matrix for YUV
            matrix = 1 if self.height >= HD_HEIGHT_PX else 6
        if matrix not in _KR_KB:
            raise FrameFormatError(
                f"the video's colour matrix is number {matrix} of H.273, which is not read; convert it to BT.709 or "
                "BT.2020 (not constant luminance) first"
            )
        return _KR_KB[matrix]


def _rounded(plane: np.ndarray, fmt: PlanarFormat) -> tuple[np.ndarray, int]:
    codes = np.rint(plane)
    clamped = int(np.count_nonzero((codes < 0) | (codes > fmt.largest)))
    return np.clip(codes, 0, fmt.largest).astype(fmt.dtype), clamped
