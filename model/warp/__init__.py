"""GAPW: gradient-aware parallax warping, made aware of depth order (DESIGN.md §5)."""
