"""The object behind a frame store: made by a client, opened by the service.

On Linux it is a file of memory (memfd), open in the client and in no folder: however the client ends, nothing of it is
left. It is sealed, so it keeps its size. The service opens it through /proc, where the client has it open. Elsewhere it
is POSIX shared memory, whose name the client takes away once both ends have it mapped.
"""

from __future__ import annotations

import _posixshmem  # pyright: ignore[reportMissingImports] - the standard library's own shm_open, without SharedMemory's tracker and name rules
import errno
import fcntl
import mmap
import os
import re
import secrets

from stereoconvert.v1 import stereo_convert_pb2

from model.errors import InvalidInputError
from service.errors import StoreNotFoundError

NAME = re.compile(r"/stereo-[0-9a-f]{20}")
HAS_MEMORY_FILES = hasattr(os, "memfd_create")

Request = stereo_convert_pb2.ShareFrameStoreRequest


class SharedRegion:
    """Memory that we own and the service may map."""

    def __init__(self, size_bytes: int, is_file: bool = HAS_MEMORY_FILES) -> None:
        """Make `size_bytes` of zeros, as a file of memory or under a name in the system."""
        self.name = f"/stereo-{secrets.token_hex(10)}"
        self.size_bytes = size_bytes
        self._is_file = is_file
        self._fd = self._create()
        try:
            os.ftruncate(self._fd, size_bytes)
            os.fchmod(self._fd, 0o600)
            if is_file:
                fcntl.fcntl(self._fd, fcntl.F_ADD_SEALS, _seals())
            self.memory = mmap.mmap(self._fd, size_bytes)
        except BaseException:
            self.unlink()
            raise

    def _create(self) -> int:
        if self._is_file:
            return os.memfd_create(self.name[1:], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        return _posixshmem.shm_open(self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600)

    def request(self, size_bytes: int | None = None) -> Request:
        """What asks a service to map it; `size_bytes` may be told otherwise than it is."""
        request = Request(name=self.name, size_bytes=self.size_bytes if size_bytes is None else size_bytes)
        if self._is_file:
            request.open_file.process_id = os.getpid()
            request.open_file.descriptor = self._fd
        return request

    def fileno(self) -> int:
        """The descriptor, until `unlink`."""
        return self._fd

    def unlink(self) -> None:
        """Take away what it is found by: who has it mapped keeps it."""
        os.close(self._fd)
        if not self._is_file:
            _posixshmem.shm_unlink(self.name)


def open_region(request: Request) -> int:
    """Open what a client asks to share; the descriptor is the caller's.

    Raises InvalidInputError for a bad name or an object that we may not use, StoreNotFoundError when it is not here.
    """
    if not NAME.fullmatch(request.name):
        raise InvalidInputError('name must be "/stereo-" and 20 hex digits')
    try:
        if request.HasField("open_file"):
            return _open_memory_file(request.name, request.open_file)
        return _posixshmem.shm_open(request.name, os.O_RDWR, mode=0o600)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise StoreNotFoundError("there is no such shared memory object here; use chunks") from None
        # EACCES, EINVAL, ...: it exists but we may not use it.
        raise InvalidInputError(f"the shared memory object cannot be opened ({error.strerror}); use chunks") from None


def _open_memory_file(name: str, place: stereo_convert_pb2.OpenFile) -> int:
    """Open a client's memfd; nothing else that the process has open under this number."""
    path = f"/proc/{place.process_id}/fd/{place.descriptor}"
    _check_link(path, name)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        _check_link(f"/proc/self/fd/{descriptor}", name)  # the client may have put another file there meanwhile
        if fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _seals() != _seals():
            raise InvalidInputError("the shared memory object must be sealed: F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_link(path: str, name: str) -> None:
    try:
        found = os.readlink(path)
    except OSError:  # not there, or of another user: in our namespace the number may be another process
        found = ""
    if found != f"/memfd:{name[1:]} (deleted)":
        raise StoreNotFoundError(
            "the process of that number has no such memory open here (another container or machine?); use chunks"
        )


def _seals() -> int:
    return fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
