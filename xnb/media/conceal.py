"""Filling what was lost of a stream of Opus packets with packets that sound like it went on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from . import opus_packets
from .frames import from_av_audio, to_int16
from .opus_packets import RATE_HZ, SHORTEST_SAMPLES

Filler = tuple[bytes, int]

_CONCEALED_SAMPLES = 2880
# So much sound before a gap brings decoder and encoder into the state of the stream.
_HISTORY = 6
# What the encoder looks ahead when told to have low delay.
_LOOKAHEAD_SAMPLES = 120
_BITRATE_BPS = 96_000


class Concealer:
    """Makes packets for the gaps of one stream.

    A decoder that is merely told of a loss is fine in libopus but not elsewhere: FFmpeg's own
    plays silence and then needs a tenth of a second to get loud again, and one that is not told
    plays the rest too early. So the first 60 ms of a gap are what libopus makes of it, encoded
    again; packets of the SILK mode, which depend little on those before, are followed by such
    without a frame (RFC 6716 section 3.2.1). What is missing after that is silence.
    """

    def __init__(self) -> None:
        self._history: deque[bytes] = deque(maxlen=_HISTORY)

    def heard(self, packet: bytes) -> None:
        """Take note of the next packet of the stream."""
        self._history.append(packet)

    def fill(self, samples: int) -> Iterator[Filler]:
        """Packets, each with its length in samples, for a gap of ``samples`` at 48 kHz.

        What is left over is shorter than 2.5 ms, the shortest packet.
        """
        samples -= samples % SHORTEST_SAMPLES
        done = 0
        for packet, length in self._concealed(min(samples, _CONCEALED_SAMPLES)):
            self.heard(packet)
            yield packet, length
            done += length
        yield from opus_packets.silence(samples - done)

    def _concealed(self, samples: int) -> Iterator[Filler]:
        last = self._history[-1] if self._history else b""
        if not samples or not last:
            return
        if not opus_packets.is_celt(last):
            empty = bytes([last[0] & 0xFC])
            length = opus_packets.duration_samples(empty)
            for _ in range(samples // length):
                yield empty, length
            return
        length = next(one for one in (960, 480, 240, 120) if samples % one == 0)
        for packet in self._encoded_again(length, samples // length):
            yield packet, length

    def _encoded_again(self, length: int, count: int) -> list[bytes]:
        decoder: Any = av.CodecContext.create("libopus", "r")
        decoder.sample_rate, decoder.layout = RATE_HZ, "stereo"
        lost = [opus_packets.without_frame(length)] * (count + -(-_LOOKAHEAD_SAMPLES // length))
        pieces = [
            to_int16(from_av_audio(frame))
            for packet in (*self._history, *lost)
            for frame in decoder.decode(av.Packet(packet))
        ]
        # From here on the encoder's delay is made up for, and the frames end with the gap.
        heard = np.concatenate(pieces)
        end = len(heard) - len(lost) * length + count * length + _LOOKAHEAD_SAMPLES
        begin = end - end // length * length
        encoder: Any = av.CodecContext.create("libopus", "w")
        encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "stereo", "s16"
        encoder.bit_rate = _BITRATE_BPS
        encoder.options = {
            "application": "lowdelay",
            "vbr": "off",
            "frame_duration": str(length / 48),
        }
        packets = []
        for start in range(begin, end, length):
            for packet in encoder.encode(_frame(heard[start : start + length], start)):
                packets.append(bytes(packet))
        return packets[-count:]


def _frame(samples: NDArray[np.int16], pts: int) -> av.AudioFrame:
    array: Any = np.ascontiguousarray(samples).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(array, format="s16", layout="stereo")
    frame.sample_rate, frame.pts = RATE_HZ, pts
    return frame
