"""Where the service writes what it does, a line each with its request; no pixels, keys, tokens or folders."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
import time
from contextvars import ContextVar
from pathlib import Path

from model.errors import InvalidInputError
from service.access.redaction import without_folders, without_secrets

request_label: ContextVar[str] = ContextVar("request_label", default="")
"""First 8 digits of the request_id that the plugin's own log shows; "" outside of a request."""


class TextFormatter(logging.Formatter):
    """2026-11-21 14:02:11,123 INFO    service.convert_call [0a1b2c3d]: 17 frames ..."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s%(request)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        label = request_label.get()
        record.request = f" [{label}]" if label else ""
        return _safe(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message; request and traceback where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _safe(record.getMessage()),
        }
        if label := request_label.get():
            line["request"] = label
        if record.exc_info:
            line["traceback"] = _safe(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def _safe(text: str) -> str:
    return without_secrets(without_folders(text))


def set_up_logs(level: str, file: Path | None, log_format: str = "text") -> None:
    """Send the log to `file`, or to stderr. A file that is moved away is begun anew.

    level       "debug", "info", "warning" or "error"
    log_format  "text" or "json", one object a line

    Raises InvalidInputError for a file that cannot be written.
    """
    handler = _to_file(file) if file is not None else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    handler.addFilter(without_foreign_words)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _to_file(file: Path) -> logging.Handler:
    try:
        return logging.handlers.WatchedFileHandler(file, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(
            f"cannot write the log to {file} ({error.strerror}); choose another --log-file"
        ) from None


_QUIETER = {  # what gRPC logs as an error, with a traceback and a stranger's own words in it, and what we say instead
    "Invalid encoding on": "metadata of a call is no text",
    "ExecuteBatchError raised in core": "a connection broke in the middle of a call",
}


def without_foreign_words(record: logging.LogRecord) -> bool:
    """Shorten gRPC's errors that anybody can cause who connects."""
    for began, ours in _QUIETER.items():
        if str(record.msg).startswith(began):
            record.msg, record.args, record.exc_info = ours, (), None
            record.levelno, record.levelname = logging.INFO, "INFO"
    return True
