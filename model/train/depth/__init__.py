"""The embedded depth network that was tried against Draft: `python -m model.train.depth` (docs/results/depth.md)."""
