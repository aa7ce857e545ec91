"""`python -m tests.ofx_host.pictures FOLDER`: the pictures of docs/, made by the plugin in the headless host.

outputs.jpg shows every output of one photograph, panel.png the parameters as a host is told of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.ofx_host import ArrayClip, Effect, Host
from tests.ofx_host.clips import read_image
from tests.ofx_host.native import ROOT
from tests.ofx_host.private_service import BUNDLE, private_service

PHOTOGRAPH = ROOT / "examples" / "motorcycle_left.png"  # Middlebury 2014
DISPARITY = ROOT / "examples" / "motorcycle_disparity.png"  # of that photograph: px x 256, 0 where nobody knows
WIDTH_PX = 480
COLUMNS = 3
CAPTION_PX = 30
FULL_SIZE = ("full width", "full height")

PANEL_WIDTH_PX, LINE_PX, LABEL_PX = 760, 26, 300
INK, PAPER, FIELD, HEADING = (225, 225, 225), (48, 48, 48), (30, 30, 30), (70, 70, 70)


def main(folder: Path) -> int:
    """Write both pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with private_service(), Host("nuke") as host:
        effect = host.load(BUNDLE).create("Filter")
        cv2.imwrite(str(folder / "panel.png"), panel(effect))
        effect.set("timeout", 900.0)
        sheet = outputs(effect, _photograph())
        sheet = cv2.resize(sheet, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)  # the repository stays small
        cv2.imwrite(str(folder / "outputs.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 70])
    return 0


def outputs(effect: Effect, photograph: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Every output that keeps the size, captioned, in one BGR sheet; with the photograph's true depth."""
    effect.set_clip("Source", ArrayClip([photograph]))
    effect.set_clip("Depth", ArrayClip([_nearness()]))
    for name, value in {"depth_source": "Depth clip", "edge_fix": 0.0, "disparity": 4.0}.items():
        effect.set(name, value)
    labels = next(p for p in effect.instance.native.params() if p["name"] == "output")["properties"]
    tiles = []
    for label in labels["OfxParamPropChoiceOption"]:
        if label.endswith(FULL_SIZE):
            continue
        effect.set("output", label)
        picture = (255 * np.clip(effect.render(0)[..., 2::-1], 0, 1)).astype(np.uint8)
        tiles.append(np.concatenate((_line(label, picture.shape[1], CAPTION_PX), picture)))
    tiles += [np.full_like(tiles[0], PAPER[0])] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[start : start + COLUMNS], axis=1) for start in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def panel(effect: Effect) -> NDArray[np.uint8]:
    """Groups, labels and values in the order of the page that the plugin describes; BGR."""
    params = {param["name"]: param for param in effect.instance.native.params()}
    lines = []
    for name in params["controls"]["properties"]["OfxParamPropPageChild"]:
        param = params[name]
        label = param["properties"]["OfxPropLabel"][0]
        if param["type"] == "OfxParamTypeGroup":
            lines.append(_line(label, PANEL_WIDTH_PX, LINE_PX, HEADING))
            continue
        line = _line("", PANEL_WIDTH_PX, LINE_PX)
        if param["type"] == "OfxParamTypePushButton":
            line[3:-3, LABEL_PX : LABEL_PX + 200] = HEADING
            _write(line, label, LABEL_PX + 10)
        else:
            line[3:-3, LABEL_PX:-10] = FIELD
            _write(line, label, 24)
            _write(line, _value(effect, param), LABEL_PX + 10)
        lines.append(line)
    return np.concatenate(lines)


def _value(effect: Effect, param: dict[str, Any]) -> str:
    value = effect.get(param["name"])
    options = param["properties"].get("OfxParamPropChoiceOption")
    if options:
        return options[value]
    if param["type"] == "OfxParamTypeBoolean":
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, (int, float)) else value


def _photograph() -> NDArray[np.float32]:
    """(H, WIDTH_PX, 4) float32, opaque."""
    picture = read_image(PHOTOGRAPH)[..., :3].astype(np.float32) / 255
    height = round(picture.shape[0] * WIDTH_PX / picture.shape[1])
    small = cv2.resize(picture, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    return np.concatenate((small, np.ones_like(small[..., :1])), axis=2).astype(np.float32)


def _nearness() -> NDArray[np.float32]:
    """(H, W, 1) float32, larger is nearer; NaN where nobody knows."""
    disparity = cv2.imread(str(DISPARITY), cv2.IMREAD_UNCHANGED).astype(np.float32)[..., None]
    return np.where(disparity == 0, np.nan, disparity)


def _line(text: str, width: int, height: int, paper: tuple[int, int, int] = PAPER) -> NDArray[np.uint8]:
    line = np.full((height, width, 3), paper, np.uint8)
    _write(line, text, 10)
    return line


def _write(line: NDArray[np.uint8], text: str, x: int) -> None:
    origin = (x, line.shape[0] - 9)
    cv2.putText(line, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
