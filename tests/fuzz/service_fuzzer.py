"""Coverage fuzzer of one target of `service_parsers`: `python -m tests.fuzz.service_fuzzer TARGET [libFuzzer's own]`.

Needs the extra [fuzz]. Coverage is that of the Python code of `service` and `model`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

atheris: Any = import_module("atheris")  # not among what tests and type checkers find installed

with atheris.instrument_imports(include=["service", "model"]):
    from tests.fuzz.service_parsers import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
