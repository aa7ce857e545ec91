"""Depth: from a depth clip or an estimator to disparity in px.

frames ─ estimators ─ stabilise ─┐
                                 ├─ depth ─ unknown ─ range ─ disparity ─ resample ─> disparity (T, 1, H, W) px
depth clip ──────────────────────┘            └ cuts, anchors, scale └ floating_window
"""
