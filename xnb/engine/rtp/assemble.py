"""RTP packets into whole encoded pictures: VP8 (RFC 7741) and H.264 (RFC 6184)."""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from ...errors import MediaError
from ...media.encoded import EncodedFrame
from ..codecs import vp8_size
from .packets import SEQUENCE_MODULUS, TIMESTAMP_MODULUS, RtpPacket

MAX_WAITING = 2048
_MAX_FORWARD, _MAX_BACKWARD = 3000, 1000
_NEARBY = 32
_REORDER_PACKETS = 64
_MAX_STARTS = 16
_MAX_TICKS_BACK = 10 * 90_000
_START_CODE = b"\0\0\0\1"
_STAP_A, _FU_A, _FU_START = 24, 28, 0x80
_IDR, _SPS = 5, 7


class _Part(NamedTuple):
    """What one packet adds to a picture.

    Attributes:
        timestamp: The packet's, 32 bits.
        marker: Whether the picture ends here.
        data: What to append to the picture.
        begins: Whether a picture can begin here.
        surely_begins: For a keyframe's first packet: whether that is certain, whatever came
            before it.
        is_key: Whether it is part of what makes a picture a keyframe.
        starts_key: Whether a keyframe may begin here.
        is_broken: The payload makes no sense, so its picture is lost.
        is_padding: It adds nothing: a probe of the network (RFC 3550 section 5.1, P bit).
    """

    timestamp: int
    marker: bool = False
    data: bytes = b""
    begins: bool = False
    surely_begins: bool = False
    is_key: bool = False
    starts_key: bool = False
    is_broken: bool = False
    is_padding: bool = False


class VideoAssembler:
    """Puts one video stream's packets together to whole frames, in decoding order.

    A frame leaves as soon as its last packet (the one with the marker) is there and all frames
    before it have left. A hole holds back what follows until it is filled, until
    :meth:`give_up`, or until a complete keyframe is there and the hole is 64 packets old. The
    first frame is a keyframe, and so is the first after every skip: what comes out can be
    decoded.

    At most 2048 packets are held; one more gives up on the hole. There are no timers.

    Args:
        codec: ``"vp8"`` or ``"h264"``.

    Raises:
        MediaError: Another codec.
    """

    def __init__(self, codec: str) -> None:
        if codec not in ("vp8", "h264"):
            raise MediaError(f"Video in {codec!r} cannot be received.", remedy="Use vp8 or h264.")
        self.codec = codec
        self._parse = _parse_vp8 if codec == "vp8" else _parse_h264
        self._held: dict[int, _Part] = {}
        self._ssrc: int | None = None
        self._highest = 0  # sequence numbers are counted on without wrapping
        self._next = 0  # the first packet that is not released
        self._at = 0  # in step: the first packet that is not looked at
        self._in_step = False
        self._key_starts: list[int] = []
        self._key_is_coming = False
        self._stray: RtpPacket | None = None
        self._ticks: int | None = None  # the stream's last timestamp, counted on
        self._last_out = -1
        self._is_new_stream = True

    @property
    def needs_keyframe(self) -> bool:
        """Whether nothing can be released before a keyframe that has not begun to arrive.

        Ask for one (PLI, RFC 4585 section 6.3.1) while this is true. It turns false with a
        keyframe's first packet; should the rest never come, :meth:`give_up` makes it true again.
        """
        return not self._in_step and not self._key_is_coming

    @property
    def waiting(self) -> int:
        """Packets held, 0 to 2048."""
        return len(self._held)

    def add(self, packet: RtpPacket) -> list[EncodedFrame]:
        """Take one packet, in any order, and give the frames it completes (mostly one or none).

        Timestamps of the frames equal the packets' modulo 2**32 and rise; a stream that begins
        anew goes on at the next such value. (Frames a sender gave no rising timestamp come one
        tick apart.)
        """
        if self._ssrc is None:
            self._begin(packet)
        elif not self._is_near(packet):
            # A packet far from all others may be a stray; a second one near it says that the
            # stream goes on there (the idea of RFC 3550 appendix A.1).
            stray, self._stray = self._stray, packet
            if stray is None or stray.ssrc != packet.ssrc:
                return []
            if not 0 < abs(_step(stray.sequence_number, packet.sequence_number)) <= _NEARBY:
                return []
            self._begin(stray)
            return self._put(stray) + self._put(packet)
        self._stray = None
        return self._put(packet)

    def give_up(self) -> list[EncodedFrame]:
        """Wait no longer for what is missing: go on at the first complete keyframe.

        Returns:
            The frames from that keyframe on when it is here already; else none, and they come
            from :meth:`add` once a keyframe has arrived.
        """
        self._in_step = self._key_is_coming = False
        return self._skip()

    def _is_near(self, packet: RtpPacket) -> bool:
        step = _step(self._highest, packet.sequence_number)
        return packet.ssrc == self._ssrc and -_MAX_BACKWARD <= step <= _MAX_FORWARD

    def _begin(self, packet: RtpPacket) -> None:
        self._held.clear()
        self._key_starts.clear()
        self._in_step = self._key_is_coming = False
        self._ssrc = packet.ssrc
        # One round above zero: packets sent before the first to arrive need numbers too.
        self._highest = packet.sequence_number + SEQUENCE_MODULUS
        self._next = self._highest - _MAX_BACKWARD
        self._is_new_stream = True

    def _put(self, packet: RtpPacket) -> list[EncodedFrame]:
        number = self._highest + _step(self._highest, packet.sequence_number)
        if number < self._next or number in self._held:
            return []
        part = self._held[number] = self._parse(packet)
        self._highest = max(self._highest, number)
        if part.starts_key:
            insort(self._key_starts, number)
            del self._key_starts[:-_MAX_STARTS]
            self._key_is_coming = True
        if len(self._held) > MAX_WAITING:
            return self._make_room()
        if not self._in_step:
            return self._skip()
        if number == self._at:
            return self._go_on()
        if self._key_starts and self._highest - self._at >= _REORDER_PACKETS:
            return self._skip()
        return []

    def _go_on(self) -> list[EncodedFrame]:
        """In step: release every frame that is complete."""
        frames: list[EncodedFrame] = []
        while self._in_step and (part := self._held.get(self._at)) is not None:
            if part.is_padding:
                self._at += 1
                if self._at == self._next + 1:  # between two pictures
                    del self._held[self._next]
                    self._next = self._at
                continue
            if self._at > self._next and self._picture_ticks() not in (None, part.timestamp):
                self._release(frames)  # of a picture whose marker never came
                continue
            self._at += 1
            if part.marker:
                self._release(frames)
        return frames

    def _picture_ticks(self) -> int | None:
        """RTP timestamp of the picture that is being looked at."""
        for number in range(self._next, self._at):
            if not self._held[number].is_padding:
                return self._held[number].timestamp
        return None

    def _release(self, frames: list[EncodedFrame]) -> None:
        """Give the picture between the last one released and where we look; skip a broken one."""
        parts = [self._held.pop(number) for number in range(self._next, self._at)]
        self._next = self._at
        frame = self._join([part for part in parts if not part.is_padding])
        if frame is not None:
            frames.append(frame)
            return
        self._in_step = False
        frames += self._skip()
        self._key_is_coming = bool(self._key_starts)

    def _join(self, parts: list[_Part]) -> EncodedFrame | None:
        if not parts[0].begins or any(part.is_broken for part in parts):
            return None
        data = b"".join([part.data for part in parts])
        is_key = any(part.is_key for part in parts)
        if is_key and self.codec == "vp8" and vp8_size(data) is None:
            return None
        return EncodedFrame("video", self.codec, data, self._rising(parts[0].timestamp), is_key)

    def _rising(self, timestamp: int) -> int:
        """The timestamp counted on without wrapping."""
        if self._ticks is None:
            self._ticks = timestamp
        elif self._is_new_stream:
            self._ticks = self._last_out + 1
            self._ticks += (timestamp - self._ticks) % TIMESTAMP_MODULUS
        else:
            self._ticks += (
                timestamp - self._ticks + _MAX_TICKS_BACK
            ) % TIMESTAMP_MODULUS - _MAX_TICKS_BACK
        self._is_new_stream = False
        self._last_out = max(self._ticks, self._last_out + 1)
        return self._last_out

    def _skip(self) -> list[EncodedFrame]:
        """Go on at the first complete keyframe, when there is one."""
        self._key_starts = [number for number in self._key_starts if number >= self._next]
        for start in self._key_starts:
            if self._is_complete(start):
                self._forget_before(start)
                self._next = self._at = start
                self._in_step = True
                return self._go_on()
        if not self._in_step and len(self._held) > MAX_WAITING // 2:
            oldest = self._highest - MAX_WAITING // 4
            self._forget_before(min([oldest, *self._key_starts[:1]]))
        return []

    def _is_complete(self, start: int) -> bool:
        """Whether all packets of the keyframe that begins there are here."""
        held, first = self._held, self._held[start]
        if not first.surely_begins and start != self._next:
            before = held.get(start - 1)
            if before is None or (before.timestamp == first.timestamp and not before.marker):
                return False
        number = start
        while (part := held.get(number)) is not None:
            if not part.is_padding:
                if part.is_broken:
                    return False
                if part.marker or part.timestamp != first.timestamp:
                    return True
            number += 1
        return False

    def _forget_before(self, first: int) -> None:
        for number in [number for number in self._held if number < first]:
            del self._held[number]
        self._key_starts = [number for number in self._key_starts if number >= first]

    def _make_room(self) -> list[EncodedFrame]:
        """Too much is held: go on at a keyframe, or wait for the next one."""
        frames = self.give_up()
        if not frames:
            newest = self._key_starts[-1] if self._key_starts else 0
            if newest < self._highest - MAX_WAITING // 2:
                newest = self._highest + 1
            self._next = max(self._next, newest)
            self._forget_before(self._next)
            self._key_is_coming = bool(self._key_starts)
        return frames


def _step(from_number: int, to_number: int) -> int:
    """How far one sequence number is from another, -32768 to 32767."""
    half = SEQUENCE_MODULUS // 2
    return (to_number - from_number + half) % SEQUENCE_MODULUS - half


def _parse_vp8(packet: RtpPacket) -> _Part:
    """The part in a VP8 payload (descriptor: RFC 7741 section 4.2)."""
    payload = packet.payload
    size = len(payload)
    if not size:
        return _Part(packet.timestamp, is_padding=True)
    at = 1
    if payload[0] & 0x80:
        flags = payload[1] if size > 1 else 0
        at = 2
        if flags & 0x80:
            at += 2 if size > at and payload[at] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    if size <= at:
        return _Part(packet.timestamp, packet.marker, is_broken=True)
    # S set and partition 0: the first byte of the frame, whose lowest bit is 0 in a keyframe
    # (RFC 6386 section 9.1).
    begins = payload[0] & 0x17 == 0x10
    is_key = begins and not payload[at] & 1
    return _Part(packet.timestamp, packet.marker, payload[at:], begins, is_key, is_key, is_key)


def _parse_h264(packet: RtpPacket) -> _Part:
    """The NAL units in an H.264 payload as Annex B: single, STAP-A or FU-A."""
    payload, timestamp, marker = packet.payload, packet.timestamp, packet.marker
    if not payload:
        return _Part(timestamp, is_padding=True)
    kind = payload[0] & 0x1F
    units: list[bytes] = []
    if kind == _FU_A and len(payload) > 2:
        if not payload[1] & _FU_START:
            return _Part(timestamp, marker, payload[2:])
        units = [bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) + payload[2:]]
    elif kind == _STAP_A:
        units = _aggregated(payload)
    elif 1 <= kind < _STAP_A:
        units = [payload]
    if not units:
        return _Part(timestamp, marker, is_broken=True)
    kinds = [unit[0] & 0x1F for unit in units]
    has_sps = _SPS in kinds
    # first_mb_in_slice 0 is coded as a single set bit (H.264 7.3.3): the picture's first slice.
    begins_idr = any(
        kind == _IDR and unit[1:2] >= b"\x80" for kind, unit in zip(kinds, units, strict=True)
    )
    return _Part(
        timestamp,
        marker,
        _START_CODE + _START_CODE.join(units),
        begins=True,
        surely_begins=has_sps,
        is_key=has_sps or _IDR in kinds,
        starts_key=has_sps or begins_idr,
    )


def _aggregated(payload: bytes) -> list[bytes]:
    """The NAL units of a STAP-A (RFC 6184 section 5.7.1); none when it is cut off."""
    units, at = [], 1
    while at < len(payload):
        begin = at + 2
        at = begin + int.from_bytes(payload[at:begin], "big")
        if at > len(payload) or at == begin:
            return []
        units.append(payload[begin:at])
    return units
