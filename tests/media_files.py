"""Real input files for tests, with contents that can be checked.

Pictures carry the test card's frame counter (``read_counter``), sound is a tone of
``TONE_HZ`` (``dominant_frequency``), or beeps at each whole second for ``beeps.mp4``.

``make(name, folder)`` gives the path of one of ``NAMES``; each is made once a session.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from xnb.media.frames import plane_array
from xnb.media.testcard import CardPainter, read_counter

__all__ = ["FACTS", "NAMES", "TONE_HZ", "dominant_frequency", "make", "read_counter"]

TONE_HZ = 600.0
RATE_HZ = 48000


class Facts(NamedTuple):
    """What is in a file: length in s, picture rate (0: no picture), size, whether it sounds."""

    duration_s: float = 3.0
    fps: float = 0
    size: tuple[int, int] | None = None
    audio: bool = True


VGA = (640, 480)
FACTS = {
    "tone.wav": Facts(),
    "tone.mp3": Facts(),
    "tone.ogg": Facts(),
    "tone.m4a": Facts(),
    "cover.mp3": Facts(),
    "speech.wav": Facts(duration_s=0),
    "clip.mp4": Facts(3.0, 30, VGA),
    "clip.webm": Facts(3.0, 30, VGA),
    "clip.mkv": Facts(3.0, 25, (320, 240)),
    "vfr.mp4": Facts(3.0, 15, VGA),
    "odd.webm": Facts(2.0, 25, (640, 478)),
    "rotated.mp4": Facts(1.0, 30, (240, 320), audio=False),
    "silent.mp4": Facts(2.0, 30, (320, 240), audio=False),
    "sound.mp4": Facts(2.0),
    "beeps.mp4": Facts(4.0, 30, (320, 240)),
    "late_audio.mkv": Facts(3.0, 30, (320, 240)),
    "short_audio.mp4": Facts(3.0, 30, (320, 240)),
    "damaged.webm": Facts(3.0, 30, VGA),
}
"""The good files. ``speech.wav`` is as long as the voice needs."""
BROKEN = ("text.txt", "truncated.mp4", "empty.mp4", "subtitles.srt")
NAMES = (*FACTS, *BROKEN, "truncated.webm")


def make(name: str, folder: Path) -> Path:
    """The file ``name`` (one of ``NAMES``), made in ``folder`` when it is not there yet."""
    return _make(name, Path(folder))


@cache
def _make(name: str, folder: Path) -> Path:
    path = folder / name
    _MAKERS[name](path)
    return path


def dominant_frequency(samples: NDArray[Any], rate_hz: int = RATE_HZ) -> float:
    """Frequency in Hz of the strongest sine in ``samples``, (n,) or (n, channels)."""
    mono = np.asarray(samples, np.float64)
    mono = mono if mono.ndim == 1 else mono.mean(axis=1)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono))))
    spectrum[0] = 0
    peak = int(np.argmax(spectrum))
    shift = 0.0
    if 0 < peak < len(spectrum) - 1:
        left, middle, right = np.log(spectrum[peak - 1 : peak + 2] + 1e-12)
        shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float((peak + shift) * rate_hz / len(mono))


def tone_samples(seconds: float, rate_hz: int = RATE_HZ, frequency_hz: float = TONE_HZ) -> Any:
    """(n,) float64 sine of amplitude 0.3."""
    return 0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def beep_samples(seconds: float) -> Any:
    """Silence with 100 ms of tone at 1 s, 2 s, and so on."""
    samples = np.zeros(int(seconds * RATE_HZ))
    for second in range(1, int(seconds)):
        samples[second * RATE_HZ : second * RATE_HZ + RATE_HZ // 10] = tone_samples(0.1)
    return samples


class Sound(NamedTuple):
    codec: str
    samples: Any
    rate_hz: int = RATE_HZ
    start_s: float = 0.0


class Picture(NamedTuple):
    codec: str
    size: tuple[int, int]
    times_s: list[float]
    fps: float


_FAST = {
    "libx264": {"preset": "ultrafast", "crf": "23"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "b": "2M"},
}


def encode(path: Path, *, sound: Sound | None = None, picture: Picture | None = None) -> None:
    """Write a media file; pictures carry the numbers 0, 1, 2 …"""
    with av.open(str(path), "w") as output:
        jobs: list[tuple[float, Any, Any]] = []
        if picture:
            stream: Any = output.add_stream(
                picture.codec, rate=round(picture.fps), options=_FAST[picture.codec]
            )
            stream.width, stream.height = picture.size
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.codec_context.gop_size = 15
            card = CardPainter(picture.size[0] + 1 & ~1, picture.size[1] + 1 & ~1, picture.fps)
            for number, time_s in enumerate(picture.times_s):
                frame = card.draw(number)
                if picture.size != (frame.width, frame.height):
                    frame = frame.reformat(*picture.size)
                frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
                jobs.append((time_s, stream, frame))
        if sound:
            stream = output.add_stream(sound.codec, rate=sound.rate_hz, layout="stereo")
            first = round(sound.start_s * sound.rate_hz)
            for start in range(0, len(sound.samples), 1152):
                piece = np.rint(sound.samples[start : start + 1152] * 32767).astype(np.int16)
                array = np.repeat(piece, 2).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(array, format="s16", layout="stereo")
                frame.sample_rate = sound.rate_hz
                frame.pts, frame.time_base = first + start, Fraction(1, sound.rate_hz)
                jobs.append((float(frame.pts * frame.time_base), stream, frame))
        for _, stream, frame in sorted(jobs, key=lambda job: job[0]):
            output.mux(stream.encode(frame))
        for stream in output.streams:
            output.mux(stream.encode(None))


def _even(seconds: float, fps: float) -> list[float]:
    return [number / fps for number in range(int(seconds * fps))]


def _uneven(seconds: float) -> list[float]:
    """Fast, then slow, then fast again: 15 pictures a second on average."""
    times, now, number = [], 0.0, 0
    while now < seconds - 0.05:
        times.append(now)
        now += (1 / 30, 1 / 30, 0.1333)[number // 5 % 3]
        number += 1
    return times


def _speech(path: Path) -> None:
    program = shutil.which("espeak-ng")
    words = "one two three four five, this is a call made from a notebook"
    if program:
        subprocess.run([program, "-v", "en-us", "-w", str(path), words], check=True)
        return
    from xnb.media.synthetic import _counter_samples

    samples = _counter_samples()[: 5 * RATE_HZ, 0] / 32768
    encode(path, sound=Sound("pcm_s16le", samples))


def _cover(path: Path) -> None:
    """An mp3 with an ID3v2.3 APIC frame, which FFmpeg shows as a video stream."""
    import io

    picture = io.BytesIO()
    CardPainter(160, 120, 30).draw(0).to_image().save(picture, "JPEG")
    body = b"\0image/jpeg\0\x03\0" + picture.getvalue()
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    plain = path.with_name("plain.mp3")
    encode(plain, sound=Sound("libmp3lame", tone_samples(3.0, 44100), 44100))
    data = plain.read_bytes()
    if data[:3] == b"ID3":
        old = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
        data = data[10 + old :]
    path.write_bytes(b"ID3\3\0\0" + size + frame + data)


def _rotated(path: Path) -> None:
    """Held upright by a phone: 320x240 pixels with a display matrix that turns them by 90°."""
    encode(path, picture=Picture("libx264", (320, 240), _even(1.0, 30), 30))
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd")
    matrix = header + 4 + 4 + 20 + 8 + 8
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 240 * one, 0, 1 << 30)
    path.write_bytes(data)


def _truncated(path: Path, whole: str, share: float) -> None:
    data = make(whole, path.parent).read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def _damaged(path: Path) -> None:
    data = bytearray(make("clip.webm", path.parent).read_bytes())
    for place in range(len(data) // 3, len(data) * 2 // 3, 6000):
        data[place : place + 60] = bytes(60)
    path.write_bytes(data)


def _vga(codec: str, seconds: float = 3.0, fps: float = 30) -> Picture:
    return Picture(codec, VGA, _even(seconds, fps), fps)


def _small(seconds: float, fps: float = 30, codec: str = "libx264") -> Picture:
    return Picture(codec, (320, 240), _even(seconds, fps), fps)


_MAKERS: dict[str, Callable[[Path], Any]] = {
    "tone.wav": lambda p: encode(p, sound=Sound("pcm_s16le", tone_samples(3, 16000), 16000)),
    "tone.mp3": lambda p: encode(p, sound=Sound("libmp3lame", tone_samples(3, 44100), 44100)),
    "tone.ogg": lambda p: encode(p, sound=Sound("libopus", tone_samples(3))),
    "tone.m4a": lambda p: encode(p, sound=Sound("aac", tone_samples(3, 44100), 44100)),
    "cover.mp3": _cover,
    "speech.wav": _speech,
    "clip.mp4": lambda p: encode(p, sound=Sound("aac", tone_samples(3)), picture=_vga("libx264")),
    "clip.webm": lambda p: encode(
        p, sound=Sound("libopus", tone_samples(3)), picture=_vga("libvpx")
    ),
    "clip.mkv": lambda p: encode(
        p, sound=Sound("aac", tone_samples(3, 44100), 44100), picture=_small(3, 25)
    ),
    "vfr.mp4": lambda p: encode(
        p,
        sound=Sound("aac", tone_samples(3)),
        picture=Picture("libx264", VGA, _uneven(3.0), 15),
    ),
    "odd.webm": lambda p: encode(
        p,
        sound=Sound("libopus", tone_samples(2)),
        picture=Picture("libvpx", (641, 479), _even(2, 25), 25),
    ),
    "rotated.mp4": _rotated,
    "silent.mp4": lambda p: encode(p, picture=_small(2)),
    "sound.mp4": lambda p: encode(p, sound=Sound("aac", tone_samples(2))),
    "beeps.mp4": lambda p: encode(p, sound=Sound("aac", beep_samples(4)), picture=_small(4)),
    "late_audio.mkv": lambda p: encode(
        p, sound=Sound("libopus", tone_samples(2.5), start_s=0.5), picture=_small(3)
    ),
    "short_audio.mp4": lambda p: encode(
        p, sound=Sound("aac", tone_samples(1.0)), picture=_small(3)
    ),
    "damaged.webm": _damaged,
    "text.txt": lambda p: p.write_text("This is not a film, and it makes no sound.\n" * 20),
    "subtitles.srt": lambda p: p.write_text("1\n00:00:00,000 --> 00:00:02,000\nHello\n"),
    "empty.mp4": lambda p: p.write_bytes(b""),
    "truncated.mp4": lambda p: _truncated(p, "clip.mp4", 0.5),
    "truncated.webm": lambda p: _truncated(p, "clip.webm", 0.5),
}


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The brightness plane of a yuv420p frame."""
    return plane_array(frame, 0)
