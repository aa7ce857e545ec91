"""A tiny Wan member, a folder of two photos, and a run's configuration in small."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.wan_models import save_member

STAGES = """
[lora]
rank = 2
alpha = 4.0
[run]
device = "cpu"
precision = "fp32"
warmup = 1
micro_batch = 1
save_every = 1
validate_every = 2
validation_windows = 1
[stage1]
steps = 2
batch = 2
rate = 1e-2
masks = "random"
sizes = [[32, 48], [48, 32]]
frames = 5
[stage2]
steps = 1
masks = "projected"
sizes = [[32, 48]]
frames = 5
one_step_share = 1.0
[stage3]
steps = 1
masks = "projected"
sizes = [[32, 48]]
frames = 5
teacher_steps = 2
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    save_member(tmp_path / "wan")
    rng = np.random.default_rng(0)
    (tmp_path / "media").mkdir()
    for name in ("near.png", "far.png"):
        picture = cv2.resize(rng.integers(0, 256, (9, 20, 3), dtype=np.uint8), (160, 120))
        cv2.imwrite(str(tmp_path / "media" / name), picture)
    path = tmp_path / "run.toml"
    folders = "".join(f'{name} = "{tmp_path / name}"\n' for name in ("media", "output"))
    path.write_text(f'weights = "{tmp_path / "wan"}"\n{folders}{STAGES}')
    return path
