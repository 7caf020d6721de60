"""A group call: a call with several others, each of them a participant."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .engine.connection import PeerState
from .errors import CallError, SettingsError, XnbError
from .events import (
    CallState,
)
from .group_layers import WISHES, Wish
from .group_people import GroupPeople
from .group_recording import GroupFileRecording
from .live_recording import CallRecording
from .loop import Runner, blocking, crosses, on_engine
from .media.recorder import Sides
from .participants import Participant

if TYPE_CHECKING:
    from .engine.peer import Peer
    from .engine.stats import PeerStats
    from .group_wire.wire import GroupWire


class GroupCall(GroupPeople):
    """A group call as a value: a :class:`~xnb.calls.Call` with participants.

    Made by :meth:`xnb.Client.start_group_call` and :meth:`xnb.Client.join_group_call`. Sending,
    recording, muting and hanging up are those of every call. When the host hangs up, the call
    ends for everybody; a host whose connection broke may come back within two minutes. When the
    room is lost, the state is ``reconnecting`` until we are back in it; the participants stay the
    same objects.

    Attributes:
        audio: Everybody's sound, mixed while it is read, :class:`~xnb.tracks.RemoteAudio`.
        video: The picture of who speaks or spoke last, :class:`~xnb.tracks.RemoteVideo`.
        peer: The connection over which we send; each participant has one of its own.
        is_host: Whether the call is ours.
        is_muted_by_host: Whether the host stops our sound in the room.

    Example:
        >>> call = await client.start_group_call(invite=["alice", "testcard"], video=True)
        >>> call.on("participantjoined", lambda event: print(event.participant.name))
        >>> await call.participant("testcard").video.snapshot()
    """

    _recording_kind = GroupFileRecording

    def __init__(self, runner: Runner, **options: Any) -> None:
        super().__init__(runner, **options)
        self.is_muted_by_host = False
        self._silenced: set[str] = set()
        self._group: GroupWire | None = None

    def __repr__(self) -> str:
        words = f"<GroupCall {self.title}: {self.state}"
        if self.end_reason:
            words += f" ({self.end_reason})"
        return f"{words}, {len(self._people)} others, {self.duration_seconds:.1f} s>"

    # What the host may do, and what everybody may

    @crosses
    async def invite(self, *people: object) -> None:
        """Let more people in, and let them know.

        Args:
            *people: Numeric ids, handles, or objects with an ``id``.

        Raises:
            CallError: The call is somebody else's, or over.
            UnknownUser: Nobody has one of the ids or handles; nobody was invited.
            SignalingError: From the server.
        """
        wire = self._need_host("invite people")
        await wire.invite(people)

    invite_now = blocking(invite)

    @crosses
    async def kick(self, who: object) -> None:
        """Put somebody out. They can come back only when they are invited again.

        Args:
            who: As for :meth:`participant`.

        Raises:
            CallError: Nobody of that name is there, or the call is somebody else's, or over.
            SignalingError: From the server.
        """
        wire = self._need_host("put somebody out")
        person = self.participant(who)
        await wire.kick(person)

    kick_now = blocking(kick)

    @crosses
    async def mute_participant(self, who: object, *, muted: bool = True) -> None:
        """Stop somebody's sound for everybody, in the room; their own muting is untouched.

        It holds until it is taken back, also when they connect anew.

        Args:
            who: As for :meth:`participant`.
            muted: ``False`` takes it back.

        Raises:
            CallError: Nobody of that name is there or they send no sound, or the call is somebody
                else's, or over.
            SignalingError, JanusError: From the server or the room.
        """
        wire = self._need_host("mute somebody")
        person = self.participant(who)
        await wire.moderate(person, muted)
        (self._silenced.add if muted else self._silenced.discard)(person.id)
        person.is_muted_by_host = muted
        self._changed(person)

    mute_participant_now = blocking(mute_participant)

    def _need_host(self, what: str) -> Any:
        if self.is_over:
            raise CallError("The group call is over.", remedy="Start a new one.")
        if not self.is_host or self._group is None:
            raise CallError(f"Only the host can {what}.", remedy="Ask the host to do it.")
        return self._group

    @on_engine
    def layer(self, who: object, layer: Wish) -> None:
        """Choose which picture of somebody comes.

        Args:
            who: As for :meth:`participant`.
            layer: ``"high"``, ``"low"`` (180 px high at most), ``"off"``, or ``"auto"`` as at
                first: what ``participant.tile_height_px`` calls for and the path carries. The
                others are kept whatever the path does.

        Raises:
            CallError: Nobody of that name is there.
            SettingsError: There is no such layer, or the call has no video.
        """
        if layer not in WISHES:
            raise SettingsError(
                f"There is no layer {layer!r}.", remedy=f"Use one of {', '.join(WISHES)}."
            )
        if not self.options.video and layer in ("high", "low"):
            raise SettingsError(
                "This call has no video.", remedy="Start or join it with video=True."
            )
        person = self.participant(who)
        person._chooser.wish = layer
        if self._group:
            self._group.people.want_layers()

    @crosses
    async def room_counts(self) -> dict[str, Any]:
        """Packets and bytes in and out of the room, as the embedded SFU counts them.

        Returns:
            ``feeds``, a dict for each person who sends (``display`` is their id, ``streams`` have
            ``type``, ``codec``, ``packets``, ``bytes``), and ``subscribers``, a dict for each
            connection that takes something out (its ``streams`` have ``feed``, whose it is).

        Raises:
            CallError: The call is over, or not there yet.
            SignalingError: The room is on a real Janus, or on another service.
        """
        if self.is_over or self._group is None:
            raise CallError("The group call is not going on.", remedy="Ask while it is.")
        return await self._group._space.counts(self.broadcast_id)

    room_counts_now = blocking(room_counts)

    @crosses
    async def stats(self) -> PeerStats:
        """What is known of the connection over which we send, with the rate of all that comes in.

        Raises:
            MediaError: There is no media connection yet.
        """
        own = await super().stats()
        peers = [person.peer for person in self.participants if person.peer]
        others = await asyncio.gather(*(peer.stats() for peer in peers))
        sent = (self.peer.video_out.codec or self.peer.audio_out.codec) if self.peer else None
        return replace(
            own,
            codec=own.codec or sent,
            bitrate_bps=own.bitrate_bps + sum(one.bitrate_bps for one in others),
        )

    stats_now: Any = blocking(stats)

    # Recording

    @on_engine
    def record(self, path: str | Path, *, sides: Sides = "remote") -> CallRecording:
        """Record everybody, in sync, into one file.

        Into ``.mkv`` as a titled track of sound and one of pictures for each, written as they
        come, without being decoded; who comes later begins later. :func:`xnb.mix_down` makes a
        film of it, and players show its first person only. Any other file is mixed down when the
        recording stops. Pictures are recorded in the layer that comes, see :meth:`layer`; the
        high one where no page shows them.

        Args:
            path: ``.mkv`` for tracks; ``.mp4`` or ``.webm`` for a grid with mixed sound; ``.wav``,
                ``.ogg`` or ``.m4a`` for mixed sound alone.
            sides: ``"remote"`` is all the others, ``"local"`` this side, or ``"both"``.

        Raises:
            RecordingError: An unknown suffix or side, or a folder that cannot be written.
        """
        return super().record(path, sides=sides)

    def _recording_started(self, recording: CallRecording) -> CallRecording:
        super()._recording_started(recording)
        for person in self.participants:
            self._tell_recordings(person)
        return recording

    def _tell_recordings(self, person: Participant) -> None:
        if person.peer and person.id not in self._introduced:
            return  # their tracks are named after them
        for recording in self._recordings:
            for part in recording.parts:
                if isinstance(part, GroupFileRecording):
                    part._follow(person)

    # What the wire tells, on the engine's loop

    def _received(self, person: Participant) -> None:
        """See :meth:`GroupPeople._received`."""
        super()._received(person)
        must_be_muted = person.id in self._silenced and not person.is_muted_by_host
        if self.is_host and person.peer and must_be_muted:
            self._spawn(self._silence_again(person))

    async def _silence_again(self, person: Participant) -> None:
        """Whom the host has muted sends over a new connection, of which the room knows nothing."""
        try:
            await self.mute_participant(person)
        except XnbError as error:
            self._nonfatal(error)

    def _muted_by_host(self, muted: bool) -> None:
        self.is_muted_by_host = muted
        self._tell_local()

    # Life

    async def _start(self, wire: Any) -> None:
        self._group = wire
        await super()._start(wire)

    def _adopt(self, peer: Peer) -> None:
        """Send over this connection from now on."""
        self.peer = peer
        self.is_muted_by_host = False  # the room tells anew
        peer.on_state = self._peer_state
        self._open_media(peer)

    def _peer_state(self, state: PeerState, text: str) -> None:
        self._stage(state.value, text)
        wire = self._group
        if state is PeerState.CHECKING and self._connected_s is None:
            self._go(CallState.CONNECTING, text)
        elif state is PeerState.CONNECTED:
            self._media_connected()
        elif state is PeerState.DISCONNECTED and wire:
            wire._trouble("The room does not answer", patient=True)
        elif state in (PeerState.CLOSED, PeerState.FAILED) and wire:
            wire._trouble("The connection to the room broke")
