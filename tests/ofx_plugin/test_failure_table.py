"""docs/failures.md promises nothing that no test keeps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"P": ROOT / "tests/ofx_plugin", "H": ROOT / "tests/ofx_host"}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/failures.md").read_text().splitlines()
    if line.startswith("|") and "::" in line
]


def test_the_table_is_read():
    assert len(ROWS) > 25


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_names_a_status_and_a_test_that_exists(row):
    _, _, status, reference = row
    assert status in ("OK", "Failed", "ErrMemory", "–")
    folder, file, name = re.fullmatch(r"([PH])/(test_\w+\.py)::(test_\w+)", reference).groups()
    assert re.search(rf"^def {name}\(", (FOLDERS[folder] / file).read_text(), re.MULTILINE)
