"""Make training data: `python -m model.data pairs VIDEO_DIR -o DIR`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from model.data.pair_folder import write_pairs
from model.data.pairs import PairRules
from model.depth.estimators import find_estimator
from model.errors import StereoError


def main() -> int:
    """Parse the command line and run; 0 = done, 2 = wrong input."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        rules = PairRules(
            seed=arguments.seed,
            frames=arguments.frames,
            every=arguments.every,
            width=arguments.width,
            least_disparity=arguments.disparity[0],
            most_disparity=arguments.disparity[1],
        )
        count = write_pairs(
            arguments.clips, arguments.output, rules, find_estimator(arguments.estimator), arguments.license
        )
    except StereoError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count} pairs in {arguments.output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    rules = PairRules()
    parser = argparse.ArgumentParser(prog="python -m model.data", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    pairs = verbs.add_parser(
        "pairs",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        help="pseudo-stereo training pairs from mono clips (PBDP)",
        description="Make training pairs from every clip below a folder. Stopped at any moment, the same command "
        "goes on where it was and ends with the same bytes.",
    )
    pairs.add_argument("clips", type=Path, metavar="VIDEO_DIR", help="folder of clips")
    pairs.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="folder of the pairs")
    pairs.add_argument("--estimator", default="Draft", help="depth estimator: Draft or an installed model")
    pairs.add_argument("--seed", type=int, default=rules.seed, help="of each clip's disparity and convergence")
    pairs.add_argument("--frames", type=int, default=rules.frames, help="frames in a pair")
    pairs.add_argument("--every", type=int, default=rules.every, help="frames from one pair's start to the next's")
    pairs.add_argument("--width", type=int, default=rules.width, help="px, wider clips are reduced")
    pairs.add_argument(
        "--disparity",
        type=float,
        nargs=2,
        default=(rules.least_disparity, rules.most_disparity),
        metavar=("LEAST", "MOST"),
        help="%% of the width between nearest and farthest, drawn for each clip",
    )
    pairs.add_argument(
        "--license",
        type=_license,
        action="append",
        default=[],
        metavar="PATTERN=SPDX",
        help="licence of the clips whose path fits the pattern, for the manifest; may be repeated",
    )
    return parser


def _license(text: str) -> tuple[str, str]:
    pattern, equals, spdx = text.rpartition("=")
    if not (pattern and equals and spdx):
        raise argparse.ArgumentTypeError(f"expected PATTERN=SPDX, for example '*.mp4=CC-BY-4.0'; got {text!r}")
    return pattern, spdx


if __name__ == "__main__":
    sys.exit(main())
