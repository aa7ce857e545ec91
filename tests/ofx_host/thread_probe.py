"""`python -m tests.ofx_host.thread_probe`: chunks from Python's own gRPC client to its own server, in one process.

Nothing of the plugin takes part. Started with libtsan.so of GCC 12 and libstdc++.so.6 in LD_PRELOAD no frame arrives
and the call ends by its deadline; without them it takes a fraction of a second. So sanitize.sh runs no test that sends
chunks under the thread sanitizer. Exit code 1: they did not arrive.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import grpc
import numpy as np

from service.client import ServiceClient
from service.config import ServiceLimits
from service.wire.frame_wire import FrameFormat
from tests.ofx_plugin.formula_service import FormulaModel, ServiceThread

SIZE = (100, 200)  # height, width
PATIENCE_S = 60.0


def main() -> int:
    """Send a window of 17 frames, 0.3 MiB each, and say whether its results came."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        service = ServiceThread(Path(folder), FormulaModel(), limits=ServiceLimits(max_stores=0))
        pixels = FrameFormat(SIZE[1], SIZE[0], np.dtype(np.float32), 4)
        frames = [np.full((*SIZE, 4), number, np.float32).tobytes() for number in range(17)]
        with ServiceClient(service.address) as client:
            try:
                client.convert(client.header(frames, pixels, wanted=range(2, 15)), frames, timeout_s=PATIENCE_S)
            except grpc.RpcError as error:
                print(f"no frame arrived: {error.code()}")
                return 1
            finally:
                service.stop()
    print("all frames arrived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
