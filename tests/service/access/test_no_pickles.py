"""Loading weights runs no code: what serves never unpickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
CALLS = {"torch.load", "torch.jit.load", "pickle.load", "pickle.loads"}


def unpickles(source: str) -> list[str]:
    """Imports and calls in Python source that may run code from a file."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(node.module)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            allows = any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords)
            found += [called] if called in CALLS or allows else []
    return found


def test_what_unpickles_is_seen():
    source = "import pickle\nfrom dill import loads\ntorch.load(f)\nnp.load(f, allow_pickle=True)\nnp.load(f)"
    assert unpickles(source) == ["pickle", "dill", "torch.load", "np.load"]


@pytest.mark.parametrize("package", ["service", "model"])
def test_nothing_that_serves_unpickles(package):
    files = [path for path in sorted((ROOT / package).rglob("*.py")) if "train" not in path.parts]
    assert len(files) > 20
    assert {path.name: found for path in files if (found := unpickles(path.read_text()))} == {}
