"""Video in and out by PyAV: what a clip says and holds is what its outputs say and hold."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.batch.media.clip_info import ContentLight, Timecode
from service.batch.outputs.picture_writer import OutputFile
from service.batch.sources.footage import open_footage

av = pytest.importorskip("av")

HDR = (
    "lossless=1:log-level=none:bframes=0:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,50):max-cll=1000,400"
)
LOSSLESS_HEVC = {"x265-params": HDR}


def planes_of(path: Path) -> list[list[np.ndarray]]:
    """Codes of each frame, without any conversion."""
    with av.open(str(path)) as container:
        return [[_codes(plane, frame) for plane in frame.planes] for frame in container.decode(video=0)]


def _codes(plane: Any, frame: Any) -> np.ndarray:
    wide = frame.format.components[0].bits > 8
    rows = np.frombuffer(plane, "<u2" if wide else "u1").reshape(plane.height, -1)
    return rows[:, : plane.width].copy()


def same_codes(first: Path, second: Path) -> bool:
    pairs = zip(planes_of(first), planes_of(second), strict=True)
    return all(np.array_equal(a, b) for left, right in pairs for a, b in zip(left, right, strict=True))


def packets_of(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.pts is not None]


def times_of(path: Path) -> list[float]:
    footage = open_footage(path)
    return [float(round(frame.time * footage.time_base, 4)) for frame in footage.frames()]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("o.mkv", "ffv1", {}), ("o.mp4", "hevc", LOSSLESS_HEVC), ("o.mov", "hevc", LOSSLESS_HEVC)],
)
def test_a_10_bit_hdr_clip_keeps_every_code_and_what_it_says(make_video, render, tmp_path, name, codec, options):
    source = make_video("s.mkv", encoder="libx265", options={**LOSSLESS_HEVC})
    assert render(source, OutputFile("right", tmp_path / name, codec, options)) == 0
    assert same_codes(source, tmp_path / name)
    before, after = open_footage(source).info, open_footage(tmp_path / name).info
    assert before.mastering is not None and before.mastering.max_luminance == 1000
    assert before.light == ContentLight(1000, 400)
    assert (after.colour, after.pixel_format, after.fps) == (before.colour, "yuv420p10le", 25)
    if codec != "ffv1":
        assert (after.mastering, after.light) == (before.mastering, before.light)


def test_hdr_data_lie_in_the_container_where_a_codec_has_no_place_for_them(make_video, render, tmp_path):
    source = make_video("s.mkv", encoder="libx265", options=LOSSLESS_HEVC)
    assert render(source, OutputFile("right", tmp_path / "o.mov", "prores")) == 0
    before, after = open_footage(source).info, open_footage(tmp_path / "o.mov").info
    assert (after.mastering, after.light) == (before.mastering, before.light)
    assert after.colour == before.colour
    assert len(times_of(tmp_path / "o.mov")) == 10


def test_hdr_data_that_cannot_be_kept_are_told(make_video, render, tmp_path, capsys):
    source = make_video("s.mkv", encoder="libx265", options=LOSSLESS_HEVC)
    render(source, OutputFile("right", tmp_path / "o.mkv", "ffv1"))
    assert "HDR mastering data is not kept in .mkv; use .mov" in capsys.readouterr().err


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p12le", "gbrp10le", "yuva444p10le"])
def test_ffv1_keeps_every_code_of_8_10_and_12_bits(make_video, render, tmp_path, pixel_format):
    source = make_video("s.mkv", pixel_format=pixel_format, frames=3)
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == 0
    assert same_codes(source, tmp_path / "o.mkv")


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size"),
    [
        ("prores", "yuv422p10le", (36, 64)),
        ("prores-4444", "yuv444p10le", (36, 64)),
        ("dnxhr-hq", "yuv422p", (128, 256)),
        ("dnxhr-hqx", "yuv422p10le", (128, 256)),
        ("dnxhr-444", "yuv444p10le", (128, 256)),
        ("h264", "yuv420p10le", (36, 64)),
        ("hevc", "yuv420p10le", (36, 64)),
    ],
)
def test_each_codec_has_its_frames_and_colours(make_video, render, tmp_path, codec, pixel_format, size):
    source = make_video("s.mkv", frames=3, size=size)
    options = {"x265-params": "log-level=none"} if codec == "hevc" else {}
    assert render(source, OutputFile("right", tmp_path / "o.mov", codec, options)) == 0
    footage = open_footage(tmp_path / "o.mov")
    decoded = {"prores-4444": "yuv444p12le"}.get(codec, pixel_format)  # FFmpeg reads 4444 as 12 bit
    assert footage.info.pixel_format in (pixel_format, decoded)
    assert (footage.info.colour.primaries, footage.info.colour.transfer, footage.info.colour.matrix) == (9, 16, 9)
    assert len(list(footage.frames())) == 3


def test_each_frame_keeps_its_own_time(make_video, render, tmp_path):
    times = (0, 40, 50, 120, 300, 310)
    source = make_video("s.mkv", frames=6, times=times)
    for name, codec in (("o.mkv", "ffv1"), ("o.mov", "prores"), ("o.mp4", "h264")):
        assert render(source, OutputFile("right", tmp_path / name, codec)) == 0
        assert times_of(tmp_path / name) == [time / 1000 for time in times]


def test_a_transport_stream_begins_at_zero_however_late_its_clock(make_video, render, tmp_path):
    source = make_video("s.ts", encoder="libx264", pixel_format="yuv420p", frames=4)
    assert times_of(source)[0] > 0, "its clock starts anywhere"
    assert render(source, OutputFile("right", tmp_path / "o.mov")) == 0
    assert times_of(tmp_path / "o.mov") == [0, 0.04, 0.08, 0.12]


def test_sound_subtitles_and_timecode_go_with_the_picture(make_video, render, tmp_path):
    source = make_video("s.mkv", sound=True, subtitles=True, timecode="01:02:03:04")
    assert render(source, OutputFile("right", tmp_path / "o.mkv"), OutputFile("left", tmp_path / "l.mkv")) == 0
    for name in ("o.mkv", "l.mkv"):
        assert packets_of(tmp_path / name, "audio") == packets_of(source, "audio")
        assert packets_of(tmp_path / name, "subtitle") == packets_of(source, "subtitle")
        assert open_footage(tmp_path / name).info.timecode == Timecode(1, 2, 3, 4)


def test_what_does_not_go_into_a_container_is_told(make_video, render, tmp_path, capsys):
    source = make_video("s.mkv", sound=True, subtitles=True)
    assert render(source, OutputFile("right", tmp_path / "o.mov")) == 0
    assert "subtitle of the kind srt does not go into it" in capsys.readouterr().err
    assert b"".join(data for _, data in packets_of(tmp_path / "o.mov", "audio")) == b"".join(
        data for _, data in packets_of(source, "audio")
    )


@pytest.mark.parametrize("name", ["o.mov", "o.mkv"])
def test_sound_and_timecode_of_a_range_begin_with_its_first_frame(make_video, render, tmp_path, name):
    source = make_video("s.mkv", sound=True, timecode="01:00:00:00")
    assert render(source, OutputFile("right", tmp_path / name), first=5, last=7) == 0
    sound = packets_of(tmp_path / name, "audio")
    # Frames 5 to 7 are shown from 0.2 to 0.32 s; the sound of that time moves to 0.
    assert sum(len(data) for _, data in sound) == pytest.approx(2 * 48000 * 0.12, abs=4000)
    assert sound[0][0] < 0.03
    assert open_footage(tmp_path / name).info.timecode == Timecode(1, 0, 0, 5)
    assert times_of(tmp_path / name) == [0, 0.04, 0.08]


def test_a_clip_that_lies_on_its_side_is_turned_upright(make_video, render, tmp_path):
    upright = make_video("s.mov", encoder="prores_ks", pixel_format="yuv422p10le", frames=2)
    with av.open(str(upright)) as source, av.open(str(tmp_path / "turned.mov"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0], opaque=True)
        stream.set_display_rotation(90)
        for packet in source.demux(video=0):
            if packet.pts is not None:
                packet.stream = stream
                target.mux(packet)
    turned = next(open_footage(tmp_path / "turned.mov").frames()).image
    straight = next(open_footage(upright).frames()).image
    assert np.array_equal(turned, np.rot90(straight, 1))


def test_players_are_told_which_eye_is_where(make_video, render, tmp_path):
    source = make_video("s.mkv", frames=2)
    outputs = [OutputFile("sbs-full", tmp_path / "o.mp4", "h264"), OutputFile("tb-full", tmp_path / "o.mkv")]
    assert render(source, *outputs) == 0
    with av.open(str(tmp_path / "o.mp4")) as container:
        (frame, *_) = container.decode(video=0)
        assert (frame.width, frame.height) == (128, 36)
    assert b"st3d\x00\x00\x00\x00\x02" in (tmp_path / "o.mp4").read_bytes()
    with av.open(str(tmp_path / "o.mkv")) as container:
        assert container.streams.video[0].metadata["stereo_mode"] == "top_bottom"


def test_packed_pixels_are_unpacked_without_loss(make_video):
    planar = make_video("s.mkv", frames=1)
    with av.open(str(planar)) as container:
        frame = next(container.decode(video=0))
        packed = frame.reformat(format="p010le")
        again = packed.reformat(format="yuv420p10le")
    pairs = zip(frame.planes, again.planes, strict=True)
    assert all(np.array_equal(_codes(a, frame), _codes(b, again)) for a, b in pairs)


def test_an_interlaced_clip_is_told(make_video, render, tmp_path, capsys):
    source = make_video("s.mkv", encoder="libx264", frames=3, options={"flags": "+ildct", "x264-params": "tff=1"})
    assert render(source, OutputFile("right", tmp_path / "o.mkv")) == 0
    assert "s.mkv is interlaced" in capsys.readouterr().err


def test_the_users_options_reach_the_encoder_and_leave_hdr_alone(make_video, render, tmp_path):
    source = make_video("s.mkv", encoder="libx265", options=LOSSLESS_HEVC)
    small, large = (
        OutputFile("right", tmp_path / f"{crf}.mkv", "hevc", {"crf": crf, "x265-params": "aq-mode=0"})
        for crf in ("40", "4")
    )
    for output in (small, large):
        assert render(source, output) == 0
        assert open_footage(output.path).info.mastering == open_footage(source).info.mastering
    assert small.path.stat().st_size < large.path.stat().st_size / 3


@pytest.mark.parametrize(
    ("codec", "options", "message"),
    [
        ("dnxhr-hqx", {}, "dnxhd refuses 64 x 36 yuv422p10le"),
        ("h264", {"speed": "9"}, "libx264 has no option speed"),
        ("h264", {"preset": "warp"}, "libx264 refuses"),
    ],
)
def test_what_an_encoder_refuses_is_told_before_the_first_window(
    make_video, render, model, tmp_path, capsys, codec, options, message
):
    source = make_video("s.mkv", frames=2)
    assert render(source, OutputFile("right", tmp_path / "o.mov", codec, options)) == 1
    assert message in capsys.readouterr().err
    assert model.windows == []


def test_avi_takes_ffv1(make_video, render, tmp_path):
    source = make_video("s.mkv", frames=3)
    assert render(source, OutputFile("right", tmp_path / "o.avi")) == 0
    assert same_codes(source, tmp_path / "o.avi")


def full_range_ramp(path: Path) -> Path:
    """Gray from code 0 on the left to 255 on the right, all codes in use."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 256, 64, "yuv444p"
        stream.codec_context.color_range = 2
        frame = av.VideoFrame(256, 64, "yuv444p")
        for plane, codes in zip(frame.planes, (np.arange(256), np.full(256, 128), np.full(256, 128)), strict=True):
            plane.update(np.tile(codes.astype("u1"), (64, 1)).tobytes())
        frame.color_range, frame.pts = 2, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "codec"), [("o.mov", "prores"), ("o.avi", "ffv1"), ("o.mov", "h264")])
def test_full_range_looks_the_same_in_files_that_cannot_say_it(render, tmp_path, name, codec):
    source = full_range_ramp(tmp_path / "s.mkv")
    assert render(source, OutputFile("left", tmp_path / name, codec)) == 0
    before, after = (next(open_footage(path).frames()).image for path in (source, tmp_path / name))
    assert np.ptp(before) == pytest.approx(1, abs=1e-5)
    assert np.abs(after - before).mean() < 0.01  # a wrong range: 0.037


def test_a_codec_that_cannot_say_full_range_is_told_of(render, tmp_path, capsys):
    assert render(full_range_ramp(tmp_path / "s.mkv"), OutputFile("left", tmp_path / "o.mov", "prores")) == 0
    assert (
        "o.mov: limited range, for it cannot say that codes are full range as the source's" in capsys.readouterr().err
    )


def test_sound_that_the_container_refuses_does_not_cost_the_picture(make_video, render, tmp_path, capsys):
    flac = tmp_path / "flac.mkv"
    with av.open(str(make_video("s.mkv", frames=10))) as source, av.open(str(flac), "w") as target:
        picture = target.add_stream_from_template(source.streams.video[0])
        sound: Any = target.add_stream("flac", rate=48000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        samples.rate, samples.pts = 48000, 0
        heard = [*sound.encode(samples), *sound.encode(None)]
        for packet in source.demux(video=0):
            if packet.pts is not None:
                packet.stream = picture
                target.mux(packet)
        target.mux([packet for packet in heard if packet.size])
    assert render(flac, OutputFile("right", tmp_path / "o.mov")) == 0
    told = capsys.readouterr().err
    assert "o.mov: audio of the kind flac does not go into it and was left out" in told and "fault" not in told
    assert len(times_of(tmp_path / "o.mov")) == 10
