"""SASI: the sparse one-step diffusion transformer that fills what the other eye has never seen (DESIGN.md §6)."""
