# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoding damaged files, and files that are no videos."""

from __future__ import annotations

import os
import struct
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from vp3d_core.errors import VideoReadError
from vp3d_core.video import probe, read_frames

UPRIGHT = np.array(clips.QUADRANTS)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_truncated_file_yields_what_it_has(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 64, 96, 3), dtype=np.uint8)
    path = clips.write_clip(
        tmp_path / f"clip{suffix}",
        list(noise),
        codec="mpeg4",
        container_options={"movflags": "faststart"} if suffix == ".mp4" else None,
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    warnings = clips.Warnings()

    frames = list(read_frames(path, on_warning=warnings))

    assert 10 < len(frames) < 30
    assert [frame.index for frame in frames] == list(range(len(frames)))
    if suffix != ".ts":  # a transport stream has no header that promises a length
        assert "truncated" in warnings.codes
        assert "header promises 1.60 s" in warnings[-1][1]
        assert probe(path).frame_count == 40


def test_avi_cut_between_two_pictures_is_truncated(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 64, 96, 3), dtype=np.uint8)
    path = clips.write_clip(tmp_path / "clip.avi", list(noise), codec="mjpeg", pixel_format="yuvj420p")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"00dc", len(data) // 2)])
    warnings = clips.Warnings()
    assert 10 < len(list(read_frames(path, on_warning=warnings))) < 30
    assert warnings.codes == ["truncated"]
    assert "its header promises 1.60 s" in warnings[0][1]


def test_truncated_file_before_the_wanted_end_does_not_warn(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(10))
    warnings = clips.Warnings()
    assert len(list(read_frames(path, end_s=0.2, on_warning=warnings))) == 5
    assert warnings == []


def test_mp4_without_index(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(10))
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(VideoReadError, match="incomplete MP4/MOV file, its index is missing") as caught:
        probe(path)
    assert "cut off" in caught.value.hint


def test_damage_in_the_middle_is_skipped(tmp_path: Path) -> None:
    path = clips.write_clip(
        tmp_path / "clip.mkv", clips.marked_pictures(10), codec="mjpeg", pixel_format="yuvj420p"
    )
    with av.open(str(path)) as container:
        packet = list(container.demux(video=0))[4]
        position, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    start = data.index(bytes(packet), position)
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    warnings = clips.Warnings()

    frames = list(read_frames(path, on_warning=warnings))

    assert warnings.codes == ["damaged"]
    assert [clips.marked_index(frame.rgb) for frame in frames] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert frames[4].time_s == pytest.approx(0.2, abs=1e-3)


def test_raw_stream_without_stamps_gets_the_nominal_rate(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.h264", clips.marked_pictures(8), container="h264")
    warnings = clips.Warnings()
    frames = list(read_frames(path, on_warning=warnings))
    steps = [b.time_s - a.time_s for a, b in pairwise(frames)]
    assert len(frames) == 8
    assert steps == pytest.approx([1 / probe(path).average_rate_hz] * 7)
    assert warnings.codes == ["times_repaired"]
    assert probe(path).frame_count == 8


def test_one_bad_stamp_delays_no_other_frame(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *clips.SIZE, "yuvj420p"
        for index, picture in enumerate(clips.marked_pictures(10)):
            (packet,) = stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
            packet.time_base = Fraction(1, 1000)
            packet.pts, packet.dts = 40 * index + (150 if index == 4 else 0), 40 * index
            output.mux(packet)
    warnings = clips.Warnings()
    frames = list(read_frames(path, on_warning=warnings))
    assert [clips.marked_index(frame.rgb) for frame in frames] == list(range(10))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(10) / 25, atol=1e-3)
    assert warnings.codes == ["times_repaired"]
    assert "Frame 4 is stamped 0.310 s, before one at 0.200 s" in warnings[0][1]


def test_change_of_size_is_scaled_to_the_first(tmp_path: Path) -> None:
    one = clips.write_clip(tmp_path / "one.ts", clips.marked_pictures(3))
    two = clips.write_clip(
        tmp_path / "two.ts", clips.marked_pictures(3, size=(48, 32)), times_s=[1.0, 1.04, 1.08]
    )
    path = tmp_path / "both.ts"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    warnings = clips.Warnings()
    frames = list(read_frames(path, on_warning=warnings))
    assert {frame.rgb.shape for frame in frames} == {(64, 96, 3)}
    assert "size_changed" in warnings.codes
    assert [frame.index for frame in frames] == list(range(6))
    np.testing.assert_allclose(clips.corner_colours(frames[-1].rgb), UPRIGHT, atol=25)


def test_wrong_files_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    (tmp_path / "notes.txt").write_text("this is no video\n" * 100)
    clips.write_tone(tmp_path / "song.m4a")
    cases = {
        "missing.mp4": "There is no file .*missing.mp4",
        "empty.mp4": r"empty.mp4 is empty \(0 bytes\)",
        "text.mp4": "text.mp4 is not a video: Invalid data",
        "notes.txt": "notes.txt is (a text file, )?not a video",
        "song.m4a": r"song.m4a has no video stream \(streams: audio\)",
        ".": "is a folder, not a video",
    }
    for name, message in cases.items():
        with pytest.raises(VideoReadError, match=message) as caught:
            probe(tmp_path / name)
        assert caught.value.hint
        with pytest.raises(VideoReadError, match=message):
            next(iter(read_frames(tmp_path / name)))


def test_song_with_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("libmp3lame" if "libmp3lame" in av.codecs_available else "mp3", rate=44100)
        cover = output.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = 1024  # AV_DISPOSITION_ATTACHED_PIC
        samples = np.zeros((1, 1152), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 44100
        output.mux(cover.encode(av.VideoFrame.from_ndarray(clips.marked_picture(64, 64), format="rgb24")))
        output.mux(cover.encode(None))
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with pytest.raises(VideoReadError, match="is no video, its only picture is a cover"):
        probe(path)


def test_no_picture_can_be_decoded(tmp_path: Path) -> None:
    path = clips.write_clip(
        tmp_path / "clip.mkv", clips.marked_pictures(4), codec="mjpeg", pixel_format="yuvj420p"
    )
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0)][:4]
    data = path.read_bytes()
    for packet in packets:
        data = data.replace(packet, bytes(len(packet)))
    path.write_bytes(data)
    with pytest.raises(VideoReadError, match=r"No picture of clip\.mkv \(mjpeg\) can be decoded") as caught:
        list(read_frames(path, on_warning=clips.Warnings()))
    assert "damaged or incomplete" in caught.value.hint


def test_an_animation_that_cannot_be_decoded_is_to_be_converted(tmp_path: Path) -> None:
    chunks = b"VP8X" + struct.pack("<I10B", 10, 2, 0, 0, 0, 95, 0, 0, 63, 0, 0)  # animated, 96x64
    chunks += b"ANIM" + struct.pack("<I6B", 6, 0, 0, 0, 0, 0, 0)
    chunks += b"ANMF" + struct.pack("<I16B", 16, 0, 0, 0, 0, 0, 0, 95, 0, 0, 63, 0, 0, 40, 0, 0, 0)
    path = tmp_path / "clip.webp"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks)
    with pytest.raises(VideoReadError, match=r"No picture of clip\.webp") as caught:
        probe(path)
    assert "convert it to MP4" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permission bits")
def test_unreadable_file(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(2))
    path.chmod(0)
    with pytest.raises(VideoReadError, match="may not be read"):
        probe(path)
