from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from model.errors import InvalidInputError
from service.client import ServiceClient
from service.watching.logs import JsonFormatter, TextFormatter, request_label, set_up_logs
from tests.service.window_calls import status


@pytest.fixture
def log_to(tmp_path):
    """Set the log up as the service does, and return its file; put pytest's own back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def begin(log_format: str):
        file = tmp_path / "service.log"
        set_up_logs("debug", file, log_format)
        return file

    yield begin
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def in_request():
    token = request_label.set("0a1b2c3d")
    yield
    request_label.reset(token)


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error is not None else None
    return logging.LogRecord("service.x", logging.INFO, __file__, 1, message, values, info)


def test_text_outside_of_a_request_names_none():
    assert TextFormatter().format(record("left")).endswith("INFO    service.x: left")


def test_text_names_the_request(in_request):
    assert TextFormatter().format(record("%d frames", 17)).endswith("INFO    service.x [0a1b2c3d]: 17 frames")


def test_json_is_one_object_a_line_with_the_request(in_request):
    line = JsonFormatter().format(record('two\nlines, "quoted"', error=ValueError("bad")))
    assert "\n" not in line
    found = json.loads(line)
    assert found["time"].endswith("Z")
    assert (found["level"], found["logger"], found["message"]) == ("info", "service.x", 'two\nlines, "quoted"')
    assert (found["request"], "ValueError: bad" in found["traceback"]) == ("0a1b2c3d", True)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_tokens_and_keys_are_blanked_whoever_logs_them(formatter):
    line = formatter.format(record("authorization: Bearer %s, key %s", "s3cret", "ab" * 16))
    assert "s3cret" not in line and "abab" not in line


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_each_line_about_a_window_names_it_and_nothing_secret_is_told(start_service, log_to, make_frames, small, log_format):  # fmt: skip # noqa: E501
    file = log_to(log_format)
    service = start_service(listen="127.0.0.1:0")
    token = service.config.token_path.read_text().strip()
    frames = make_frames(small, 1)
    with ServiceClient(f"127.0.0.1:{service.running.port}", token) as client:
        good, bad, worse = (client.header(frames, small, first_frame=time) for time in range(3))
        client.convert(good, frames)
        service.model.errors = [KeyError(f"Bearer {token}"), KeyError("key " + bad.frames[0].content_key.hex())]
        told = [status(lambda header=header: client.convert(header, frames))[1] for header in (bad, worse)]
    log = file.read_text()
    for header in (good, bad, worse):
        assert header.request_id.hex()[:8] in log
        assert header.request_id.hex() not in log
    for text in (log, *told):
        for secret in (token, good.session_id.hex(), good.frames[0].content_key.hex(), frames[0].hex()):
            assert secret not in text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Invalid encoding on %s", "metadata of a call is no text"),
        ("ExecuteBatchError raised in core by servicer method [%s]", "a connection broke in the middle of a call"),
    ],
)
def test_words_of_a_stranger_that_grpc_would_quote_are_not_logged(log_to, template, said):
    file = log_to("text")
    try:
        b"\xff\xfe".decode()
    except UnicodeDecodeError:
        logging.getLogger("grpc._cython.cygrpc").exception(template, b"\xff\xfe secret")
    lines = file.read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(f"INFO    grpc._cython.cygrpc: {said}")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_folder_of_this_machine_is_logged_even_by_a_traceback(log_to, log_format):
    file = log_to(log_format)
    try:
        Path("/home/ann/private/none").read_bytes()
    except OSError:
        logging.getLogger("service.x").exception("cannot read %s", "/home/ann/private/none")
    logged = file.read_text()
    assert "/home/ann" not in logged
    assert str(Path(__file__).parent) not in logged
    assert Path(__file__).name in logged


def test_a_log_that_was_rotated_goes_on_under_its_name(log_to):
    """logrotate renames the file of a service that runs for months."""
    file = log_to("text")
    logging.getLogger().info("before")
    rotated = file.rename(file.with_suffix(".1"))
    logging.getLogger().info("after")
    assert "before" in rotated.read_text()
    assert file.read_text().endswith("after\n")


def test_a_log_that_cannot_be_written_is_an_error_in_our_words(tmp_path):
    with pytest.raises(InvalidInputError, match="choose another --log-file"):
        set_up_logs("info", tmp_path / "none" / "service.log")
