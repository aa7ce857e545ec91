"""Measuring fills on any folder of media: `python -m model.evaluate FOLDER`. Tensors in, Markdown out."""
