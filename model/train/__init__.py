"""Offline training and evaluation: `python -m model.train FILE.toml`."""
