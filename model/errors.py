"""Every error that this project raises on purpose.

    StereoError                  what a caller may catch
    ├── InvalidInputError        ValueError: never valid; the message names field, value and range
    │   ├── ShapeError           sizes or shapes that do not fit together
    │   ├── SettingsError        a setting outside its range
    │   └── FrameFormatError     pixels whose description is wrong or incomplete
    ├── WeightsError             RuntimeError: weights missing, damaged or of another model
    ├── DeviceMemoryError        MemoryError: the device has not enough memory
    └── Cancelled                RuntimeError: the caller asked to stop

A message says what was expected, what came, and what to do. `service/errors.py` turns these into gRPC codes.
"""


class StereoError(Exception):
    """Base of all errors below."""


class InvalidInputError(StereoError, ValueError):
    """Input that can never be valid."""


class ShapeError(InvalidInputError):
    """Sizes or shapes that do not fit together."""


class SettingsError(InvalidInputError):
    """A setting outside its range."""


class FrameFormatError(InvalidInputError):
    """Pixels whose description is wrong or incomplete."""


class WeightsError(StereoError, RuntimeError):
    """Weights that are missing, damaged or made for another model."""


class DeviceMemoryError(StereoError, MemoryError):
    """The device has not enough memory for this window."""


class Cancelled(StereoError, RuntimeError):
    """The caller asked to stop."""
