"""Frames out of encoded pictures, on a thread that comes and goes."""

from __future__ import annotations

import asyncio
import threading

import av
import pytest
from engine.coders.pictures import clip, psnr_db, stamped

from xnb.engine.coders.video_decoder import VideoDecoder
from xnb.engine.coders.video_encoder import VideoEncoder
from xnb.errors import MediaError
from xnb.media.encoded import EncodedFrame
from xnb.settings import VideoSettings

SETTINGS = VideoSettings(start_bitrate_bps=500_000)
OLD = 2**33


@pytest.fixture(params=["vp8", "h264"])
def codec(request):
    return request.param


@pytest.fixture(scope="module")
def pictures():
    return clip(count=20)


@pytest.fixture(scope="module")
def encoded(pictures):
    """Twenty pictures of each codec; keyframes at 0 and 12."""
    streams = {}
    for name in ("vp8", "h264"):
        encoder = VideoEncoder(name, SETTINGS)
        streams[name] = []
        for index, picture in enumerate(pictures):
            data, is_key = encoder.encode(stamped(picture, index), keyframe=index == 12)
            streams[name].append(EncodedFrame("video", name, data, OLD + index * 3000, is_key))
    return streams


def names():
    return {thread.name for thread in threading.enumerate()}


class Sink:
    """A decoder on the running loop with what it delivered."""

    def __init__(self, codec):
        self.frames: list[tuple[av.VideoFrame, int]] = []
        self.asked = 0
        self.threads: set[int] = set()
        loop = asyncio.get_running_loop()
        self.decoder = VideoDecoder(codec, self.deliver, self.need, loop)

    def deliver(self, frame, timestamp):
        self.frames.append((frame, timestamp))
        self.threads.add(threading.get_ident())

    def need(self):
        self.asked += 1
        self.threads.add(threading.get_ident())

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)

    def indexes(self):
        return [(timestamp - OLD) // 3000 for _, timestamp in self.frames]


async def test_every_picture_arrives_on_the_loop_with_its_timestamp(codec, pictures, encoded):
    sink = Sink(codec)
    assert f"xnb-decode-{codec}" in names()
    for index, frame in enumerate(encoded[codec]):
        sink.decoder.push(frame)
        await sink.until(lambda count=index + 1: len(sink.frames) == count)
    assert sink.indexes() == list(range(20))
    for (frame, timestamp), truth in zip(sink.frames, pictures, strict=True):
        assert psnr_db(frame, truth) > 30
        assert frame.pts == timestamp
        assert frame.time_base.denominator == 90_000
    assert sink.threads == {threading.get_ident()}
    assert (sink.asked, sink.decoder.decoded, sink.decoder.dropped) == (0, 20, 0)
    sink.decoder.close()
    assert f"xnb-decode-{codec}" not in names()


async def test_it_begins_at_a_keyframe_and_asks_twice_a_second(codec, encoded):
    sink = Sink(codec)
    for frame in encoded[codec][1:12]:
        sink.decoder.push(frame)
    for index in range(40):
        sink.decoder.push(encoded[codec][5]._replace(timestamp=OLD + 36_000 + index * 3000))
    await sink.until(lambda: sink.asked)
    assert sink.asked == 1 + 51 * 3000 // 45_000
    sink.decoder.push(encoded[codec][12])
    await sink.until(lambda: sink.frames)
    assert sink.indexes() == [12]
    assert sink.decoder.dropped == 51
    sink.decoder.close()


async def test_nonsense_asks_for_a_keyframe_and_goes_on_there(codec, encoded):
    sink = Sink(codec)
    sink.decoder.push(encoded[codec][0])
    await sink.until(lambda: sink.frames)
    junk = {"vp8": b"\x10\x02\0\x9d\x01\x2a\0\0\0\0", "h264": b"\0\0\0\1\x65" + bytes(range(1, 99))}
    sink.decoder.push(EncodedFrame("video", codec, junk[codec], OLD + 3000, True))
    await sink.until(lambda: sink.asked)
    for frame in encoded[codec][2:]:
        sink.decoder.push(frame)
    await sink.until(lambda: sink.decoder.decoded == 9)
    await sink.until(lambda: len(sink.frames) == 9)
    assert sink.indexes() == [0, *range(12, 20)]
    sink.decoder.close()


class Slow(VideoDecoder):
    """Decodes nothing before ``go`` is set."""

    go: threading.Event

    def _decode(self, picture):
        self.go.wait(10)
        super()._decode(picture)


def slow_sink(codec):
    sink = Sink(codec)
    sink.decoder.close()
    Slow.go = threading.Event()
    sink.decoder = Slow(codec, sink.deliver, sink.need, asyncio.get_running_loop())
    return sink


async def test_backlog_of_a_second_is_dropped_up_to_a_keyframe_in_it(codec, encoded):
    sink = slow_sink(codec)
    frames = encoded[codec]
    sink.decoder.push(frames[0])
    await asyncio.sleep(0.05)
    for frame in frames[1:13]:
        sink.decoder.push(frame)
    # 0.4 s wait now; the next picture is a second later.
    sink.decoder.push(frames[13]._replace(timestamp=frames[13].timestamp + 90_000))
    Slow.go.set()
    await sink.until(lambda: len(sink.frames) == 3)
    assert sink.indexes() == [0, 12, 43]
    assert (sink.asked, sink.decoder.dropped) == (0, 11)
    sink.decoder.close()


async def test_backlog_without_a_keyframe_is_dropped_and_one_is_asked_for(codec, encoded):
    sink = slow_sink(codec)
    frames = encoded[codec]
    sink.decoder.push(frames[0])
    await asyncio.sleep(0.05)
    for frame in frames[1:11]:
        sink.decoder.push(frame)
    sink.decoder.push(frames[11]._replace(timestamp=frames[11].timestamp + 90_000))
    await sink.until(lambda: sink.asked)
    Slow.go.set()
    sink.decoder.push(frames[12]._replace(timestamp=frames[12].timestamp + 90_000))
    await sink.until(lambda: len(sink.frames) == 2)
    assert sink.indexes() == [0, 42]
    assert (sink.asked, sink.decoder.dropped) == (1, 11)
    sink.decoder.close()


async def test_blocked_loop_gets_the_newest_frames_only(codec, encoded):
    sink = Sink(codec)
    for frame in encoded[codec]:
        sink.decoder.push(frame)
    done = threading.Event()
    for _ in range(400):  # the loop is blocked here
        if done.wait(0.025) or sink.decoder.decoded == 20:
            break
    done.wait(0.05)
    await sink.until(lambda: sink.frames)
    assert sink.indexes() == list(range(12, 20))
    assert sink.decoder.dropped == 12
    sink.decoder.close()


async def test_nothing_is_delivered_after_close(codec, encoded):
    sink = Sink(codec)
    for frame in encoded[codec]:
        sink.decoder.push(frame)
    sink.decoder.close()
    sink.decoder.close()
    sink.decoder.push(encoded[codec][0])
    await asyncio.sleep(0.05)
    assert sink.frames == []
    assert not sink.decoder._thread.is_alive()


async def test_size_may_change_at_a_keyframe(codec, pictures, encoded):
    large = VideoEncoder(codec, SETTINGS).encode(stamped(pictures[0].reformat(640, 360), 0))
    sink = Sink(codec)
    sink.decoder.push(encoded[codec][0])
    sink.decoder.push(EncodedFrame("video", codec, large[0], OLD + 3000, True))
    await sink.until(lambda: len(sink.frames) == 2)
    assert [(f.width, f.height) for f, _ in sink.frames] == [(320, 240), (640, 360)]
    sink.decoder.close()


async def test_h264_of_another_profile_is_not_held_back(pictures):
    """A file passed through may be of main profile; it has no B-frames."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 240, "yuv420p"
    encoder.options = {"profile": "main", "bf": "0", "preset": "veryfast", "tune": "zerolatency"}
    sink = Sink("h264")
    for index, picture in enumerate(pictures):
        (packet,) = encoder.encode(stamped(picture, index))
        timestamp = OLD + index * 3000
        frame = EncodedFrame("video", "h264", bytes(packet), timestamp, packet.is_keyframe)
        sink.decoder.push(frame)
        await sink.until(lambda count=index + 1: len(sink.frames) == count)
    assert sink.indexes() == list(range(20))
    sink.decoder.close()


async def test_loop_that_is_gone_ends_quietly(codec, encoded):
    loop = asyncio.new_event_loop()
    decoder = VideoDecoder(codec, lambda *_: None, lambda: None, loop)
    loop.close()
    decoder.push(encoded[codec][0])
    decoder._thread.join(5)
    assert not decoder._thread.is_alive()
    decoder.close()


def test_other_codecs_are_refused():
    with pytest.raises(MediaError, match="vp8 or h264"):
        VideoDecoder("vp9", lambda *_: None, lambda: None, None)
