"""Every flag that a page is about stands on that page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.__main__ import main

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("verb", "page"), [("serve", "deployment.md"), ("render", "batch.md")])
def test_every_flag_stands_in_the_docs(monkeypatch, capsys, verb, page):
    monkeypatch.setenv("COLUMNS", "200")  # narrower, a flag may be broken at its hyphen
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    flags = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert len(flags) > 15, "the help is written otherwise now: the pattern of this test is out of date"
    told = set(re.findall(r"--[a-z][a-z-]+", (DOCS / page).read_text()))
    assert not flags - told
