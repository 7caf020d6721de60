"""Sending a file's packets as they are: when that is wise, and changing over to frames and back.

A far end's decoder can go from a frame we encode (a keyframe) to the file only at a keyframe of
the file, and from the file to our frames at any time. So packets begin at keyframes, and what
lies between is bridged with decoded frames.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable

import av

from ..errors import MediaError
from .decode import AudioDecoder, Decoded, VideoDecoder
from .packets import AvPacket, PacketReader

_log = logging.getLogger(__name__)

Unit = list[tuple[float, "av.AudioFrame | av.VideoFrame | AvPacket"]]

# A keyframe of the file that comes this soon is waited for.
SOON_S = 0.5
# One that was given so shortly before may still be on its way to who asks for it.
_ON_ITS_WAY_S = 0.2
# So many requests in so long are a storm; it is over after as long without any.
_STORM_REQUESTS, _STORM_S = 4, 6.0
_SAME_REQUEST_S = 0.3
# The path must be too narrow, or wide enough again, for so long.
_SUSTAINED_S = 2.0
_NARROW, _WIDE = 0.95, 1.1
_FIRST_STAY_S, _LONGEST_STAY_S = 4.0, 60.0
# Two changes to frames within this time: the next stay is twice as long.
_RELAPSE_S = 30.0
_STEP_PACKETS = 8
_CHASE_S = 5.0
# After a chase that led nowhere, rest this many times as long.
_REST = 2.0


class Choice:
    """Whether packets or frames are to be sent now. Pure: all times are passed in, in seconds.

    Changed on the reader's loop, read on the worker's thread.

    Attributes:
        allowed: The reader takes packets of the file's codec.
        possible: The file's packets can be sent; the worker clears it when one cannot.
        fits: Neither larger nor faster than the call's limits.
        keyframe_due: The far end waits for a keyframe and the file has none soon.
        rate_bps: What the packets need, 0 while unknown; set by the worker.
        mean_bps: Their mean so far.
    """

    def __init__(self) -> None:
        self.allowed = False
        self.possible = True
        self.fits = True
        self.keyframe_due = False
        self.rate_bps = self.mean_bps = 0.0
        self._bandwidth_bps: float = math.inf
        self._keyframe_given_s = -math.inf
        self._requests: deque[float] = deque()
        self._storm_until_s = -math.inf
        self._narrow = False
        self._since_s: float | None = None
        self._changed_s = -math.inf
        self._stay_s = _FIRST_STAY_S

    def keyframe_given(self, now_s: float) -> None:
        """A keyframe of the file was given out."""
        self.keyframe_due = False
        self._keyframe_given_s = now_s

    def request_keyframe(self, now_s: float, *, soon: bool) -> None:
        """The far end asked for a keyframe while it gets packets.

        Args:
            now_s: Time on the clock.
            soon: The file has a keyframe within :data:`SOON_S`.
        """
        if not soon and now_s - self._keyframe_given_s >= _ON_ITS_WAY_S:
            self.keyframe_due = True
        self.count_request(now_s)

    def count_request(self, now_s: float) -> None:
        """The far end asked for a keyframe; many requests are a storm."""
        requests = self._requests
        if requests and now_s - requests[-1] < _SAME_REQUEST_S:
            return
        requests.append(now_s)
        while now_s - requests[0] > _STORM_S:
            requests.popleft()
        if len(requests) >= _STORM_REQUESTS or now_s < self._storm_until_s:
            self._storm_until_s = now_s + _STORM_S

    def set_bandwidth(self, bps: float) -> None:
        """The path takes this much."""
        self._bandwidth_bps = bps

    def wants_packets(self, now_s: float) -> bool:
        """Whether packets are to be sent, from the next possible place on."""
        narrow = self._is_narrow(now_s)
        takes = self.allowed and self.possible and self.fits
        return takes and not narrow and now_s >= self._storm_until_s

    def _is_narrow(self, now_s: float) -> bool:
        if self._narrow:
            changing = self._bandwidth_bps >= self.mean_bps * _WIDE
            earliest_s = self._changed_s + self._stay_s
        else:
            changing = self._bandwidth_bps < self.rate_bps * _NARROW
            earliest_s = -math.inf
        if not changing:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s
        elif now_s >= max(earliest_s, self._since_s + _SUSTAINED_S):
            if not self._narrow:
                relapse = now_s - self._changed_s < _RELAPSE_S
                stay_s = min(_LONGEST_STAY_S, self._stay_s * 2) if relapse else _FIRST_STAY_S
                self._stay_s = stay_s
            self._narrow = not self._narrow
            self._changed_s, self._since_s = now_s, None
        return self._narrow


class Feeder:
    """Gives one track of a file, as frames or as packets. For one worker thread.

    Args:
        decoder: Gives the frames.
        open_packets: Opens a reader of the same stream; called when packets are first wanted.
            ``None`` when they can never be sent.
        primed: What the decoder has given already.

    Attributes:
        passing: What comes now is packets.
        wanted: Packets are wanted from the next keyframe on.
        choice: Learns here what the packets need and whether they can be sent.
    """

    def __init__(
        self,
        decoder: AudioDecoder | VideoDecoder,
        open_packets: Callable[[], PacketReader] | None,
        choice: Choice,
        primed: Decoded,
    ) -> None:
        self.decoder = decoder
        self.choice = choice
        self.passing = self.wanted = False
        self._open_packets = open_packets
        self._packets: PacketReader | None = None
        self._in_step = False
        self._primed = primed
        self._base_s = 0.0
        self._chasing_since_s: float | None = None
        self._chase_base_s = 0.0
        self._rest_until_s = -math.inf

    @property
    def end_s(self) -> float:
        """Where what was given so far ends, in seconds."""
        return self._packets.end_s if self.passing and self._packets else self.decoder.end_s

    def close(self) -> None:
        """Close the files. May be called again."""
        self.decoder.close()
        if self._packets:
            self._packets.close()

    def more(self) -> Unit | None:
        """What comes next, sometimes nothing for now; ``None`` at the end of the file."""
        if self.passing:
            assert self._packets is not None
            packet = self._packets.next()
            if packet:
                self._learn()
                return [packet]
            if not self._packets.broken:
                return None
            self._go_without(self._packets.end_s)
        decoded, self._primed = self._primed, []
        frames = decoded or self.decoder.more(_STEP_PACKETS)
        if frames and self._is_wanted():
            return self._until_keyframe(frames)
        if frames:
            self._in_step = False
        return frames  # type: ignore[return-value]

    def _is_wanted(self) -> bool:
        # Sound changes over at the place that is sought for it.
        return self.wanted and self.choice.possible and isinstance(self.decoder, VideoDecoder)

    def _until_keyframe(self, frames: Decoded) -> Unit:
        """The frames before the next keyframe of the file; packets go on from there."""
        packets = self._reader()
        kept: Unit = []
        for time_s, frame in frames:
            if packets and not self._in_step:
                packets.seek(time_s, self._base_s)
                self._in_step = True
            if packets and packets.keyframe_by(time_s + 1e-3):
                self.passing, self._in_step = True, False
                break
            if packets and packets.broken:
                self._give_up()
                packets = None
            kept.append((time_s, frame))
        self._learn()
        return kept

    def last(self) -> Unit:
        """What is left at the very end."""
        return [] if self.passing else self.decoder.last()  # type: ignore[return-value]

    def seek(self, time_s: float, base_s: float) -> None:
        """Go to ``time_s``, with packets if they are wanted and can begin there."""
        self._primed = []
        self._base_s = base_s
        self._chasing_since_s = None
        self.passing = self._in_step = False
        packets = self._reader() if self.wanted and self.choice.possible else None
        if packets:
            packets.seek(time_s, base_s)
            self.passing = isinstance(self.decoder, AudioDecoder) or packets.begins_with_keyframe(
                time_s
            )
        if not self.passing:
            self.decoder.seek(time_s, base_s)

    def begin_again(self, base_s: float) -> None:
        """Start the next pass of a loop at ``base_s``."""
        self._base_s = base_s
        if not self.passing:
            self.decoder.begin_again(base_s)
        if self._packets and (self.passing or self._in_step):
            self._packets.begin_again(base_s)

    # From packets to frames while packets go on

    def may_chase(self, now_s: float) -> bool:
        """Whether :meth:`chase` makes sense now."""
        return self.passing and now_s >= self._rest_until_s

    def chase(self, at_s: float, base_s: float, now_s: float) -> Unit | None:
        """Decode a little towards ``at_s``, where the reader is while it gets packets.

        The decoder starts at the keyframe before and is usually there in some ten milliseconds;
        after five seconds it is given up.

        Args:
            at_s: Moves on from call to call.
            base_s: Time at which the pass over the file began that ``at_s`` is in.
            now_s: Time on the clock.

        Returns:
            Frames from ``at_s`` on once it is there: :attr:`passing` is over. ``[]`` while on
            its way, ``None`` when it will not get there.
        """
        assert isinstance(self.decoder, VideoDecoder)
        if self._chasing_since_s is None:
            self._chasing_since_s = now_s
            self._chase_base_s = base_s
            self.decoder.seek(at_s, base_s)
        self.decoder.leave_out_until(at_s)
        frames = self.decoder.more(_STEP_PACKETS)
        spent_s = now_s - self._chasing_since_s
        if frames is None or spent_s > _CHASE_S:
            self._chasing_since_s = None
            self._rest_until_s = now_s + spent_s * _REST
            return None
        frames = [(time_s, frame) for time_s, frame in frames if time_s >= at_s - 1e-3]
        if frames:
            self._chasing_since_s = None
            self.passing = self._in_step = False
            self._base_s = self._chase_base_s
        return frames  # type: ignore[return-value]

    def stop_chasing(self) -> None:
        """Packets are good again before the decoder got there."""
        self._chasing_since_s = None

    @property
    def base_s(self) -> float:
        """Time at which the pass over the file began that is being given."""
        return self._base_s

    # Packets

    def _reader(self) -> PacketReader | None:
        if self._packets is None and self._open_packets:
            try:
                self._packets = self._open_packets()
            except (av.FFmpegError, OSError, ValueError, MediaError) as error:
                _log.info("The packets of a file cannot be read: %s.", type(error).__name__)
        if self._packets is None:
            self.choice.possible = False
        return self._packets

    def _learn(self) -> None:
        if self._packets:
            self.choice.rate_bps = self._packets.rate_bps
            self.choice.mean_bps = self._packets.mean_bps

    def _go_without(self, at_s: float) -> None:
        self._give_up()
        self.decoder.seek(at_s, self._base_s)

    def _give_up(self) -> None:
        _log.info("Packets of a file cannot be passed on; it is decoded from now on.")
        self.choice.possible = self.passing = self._in_step = False
