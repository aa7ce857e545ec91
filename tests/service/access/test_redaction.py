from __future__ import annotations

import pytest

from service.access import redaction
from service.access.redaction import without_folders, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot read /home/ann/models/config.json: gone", "cannot read config.json: gone"),
        ("no depth model 'x' in /home/ann/models; installed: y", "no depth model 'x' in models; installed: y"),
        ("at unix:/run/user/7/service.sock", "at unix:service.sock"),
        ("('/a/b/c.pem')", "('c.pem')"),
        ("[Errno 2] No such file: '/home/ann bell/models/config.json'", "[Errno 2] No such file: 'config.json'"),
        ("file:///home/ann/a.pem and //home/ann/b.pem", "a.pem and b.pem"),
        ('File "/home/ann/service/errors.py", line 5', 'File "errors.py", line 5'),
        ("windows a second, 1/s, and/or", "windows a second, 1/s, and/or"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("python -m service doctor", "python -m service doctor"),
        ("half of 17 / 2 frames", "half of 17 / 2 frames"),
    ],
)  # fmt: skip
def test_folders_are_cut_and_all_else_stays(text, expected):
    assert without_folders(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("authorization: Bearer abc.def", "authorization: Bearer [token]"),
        ("key 00112233445566778899aabbccddeeff", "key [key]"),
        ("key0123456789abcdef0123456789ABCDEF_", "key[key]_"),
        (f"chunk {bytes(range(3))!r} of b'abc'", "chunk [bytes] of b'abc'"),
        ("name /stereo-0123456789abcdef0123", "name /stereo-[key]"),
        ("window 0a1b2c3d: 17 frames of 1920x1080", "window 0a1b2c3d: 17 frames of 1920x1080"),
    ],
)
def test_tokens_and_keys_are_blanked_and_labels_stay(text, expected):
    assert without_secrets(text) == expected


def test_a_home_folder_with_blanks_is_cut_whole(monkeypatch):
    redaction._homes.cache_clear()
    monkeypatch.setenv("HOME", "/home/ann bell")
    assert without_folders("cannot read /home/ann bell/models/a.pem: gone") == "cannot read a.pem: gone"
    redaction._homes.cache_clear()
