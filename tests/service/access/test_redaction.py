from __future__ import annotations

import pytest

from service.access.redaction import without_folders, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot read /home/ann/models/config.json: gone", "cannot read config.json: gone"),
        ("no depth model 'x' in /home/ann/models; installed: y", "no depth model 'x' in models; installed: y"),
        ("at unix:/run/user/7/service.sock", "at unix:service.sock"),
        ("('/a/b/c.pem')", "('c.pem')"),
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
        ("name /stereo-0123456789abcdef0123", "name /stereo-[key]"),
        ("window 0a1b2c3d: 17 frames of 1920x1080", "window 0a1b2c3d: 17 frames of 1920x1080"),
    ],
)
def test_tokens_and_keys_are_blanked_and_labels_stay(text, expected):
    assert without_secrets(text) == expected
