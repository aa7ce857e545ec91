"""Fetch the files of a model by HTTP: resumed where it stopped, never more than expected, hash checked."""

from __future__ import annotations

import errno
import http.client
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from model.depth.model_folder import FileRecord, check_file
from model.errors import WeightsError

TIMEOUT_S = 30.0
ATTEMPTS = 3
"""Connections to try for one file; a broken one goes on where the last one stopped."""

_BLOCK_BYTES = 1 << 18
_SPARE_BYTES = 16 << 20  # disk space to leave, for the manifest and everybody else

Progress = Callable[[int], object]
"""Told the number of bytes that came."""


class DownloadError(WeightsError):
    """A file that could not be fetched; what came of it is kept for the next try unless it is wrong."""


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise DownloadError when the disk of `folder` has no room for `needed_bytes` more."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + _SPARE_BYTES:
        raise DownloadError(
            f"expected {(needed_bytes + _SPARE_BYTES) / 1e6:.0f} MB free in {folder}, found {free / 1e6:.0f} MB; "
            "free some space or set STEREO_CONVERT_MODELS to a folder on a larger disk"
        )


def download(url: str, target: Path, record: FileRecord, progress: Progress = lambda _: None) -> None:
    """Fetch `url` into `target` and check it against `record`; a part of it that is there already is kept.

    Raises DownloadError: not found, unreachable, cut short, too long, no space, or another hash (then nothing is kept).
    """
    if target.exists() and target.stat().st_size > record.size_bytes:
        target.unlink()
    have = _size(target)
    progress(have)
    reason = ""
    for _ in range(ATTEMPTS):
        if _size(target) == record.size_bytes:
            break
        reason = _continue(url, target, record, progress)
    if _size(target) != record.size_bytes:
        raise DownloadError(
            f"{url} is incomplete: expected {record.size_bytes} bytes, have {_size(target)} ({reason}); "
            "run the same command again to go on from there"
        )
    try:
        check_file(target, record)
    except WeightsError as error:
        target.unlink()
        raise DownloadError(f"what came from {url} is not the known file: {error}; nothing of it is kept") from None


def _continue(url: str, target: Path, record: FileRecord, progress: Progress) -> str:
    """Append what one connection gives; returns why it ended. Raises DownloadError when trying again is useless."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity", "User-Agent": "stereo-convert"})
    start = _size(target)
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            if start and not _continues_at(answer, start):  # a server without ranges sends all of it again
                progress(-start)
                target.unlink()
            return _append(answer, target, record, progress)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            progress(-start)
            target.unlink()
            return "the server has a shorter file"
        if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"the server answered {error.code} {error.reason}"
        raise DownloadError(f"{url}: the server answered {error.code} {error.reason}; is the address right?") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        return f"the connection failed: {getattr(error, 'reason', None) or error!r}"


def _continues_at(answer: http.client.HTTPResponse, start: int) -> bool:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return answer.status == http.HTTPStatus.PARTIAL_CONTENT and found is not None and int(found[1]) == start


def _append(answer: http.client.HTTPResponse, target: Path, record: FileRecord, progress: Progress) -> str:
    try:
        with target.open("ab") as file:
            while block := answer.read1(_BLOCK_BYTES):  # what is there: a kill loses little
                if file.tell() + len(block) > record.size_bytes:
                    break
                file.write(block)
                progress(len(block))
            else:
                return "the connection ended early"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(
                f"the disk of {target.parent} is full after {_size(target)} bytes; free some space and run the same "
                "command again to go on from there"
            ) from None
        raise
    target.unlink()
    raise DownloadError(
        f"{answer.url} is no known file: expected {record.size_bytes} bytes, more came; nothing is kept"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
