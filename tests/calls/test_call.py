"""The issue's example, line by line, in both loop modes."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import numpy as np
import pytest

import xnb
from xnb.events import Connected, Ended, StateChange
from xnb.media.testcard import read_counter


def loudest_hz(samples) -> float:
    mono = samples[:, 0] * np.hanning(len(samples))
    return float(np.abs(np.fft.rfft(mono)).argmax() * 48000 / len(mono))


async def hear(call, chunks: int = 60, skip: int = 20):
    pieces = []
    async for chunk in call.audio.chunks():
        pieces.append(chunk.samples)
        if len(pieces) >= chunks:
            break
    return np.concatenate(pieces[skip:])


async def see(call, count: int = 20):
    frames = []
    async for frame in call.video.frames(buffer=30):
        frames.append(frame)
        if len(frames) >= count:
            return frames
    return frames


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_call_to_the_test_card(clients, loop_mode, codec):
    client = clients(loop=loop_mode)
    call = await client.call("testcard", video=True, video_codec=codec)
    assert call.state in ("ringing", "connecting", "connected")
    connected = await call.until("connected", timeout_s=10)
    assert isinstance(connected, Connected)
    assert call.state == "connected"
    assert call.broadcast_id
    frames = await see(call)
    numbers = [read_counter(frame.image) for frame in frames]
    assert None not in numbers
    assert numbers == sorted(set(numbers))
    assert frames[0].image.shape == (480, 640, 3)
    assert call.video.codec == codec
    samples = await hear(call)
    assert loudest_hz(samples) == pytest.approx(440, abs=4)
    stats = await call.stats()
    assert (stats.codec, stats.width, stats.height) == (codec, 640, 480)
    assert call.duration_seconds > 0.5
    await call.hangup()
    assert call.state == "ended"
    assert call.end_reason == "hangup"
    fixed = call.duration_seconds
    await asyncio.sleep(0.1)
    assert call.duration_seconds == fixed


async def test_timeline_holds_every_state_in_order(clients):
    call = await clients().call("echo")
    await call.until("connected")
    await call.hangup()
    states = [event.new for event in call.timeline if isinstance(event, StateChange)]
    assert states == ["signaling", "ringing", "connecting", "connected", "ended"]
    times = [event.time_s for event in call.timeline]
    assert times == sorted(times)


async def test_echo_sends_the_very_tone_back(clients, loop_mode):
    client = clients(loop=loop_mode)
    call = await client.call("echo", source=xnb.tone(660))
    await call.until("connected")
    assert loudest_hz(await hear(call, 80, 40)) == pytest.approx(660, abs=4)
    call.send_audio(np.sin(2 * np.pi * 1000 / 16000 * np.arange(16000 * 8)), sample_rate_hz=16000)
    await asyncio.sleep(0.7)
    assert loudest_hz(await hear(call, 60, 20)) == pytest.approx(1000, abs=4)


async def test_pictures_from_a_generator_come_back(clients, loop_mode):
    def red():
        while True:
            picture = np.zeros((240, 320, 3), np.uint8)
            picture[..., 0] = 200
            yield picture

    client = clients(loop=loop_mode)
    call = await client.call("echo", video=True)
    await call.until("connected")
    playback = call.send_video(red(), fps=15)
    deadline = time.monotonic() + 8
    async for frame in call.video.frames():
        r, g, b = frame.image.reshape(-1, 3).mean(0)
        if frame.width == 320 and r > 150 and g < 60 and b < 60:
            break
        assert time.monotonic() < deadline, (frame, r, g, b)
    playback.stop()
    await playback.done


async def test_async_generator_and_its_error(clients):
    async def short():
        yield np.zeros((120, 160, 3), np.uint8)
        raise ValueError("my own bug")

    call = await clients().call("echo", video=True)
    await call.until("connected")
    with pytest.raises(xnb.MediaError, match="my own bug"):
        await asyncio.wait_for(asyncio.ensure_future(_done(call.send_video(short()))), 5)
    assert call.state == "connected"


async def _done(playback):
    await playback.done


async def test_latest_and_snapshot(clients):
    call = await clients().call("testcard", video=True)
    await call.until("connected")
    snapshot = await call.video.snapshot()
    assert read_counter(snapshot.image) is not None
    deadline = time.monotonic() + 5
    while call.video.latest() is None:
        await asyncio.sleep(0.05)
        assert time.monotonic() < deadline
    first = read_counter(call.video.latest().image)
    await asyncio.sleep(0.3)
    assert read_counter(call.video.latest().image) > first


async def test_mute_and_camera_tell_the_far_side_and_stop_sending(clients, loop_mode):
    alice, bob = clients(loop=loop_mode), clients()
    await bob.connect()
    ringing = bob.incoming()
    out = await alice.call(bob.handle, video=True, source=xnb.testcard())
    answered = await (await anext(ringing)).accept()
    await asyncio.gather(out.until("connected"), answered.until("connected"))
    seen = []

    @answered.on("mediastatus")
    def status(event):
        seen.append((event.is_camera_deactivated, event.is_microphone_deactivated))

    async def until_seen(value):
        deadline = time.monotonic() + 5
        while not seen or seen[-1] != value:
            await asyncio.sleep(0.02)
            assert time.monotonic() < deadline, seen

    out.mute()
    await until_seen((False, True))
    out.camera_off()
    await until_seen((True, True))
    await asyncio.sleep(0.4)
    before = answered.peer.video_in.frames, answered.peer.audio_in.frames
    await asyncio.sleep(0.5)
    assert (answered.peer.video_in.frames, answered.peer.audio_in.frames) == before
    out.unmute()
    out.camera_on()
    await until_seen((False, False))
    await asyncio.sleep(0.5)
    assert answered.peer.video_in.frames > before[0] + 5
    assert answered.peer.audio_in.frames > before[1] + 10
    assert (out.is_muted, out.is_camera_on) == (False, True)


async def test_recipients_of_every_kind(clients):
    alice, bob = clients(), clients()
    me = await bob.connect()
    ringing = bob.incoming()
    for recipient in (
        int(me.id),
        me.id,
        f"@{bob.handle}",
        bob.handle,
        SimpleNamespace(id=me.id),
        {"id": int(me.id)},
    ):
        call = await alice.call(recipient)
        incoming = await asyncio.wait_for(anext(ringing), 5)
        assert incoming.broadcast_id == call.broadcast_id
        assert incoming.caller.handle == alice.handle
        assert incoming.audio_only
        await incoming.decline()
        with pytest.raises(xnb.Declined, match="declined"):
            await call.until("connected", timeout_s=5)
        assert call.end_reason == "declined"


async def test_listen_answer_and_remote_hangup(clients, loop_mode):
    alice, bob = clients(loop=loop_mode), clients(loop=loop_mode)
    got: asyncio.Queue = asyncio.Queue()
    here = asyncio.get_running_loop()
    await bob.connect()
    sub = bob.listen_for_calls(lambda incoming: here.call_soon_threadsafe(got.put_nowait, incoming))
    out = await alice.call(bob.handle, video=True)
    incoming = await asyncio.wait_for(got.get(), 5)
    assert incoming.host_id == (await alice.connect()).id
    assert not incoming.audio_only
    answered = await incoming.accept(video=True)
    await asyncio.gather(out.until("connected"), answered.until("connected"))
    ended = asyncio.ensure_future(answered.until("ended", timeout_s=6))
    await out.hangup()
    event = await ended
    assert isinstance(event, Ended)
    assert event.reason == "remote_hangup"
    sub.close()
    sub.close()


async def test_answer_by_id_without_announcement(clients):
    alice, bob = clients(), clients()
    await bob.connect()
    ringing = bob.incoming()
    out = await alice.call(bob.handle, announce=False)
    with pytest.raises(xnb.CallError, match="somebody else"):
        await bob.answer_call(broadcast_id=out.broadcast_id, host_id=12345)
    await out.until("ended", timeout_s=6)
    out = await alice.call(bob.handle, announce=False)
    answered = await bob.answer_call(
        broadcast_id=out.broadcast_id, host_id=(await alice.connect()).id
    )
    await asyncio.gather(out.until("connected"), answered.until("connected"))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(anext(ringing), 0.5)


async def test_caller_cancels_and_the_callee_is_told(clients):
    alice, bob = clients(), clients()
    await bob.connect()
    ringing = bob.incoming()
    out = await alice.call(bob.handle)
    incoming = await asyncio.wait_for(anext(ringing), 5)
    gone: asyncio.Future = asyncio.get_running_loop().create_future()
    incoming.on_gone(gone.set_result)
    await out.hangup()
    assert out.end_reason == "canceled"
    assert await asyncio.wait_for(gone, 5) == "canceled"
    with pytest.raises(xnb.CallError, match="does not ring any more"):
        await incoming.accept()


async def test_decorator_listeners_and_their_errors(clients, caplog):
    call = await clients().call("echo")
    seen = []

    @call.on("statechange")
    def changed(event):
        seen.append(event.new)
        raise RuntimeError("a listener's own bug")

    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
    await call.until("connected")
    await call.hangup()
    assert "ended" in seen
    assert all(isinstance(f["exception"], RuntimeError) for f in failures)
    assert len(failures) == len(seen)
    with pytest.raises(xnb.SettingsError, match="Use one of"):
        call.on("nonsense", print)


async def test_a_subscriber_that_fails_disturbs_nobody(clients):
    alice, bob = clients(), clients()
    await bob.connect()
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))

    async def later(incoming):
        raise ValueError("a coroutine's own bug")

    bob.listen_for_calls(lambda incoming: 1 / 0)
    bob.listen_for_calls(later)
    ringing = bob.incoming()
    for _ in range(2):
        call = await alice.call(bob.handle)
        await (await asyncio.wait_for(anext(ringing), 5)).decline()
        await call.until("ended", timeout_s=5)
    kinds = [type(failure["exception"]) for failure in failures]
    assert sorted(kind.__name__ for kind in kinds) == ["ValueError"] * 2 + ["ZeroDivisionError"] * 2


async def test_a_loop_that_is_left_stops_the_decoder(clients):
    call = await clients().call("testcard", video=True)
    await call.until("connected", timeout_s=15)
    async for frame in call.video.frames():
        assert frame.image.shape == (480, 640, 3)
        break
    frames = call.audio.chunks()
    assert call.audio.is_read
    for _ in range(3):
        await anext(frames)
    del frames
    await asyncio.sleep(0.1)
    assert not call.video.is_read
    assert not call.audio.is_read
    assert not call.peer.video_in.is_read
    assert not call.peer.audio_in.is_read
