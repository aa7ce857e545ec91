"""A folder of pairs: complete, repeatable, resumable after a kill, and readable by the training loader."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.__main__ import main
from model.data.dataset import SceneBatches, SceneRules
from model.data.media import Library
from model.data.pair_folder import StoredPairs, find_sources, read_pair, write_pairs
from model.data.pairs import PairRules
from model.depth.draft import Draft
from model.errors import InvalidInputError

ROOT = Path(__file__).parents[3]
RULES = PairRules(frames=2, every=10, width=96, least_disparity=5, most_disparity=10)


@pytest.fixture
def clips(write_clip):
    write_clip("one.avi", 30)
    return write_clip("deeper/two.avi", 20, seed=1).parents[1]


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_manifest_lists_sources_hashes_settings_and_pairs(clips, tmp_path):
    assert write_pairs(clips, tmp_path / "pairs", RULES, Draft(), [("deeper/*", "CC0-1.0")]) == 5
    manifest = json.loads((tmp_path / "pairs/manifest.json").read_text())
    assert [(s["path"], s["license"]) for s in manifest["sources"]] == [
        ("deeper/two.avi", "CC0-1.0"),
        ("one.avi", None),
    ]
    assert manifest["sources"][1]["sha256"] == hashlib.sha256((clips / "one.avi").read_bytes()).hexdigest()
    assert manifest["rules"]["seed"] == 0 and manifest["estimator"]["name"] == "Draft"
    assert [pair["first_frame"] for pair in manifest["pairs"]] == [4, 14, 4, 14, 24]
    for pair in manifest["pairs"]:
        file = tmp_path / "pairs" / pair["file"]
        assert pair["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert cv2.imread(str(file.with_suffix(".png"))).shape == (48, 3 * 96, 3)
    strengths = {(pair["source"], pair["disparity_percent"]) for pair in manifest["pairs"]}
    assert len(strengths) == 2


def test_killed_in_the_middle_and_started_again_it_ends_with_the_same_bytes(clips, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = ["--frames", "2", "--every", "10", "--width", "96", "--disparity", "5", "10"]
    command = [sys.executable, "-m", "model.data", "pairs", str(clips), "-o", str(killed), *options]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(killed.glob("*/*.npz*")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(list(killed.glob("*/*.npz"))) < 5, "the kill came too late to show anything"
    write_pairs(clips, killed, RULES, Draft())
    write_pairs(clips, whole, RULES, Draft())
    assert bytes_of(killed) == bytes_of(whole)


def test_finished_pairs_are_not_made_again(clips, tmp_path):
    class Refusing(Draft):
        def estimate(self, frames):
            raise AssertionError("asked for a pair that exists")

    write_pairs(clips, tmp_path / "pairs", RULES, Draft())
    before = bytes_of(tmp_path / "pairs")
    assert write_pairs(clips, tmp_path / "pairs", RULES, Refusing()) == 5
    assert bytes_of(tmp_path / "pairs") == before


def test_a_folder_made_otherwise_or_by_others_is_refused(clips, tmp_path):
    write_pairs(clips, tmp_path / "pairs", RULES, Draft())
    with pytest.raises(InvalidInputError, match="made with other rules"):
        write_pairs(clips, tmp_path / "pairs", PairRules(seed=1, frames=2, every=10), Draft())
    with pytest.raises(InvalidInputError, match=r"other files and no manifest\.json"):
        write_pairs(clips, clips, RULES, Draft())
    with pytest.raises(InvalidInputError, match="is a file"):
        write_pairs(clips, clips / "one.avi", RULES, Draft())


def test_a_folder_without_clips_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="expected clips"):
        find_sources(tmp_path)


def test_the_same_clip_twice_counts_once(clips):
    (clips / "copy.avi").write_bytes((clips / "one.avi").read_bytes())
    assert [source.path for source in find_sources(clips)] == ["copy.avi", "deeper/two.avi"]


def test_stored_pairs_feed_the_training_loader(clips, tmp_path):
    write_pairs(clips, tmp_path / "pairs", RULES, Draft())
    pairs = StoredPairs(tmp_path / "pairs")
    rules = SceneRules(frames=2, height=16, width=32, batch=3, projection_share=0.0, stored_share=1.0)
    batch = SceneBatches(Library([], [], ()), rules, seed=5, pairs=pairs)[0]
    assert batch.truth.shape == (6, 3, 16, 32)
    scene = pairs.draw(np.random.default_rng(0), 2, 48, 96)
    assert any(np.array_equal(scene.hole, read_pair(file).hole) for file in (tmp_path / "pairs").glob("*/*.npz"))
    assert (scene.edge <= scene.hole).all()
    with pytest.raises(InvalidInputError, match="needs more"):
        pairs.draw(np.random.default_rng(0), 3, 16, 32)


def test_an_unfinished_folder_feeds_nothing(tmp_path):
    with pytest.raises(InvalidInputError, match=r"expected manifest\.json"):
        StoredPairs(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", '{"pairs": 3}'])
def test_a_manifest_of_something_else_is_told(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InvalidInputError, match="lists no pairs"):
        StoredPairs(tmp_path)


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: whole[:200], lambda whole: whole[:-10]])
def test_a_pair_that_is_missing_or_damaged_is_told(tmp_path, damage):
    file = tmp_path / "000004.npz"
    with pytest.raises(InvalidInputError, match=r"000004\.npz is missing or damaged"):
        read_pair(file)
    flat = np.zeros((1, 4, 4), np.float16)
    np.savez_compressed(file, truth=flat, view=flat, hole=flat, disparity=flat)
    assert read_pair(file).hole.shape == flat.shape
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InvalidInputError, match=r"000004\.npz is missing or damaged"):
        read_pair(file)


def test_the_command_says_how_many_pairs_there_are_and_refuses_wrong_input(clips, tmp_path, capsys, monkeypatch):
    command = ["model.data", "pairs", str(clips), "-o", str(tmp_path / "pairs"), "--frames", "2", "--every", "20"]
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 0
    assert capsys.readouterr().out == f"3 pairs in {tmp_path / 'pairs'}\n"
    monkeypatch.setattr(sys, "argv", [*command, "--estimator", "nobody"])
    assert main() == 2
    assert "no depth estimator is called 'nobody'" in capsys.readouterr().err
