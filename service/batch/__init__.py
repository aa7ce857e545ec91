"""Files to files: what `python -m service render` does, for one clip or a night of them."""
