"""Makes the picture of the page in docs/deployment.md: three clients send a clip, Chromium looks for a while.

python -m tests.service.watching.page_picture CLIP docs/images/web_page.jpg
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from model.settings import Settings
from service.batch.sources.opencv_video import OpenCvFootage
from service.client import ServiceClient
from service.wire.frame_wire import FrameFormat

CLIENTS = 3
WINDOW = 3
"""Frames of each window; only the middle one is wanted, as in a viewer."""

SIZE_PX = (1240, 1050)  # of the page: all figures, and the views of one frame
SCALE = 0.8  # of the picture: what the documents show together is small
JPEG_QUALITY = 65
STOP_S = 60.0


def read_clip(path: Path, width_px: int) -> list[np.ndarray]:
    """All frames as RGB, uint8, at this width."""
    images = [frame.image for frame in OpenCvFootage(path).frames()]
    size = (width_px, round(images[0].shape[0] * width_px / images[0].shape[1]))
    return [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]


def keep_asking(socket: Path, clip: list[np.ndarray], first: int, stopped: threading.Event) -> None:
    """Convert one frame after the other, round and round."""
    height, width, channels = clip[0].shape
    frame_format = FrameFormat(width, height, np.dtype("u1"), channels)
    with ServiceClient(f"unix:{socket}") as client:
        for number in itertools.count(first, CLIENTS):
            if stopped.is_set():
                return
            frames = [clip[(number + step) % len(clip)].tobytes() for step in range(WINDOW)]
            settings = Settings(disparity=3.0)
            client.convert(client.header(frames, frame_format, settings, wanted=[1], first_frame=number), frames)


class Browser:
    """Chromium, spoken to by its debugging pipe: JSON messages that end with a zero, in at 3 and out at 4."""

    def __init__(self, profile: Path) -> None:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        if chromium is None:
            raise SystemExit("chromium is missing; run: apt-get install chromium")
        (its_input, to_it), (from_it, its_output) = os.pipe(), os.pipe()
        flags = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            "--remote-debugging-pipe",
        )
        command = shlex.join((chromium, *flags)) + f" 3<&{its_input} 4>&{its_output}"
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], pass_fds=(its_input, its_output), stderr=subprocess.DEVNULL
        )
        os.close(its_input)
        os.close(its_output)
        self._out, self._in = os.fdopen(to_it, "wb", 0), os.fdopen(from_it, "rb")
        self._sent = 0

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        self._out.write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (answer := self._read()).get("id") != self._sent:
            pass  # events of the page
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        text = b"".join(iter(lambda: self._in.read(1), b"\0"))
        return json.loads(text)

    def close(self) -> None:
        """Leave."""
        self.ask("Browser.close")
        self._process.wait(STOP_S)


def photograph(address: str, seconds: float, folder: Path) -> np.ndarray:
    """The page after it was looked at for so many seconds."""
    browser = Browser(folder / "profile")
    target = browser.ask("Target.createTarget", url=address)["targetId"]
    session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    width, height = SIZE_PX
    browser.ask("Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=SCALE,
                mobile=False)  # fmt: skip
    time.sleep(seconds)
    data = base64.b64decode(browser.ask("Page.captureScreenshot", session)["data"])
    browser.close()
    page = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert page is not None, "Chromium gave no picture"
    return page


def main() -> int:
    """Serve, ask, look, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="a video")
    parser.add_argument("picture", type=Path, help="where the picture goes")
    parser.add_argument("--seconds", type=float, default=100.0, metavar="S", help="how long to look (100)")
    parser.add_argument("--width", type=int, default=640, metavar="PX", help="of the clip's frames (640)")
    flags = parser.parse_args()
    clip = read_clip(flags.clip, flags.width)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o700)
        socket = folder / "service.sock"
        command = [sys.executable, "-m", "service", "serve", "--web", "0", "--socket", str(socket)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
            assert service.stdout is not None
            address = next(line.strip() for line in service.stdout if line.startswith("http"))
            stopped = threading.Event()
            threads = [threading.Thread(target=keep_asking, args=(socket, clip, k, stopped)) for k in range(CLIENTS)]
            for thread in threads:
                thread.start()
            page = photograph(address, flags.seconds, folder)
            stopped.set()
            for thread in threads:
                thread.join(STOP_S)
            service.terminate()
    cv2.imwrite(str(flags.picture), page, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
