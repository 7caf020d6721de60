"""What is sent into a room: two layers of one picture, whatever the picture comes from."""

from __future__ import annotations

import asyncio
import time

import pytest
from media_files import make, read_counter

from xnb.engine.peer import Peer
from xnb.engine.publishing import LOW_SETTINGS, PublishingPeer
from xnb.media.files import FileSource
from xnb.media.frames import VideoFrame
from xnb.media.synthetic import testcard as card
from xnb.settings import IceSettings

LOOPBACK = IceSettings(loopback=True)


class Receiving(Peer):
    """A far end that answers with a second picture: what the room does."""

    def __init__(self) -> None:
        super().__init__(ice=LOOPBACK)
        self.small = Peer(ice=LOOPBACK)

    async def apply_offer(self, sdp: str, *, video: bool = True) -> None:
        self._open("m=audio" in sdp, "m=video" in sdp, "recvonly")
        if sdp.count("m=video") > 1:
            transceiver = self.pc.addTransceiver("video", direction="recvonly")
            self.streams.join(transceiver, self.small.video_out, self.small.video_in)
        await self._set_remote(sdp, "offer")


@pytest.fixture
async def connected():
    """A publisher and a far end."""
    made = []

    async def connect(codec="vp8", **what):
        sender, receiver = PublishingPeer(ice=LOOPBACK, video_codec=codec), Receiving()
        made.extend((sender, receiver, receiver.small))
        await receiver.apply_offer(await sender.make_offer(**{"video": True, **what}))
        await sender.apply_answer(await receiver.make_answer())
        await asyncio.gather(sender.wait_connected(), receiver.wait_connected())
        return sender, receiver

    yield connect
    await asyncio.gather(*(one.close() for one in made))


async def pictures(incoming, count=8, limit_s=10.0):
    """So many decoded pictures."""
    found = []
    done = asyncio.Event()

    def take(frame, time_s):
        found.append((frame, time_s))
        if len(found) == count:
            done.set()

    handle = incoming.on_frame(take)
    try:
        await asyncio.wait_for(done.wait(), limit_s)
    finally:
        handle.close()
    return found[:count]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_the_same_picture_large_and_small(connected, codec):
    sender, receiver = await connected(codec)
    assert sorted(sender.descriptions().values()) == ["audio", "high", "low"]
    assert list(sender.descriptions()) == [one.mid for one in sender.pc.getTransceivers()]
    source = card(640, 360, audio=None)
    sender.video_out.play(source.video)
    large, small = await asyncio.gather(
        pictures(receiver.video_in), pictures(receiver.small.video_in, 12)
    )
    assert {(f.width, f.height) for f, _ in large} == {(640, 360)}
    assert {(f.width, f.height) for f, _ in small} == {(320, 180)}
    span_s = small[-1][1] - small[1][1]
    assert 10 / span_s == pytest.approx(LOW_SETTINGS.max_fps, rel=0.25)
    begun_s = time.monotonic()
    octets = sender.low_out.stream.octets
    await asyncio.sleep(2)
    bps = (sender.low_out.stream.octets - octets) * 8 / (time.monotonic() - begun_s)
    assert bps < 1.5 * LOW_SETTINGS.max_bitrate_bps
    source.close()


async def test_a_small_picture_is_sent_as_it_is_and_both_keep_their_times(connected):
    sender, receiver = await connected()
    source = card(160, 120, 10, audio=None)
    sender.video_out.play(source.video)
    large, small = await asyncio.gather(
        pictures(receiver.video_in, 15), pictures(receiver.small.video_in, 10)
    )
    shown = {read_counter(VideoFrame(f, 0.0).image): time_s for f, time_s in large}
    late = [
        time_s - shown[number]
        for f, time_s in small
        if (number := read_counter(VideoFrame(f, 0.0).image)) in shown
    ]
    assert len(late) >= 3
    assert max(abs(one) for one in late) < 0.08
    source.close()


async def test_packets_that_pass_are_decoded_for_the_small_picture(connected, tmp_path):
    path = await asyncio.to_thread(make, "clip.webm", tmp_path)
    sender, receiver = await connected()
    source = await asyncio.to_thread(FileSource.open, path, loop=True)
    sender.video_out.play(source.video)
    [(frame, _), *_] = await pictures(receiver.small.video_in)
    assert frame.height == 180
    assert source.passing == ("video",)
    source.close()


async def test_what_is_forwarded_is_decoded_for_the_small_picture(connected):
    page, here = await connected(low=False)
    assert sorted(page.descriptions().values()) == ["audio", "high"]
    assert page.low_out is None
    sender, receiver = await connected()
    source = card(640, 480, audio=None)
    page.video_out.play(source.video)
    sender.video_out.forward(here.video_in)
    [(frame, _), *_] = await pictures(receiver.small.video_in)
    assert (frame.width, frame.height) == (240, 180)
    assert here.video_in.decoder is not None
    sender.video_out.play(None)
    await asyncio.sleep(0.6)
    assert here.video_in.decoder is None, "decoded only while it is forwarded"
    source.close()


async def test_sound_alone_and_closing_at_any_time(connected):
    sender, _ = await connected(video=False)
    assert list(sender.descriptions().values()) == ["audio"]
    other = PublishingPeer(ice=LOOPBACK)
    await other.make_offer(video=True)
    await other.close()
    await other.close()
