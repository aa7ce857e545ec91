"""`python -m tests.ofx_host.bench`: what the plugin costs a host, and how soon an artist sees a changed setting.

The first part renders 1080p float frames through a service whose pictures are a formula, so that what remains is the
plugin: looking at frames, sharing them, writing the result. The second part times the real service on a smaller clip.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.ofx_host import ArrayClip, Effect, Host
from tests.ofx_host.native import ROOT
from tests.ofx_host.private_service import BUNDLE, private_service

BAR = 4.0
"""The plugin's own time for a frame of a sequence, in copies of that frame."""

LARGE = (1080, 1920)
SMALL = (360, 640)
SEQUENCE = range(13)  # what one window of 17 keeps, and so computes once
FRAMES_SEEN = 15  # of the clip's frames, by that window
PLUGIN_STAGES = ("hash", "copy_in", "copy_out")  # "fetch" is the host's, "wait" the service's
ROUNDS = 5
FORMULA_SERVICE = ROOT / "tests" / "ofx_plugin" / "formula_service.py"


Sequence = list[dict[str, float]]
"""Of each render in SEQUENCE: seconds by stage of the plugin."""


def main() -> int:
    """Print both tables; 1 when the plugin's own time misses the bar."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["STEREO_CONVERT_TRACE"] = str(Path(folder) / "trace.jsonl")
        met = bench_plugin(Path(folder))
        bench_artist()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if not met:
        print(f"the plugin's own time is above the bar of {BAR:g} x memcpy", file=sys.stderr)
    return 0 if met else 1


def bench_plugin(folder: Path) -> bool:
    """Time sequences of new frames and of frames that the service holds; whether new ones meet the bar."""
    with formula_service(folder), effect_in("natron") as effect:
        frame_bytes = 4 * 4 * LARGE[0] * LARGE[1]
        new, known = [], []
        for number in range(ROUNDS):
            effect.set_clip("Source", ArrayClip(noise(number, LARGE)))
            new.append(render_sequence(effect))
            effect.set("disparity", 3.0 + number)
            known.append(render_sequence(effect))
        memcpy_ms = copy_ms(frame_bytes)
    print(f"1080p float RGBA, {frame_bytes / 1e6:.1f} MB, ms a frame outside the service, best of {ROUNDS}")
    print(f"{'':28}" + "".join(f"{name:>10}" for name in (*PLUGIN_STAGES, "all", "x memcpy")))
    rows = {"first sequence, cold memory": new[:1], "new frames": new, "known frames, slider moved": known}
    multiples = {}
    for name, sequences in rows.items():
        stages_ms = frame_ms(sequences)
        multiples[name] = sum(stages_ms) / memcpy_ms
        print(f"{name:28}" + "".join(f"{figure:10.2f}" for figure in (*stages_ms, sum(stages_ms), multiples[name])))
    print(f"memcpy {memcpy_ms:.2f} ms; bar for new frames: {BAR:g} x")
    return multiples["new frames"] <= BAR


def bench_artist() -> None:
    """Time what an artist waits for: the first picture, and a changed setting with depth known and not."""
    clip = ArrayClip(moving(SMALL))
    viewer, final = {"interactive": True}, {}
    print(f"\n{SMALL[1]}x{SMALL[0]} float RGBA, SASI, the service on this machine: ms until the picture, ms for depth")
    with private_service():
        with effect_in("natron") as effect:
            effect.set_clip("Source", clip)
            show("first picture, no service yet", effect, 5, viewer)
            show("viewer, next frame", effect, 6, viewer)
            effect.set("disparity", 3.0)
            show("viewer, slider moved", effect, 6, viewer)
            show("final, 17 frames, depth unknown", effect, 6, final)
            effect.set("disparity", 3.5)
            show("final, slider moved", effect, 6, final)
            effect.set("dilation", "7")
            show("final, dilation changed", effect, 6, final)
            show("final, the next frame", effect, 7, final)
        with effect_in("resolve") as effect:
            effect.set_clip("Source", clip)
            show("first picture of another host", effect, 8, viewer)
    with private_service() as service, effect_in("natron", write_log=True) as effect:
        effect.set_clip("Source", clip)
        open_project(effect, service.folder / "plugin.log")
        show("first picture, warmed up before", effect, 5, viewer)


def open_project(effect: Effect, log: Path) -> None:
    """Make the instance as an opening project does, and wait until the plugin has warmed the service up."""
    assert effect.instance is not None
    while not (log.exists() and "warm-up done" in log.read_text()):
        time.sleep(0.01)


def show(name: str, effect: Effect, number: int, how: dict) -> None:
    """Render one frame and print its row."""
    trace().unlink(missing_ok=True)
    start = time.perf_counter()
    effect.render(number, **how)
    total_ms = 1e3 * (time.perf_counter() - start)
    service_s = json.loads(trace().read_text().splitlines()[-1])["service_s"]
    depth = f"{1e3 * service_s['depth']:10.1f}" if "depth" in service_s else f"{'-':>10}"
    print(f"{name:34}{total_ms:10.1f}{depth}", flush=True)


def render_sequence(effect: Effect) -> Sequence:
    """Render SEQUENCE as a host exports it; the times are those of the trace."""
    trace().unlink(missing_ok=True)
    for _ in effect.render_range(SEQUENCE, sequential=True):
        pass
    lines = [json.loads(line)["plugin_s"] for line in trace().read_text().splitlines()]
    assert len(lines) == len(SEQUENCE)
    return lines


def frame_ms(sequences: list[Sequence]) -> list[float]:
    """Mean ms a frame of each PLUGIN_STAGES; of each render the best of all sequences: others use this machine too."""
    return [
        1e3 * sum(min(s[index].get(stage, 0.0) for s in sequences) for index in range(len(SEQUENCE))) / len(SEQUENCE)
        for stage in PLUGIN_STAGES
    ]


def copy_ms(size: int) -> float:
    """Copy that many bytes within warm memory, the best of many."""
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def trace() -> Path:
    """The file that the plugin writes its times into."""
    return Path(os.environ["STEREO_CONVERT_TRACE"])


def noise(seed: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """FRAMES_SEEN frames that nobody has seen before; opaque."""
    frames = np.random.default_rng(seed).random((FRAMES_SEEN, *size, 4), np.float32)
    frames[..., 3] = 1
    return frames


def moving(size: tuple[int, int]) -> NDArray[np.float32]:
    """A textured scene with a near disc that moves."""
    from tests.ofx_host.render_orders import moving_frames

    return moving_frames(20, size)


@contextmanager
def effect_in(personality: str, **params: Any) -> Iterator[Effect]:
    """The effect with its defaults in a host that only renders; unloaded again, so that its connection ends."""
    with Host(personality, verify_inputs=False) as host:
        yield host.load(BUNDLE).create("Filter", timeout=600.0, **params)


@contextmanager
def formula_service(folder: Path) -> Iterator[None]:
    """Let the plugin start a service that needs next to no time for a picture."""
    program = folder / "formula-service"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FORMULA_SERVICE}" "$@"\n')
    program.chmod(0o700)
    before = os.environ.get("STEREO_CONVERT_SERVICE")
    os.environ["STEREO_CONVERT_SERVICE"] = str(program)
    try:
        with private_service():
            yield
    finally:
        if before is None:
            del os.environ["STEREO_CONVERT_SERVICE"]
        else:
            os.environ["STEREO_CONVERT_SERVICE"] = before


if __name__ == "__main__":
    sys.exit(main())
