"""Arrays become frames and come back with the same colours and samples."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from xnb.errors import MediaError
from xnb.media.frames import (
    AudioChunk,
    VideoFrame,
    from_av_audio,
    to_av_audio,
    to_av_video,
    to_rgb,
    to_yuv420p,
)
from xnb.media.levels import peak, rms_dbfs

ORANGE = (240, 140, 20)


def picture(height=48, width=64, dtype=np.uint8):
    image = np.full((height, width, 3), ORANGE, np.uint8)
    return image if dtype == np.uint8 else (image / 255).astype(dtype)


@pytest.mark.parametrize(
    "given",
    [
        picture(),
        picture(dtype=np.float32),
        picture(dtype=np.float64),
        np.dstack((picture(), np.full((48, 64), 255, np.uint8))),
        picture(49, 65),
        Image.fromarray(picture()),
        Image.fromarray(picture()).convert("RGBA"),
        av.VideoFrame.from_ndarray(picture(), format="rgb24"),
        VideoFrame(av.VideoFrame.from_ndarray(picture(), format="rgb24"), 1.0),
    ],
    ids=["uint8", "float32", "float64", "rgba", "odd", "pil", "pil-rgba", "av", "VideoFrame"],
)
def test_every_kind_of_picture(given):
    frame = to_av_video(given)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 64, 48)
    assert np.abs(to_rgb(frame).astype(int) - ORANGE).max() <= 6


def test_gray_and_masks():
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    assert np.abs(to_rgb(to_av_video(ramp))[:, :, 1].astype(int) - ramp).max() <= 3
    mask = ramp > 127
    assert np.abs(to_rgb(to_av_video(mask))[:, :, 0].astype(int) - mask * 255).max() <= 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((3, 48, 64), np.uint8), "moveaxis"),
        (np.zeros((48, 64, 2), np.uint8), "not a picture"),
        (np.zeros(10, np.uint8), "not a picture"),
        (np.full((48, 64, 3), 200.0), "Scale floats"),
        (np.full((48, 64, 3), np.nan), "Scale floats"),
        (np.zeros((48, 64, 3), np.int64), "astype"),
        (np.zeros((1, 1, 3), np.uint8), "pixels"),
        ("picture.png", "NumPy array"),
        (None, "NumPy array"),
    ],
)
def test_what_is_no_picture_says_what_to_do(given, words):
    with pytest.raises(MediaError, match=words):
        to_av_video(given)


def test_odd_frames_are_cut_not_scaled():
    frame = av.VideoFrame.from_ndarray(picture(479, 641), format="rgb24")
    frame.pts = 7
    even = to_yuv420p(frame.reformat(format="yuv420p"))
    assert (even.width, even.height) == (640, 478)
    assert np.abs(to_rgb(even).astype(int) - ORANGE).max() <= 6


def test_video_frame_converts_once_and_shows_itself():
    frame = VideoFrame(to_av_video(picture()), 2.5)
    assert frame.image is frame.image
    assert frame.image.shape == (48, 64, 3)
    assert frame._repr_png_().startswith(b"\x89PNG")
    assert "64x48" in repr(frame)


@pytest.mark.parametrize("shape", [(960,), (960, 1), (960, 2)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_samples_come_back(shape, dtype):
    wave = np.sin(np.arange(960) / 20).reshape(-1, 1)[:, : len(shape)] * 0.5
    wave = np.broadcast_to(wave.reshape(960, -1)[:, :1], (960, shape[1] if len(shape) > 1 else 1))
    given = (wave * 32767).astype(np.int16) if dtype == np.int16 else wave.astype(dtype)
    frame = to_av_audio(given.reshape(shape), 16000)
    assert (frame.format.name, frame.sample_rate, frame.samples) == ("s16", 16000, 960)
    assert len(frame.layout.channels) == wave.shape[1]
    assert np.allclose(from_av_audio(frame), wave, atol=1e-4)


def test_planar_float_frames_are_read():
    frame = av.AudioFrame.from_ndarray(
        np.array([[0.25] * 10, [-0.5] * 10], np.float32), format="fltp", layout="stereo"
    )
    frame.sample_rate = 48000
    chunk = AudioChunk.from_av(frame, 1.0)
    assert chunk.samples.shape == (10, 2)
    assert chunk.samples[3].tolist() == [0.25, -0.5]
    assert chunk.duration_s == pytest.approx(10 / 48000)


@pytest.mark.parametrize(
    ("given", "rate", "words"),
    [
        (np.zeros((2, 960)), 48000, r"\.T"),
        (np.zeros((960, 6)), 48000, "stereo"),
        (np.zeros(960, np.int64), 48000, "int16"),
        (np.array([np.nan]), 48000, "NaN"),
        (np.zeros(960), 10, "sample_rate_hz"),
        (np.zeros(960), "48k", "sample_rate_hz"),
    ],
)
def test_what_is_no_sound_says_what_to_do(given, rate, words):
    with pytest.raises(MediaError, match=words):
        to_av_audio(given, rate)


def test_levels():
    sine = np.sin(2 * np.pi * np.arange(48000) / 48)
    assert rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert rms_dbfs((sine * 3276.8).astype(np.int16)) == pytest.approx(-23.01, abs=0.02)
    assert rms_dbfs(np.zeros(10)) == rms_dbfs(np.zeros(0)) == -120
    assert peak(sine * 0.25) == pytest.approx(0.25)
    assert peak(np.zeros(0)) == 0


def test_one_frame_is_converted_by_many_threads_at_once():
    """A recording and a reader convert the same picture; neither may wait for the other."""
    import threading

    from xnb.media.frames import convert

    pictures = [to_av_video(np.full((480, 640, 3), shade, np.uint8)) for shade in range(0, 250, 5)]
    results = {}

    def work(name, width):
        results[name] = [
            convert(p, width=width, pixel_format="rgb24").to_ndarray() for p in pictures
        ]

    threads = [
        threading.Thread(target=work, args=(n, w), daemon=True)
        for n, w in enumerate((640, 320, 200, 640))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(results) == 4
    assert [
        abs(int(p.mean()) - shade) <= 2
        for p, shade in zip(results[1], range(0, 250, 5), strict=True)
    ]
    assert (results[0][7] == results[3][7]).all()
