"""What the service adds to the tree of `model.errors`, and the one table from errors to gRPC codes.

StereoError
├── StoreNotFoundError     LookupError: no such frame store here
├── QueueFullError         RuntimeError: too many windows; carries a hint when to come back
├── StoresFullError        RuntimeError: too many frame stores
├── ContractSkewError      RuntimeError: plugin and service of versions that do not fit
├── DrainingError          RuntimeError: the service is leaving
├── WorkersLostError       RuntimeError: the workers of a cluster died with a window
├── StalledError           TimeoutError: the client stopped sending or reading
├── CannotListenError      OSError: the socket or port of the service is taken or forbidden
├── ServiceUnreachableError  ConnectionError: (client side) nobody answers
└── Cancelled
    └── DeadlinePassedError   the caller's deadline went by
"""

from __future__ import annotations

from traceback import clear_frames

from grpc import StatusCode

from model.errors import Cancelled, DeviceMemoryError, InvalidInputError, StereoError, WeightsError


class StoreNotFoundError(StereoError, LookupError):
    """No such frame store on this machine, or its stream has ended."""


class QueueFullError(StereoError, RuntimeError):
    """Too many windows wait for a device."""

    def __init__(self, message: str, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class StoresFullError(StereoError, RuntimeError):
    """Too many frame stores are shared with this service."""


class ContractSkewError(StereoError, RuntimeError):
    """Plugin and service speak versions of the contract that do not fit."""


class DrainingError(StereoError, RuntimeError):
    """The service is leaving and takes no new work."""


class WorkersLostError(StereoError, RuntimeError):
    """The workers of a cluster died with a window."""


class StalledError(StereoError, TimeoutError):
    """The client stopped sending or reading."""


class CannotListenError(StereoError, OSError):
    """The socket or port of the service is taken or forbidden."""


class ServiceUnreachableError(StereoError, ConnectionError):
    """Nobody answers at the address of the service."""


class DeadlinePassedError(Cancelled):
    """The caller's deadline went by."""


# The first row whose type matches wins, so a subclass stands above its base.
_CODES: tuple[tuple[type[StereoError], StatusCode], ...] = (
    (DeadlinePassedError, StatusCode.DEADLINE_EXCEEDED),
    (StalledError, StatusCode.DEADLINE_EXCEEDED),
    (Cancelled, StatusCode.CANCELLED),
    (StoreNotFoundError, StatusCode.NOT_FOUND),
    (QueueFullError, StatusCode.RESOURCE_EXHAUSTED),
    (StoresFullError, StatusCode.RESOURCE_EXHAUSTED),
    (DeviceMemoryError, StatusCode.RESOURCE_EXHAUSTED),
    (WeightsError, StatusCode.FAILED_PRECONDITION),
    (ContractSkewError, StatusCode.FAILED_PRECONDITION),
    (DrainingError, StatusCode.UNAVAILABLE),
    (WorkersLostError, StatusCode.UNAVAILABLE),
    (CannotListenError, StatusCode.UNAVAILABLE),
    (ServiceUnreachableError, StatusCode.UNAVAILABLE),
    (InvalidInputError, StatusCode.INVALID_ARGUMENT),
)


def code_of(error: Exception) -> StatusCode:
    """The gRPC code of an error; anything not in the table is a bug: INTERNAL."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), StatusCode.INTERNAL)


def forget_values(error: BaseException) -> None:
    """Free what the functions held that an error and its causes came through.

    An error and what holds it often hold each other; frames and tensors would wait for Python's collector with them.
    Where an error came from is kept for bugs alone: the log shows it of no other.
    """
    is_bug = not isinstance(error, StereoError)
    cause: BaseException | None = error
    while cause is not None:
        clear_frames(cause.__traceback__)
        if not is_bug:
            cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__
