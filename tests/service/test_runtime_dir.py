from __future__ import annotations

import os
import socket
import stat

import pytest

from model.errors import InvalidInputError
from service.runtime_dir import InstanceLock, make_private_dir, remove_stale_socket


def test_a_new_folder_is_closed_to_others(tmp_path):
    make_private_dir(tmp_path / "run")
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_an_open_folder_is_refused(tmp_path):
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(InvalidInputError, match="chmod 700"):
        make_private_dir(tmp_path / "run")


def test_a_link_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(InvalidInputError, match="no folder"):
        make_private_dir(tmp_path / "run")


def test_nobody_is_told_to_close_a_folder_that_is_for_everybody(tmp_path):
    """`chmod 700 /tmp`, which this said for `--socket /tmp/service.sock`, would shut all other users out."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    with pytest.raises(InvalidInputError, match="is for everybody; choose a folder of your own") as refused:
        make_private_dir(tmp_path / "tmp")
    assert "chmod" not in str(refused.value)


def test_a_folder_that_cannot_be_made_is_an_error_in_our_words(tmp_path):
    (tmp_path / "file").touch()
    for name, text in (("file", "is no folder"), ("file/run", "cannot make the folder")):
        with pytest.raises(InvalidInputError, match=text):
            make_private_dir(tmp_path / name)


def test_one_holder_at_a_time(tmp_path):
    first, second = InstanceLock(tmp_path / "lock"), InstanceLock(tmp_path / "lock")
    assert first.acquire()
    assert int((tmp_path / "lock").read_text()) == os.getpid()
    assert not second.acquire()
    first.release()
    assert (tmp_path / "lock").read_text() == ""
    assert second.acquire()
    second.release()


def test_a_stale_socket_is_removed(runtime_dir):
    path = runtime_dir / "s"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    remove_stale_socket(path)
    assert not path.exists()
    remove_stale_socket(path)


def test_a_file_that_is_no_socket_is_never_removed(tmp_path):
    path = tmp_path / "film.mov"
    path.write_text("precious")
    with pytest.raises(InvalidInputError, match="no socket"):
        remove_stale_socket(path)
    assert path.read_text() == "precious"
