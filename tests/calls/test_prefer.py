"""The codec of what will be sent is negotiated, and then nothing is encoded anew."""

from __future__ import annotations

import asyncio

import pytest
from media_files import make, read_counter

import xnb
from xnb.media.files import FileSource


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory):
    """The files, made before a call runs: making one blocks the loop."""
    folder = tmp_path_factory.mktemp("prefer")
    for name in ("clip.mp4", "clip.webm", "rotated.mp4", "text.txt"):
        make(name, folder)
    return folder


async def connected(clients, **options):
    """A caller's and an answerer's call."""
    alice, bob = clients(), clients()
    await bob.connect()
    ringing = bob.incoming()
    out = await alice.call(bob.handle, video=True, **options)
    answered = await (await anext(ringing)).accept()
    await asyncio.gather(out.until("connected"), answered.until("connected"))
    return out, answered


async def seen_while(answered, playback):
    """Frame counters that arrive until the playback is done."""
    seen = []

    async def look():
        async for frame in answered.video.frames():
            seen.append(read_counter(frame.image))

    looking = asyncio.ensure_future(look())
    await playback.done
    await asyncio.sleep(0.3)
    looking.cancel()
    return [number for number in seen if number is not None]


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "h264"), ("clip.webm", "vp8")])
async def test_prefer_negotiates_the_file_s_codec_and_passes_it(clients, media_folder, name, codec):
    path = make(name, media_folder)
    out, answered = await connected(clients, prefer=path)
    assert out.peer.video_codec_in_use == codec
    playback = await out.send_video_file(path)
    seeing = asyncio.ensure_future(seen_while(answered, playback))
    await asyncio.sleep(1.0)
    assert "video" in playback.passed_through
    assert ("audio" in playback.passed_through) is (name == "clip.webm")
    numbers = await seeing
    numbers = numbers[next(i for i, n in enumerate(numbers) if n < 60) :]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) >= 50


async def test_the_source_of_the_call_is_preferred_by_itself(clients, media_folder):
    source = FileSource.open(make("clip.mp4", media_folder), loop=True)
    out, _ = await connected(clients, source=source)
    assert out.peer.video_codec_in_use == "h264"
    await asyncio.sleep(0.5)
    assert source.video.is_passing


@pytest.mark.parametrize(
    ("name", "options", "codec"),
    [
        ("rotated.mp4", {}, "vp8"),
        ("clip.mp4", {"video_codec": "vp8"}, "vp8"),
        ("clip.mp4", {"video_settings": xnb.VideoSettings(max_height_px=240)}, "vp8"),
    ],
)
async def test_what_cannot_pass_changes_nothing(clients, media_folder, name, options, codec):
    out, _ = await connected(clients, prefer=make(name, media_folder), **options)
    assert out.peer.video_codec_in_use == codec


@pytest.mark.parametrize("name", ["nowhere.mp4", "text.txt"])
async def test_a_bad_file_fails_before_anything_is_placed(clients, media_folder, name):
    bob = clients()
    await bob.connect()
    rang = []
    bob.listen_for_calls(rang.append)
    alice = clients()
    with pytest.raises(xnb.MediaError, match=name):
        await alice.call(bob.handle, video=True, prefer=media_folder / name)
    assert alice.calls == ()
    await asyncio.sleep(0.5)
    assert rang == []


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "h264"), ("clip.webm", "vp8")])
async def test_the_far_end_answers_in_the_codec_of_the_file(clients, media_folder, name, codec):
    """Else the echo bot would get one codec and have to send another."""
    call = await clients().call("echo", video=True, source=str(make(name, media_folder)))
    await call.until("connected", timeout_s=10)
    seen = []
    async with asyncio.timeout(10):
        async for frame in call.video.frames():
            if (number := read_counter(frame.image)) is not None:
                seen.append(number)
            if len(seen) == 10:
                break
    assert call.peer.video_in.codec == call.peer.video_out.codec == codec
    assert seen == sorted(set(seen))
    await call.hangup()
