"""Malformed requests against a service of its own: `python -m tests.service.fuzz --count 100000`, or `make fuzz`.

Each must get a status that fits, or its connection closed; the service must stay up, answer sound windows with the
right bits, hold no more of the machine than before, and write nothing outside its folder. `--only N` repeats one.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
from grpc import StatusCode

from service.client import ServiceClient, SharedStore
from service.local_service import LocalService
from service.wire.frame_wire import FrameFormat
from tests.service import http2_garbage, watched_service
from tests.service.footprint import Footprint, footprint
from tests.service.fuzz_messages import Attempt, Conversations, attempt

ROUNDS = 40
"""The run is cut into so many; between two of them the service is looked at."""

CLIENTS = 4
BELOW_GRPC = 0.2
"""Share of the attempts that speak no gRPC."""

HANG_S = 60.0
REST_S = 20.0
"""How long what the last call held may take to be given back."""

ALLOWED = {
    StatusCode.OK,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.NOT_FOUND,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.UNIMPLEMENTED,
}
_COMPLAINT = re.compile(r" ERROR | CRITICAL |Traceback|bug:")


class WatchedService(LocalService):
    """Listens on a socket and on loopback TCP, with its home and its folder for temporary files inside `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "--listen", "127.0.0.1:0", "--token-file", str(folder / "token"))
        at = self._command.index("service")
        self._command[at : at + 1] = ["tests.service.watched_service", str(folder)]
        self.folder = folder

    @property
    def log(self) -> str:
        """All that it logged."""
        return self._log.read_text()

    @property
    def port(self) -> int:
        """Of TCP."""
        found = re.search(r"listening on port (\d+)", self.log)
        assert found, "the service says where it listens"
        return int(found[1])

    @property
    def outside(self) -> list[str]:
        """What it changed outside of its folder."""
        return (self.folder / watched_service.REPORT).read_text().splitlines()


@dataclass
class FuzzResult:
    """What was seen."""

    statuses: Counter[str] = field(default_factory=Counter)  # by kind of attempt and answer
    wrong: list[str] = field(default_factory=list)
    held: list[Footprint] = field(default_factory=list)  # after each round, at rest
    sound_windows: int = 0
    seconds: float = 0.0
    log_bytes: int = 0

    @property
    def growth(self) -> float:
        """Memory of the last quarter against that of the second, as a share."""
        quarter = len(self.held) // 4
        if quarter == 0:
            return 0.0
        before, after = self.held[quarter : 2 * quarter], self.held[-quarter:]
        return _median_mib(after) / _median_mib(before) - 1.0


class Fuzzer:
    """Throws attempts at one service. `seed` and the number of an attempt say what it is."""

    def __init__(self, service: WatchedService, seed: int) -> None:
        self._service = service
        self._seed = seed
        self._token = (service.folder / "token").read_text().strip()
        self._target = f"unix:{service.socket}"
        self._sound = ServiceClient(self._target)
        self._store = SharedStore(self._sound.stub, 16384)
        self._conversations = Conversations(self._sound, self._store.store_id)
        self._channels = threading.local()
        self._clients = ThreadPoolExecutor(CLIENTS)
        self._lock = threading.Lock()
        self.result = FuzzResult()

    def run(self, numbers: Iterable[int]) -> None:
        """One round: all of these attempts, then a sound window and a look at the service."""
        for _ in self._clients.map(self.one, numbers):
            pass
        self._check_sound_window()
        if self._service.process.poll() is None:
            self.result.held.append(self._at_rest())

    def one(self, number: int) -> None:
        """One attempt; what is wrong with the answer goes into the result."""
        chance = random.Random(f"{self._seed}:{number}")
        if chance.random() < BELOW_GRPC:
            kind, answer = "below gRPC", self._below_grpc(chance)
        else:
            tried = attempt(chance, self._conversations, self._token)
            kind, answer = tried.kind, self._call(tried)
        with self._lock:
            self.result.statuses[f"{kind}: {answer.split(':')[0]}"] += 1
            if ":" in answer:
                self.result.wrong.append(f"attempt {number}, {kind}: {answer}")

    def close(self) -> None:
        """Stop the service and look at what it leaves."""
        self._clients.shutdown()
        with suppress(grpc.RpcError):  # it is dead
            self._store.close()
        self._sound._channel.close()
        self._service.process.send_signal(signal.SIGTERM)
        try:
            code = self._service.process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            code = "nothing, it did not end"
        wrong, log = self.result.wrong, self._service.log
        if code != 0:
            wrong.append(f"the service ended with {code}")
        wrong += [f"outside its folder: {line}" for line in self._service.outside]
        wrong += [f"in the log: {line}" for line in log.splitlines() if _COMPLAINT.search(line)][:20]
        if self._token in log:
            wrong.append("the token is in the log")
        self.result.log_bytes = len(log)

    def _below_grpc(self, chance: random.Random) -> str:
        try:
            http2_garbage.answer_to(self._service.socket, http2_garbage.connection(chance))
        except TimeoutError:
            return "hang: the connection stays open after its end"
        except OSError as error:
            return f"crash: {error}"
        return "closed"

    def _call(self, tried: Attempt) -> str:
        """The name of the status; followed by a colon and the reason when it is wrong."""
        needs_token = tried.kind == "wrong token"
        call = self._channel(tcp=needs_token).stream_stream(tried.method)
        answers = call(iter(tried.messages), timeout=HANG_S, metadata=tried.metadata)
        with suppress(grpc.RpcError):
            for count, _ in enumerate(answers):
                if tried.hang_up_after is not None and count >= tried.hang_up_after:
                    answers.cancel()
        code, details = answers.code(), answers.details() or ""
        allowed = {StatusCode.UNAUTHENTICATED} if needs_token else ALLOWED
        if tried.hang_up_after is not None:
            allowed = ALLOWED | {StatusCode.CANCELLED}
        if code not in allowed:
            return f"{code.name}: {details}"
        if self._token in details or str(self._service.folder) in details:
            return f"{code.name}: the details tell a secret: {details}"
        return code.name

    def _channel(self, tcp: bool) -> grpc.Channel:
        """This thread's own connection."""
        name = "tcp" if tcp else "unix"
        if not hasattr(self._channels, name):
            target = f"127.0.0.1:{self._service.port}" if tcp else self._target
            setattr(self._channels, name, grpc.insecure_channel(target, (("grpc.use_local_subchannel_pool", 1),)))
        return getattr(self._channels, name)

    def _check_sound_window(self) -> None:
        """A float frame with disparity 0 comes back bit for bit."""
        frame_format = FrameFormat(16, 12, np.dtype("<f4"), 3)
        frame = np.random.default_rng(self.result.sound_windows).random(16 * 12 * 3, np.float32).tobytes()
        header = self._sound.header([frame], frame_format, wanted=[0])
        header.settings.disparity = 0.0
        try:
            right = self._sound.convert(header, [frame], timeout_s=HANG_S).frames[0] == frame
        except grpc.RpcError as error:
            self.result.wrong.append(f"a sound window was refused: {error}")
            return
        self.result.sound_windows += 1
        if not right:
            self.result.wrong.append("a sound window came back with other pixels")

    def _at_rest(self) -> Footprint:
        """The footprint, as soon as no region but ours is mapped; as it is, if that never comes."""
        until = time.monotonic() + REST_S
        while (held := footprint(self._service.process.pid)).regions > 1 and time.monotonic() < until:
            time.sleep(0.05)
        return held


def run_fuzz(numbers: range, seed: int, folder: Path, rounds: int = ROUNDS) -> FuzzResult:
    """Throw the attempts of these numbers at a new service, with its folder there."""
    service = WatchedService(folder)
    with service:
        fuzzer = Fuzzer(service, seed)
        began = time.monotonic()
        for number in range(rounds):
            fuzzer.run(numbers[number * len(numbers) // rounds : (number + 1) * len(numbers) // rounds])
            if service.process.poll() is not None:
                fuzzer.result.wrong.append(f"the service died with {service.process.returncode}")
                break
        fuzzer.result.seconds = time.monotonic() - began
        fuzzer.close()
    return fuzzer.result


def _median_mib(held: list[Footprint]) -> float:
    return statistics.median(one.resident_mib for one in held)


def main() -> int:
    """Run, and print what came back; 1 when something was wrong."""
    parser = argparse.ArgumentParser(description="malformed requests against a service")
    parser.add_argument("--count", type=int, default=100_000, metavar="N", help="how many (100000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of all of them (1)")
    parser.add_argument("--only", type=int, metavar="N", help="repeat only this attempt")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        if flags.only is not None:
            result = run_fuzz(range(flags.only, flags.only + 1), flags.seed, Path(folder), rounds=1)
        else:
            result = run_fuzz(range(flags.count), flags.seed, Path(folder))
    print(f"{sum(result.statuses.values())} attempts, seed {flags.seed}, {result.seconds:.0f} s; "
          f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    for kind, times in sorted(result.statuses.items()):
        print(f"{times:8d}  {kind}")
    print(f"sound windows between them: {result.sound_windows}, bit for bit")
    if result.held:
        print(f"at first  {result.held[0]}")
        print(f"at last   {result.held[-1]}; memory {100 * result.growth:+.1f} % since the second quarter")
    print(f"log {result.log_bytes / 2**20:.1f} MiB")
    print(*(result.wrong[:50] or ["nothing wrong"]), sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
