"""The example media: what is shipped is what README of examples/ says."""

from __future__ import annotations

import numpy as np

from examples.demo import media


def test_motorcycle_has_the_published_size_and_range():
    pair = media.load_motorcycle()
    assert pair.left.shape == pair.right.shape == (500, 741, 3)
    known = np.isfinite(pair.disparity)
    assert 0.92 < known.mean() < 0.93
    assert pair.disparity[known].min() > 7.19 and pair.disparity[known].max() < 59.92


def test_disparity_has_the_sign_of_the_glossary():
    """Sampling the right photograph at x - disparity is far nearer to the left one than at x + disparity."""
    pair = media.load_motorcycle()
    rows, columns = np.nonzero(np.isfinite(pair.disparity))
    shift = np.rint(pair.disparity[rows, columns]).astype(int)

    def error(sign: int) -> float:
        x = np.clip(columns + sign * shift, 0, 740)
        return float(np.abs(pair.left[rows, columns] - pair.right[rows, x]).mean())

    assert error(-1) < 0.4 * error(+1)


def test_media_that_ships_is_credited_and_small():
    files = [path for path in media.EXAMPLES.iterdir() if path.suffix in {".png", ".mp4", ".npz"}]
    in_documents = list((media.EXAMPLES.parent / "docs" / "images").iterdir())
    assert sum(path.stat().st_size for path in files + in_documents) < 2_000_000
    readme = (media.EXAMPLES / "README.md").read_text()
    assert all(f"`{path.name}`" in readme for path in files)
