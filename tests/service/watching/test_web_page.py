from __future__ import annotations

import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import cv2
import numpy as np
import pytest

from service.client import ServiceClient
from service.watching.recent_frames import KEPT, VIEWS, WIDTH_PX, RecentFrames
from service.wire.frame_wire import FrameFormat

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WIDE = FrameFormat(640, 4, np.dtype("<f4"), 4)


@pytest.fixture
def shown(start_service):
    return start_service(web_port=0)


def get(address: str) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", b""


def convert(service, frames, frame_format, **fields) -> None:
    with ServiceClient(service.target) as client:
        client.convert(client.header(frames, frame_format, **fields), frames)


def test_the_page_and_its_state_are_there(shown, small, make_frames):
    convert(shown, make_frames(small, 1), small)
    status, kind, page = get(shown.running.page.address)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert b"<title>Stereo Convert</title>" in page
    state = json.loads(get(shown.running.page.address + "state")[2])
    assert state["model"] == "fake-1"
    assert state["devices"] == [{"name": "cpu", "queued": 0}]
    assert {"name": "stereo_windows_total", "labels": {}, "value": 1.0} in state["figures"]


def test_the_middle_frame_of_a_window_is_shown_in_all_views(shown, make_frames):
    frames = make_frames(WIDE, 5)
    convert(shown, frames, WIDE, wanted=[1, 2, 3], first_frame=100)
    (frame,) = json.loads(get(shown.running.page.address + "state")[2])["frames"]
    assert (frame["time"], frame["views"]) == (102, list(VIEWS))
    for view in VIEWS:
        _, kind, body = get(f"{shown.running.page.address}frame/{frame['number']}/{view}")
        picture = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
        assert (kind, picture.shape) == ("image/png", (3, WIDTH_PX, 3))


def test_what_the_client_gets_and_what_is_remembered_do_not_change(shown, make_frames):
    frames = make_frames(WIDE, 1)
    convert(shown, frames, WIDE)
    convert(shown, frames, WIDE)
    assert [window.also for window in shown.model.windows] == [VIEWS]
    ((kept, size),) = shown.shop.results._entries.values()
    assert (kept.output.also, size) == ((), kept.output.images.nbytes)


def test_only_who_knows_the_address_sees_anything(shown):
    root = shown.running.page.address
    base = root.split("/", 3)[2]
    for path in ("/", "/state", "/wrong/", "/" + "x" * 22 + "/state", root.split("/", 3)[3][:-2]):
        assert get(f"http://{base}/{path.lstrip('/')}")[0] == 404
    for path in ("frame/1/left", "frame/x/left", "frame/²/left", "frame/1/../state", "..%2fstate", "web_page.py"):
        status, _, body = get(root + urllib.parse.quote(path, safe="/%."))
        assert (status, body) == (404, b"")


def test_nothing_can_be_changed_and_no_other_site_may_frame_it(shown):
    host, path = shown.running.page.address.removeprefix("http://").split("/", 1)
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("POST", f"/{path}state")
    assert connection.getresponse().status == 501
    connection.close()
    with urllib.request.urlopen(shown.running.page.address, timeout=60) as answer:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_there_is_no_page_unless_asked(start_service):
    service = start_service()
    assert (service.running.page, service.shop.recent) == (None, None)


def test_the_last_frames_stay_newest_first():
    recent = RecentFrames()
    for time in range(KEPT + 2):
        recent.keep("0a1b2c3d", time, {"left": np.zeros((3, 2, 2), np.float32)})
    assert [frame.time for frame in recent.all()] == list(reversed(range(2, KEPT + 2)))
    assert recent.picture(1, "left") is None
    assert recent.picture(KEPT + 2, "right") is None


def test_colours_are_those_of_the_frame_and_clipped():
    recent = RecentFrames()
    image = np.array([2.0, 0.5, -1.0, 0.3], np.float32).reshape(4, 1, 1)
    recent.keep("", 0, {"left": image})
    picture = recent.picture(1, "left")
    assert picture is not None
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).tolist() == [[[0, 128, 255]]]  # B, G, R


def test_the_address_is_printed_and_stays_out_of_the_log(runtime_dir):
    command = [sys.executable, "-m", "service", "serve", "--no-warm-up", "--web"]
    environment = {**os.environ, "STEREO_CONVERT_RUNTIME_DIR": str(runtime_dir)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip # noqa: E501
        assert isinstance(process.stdout, io.TextIOBase) and process.stderr is not None
        address = process.stdout.readline().strip()
        get(address + "state")
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read()
    assert address.startswith("http://127.0.0.1:")
    assert address.rsplit("/", 2)[1] not in log


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_figures_and_all_views(shown, make_frames, tmp_path):
    convert(shown, make_frames(WIDE, 1), WIDE, first_frame=41)
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--virtual-time-budget=3000")
    command = [str(CHROMIUM), *flags, "--dump-dom", shown.running.page.address]
    page = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120).stdout
    assert "model fake-1" in page
    assert "Frame 41" in page
    assert re.search(r"<td>depth</td><td>250.0 ms</td>", page)
    for view in (*VIEWS, "wiggle"):
        assert f'alt="{view}"' in page
