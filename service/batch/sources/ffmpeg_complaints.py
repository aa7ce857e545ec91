"""What FFmpeg found wrong with a file and passed over: damage that is concealed must still be told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.batch.media.video_codecs import has_pyav

MOST = 5
"""Different complaints that are kept; a broken file repeats itself."""


@contextmanager
def ffmpeg_complaints() -> Iterator[list[str]]:
    """Listen to FFmpeg's errors of all threads; the list is filled when the block ends, one sentence each."""
    found: list[str] = []
    if not has_pyav():
        yield found
        return
    from av import logging

    level_before = logging.get_level()
    logging.set_level(logging.ERROR)
    try:
        with logging.Capture(local=False) as lines:
            yield found
    finally:
        logging.set_level(level_before)
    distinct = dict.fromkeys(f"FFmpeg found fault ({name}): {' '.join(text.split())}" for _, name, text in lines)
    found += list(distinct)[:MOST]
