"""What a run tells TensorBoard: `tensorboard --logdir runs` shows losses, rate, scores and pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
from torch import Tensor

from model.errors import SettingsError


class RunLog:
    """Event files in a run's output folder; a resumed run goes on in them, and what it repeats counts once."""

    def __init__(self, output: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise SettingsError(
                f"TensorBoard's logs need {error.name}, which is not installed: pip install 'stereo-convert[train]'"
            ) from error
        self._output = output
        self._writer = SummaryWriter(output, purge_step=step + 1)

    def scalars(self, group: str, values: dict[str, float], step: int) -> None:
        """Note numbers as GROUP/NAME."""
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
        self._writer.flush()

    def picture(self, sheet: Tensor, step: int) -> None:
        """Note a picture (H, W, 3) uint8, and write it as preview_STEP.png."""
        self._writer.add_image("preview", sheet.numpy(), step, dataformats="HWC")
        self._writer.flush()
        cv2.imwrite(str(self._output / f"preview_{step:06d}.png"), sheet.numpy()[..., ::-1])

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
