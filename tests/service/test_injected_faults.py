from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.service.injected_faults import InjectedFaults

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the faults are compiled")

DAY_S = 86_400
REPORT = """
import os, sys, time
for _ in sys.stdin:
    before = time.monotonic()
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    os.write(file, b"x")
    os.fsync(file)
    print(time.time(), time.monotonic(), time.monotonic() - before, flush=True)
"""


@pytest.fixture
def faults(tmp_path):
    return InjectedFaults(tmp_path, "one")


@pytest.fixture
def ask(faults, tmp_path):
    """(wall clock, monotonic clock, how long a write took) of a process that lives on between two questions."""
    process = subprocess.Popen(
        [sys.executable, "-c", REPORT, tmp_path / "out"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=faults.environment,
        text=True,
    )

    def answer() -> tuple[float, ...]:
        process.stdin.write("\n")
        process.stdin.flush()
        return tuple(map(float, process.stdout.readline().split()))

    yield answer
    process.stdin.close()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
def test_the_wall_clock_jumps_while_the_process_runs_and_the_other_clock_does_not(faults, ask, jump_s):
    wall_s, monotonic_s, _ = ask()
    faults.shift_clock(jump_s)
    later_wall_s, later_monotonic_s, _ = ask()
    elapsed_s = later_monotonic_s - monotonic_s
    assert 0 < elapsed_s < DAY_S / 2
    assert later_wall_s - wall_s - jump_s == pytest.approx(elapsed_s, abs=60)


def test_a_slow_disk_delays_each_write_and_no_clock(faults, ask):
    faults.delay_writes(0.2)
    assert ask()[2] >= 0.4  # a write and a wait for the disk
    faults.delay_writes(0.0)
    faults.shift_clock(5)
    faults.delay_writes(0.1)
    assert ask()[2] >= 0.2


def test_two_processes_have_faults_of_their_own(faults, tmp_path):
    other = InjectedFaults(tmp_path, "two")
    faults.shift_clock(DAY_S)
    now = [sys.executable, "-c", "import time; print(time.time())"]
    first, second = (float(subprocess.check_output(now, env=f.environment)) for f in (faults, other))
    assert first - second == pytest.approx(DAY_S, abs=60)
