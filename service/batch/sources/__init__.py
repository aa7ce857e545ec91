"""Clips that are read, frame by frame."""
