"""Both icons lie in the bundle under the identifier, where hosts look, and show the same."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.host

SVG = "{http://www.w3.org/2000/svg}"
FINE = 20  # pixels drawn for each of the icon's, so that edges come out as soft as a browser draws them


@pytest.fixture
def resources(plugin_binary: Path) -> Path:
    return plugin_binary.parents[1] / "Resources"


def drawn(svg: Path) -> np.ndarray:
    """The rectangles of an SVG as (H, W, 3) BGR; all that our icon is made of."""
    root = ElementTree.parse(svg).getroot()
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title") is not None
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {width} {height}"
    picture = np.zeros((height * FINE, width * FINE, 3), np.float32)
    for group in [root, *root.iter(f"{SVG}g")]:
        for rect in group.findall(f"{SVG}rect"):
            draw(picture, {**group.attrib, **rect.attrib})
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def draw(picture: np.ndarray, rect: dict[str, str]) -> None:
    x, y, width, height = (FINE * float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
    half = FINE * float(rect.get("stroke-width", 0)) / 2 if "stroke" in rect else 0
    colour = rect.get("stroke", rect["fill"]).removeprefix("#")
    outer = [round(side) for side in (y - half, y + height + half, x - half, x + width + half)]
    inner = [round(side) for side in (y + half, y + height - half, x + half, x + width - half)]
    inside = picture[inner[0] : inner[1], inner[2] : inner[3]].copy()
    picture[outer[0] : outer[1], outer[2] : outer[3]] = [int(colour[at : at + 2], 16) for at in (4, 2, 0)]
    if half:
        picture[inner[0] : inner[1], inner[2] : inner[3]] = inside


def test_the_png_is_square_and_large_enough(resources):
    icon = cv2.imread(str(resources / "org.stereoconvert.StereoConvert.png"))
    assert icon is not None and icon.shape[0] == icon.shape[1] >= 64


def test_the_svg_shows_what_the_png_does(resources):
    png = cv2.imread(str(resources / "org.stereoconvert.StereoConvert.png")).astype(np.float32)
    difference = np.abs(drawn(resources / "org.stereoconvert.StereoConvert.svg") - png)
    assert difference.mean() < 1, "of 255 levels; rounded corners and soft edges differ a little"
    assert (difference.max(axis=2) > 64).mean() < 0.005
