"""Every bot, and every way a call can go wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
import traceback

import pytest

import xnb
from xnb.launch import EmbeddedServer, embedded_server
from xnb.profile import ServerProfile
from xnb.settings import Timeouts


async def test_busy(clients):
    with pytest.raises(xnb.Busy, match="busy is busy"):
        call = await clients().call("busy")
        await call.until("connected", timeout_s=10)


async def test_noanswer_rings_out(clients):
    call = await clients(timeouts=Timeouts(ring_s=1.5)).call("noanswer")
    assert call.state == "ringing"
    with pytest.raises(xnb.Missed, match=r"did not answer within 1\.5 s"):
        await call.until("connected", timeout_s=10)
    assert call.end_reason == "missed"


async def test_until_names_the_state_it_waited_in(clients):
    call = await clients().call("noanswer")
    with pytest.raises(xnb.ConnectError, match="the call is ringing") as caught:
        await call.until("connected", timeout_s=0.3)
    assert caught.value.stage == "ringing"


async def test_callback_calls_back(clients):
    client = clients()
    ringing = client.incoming()
    call = await client.call("callback")
    await call.until("ended", timeout_s=15)
    incoming = await asyncio.wait_for(anext(ringing), 15)
    assert incoming.caller.handle == "callback"
    back = await incoming.accept()
    await back.until("connected", timeout_s=10)
    chunk = await asyncio.wait_for(anext(back.audio.chunks()), 5)
    assert chunk.samples.shape == (960, 2)


async def test_flaky_goes_and_comes_back(clients):
    call = await clients(timeouts=Timeouts(dead_peer_s=1.5)).call("flaky", video=True)
    await call.until("connected", timeout_s=10)
    await call.until("reconnecting", timeout_s=20)
    connected = asyncio.get_running_loop().create_future()
    call.on(
        "statechange",
        lambda e: e.new == "connected" and not connected.done() and connected.set_result(e),
    )
    await asyncio.wait_for(connected, 15)
    assert call.state == "connected"


async def test_music_has_energy(clients):
    call = await clients().call("music")
    await call.until("connected")
    loudest = 0.0
    async for chunk in call.audio.chunks():
        loudest = max(loudest, float(abs(chunk.samples).max()))
        if loudest > 0.02:
            break
        assert chunk.time_s < 10


async def test_unknown_user(clients):
    with pytest.raises(xnb.UnknownUser, match="knows nobody called 'nobody-of-that-name'"):
        await clients().call("nobody-of-that-name")


NONSENSE = [None, "", "  ", "has space", object(), -5, 1.5, {"name": "x"}]


@pytest.mark.parametrize("recipient", NONSENSE)
async def test_nonsense_recipients(clients, recipient):
    with pytest.raises(xnb.SettingsError):
        await clients().call(recipient)


async def test_contradicting_settings(clients):
    with pytest.raises(xnb.SettingsError, match="contradict"):
        await clients().call("echo", video=True, audio_only=True)
    with pytest.raises(xnb.SettingsError, match="video_codec is 'av1'"):
        await clients().call("echo", video_codec="av1")
    with pytest.raises(xnb.SettingsError, match="loop is 'x'"):
        xnb.Client("me", loop="x")


async def test_no_server_there(clients):
    client = clients(server="http://127.0.0.1:9", token="a-secret-token")
    start = time.monotonic()
    with pytest.raises(xnb.Unreachable) as caught:
        await client.call("echo")
    assert time.monotonic() - start < 15
    text = "".join(traceback.format_exception(caught.value))
    assert "a-secret-token" not in text


async def test_wrong_token(clients):
    with EmbeddedServerForTest() as server:
        client = clients(server=server.url, token="wrong-token-wrong")
        with pytest.raises(xnb.Unauthorized) as caught:
            await client.call("echo")
        assert "wrong-token-wrong" not in "".join(traceback.format_exception(caught.value))


async def test_gated_account(clients):
    command = [sys.executable, "-m", "xnb", "serve", "--child", "--gate", "newcomer"]
    with EmbeddedServerForTest(command) as server:
        client = clients("newcomer", server=server.url, token=server.token)
        with pytest.raises(xnb.CallGated) as caught:
            await client.call("echo")
        assert caught.value.status == 403
        allowed = clients(server=server.url, token=server.token)
        call = await allowed.call("echo")
        await call.until("connected")


async def test_candidates_as_signals_do_no_harm(clients):
    with EmbeddedServerForTest() as server:
        profile = dataclasses.replace(ServerProfile.local(server.url), send_candidates=True)
        client = clients(server=profile, token=server.token)
        call = await client.call("echo", video=True)
        await call.until("connected")
        names = [entry.name for entry in client.trace.entries]
        assert names.count("CANDIDATE") >= 2


async def test_a_new_embedded_server_is_found_when_the_old_one_died(clients):
    client = clients()
    await (await client.call("echo")).hangup()
    embedded_server().close()
    call = await client.call("echo")
    await call.until("connected")


async def test_server_dies_in_mid_call_media_goes_on(clients):
    with EmbeddedServerForTest() as server:
        a = clients(server=server.url, token=server.token)
        b = clients(server=server.url, token=server.token)
        await b.connect()
        ringing = b.incoming()
        call = await a.call(b.handle, source=xnb.tone(500))
        answered = await (await anext(ringing)).accept()
        await asyncio.gather(call.until("connected"), answered.until("connected"))
        errors = []
        call.on("error", errors.append)
        server.close()
        deadline = time.monotonic() + 10
        while not errors:
            await asyncio.sleep(0.05)
            assert time.monotonic() < deadline
        assert isinstance(errors[0].error, xnb.XnbError)
        chunk = await asyncio.wait_for(anext(answered.audio.chunks()), 3)
        assert abs(chunk.samples).max() > 0.05
        assert call.state == "connected"
        await asyncio.wait_for(call.hangup(), 8)
        assert call.state == "ended"
        await asyncio.wait_for(answered.until("ended"), 8)


class EmbeddedServerForTest(EmbeddedServer):
    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()


async def test_bad_files_raise_before_anything_is_sent(clients, tmp_path):
    call = await clients().call("echo", video=True)
    await call.until("connected")
    text = tmp_path / "notes.mp4"
    text.write_text("not a film")
    with pytest.raises(xnb.MediaError, match=r"missing\.mp4"):
        await call.send_video_file(tmp_path / "missing.mp4")
    with pytest.raises(xnb.MediaError, match=r"notes\.mp4"):
        await call.send_video_file(text)
    assert call.sending == "test card"
    audio_call = await clients().call("echo")
    with pytest.raises(xnb.MediaError, match="no video"):
        await audio_call.send_video_file(text)
    with pytest.raises(xnb.MediaError, match="no video"):
        audio_call.send_video(iter([]))


async def test_bad_recordings(clients, tmp_path):
    call = await clients().call("echo")
    with pytest.raises(xnb.RecordingError, match="Nothing to record"):
        call.record_incoming()
    with pytest.raises(xnb.RecordingError):
        call.record_incoming(audio_path=tmp_path / "no-such-folder" / "x.wav")
    with pytest.raises(xnb.RecordingError):
        call.record_incoming(audio_path=tmp_path / "x.docx")
    with pytest.raises(xnb.RecordingError, match="no video"):
        call.record_incoming(video_path=tmp_path / "x.mp4")
    await call.until("connected")
    await call.hangup()
    with pytest.raises(xnb.RecordingError, match="over"):
        call.record(tmp_path / "x.wav")
    with pytest.raises(xnb.MediaError, match="over"):
        call.send_audio(xnb.tone(440))


async def test_hangup_at_every_stage_leaves_nothing(clients):
    client = clients()
    for delay_s in (0, 0.005, 0.02, 0.05, 0.1, 0.3):
        call, placing = client.prepare_call("echo", video=True)
        task = asyncio.ensure_future(placing)
        await asyncio.sleep(delay_s)
        await asyncio.wait_for(call.hangup(), 6)
        await asyncio.gather(task, return_exceptions=True)
        assert call.state == "ended"
        await call.hangup()
    assert client.calls == ()
