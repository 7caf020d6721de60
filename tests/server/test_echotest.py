"""The echotest plugin: what is sent comes back, as long as it is wanted."""

from __future__ import annotations

import asyncio

import pytest
from room_clients import COLOURS, Client, Ears, Eyes, tone_hz, until

from xnb.engine.peer import Peer
from xnb.media import synthetic
from xnb.server.echotest import EchoTest
from xnb.server.janus.plugin import PluginError


@pytest.fixture
async def client():
    plugin = EchoTest()
    made = Client(plugin)
    made.peer = Peer()
    source = synthetic.testcard(320, 240, fps=20, tone_hz=tone_hz(3), colour=COLOURS[3])
    made.peer.audio_out.play(source.audio)
    made.peer.video_out.play(source.video)
    yield made
    await made.close()
    await plugin.close()


async def say(client, jsep=None, **body):
    answer = await client.handle.message(body, jsep)
    assert answer.data == {"echotest": "event", "result": "ok"}
    return answer.jsep


async def start(client):
    offer = {"type": "offer", "sdp": await client.peer.make_offer(video=True)}
    jsep = await say(client, offer, audio=True, video=True)
    await client.peer.apply_answer(jsep["sdp"])
    await client.peer.wait_connected()
    await until(lambda: client.link.ups == 1, "webrtcup")


async def test_sound_and_pictures_come_back_and_can_be_switched_off(client):
    await start(client)
    ears, eyes = Ears(client.peer.audio_in), Eyes(client.peer.video_in)
    await eyes.sees(3)
    await ears.hears(3)
    await say(client, video=False)
    await asyncio.sleep(0.2)
    seen = eyes.pictures
    await asyncio.sleep(0.4)
    assert eyes.pictures <= seen + 1
    await ears.hears(3)
    await say(client, video=True)
    await eyes.sees(3)
    await say(client, bitrate=128_000)
    stream = client.peer.video_out.stream
    await until(lambda: stream.remb_bps == 128_000, "the bit rate")
    await client.handle.hangup()
    assert ({"echotest": "event", "result": "done"}, None) in client.link.events
    await until(lambda: client.peer.state.value == "closed", "the end")


async def test_a_message_that_says_nothing_is_refused(client):
    for body, jsep, code in (
        ({}, None, 413),
        ({"audio": 1}, None, 413),
        ({"bitrate": -1}, None, 413),
        ({"bitrate": True}, None, 413),
        ({}, {"type": "answer", "sdp": ""}, 414),
        ({}, {"type": "offer", "sdp": "x"}, 414),
    ):
        with pytest.raises(PluginError) as caught:
            await client.handle.message(body, jsep)
        assert caught.value.code == code
    assert not client.handle.is_synchronous({})
