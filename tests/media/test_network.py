"""Streams on loopback, made by another program: content, breaking off, errors, secrets."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from live_reading import Reading, ffmpeg, free_port, read_some, threads, until
from media_files import TONE_HZ, dominant_frequency, make, read_counter

from xnb.errors import MediaError
from xnb.media.late import OpenedLater
from xnb.media.network import stream

SECRET = "hunter2"


def server(folder: Path, *output: str, loops: int = -1) -> Any:
    """A clip with counter and tone, sent in real time."""
    clip = str(make("clip.mp4", folder))
    return ffmpeg("-re", "-stream_loop", str(loops), "-i", clip, "-c", "copy", *output)


async def opened(source: OpenedLater) -> OpenedLater:
    """The source, once it has tracks or has failed."""
    source.start()
    await until(lambda: source.kinds or source.failure)
    return source


def check(sound: Reading, pictures: Reading) -> None:
    assert dominant_frequency(sound.samples[4800:]) == pytest.approx(TONE_HZ, abs=4)
    counters = [read_counter(frame) for frame in pictures.frames]
    seen = [one for one in counters if one is not None]
    assert len(seen) >= len(counters) * 0.9
    steps = [b - a for a, b in zip(seen, seen[1:], strict=False)]
    assert sum(step in (1, 1 - 90) for step in steps) >= len(steps) * 0.8, counters


@pytest.mark.parametrize("kind", ["rtsp", "http", "udp"])
async def test_it_arrives_in_real_time(folder: Path, kind: str) -> None:
    port = free_port(socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    address = f"{kind}://127.0.0.1:{port}"
    options = None
    if kind == "rtsp":
        # We listen and the other program calls: FFmpeg has no RTSP server of the usual kind.
        options = {"rtsp_flags": "listen", "listen_timeout": "10"}
        output = ["-f", "rtsp", "-rtsp_transport", "tcp", address + "/live"]
    elif kind == "http":
        output = ["-f", "mpegts", "-listen", "1", address + "/live"]
    else:
        output = ["-f", "mpegts", address]
    path = "/live" if kind != "udp" else ""
    source = stream(address + path, options=options, read_timeout_s=1.5)
    try:
        if kind == "rtsp":
            source.start()
            await asyncio.sleep(0.5)
        with server(folder, *output):
            if kind == "http":
                await asyncio.sleep(0.7)
            await opened(source)
            assert source.failure is None, source.failure
            assert source.name == f"{kind} stream"
            assert repr(source) == f"<OpenedLater {kind} stream: audio + video>"
            start_s = time.monotonic()
            sound, pictures = await asyncio.gather(
                read_some(source.audio, 75), read_some(source.video, 45)
            )
            took_s = time.monotonic() - start_s
        check(sound, pictures)
        assert 1.0 < took_s < 5, "1.5 s of media, and no hurry"
    finally:
        source.close()
    await until(lambda: not threads("xnb-live"), 8)


async def test_a_web_server_that_ends_is_a_clean_end(folder: Path) -> None:
    port = free_port()
    output = ["-f", "mpegts", "-listen", "1", f"http://127.0.0.1:{port}/live.ts"]
    source = stream(f"http://127.0.0.1:{port}/live.ts", audio=False)
    with server(folder, *output, loops=0):
        await asyncio.sleep(0.7)
        await opened(source)
        assert source.name == "live.ts"
        pictures = await read_some(source.video, 1000)
    assert pictures.ended
    assert 80 <= len(pictures.frames) <= 91, "three seconds of 30 pictures"
    assert source.done
    assert source.error is None


async def test_a_live_stream_that_broke_off_is_opened_again(folder: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    address = f"udp://127.0.0.1:{port}"
    source = stream(address, audio=False, read_timeout_s=1, reconnect_s=20)
    try:
        with server(folder, "-f", "mpegts", address):
            await opened(source)
            before = await read_some(source.video, 20)
        reading = asyncio.ensure_future(read_some(source.video, 60, 25))
        await asyncio.sleep(2.5)
        with server(folder, "-f", "mpegts", address):
            after = await reading
    finally:
        source.close()
    assert len(before.frames) == 20
    assert len(after.frames) == 60
    assert max(b - a for a, b in zip(after.at_s, after.at_s[1:], strict=False)) > 1.5, "the gap"
    assert source._inner.reconnected == 1
    check_times = after.times_s
    assert check_times == sorted(set(check_times))


async def test_one_that_does_not_come_back_ends_with_an_error(folder: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    source = stream(f"udp://127.0.0.1:{port}", audio=False, read_timeout_s=0.5, reconnect_s=0)
    with server(folder, "-f", "mpegts", f"udp://127.0.0.1:{port}"):
        await opened(source)
        await read_some(source.video, 5)
    with pytest.raises(MediaError, match=r"udp stream broke off \(stage: reading\).*send it again"):
        await read_some(source.video, 1000)
    assert source.done


@pytest.mark.parametrize("kind", ["rtsp", "http"])
async def test_a_refused_connection_says_so_and_keeps_the_secret(
    caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(logging.DEBUG)
    port = free_port()
    source = stream(f"{kind}://user:{SECRET}@127.0.0.1:{port}/{SECRET}?key={SECRET}")
    told: list[bool] = []
    source.on_change = lambda: told.append(True)
    await opened(source)
    assert told == [True]
    failure = source.failure
    assert failure is not None
    assert "(stage: connecting): Connection refused" in str(failure)
    assert "Check the address" in str(failure)
    with pytest.raises(MediaError) as raised:
        stream(f"{kind}://user:{SECRET}@127.0.0.1:{port}/{SECRET}").open()
    text = "".join(traceback.format_exception(raised.value))
    for shown in (str(failure), repr(failure), repr(source), source.name, caplog.text, text):
        assert SECRET not in shown
        assert str(port) not in shown
    assert raised.value.__context__ is None


async def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        source = stream(f"http://127.0.0.1:{port}/x.mp4", open_timeout_s=0.5)
        start_s = time.monotonic()
        await opened(source)
        assert time.monotonic() - start_s < 5
    assert "x.mp4 did not open within 0.5 s (stage: connecting)" in str(source.failure)


@pytest.mark.parametrize(
    ("address", "options", "words"),
    [
        ("clip.mp4", {}, "no address"),
        ("rtsp://x/y", {"audio": False, "video": False}, "Neither sound nor picture"),
        ("rtsp://x/y", {"open_timeout_s": 0}, "open_timeout_s is 0.*Use 0.1 to 3600"),
        ("rtsp://x/y", {"reconnect_s": -1}, "reconnect_s is -1"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    address: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(MediaError, match=words):
        stream(address, **options)
