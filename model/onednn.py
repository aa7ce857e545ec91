"""How many compiled operations torch's oneDNN keeps: by its own rule 1,024, one for every shape it has met.

Tokens are as many as holes ask for, so that nearly every step brings a new shape: each of its operations is compiled
and kept, tens of kilobytes strewn over the heap between tensors of megabytes, whose room then cannot be joined again.
Training `lite` so grew by 5 MB a step, and stands still with few; a service kept 45 kB of each window.
"""

from __future__ import annotations

import os

_VARIABLE = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
OPERATIONS = 64
"""More than a step has of fixed shapes: LPIPS, the most, has 33."""


def keep_few_operations() -> None:
    """Limit what oneDNN keeps, unless the environment says how much; for a `main`, before the first operation."""
    os.environ.setdefault(_VARIABLE, str(OPERATIONS))
