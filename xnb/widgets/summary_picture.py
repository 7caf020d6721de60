"""The last picture of a call as a small JPEG: of the newest whole picture that came.

While the call goes on only the packets of the newest keyframe are put aside, without looking into
them; one picture is decoded when the call has ended. A page that shows the call may give a newer
one (:meth:`LastPicture.offer`).
"""

from __future__ import annotations

import io
import time
from typing import Any

import av
from PIL import Image

from ..engine.codecs import starts_keyframe
from ..engine.rtp.assemble import VideoAssembler
from ..engine.rtp.packets import RtpPacket
from ..errors import XnbError
from ..events import ListenerHandle
from ..media.frames import convert
from .summary_facts import Picture

MAX_WIDTH_PX, MAX_HEIGHT_PX = 320, 320
MAX_PICTURE_BYTES = 60_000
"""A summary's picture is never larger than this."""
MAX_OFFER_BYTES = 2_000_000
MAX_OFFER_PX = 4096 * 4096
QUALITIES = (78, 60, 45, 30)
MAX_PACKETS = 1000
"""Packets put aside for one keyframe, about 1.2 MB; a larger one is not kept."""
_DECODERS = {"vp8": "libvpx", "h264": "h264"}


class _Keyframe:
    """The packets that came of one keyframe, in any order."""

    def __init__(self, codec: str, timestamp: int) -> None:
        self.codec = codec
        self.timestamp = timestamp
        self.packets: dict[int, RtpPacket] = {}
        self.came_s = time.monotonic()

    def add(self, packet: RtpPacket) -> None:
        if len(self.packets) < MAX_PACKETS:
            self.packets.setdefault(packet.sequence_number, packet)

    def decode(self) -> av.VideoFrame | None:
        """The picture, or ``None`` when a packet is missing or it cannot be decoded."""
        try:
            assembler = VideoAssembler(self.codec)
        except XnbError:
            return None
        frames = [frame for packet in self.packets.values() for frame in assembler.add(packet)]
        frames += assembler.give_up()
        return next((_decode(self.codec, one.data) for one in frames if one.is_keyframe), None)


class LastPicture:
    """Keeps what the last picture of a call is made from."""

    def __init__(self) -> None:
        self._incoming: Any = None
        self._handle: ListenerHandle | None = None
        self._newest: _Keyframe | None = None
        self._before: _Keyframe | None = None
        self._asked_s = 0.0
        self._offered: Picture | None = None

    def watch(self, incoming: Any) -> None:
        """Put keyframes of ``incoming`` (an engine ``Incoming``) aside from now on."""
        if incoming is self._incoming:
            return
        self.stop()
        self._incoming = incoming
        self._handle = incoming.on_packet(self._packet)

    def _packet(self, packet: RtpPacket, codec: str) -> None:
        newest = self._newest
        if newest is not None and packet.timestamp == newest.timestamp:
            newest.add(packet)
        elif starts_keyframe(codec, packet.payload):
            self._before, self._newest = newest, _Keyframe(codec, packet.timestamp)
            self._newest.add(packet)

    def refresh(self, oldest_s: float) -> None:
        """Ask for a keyframe when the one put aside is older. Once, without insisting."""
        now_s = time.monotonic()
        last_s = max(self._asked_s, self._newest.came_s if self._newest else 0.0)
        stream = getattr(self._incoming, "stream", None)
        if stream is not None and now_s - last_s > oldest_s:
            self._asked_s = now_s
            stream.request_keyframe()

    def offer(self, data: bytes) -> bool:
        """Take a picture that a page has taken, newer than any keyframe.

        It is encoded anew, so that nothing but its pixels gets into a notebook.

        Returns:
            Whether it could be read as a picture.
        """
        picture = _from_page(data)
        if picture is not None:
            self._offered = picture
        return picture is not None

    def make(self) -> Picture | None:
        """The last picture, or ``None`` when none came. Decodes at most two pictures."""
        if self._offered is not None:
            return self._offered
        for keyframe in (self._newest, self._before):
            frame = keyframe.decode() if keyframe else None
            if frame is not None:
                width, height = fitting(frame.width, frame.height)
                small = convert(frame, width=width, height=height, pixel_format="rgb24")
                return encode(Image.fromarray(small.to_ndarray()))
        return None

    def forget(self) -> None:
        """Let go of everything that was put aside."""
        self._newest = self._before = self._offered = None

    def stop(self) -> None:
        """Put nothing aside any more. May be called again."""
        if self._handle:
            self._handle.close()
        self._handle = self._incoming = None


def fitting(width: int, height: int) -> tuple[int, int]:
    """The largest even size of the same shape within 320 x 320 pixels."""
    scale = min(1.0, MAX_WIDTH_PX / width, MAX_HEIGHT_PX / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def encode(image: Image.Image) -> Picture | None:
    """``image`` as JPEG of at most 60 kB; ``None`` when it cannot be made that small."""
    # Pillow would write comments and EXIF data of where the picture came from; pixels have none.
    image = Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())
    for quality in QUALITIES:
        data = io.BytesIO()
        image.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= MAX_PICTURE_BYTES:
            return Picture(data.getvalue(), image.width, image.height)
    return None


def _from_page(data: bytes) -> Picture | None:
    if not 0 < len(data) <= MAX_OFFER_BYTES:
        return None
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        if image.width * image.height > MAX_OFFER_PX:
            return None
        small = image.convert("RGB").resize(fitting(image.width, image.height))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return encode(small)


def _decode(codec: str, data: bytes) -> av.VideoFrame | None:
    context: Any = av.CodecContext.create(_DECODERS[codec], "r")
    context.thread_count = 1
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except av.FFmpegError:
        return None
    whole = [frame for frame in frames if not frame.is_corrupt]
    return whole[0] if whole else None
