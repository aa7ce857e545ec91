"""An upgrade in the middle of the day: a plugin one minor version newer or older than the service is served."""

from __future__ import annotations

import grpc
import pytest

from service.client import Request
from service.wire.window_plan import CONTRACT_VERSION
from tests.service.window_calls import status, talk

OF_LATER = b"\x9a\x06\x03new"  # field 99 of any message, three bytes


def header_of(client, small, version: int):
    header = client.header([bytes(48)], small)
    header.contract_version = version
    return header


def talk_as(client, header, beside: bytes = b"") -> list:
    """Send a window whose header has further fields, and its frame; what comes back."""
    newer = type(header).FromString(header.SerializeToString() + beside)
    pixels = Request()
    pixels.chunk.content_key, pixels.chunk.data = header.frames[0].content_key, bytes(48)
    return talk(client, Request(header=newer), pixels)


def test_a_newer_plugin_may_say_more_than_we_know(client, small):
    answers = talk_as(client, header_of(client, small, CONTRACT_VERSION + 1), OF_LATER)
    assert answers[-1].WhichOneof("message") == "summary"


def test_settings_that_only_the_newer_plugin_knows_are_told_of(client, small):
    header = header_of(client, small, CONTRACT_VERSION + 1)
    header.settings.MergeFromString(OF_LATER)
    told = "the service is older than the plugin and does not know a setting of it; update the service"
    assert told in talk_as(client, header)[-1].summary.warnings


def test_an_older_plugin_is_served_by_a_newer_service(client, small, monkeypatch):
    monkeypatch.setattr("service.wire.window_plan.CONTRACT_VERSION", CONTRACT_VERSION + 1)
    answers = talk_as(client, header_of(client, small, CONTRACT_VERSION))
    assert answers[-1].WhichOneof("message") == "summary"


@pytest.mark.parametrize(
    ("ours", "theirs", "older"), [(1000, 1002, "service"), (1000, 2000, "service"), (1002, 1000, "plugin")]
)
def test_further_apart_the_older_side_is_named(client, small, monkeypatch, ours, theirs, older):
    monkeypatch.setattr("service.wire.window_plan.CONTRACT_VERSION", ours)
    code, message = status(lambda: talk_as(client, header_of(client, small, theirs)))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert f"update the {older}" in message
