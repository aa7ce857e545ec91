"""`python -m examples.demo`: what `make demo` runs once everything is built."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from examples.demo import clip, motorcycle
from examples.demo.effect import StereoEffect
from examples.demo.media import BUNNY_CREDIT, PAIR_CREDIT, fetch_bunny

BUILD = Path(__file__).parent.parent.parent / "build"


def main() -> int:
    """Render both examples; return 1 when the right eye misses its bar."""
    arguments = _parse()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with StereoEffect(arguments.bundle) as effect:
        print(f"1/2  {PAIR_CREDIT}\n     the right eye against the real right photograph:\n", flush=True)
        comparisons, files = motorcycle.run(effect, arguments.out)
        print(motorcycle.table(comparisons), end="\n\n")

        print(
            f"2/2  {BUNNY_CREDIT}\n     {arguments.frames} frames, depth estimated from the clip alone:\n", flush=True
        )
        source = clip.read_clip(fetch_bunny(BUILD / "media"), arguments.frames)
        effect.forget_times()
        right_eye, movies = clip.render_movies(effect, source, arguments.out)
        print(f"\n{effect.times().text()}\n")
        files += [*movies, clip.render_sheet(effect, source, right_eye, arguments.out)]
    print("\nWritten:", *(f"  {os.path.relpath(path)}" for path in files), sep="\n")
    if comparisons[0].gain_db < motorcycle.BAR_DB:
        print(f"the right eye gains less than {motorcycle.BAR_DB:g} dB over a plain warp", file=sys.stderr)
        return 1
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=BUILD / "StereoConvert.ofx.bundle", help="the built plugin")
    parser.add_argument("--out", type=Path, default=BUILD / "demo", help="folder for the results (build/demo)")
    parser.add_argument("--frames", type=int, default=65, help="frames of the clip, 1..132 (65: five windows)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
