from __future__ import annotations

import pytest

from tests.service.load import run_load


@pytest.mark.slow
def test_twenty_clients_share_one_service_and_all_answers_are_right():
    result = run_load(seconds=20.0)
    assert not result.wrong
    assert result.unfairness < 0.2 + result.one_window
    assert result.growth < 0.1
