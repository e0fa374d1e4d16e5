# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoding: every codec, true times, upright pictures, any name."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import clips
from vp3d_core.errors import VideoReadError
from vp3d_core.video import probe, read_frames

SIZE = clips.SIZE
UPRIGHT = np.array(clips.QUADRANTS)
# encoder, pixel format, container, options, canonical name
CODECS = [
    ("libx264", "yuv420p", ".mp4", {"bf": "2"}, "h264"),
    ("libx264", "yuv420p10le", ".mkv", {}, "h264"),
    ("libx264", "yuv444p", ".mov", {}, "h264"),
    ("libx265", "yuv420p", ".mp4", {"x265-params": "log-level=none:pools=1"}, "hevc"),
    ("libx265", "yuv420p10le", ".mov", {"x265-params": "log-level=none:pools=1"}, "hevc"),
    ("libvpx-vp9", "yuv420p", ".webm", {"deadline": "realtime", "cpu-used": "8"}, "vp9"),
    ("libsvtav1", "yuv420p10le", ".mp4", {"preset": "12"}, "av1"),
    ("libaom-av1", "yuv420p", ".mkv", {"cpu-used": "8", "usage": "realtime"}, "av1"),
    ("prores_ks", "yuv422p10le", ".mov", {}, "prores"),
    ("mjpeg", "yuvj420p", ".avi", {}, "mjpeg"),
    ("mpeg4", "yuv420p", ".avi", {}, "mpeg4"),
]


@pytest.mark.parametrize(("encoder", "pixel_format", "suffix", "options", "name"), CODECS)
def test_every_codec_gives_all_frames_with_their_times(
    tmp_path: Path, encoder: str, pixel_format: str, suffix: str, options: dict[str, str], name: str
) -> None:
    if encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV cannot encode with {encoder}")
    path = tmp_path / f"clip{suffix}"
    clips.write_clip(path, clips.marked_pictures(), codec=encoder, pixel_format=pixel_format, options=options)
    warnings = clips.Warnings()

    info = probe(path)
    frames = list(read_frames(path, on_warning=warnings))

    assert (info.codec, info.pixel_format, info.image_size, info.rotation_deg) == (
        name,
        pixel_format,
        SIZE,
        0,
    )
    assert info.frame_count == 6
    assert info.average_rate_hz == pytest.approx(25, rel=0.01)
    assert info.duration_s == pytest.approx(6 / 25, abs=0.05)
    assert [frame.index for frame in frames] == list(range(6))
    assert [clips.marked_index(frame.rgb) for frame in frames] == list(range(6))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(6) / 25, atol=1e-3)
    np.testing.assert_allclose(clips.corner_colours(frames[0].rgb), UPRIGHT, atol=25)
    assert warnings == []


def test_variable_rate_keeps_the_stamps(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.5, 0.51, 2.0, 2.7]
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(), times_s=times_s)
    np.testing.assert_allclose([frame.time_s for frame in read_frames(path)], times_s, atol=1e-4)


def test_times_count_from_the_first_picture(tmp_path: Path) -> None:
    times_s = [10.0, 10.04, 10.08]
    path = clips.write_clip(tmp_path / "clip.ts", clips.marked_pictures(3), times_s=times_s)
    np.testing.assert_allclose([f.time_s for f in read_frames(path)], [0.0, 0.04, 0.08], atol=1e-4)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".webm"])
def test_duration_counts_from_the_first_picture(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    times_s = [7.0 + index / 25 for index in range(10)]
    path = clips.write_clip(
        tmp_path / f"clip{suffix}", clips.marked_pictures(10), times_s=times_s, codec=codec
    )
    warnings = clips.Warnings()
    assert len(list(read_frames(path, on_warning=warnings))) == 10
    assert warnings == []
    info = probe(path)
    assert info.duration_s == pytest.approx(0.4, abs=0.01)
    assert info.frame_count == 10


def test_duration_that_mkvmerge_wrote_is_taken_as_it_is(tmp_path: Path) -> None:
    times_s = [7.0 + index / 25 for index in range(10)]
    clip = clips.write_clip(tmp_path / "clip.mkv", clips.marked_pictures(10), times_s=times_s)
    path = tmp_path / "merged.mkv"
    with av.open(str(clip)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        stream.metadata["_STATISTICS_TAGS"] = "BPS DURATION NUMBER_OF_FRAMES NUMBER_OF_BYTES"
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    assert probe(path).duration_s == pytest.approx(7.4, abs=0.01)  # mkvmerge would have written 0.4 s


def test_pictures_that_an_edit_list_leaves_out_do_not_count(tmp_path: Path) -> None:
    times_s = [index / 25 - 0.2 for index in range(12)]  # before zero: an MP4 gets an edit list
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(12), times_s=times_s)
    warnings = clips.Warnings()
    frames = list(read_frames(path, on_warning=warnings))
    assert [clips.marked_index(frame.rgb) for frame in frames] == [5, 6, 7, 8, 9, 10, 11]
    assert warnings == []
    info = probe(path)
    assert info.frame_count == 7
    assert info.duration_s == pytest.approx(7 / 25, abs=0.01)


@pytest.mark.parametrize("size", [(97, 63), (33, 65), (50, 35)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = clips.write_clip(
        tmp_path / "clip.mov", clips.marked_pictures(2, size=size), codec="mjpeg", pixel_format="yuvj444p"
    )
    frames = list(read_frames(path))
    assert probe(path).image_size == size
    assert frames[1].rgb.shape == (size[1], size[0], 3)
    np.testing.assert_allclose(clips.corner_colours(frames[0].rgb), UPRIGHT, atol=25)


# What a, b, c, d mean: a stored pixel (p, q) is shown at (a p + c q, b p + d q).
@pytest.mark.parametrize(
    ("matrix", "rotation_deg", "stored"),
    [
        ((1, 0, 0, 1), 0, lambda upright: upright),
        ((0, 1, -1, 0), 90, lambda upright: np.rot90(upright, 1)),
        ((-1, 0, 0, -1), 180, lambda upright: np.rot90(upright, 2)),
        ((0, -1, 1, 0), 270, lambda upright: np.rot90(upright, -1)),
        ((-1, 0, 0, 1), 0, lambda upright: upright[:, ::-1]),
        ((1, 0, 0, -1), 180, lambda upright: upright[::-1]),
    ],
    ids=["0", "90", "180", "270", "mirrored", "upside-down-mirror"],
)
def test_rotation_metadata_is_honoured(tmp_path: Path, matrix, rotation_deg: int, stored) -> None:  # noqa: ANN001
    upright = [clips.marked_picture(64, 96, index) for index in range(3)]
    path = tmp_path / "phone.mp4"
    clips.write_clip(path, [np.ascontiguousarray(stored(picture)) for picture in upright])
    clips.set_display_matrix(path, matrix)

    info = probe(path)
    frames = list(read_frames(path))

    assert (info.image_size, info.rotation_deg) == ((64, 96), rotation_deg)
    assert frames[0].rgb.shape == (96, 64, 3)
    assert frames[0].rgb.flags.c_contiguous
    np.testing.assert_allclose(clips.corner_colours(frames[2].rgb), UPRIGHT, atol=25)


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "dv.mp4", clips.marked_pictures(2), pixel_aspect=Fraction(4, 3))
    assert probe(path).image_size == (128, 64)
    frame = next(iter(read_frames(path)))
    assert frame.rgb.shape == (64, 128, 3)
    np.testing.assert_allclose(clips.corner_colours(frame.rgb), UPRIGHT, atol=25)


@pytest.mark.parametrize(
    "name", ["two words.mp4", "Tänzerin 舞蹈 №1.mp4", "12:30 100%d.mp4", "it's & <b>.mp4"]
)
def test_any_file_name(tmp_path: Path, name: str) -> None:
    if os.name == "nt" and set(name) & set(':<>"'):
        pytest.skip("Windows forbids these characters in file names")
    folder = tmp_path / "Ünï côde"
    folder.mkdir()
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(2)).rename(folder / name)
    assert probe(path).frame_count == 2
    assert len(list(read_frames(path))) == 2


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(2)).rename(tmp_path / "a:b.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(list(read_frames(Path("a:b.mp4")))) == 2


def test_start_end_and_every_keep_index_and_time(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(10))
    frames = list(read_frames(path, start_s=0.08, end_s=0.32, every=2))
    assert [frame.index for frame in frames] == [2, 4, 6]
    assert [clips.marked_index(frame.rgb) for frame in frames] == [2, 4, 6]
    np.testing.assert_allclose([frame.time_s for frame in frames], [0.08, 0.16, 0.24], atol=1e-4)


def test_reading_stops_before_its_start_too(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(10))
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(len(asked) == 3)
        return asked[-1]

    assert list(read_frames(path, start_s=0.32, stopped=stopped)) == []
    assert asked == [False, False, False, True]


def test_nothing_between_start_and_end(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(4))
    with pytest.raises(VideoReadError, match=r"no picture between 5 s and its end; the last .* 0\.12 s"):
        list(read_frames(path, start_s=5.0))
    with pytest.raises(ValueError, match="every is 0"):
        list(read_frames(path, every=0))


def test_leaving_early_closes_the_file(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.marked_pictures(4))
    frames = read_frames(path)
    next(frames)
    frames.close()
    path.unlink()
