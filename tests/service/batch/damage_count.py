"""How much of randomly damaged H.264 is told: python -m tests.service.batch.damage_count CLIP ... [--flips M]

Bits of the picture's packets are turned over; what is told is counted among the files whose frames then really differ.
Sound clips are read first: whatever is told of them is a false alarm, and printed.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

import av
import numpy as np

from service.batch.errors import UnreadableError
from service.batch.sources.av_footage import AvFootage
from service.batch.sources.ffmpeg_complaints import ffmpeg_complaints

HOW = ("refused", "decoder", "check", "")
"""Ways in which damage is told; the last is not at all."""


def read(path: Path) -> tuple[list[bytes], str]:
    """Frames by their bytes, and how damage was told: one of HOW."""
    frames: list[bytes] = []
    try:
        with ffmpeg_complaints() as complaints:
            footage = AvFootage(path)
            frames += [np.ascontiguousarray(frame.image).tobytes() for frame in footage.frames()]
    except UnreadableError:
        return frames, "refused"
    return frames, "decoder" if complaints else "check" if any("damaged" in note for note in footage.notes) else ""


def damaged(content: bytes, packets: list[tuple[int, int]], flips: int, values: random.Random) -> bytes:
    """The same file with so many bits of its packets turned over."""
    spoiled = bytearray(content)
    for _ in range(flips):
        start, size = values.choice(packets)
        bit = values.randrange(8 * size)
        spoiled[start + bit // 8] ^= 1 << bit % 8
    return bytes(spoiled)


def count_told(clip: Path, each: int, most_flips: int, values: random.Random) -> dict[str, int]:
    """Spoil a clip again and again; how many differ, and how they were told."""
    content, (frames, told) = clip.read_bytes(), read(clip)
    if told:
        print(f"{clip.name}: FALSE ALARM of a sound clip ({told})")
    with av.open(str(clip)) as container:
        packets = [
            (packet.pos, packet.size) for packet in container.demux(video=0) if packet.size and packet.pos is not None
        ]
    counts: dict[str, int] = dict.fromkeys(HOW, 0)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(each):
            path = Path(folder) / clip.name
            path.write_bytes(damaged(content, packets, values.randint(1, most_flips), values))
            result, told = read(path)
            if result != frames:
                counts[told] += 1
    return counts


def main() -> None:
    """Print a line for each clip, then the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--each", type=int, default=20, help="damaged files of each clip (20)")
    parser.add_argument("--flips", type=int, default=1, help="bits turned over in a file, at most (1)")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    values, total = random.Random(flags.seed), dict.fromkeys(HOW, 0)
    for clip in flags.clips:
        counts = count_told(clip, flags.each, flags.flips, values)
        print(f"{clip.name}: {_line(counts)}", flush=True)
        total = {how: total[how] + counts[how] for how in total}
    print(f"all: {_line(total)}")


def _line(counts: dict[str, int]) -> str:
    differ = sum(counts.values())
    return (f"{differ} differ, {differ - counts['']} told (refused {counts['refused']}, FFmpeg {counts['decoder']}, "
            f"our check {counts['check']}), {counts['']} silent")  # fmt: skip


if __name__ == "__main__":
    main()
