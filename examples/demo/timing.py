"""Where the time of a render went: host, transport, and the stages of the model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

MODEL_STAGES = ("depth", "warp", "fill", "composite")


@dataclass
class Split:
    """Wall time of a number of frames, and what of it each stage took.

    `transport` is what the plugin spent on moving pixels and waiting beyond the model's own stages: copies into and
    out of shared memory, queue, gRPC. `host` is the rest: the host's clips and checks, reading and hashing frames.
    """

    frames: int = 0
    wall_s: float = 0.0
    start_s: float = 0.0  # finding, or starting, the service
    transport_s: float = 0.0
    model_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MODEL_STAGES, 0.0))

    @property
    def host_s(self) -> float:
        """What no other stage took."""
        return self.wall_s - self.start_s - self.transport_s - sum(self.model_s.values())

    @property
    def frames_per_second(self) -> float:
        """Frames for each second of waiting, the start of the service apart."""
        return self.frames / (self.wall_s - self.start_s)

    def add_trace(self, path: Path) -> None:
        """Add what the plugin traced (STEREO_CONVERT_TRACE: one JSON object for each render)."""
        for line in path.read_text().splitlines():
            render = json.loads(line)
            plugin_s, service_s = render["plugin_s"], render["service_s"]
            waited_s = plugin_s.get("wait", 0.0) + plugin_s.get("copy_in", 0.0) + plugin_s.get("copy_out", 0.0)
            computed_s = {stage: service_s.get(stage, 0.0) for stage in MODEL_STAGES}
            for stage, seconds in computed_s.items():
                self.model_s[stage] += seconds
            self.transport_s += waited_s - sum(computed_s.values())
            self.start_s += plugin_s.get("connect", 0.0)

    def text(self) -> str:
        """Two lines: frames a second, then milliseconds a frame for each stage."""
        stages_s = {"host": self.host_s, "transport": self.transport_s, **self.model_s}
        split = " · ".join(f"{stage} {1e3 * seconds / self.frames:.0f}" for stage, seconds in stages_s.items())
        return f"{self.frames} frames, {self.frames_per_second:.2f} frames/s\nms a frame: {split}"
