"""A group call: a call with several others, each of them a participant."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calls import Call
from .engine.connection import PeerState
from .engine.mixed_in import FollowedIncoming, MixedIncoming
from .errors import CallError, SettingsError, XnbError
from .events import (
    CallState,
    EndReason,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    Talking,
)
from .group_layers import WISHES, Wish
from .group_recording import GroupFileRecording
from .live_recording import CallRecording
from .loop import Runner, blocking, crosses, on_engine
from .media.accept import Sendable
from .media.recorder import Sides
from .participants import Participant
from .settings import CallOptions
from .signaling.messages import User

if TYPE_CHECKING:
    from .engine.peer import Peer
    from .engine.stats import PeerStats
    from .group_wire.wire import GroupWire


@dataclass(frozen=True, slots=True)
class _Everybody:
    """The others as if they were one far end."""

    audio_in: MixedIncoming
    video_in: FollowedIncoming


class GroupCall(Call):
    """A group call as a value: a :class:`~xnb.calls.Call` with participants.

    Made by :meth:`xnb.Client.start_group_call` and :meth:`xnb.Client.join_group_call`. Sending,
    recording, muting and hanging up are those of every call. When the host hangs up, the call
    ends for everybody; a host whose connection broke may come back within a minute. When the
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

    def __init__(
        self,
        runner: Runner,
        *,
        recipient: User,
        options: CallOptions,
        is_host: bool,
        title: str = "",
        source: Sendable | None = None,
    ) -> None:
        super().__init__(
            runner,
            recipient=recipient,
            direction="outgoing" if is_host else "incoming",
            options=options,
            source=source,
        )
        self.is_host = is_host
        self.is_muted_by_host = False
        self.me = ""
        self.my_name = ""
        self._title = title
        self._people: dict[str, Participant] = {}
        self._introduced: set[str] = set()
        self._firsts: set[str] = set()
        self._host_id = recipient.id
        self._speaker: Participant | None = None
        self._group: GroupWire | None = None
        self._mix = MixedIncoming()
        self._shown = FollowedIncoming()
        self._everybody = _Everybody(self._mix, self._shown)
        self.audio._attach(self._everybody, self._started_s)
        self.video._attach(self._everybody, self._started_s)

    def __repr__(self) -> str:
        words = f"<GroupCall {self.title}: {self.state}"
        if self.end_reason:
            words += f" ({self.end_reason})"
        return f"{words}, {len(self._people)} others, {self.duration_seconds:.1f} s>"

    # Who is in it

    @property
    def title(self) -> str:  # type: ignore[override]
        """What it is called: its title, or the names of the others."""
        if self._title:
            return self._title
        names = [person.name for person in self.participants]
        if not names:
            return "group call" if self.is_host else self.recipient.handle or "group call"
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The others, in the order in which they came."""
        return tuple(self._people.values())

    def participant(self, who: object) -> Participant:
        """One of the others.

        Args:
            who: A handle, a numeric id, or a :class:`~xnb.participants.Participant`.

        Raises:
            CallError: Nobody of that name is in the call; names those who are.
        """
        name = str(getattr(who, "id", who)).removeprefix("@")
        for person in self.participants:
            if person.id == name or person.name.casefold() == name.casefold():
                return person
        there = ", ".join(person.name for person in self.participants) or "nobody else"
        raise CallError(
            f"{name!r} is not in the group call.", remedy=f"There is {there}; check the spelling."
        )

    @property
    def speaker(self) -> Participant | None:
        """Who talks, or talked last; ``None`` before anybody did, and when they have left."""
        return self._speaker

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
        film of it. Any other file is mixed down when the recording stops. Pictures are recorded
        in the layer that comes, see :meth:`layer`.

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
        for recording in self._recordings:
            for part in recording.parts:
                if isinstance(part, GroupFileRecording):
                    part._follow(person)

    # What the wire tells, on the engine's loop

    def _is_me(self, user: User) -> None:
        self.me, self.my_name = user.id, user.handle

    def _is_ours(self, user: User) -> None:
        self._is_me(user)
        self._host_id, self.recipient = user.id, user

    def _is_theirs(self, host: User, title: str) -> None:
        if host.id or host.handle:
            self.recipient = host
        self._title = self._title or title
        self._host_is(host.id)

    def _host_is(self, user_id: str) -> None:
        self._host_id = user_id or self._host_id
        for person in self.participants:
            person.is_host = person.id == self._host_id

    def _new_person(self, user_id: str, name: str) -> Participant:
        person = Participant(self.runner, user_id, name, is_host=user_id == self._host_id)
        self._people[user_id] = person
        return person

    def _is_really(self, person: Participant, user_id: str) -> None:
        """Somebody whom the room calls otherwise has this numeric id."""
        if self._people.get(person.id) is person and user_id not in self._people:
            people = {user_id if one is person else key: one for key, one in self._people.items()}
            self._people.clear()
            self._people.update(people)
            person.id = user_id
            person.is_host = user_id == self._host_id

    def _came(self, person: Participant) -> None:
        if self._people.get(person.id) is person and person.id not in self._introduced:
            self._introduced.add(person.id)
            self._emit(ParticipantJoined(participant=person))

    def _gone(self, person: Participant, why: str) -> None:
        if self._people.get(person.id) is not person:
            return
        self._came(person)  # whoever heard of nobody's coming would not understand the leaving
        del self._people[person.id]
        self._introduced.discard(person.id)
        self._mix.remove(person.id)
        self._talks(person, False)
        if self._speaker is person:
            self._speaker = None
        self._show_speaker()
        person._close_tracks()
        self._emit(ParticipantLeft(participant=person, why=why))

    def _changed(self, person: Participant) -> None:
        if self._people.get(person.id) is person:
            self._show_speaker()
            if person.id in self._introduced:
                self._emit(ParticipantChanged(participant=person))

    def _received(self, person: Participant) -> None:
        """Somebody comes over another connection now, or over none."""
        peer = person.peer
        if peer is None:
            self._mix.remove(person.id)
            if self._shown.source is not None:
                self._show_speaker()
        else:
            self._mix.add(person.id, peer.audio_in)
            peer.on_track = self._peer_track
            peer.audio_in.on_first = lambda: self._first("first_audio", "First sound arrived")
            peer.video_in.on_first = lambda: self._first("first_frame", "First picture arrived")
            self._show_speaker()
        self._tell_recordings(person)

    def _first(self, stage: str, text: str) -> None:
        if stage not in self._firsts:
            self._firsts.add(stage)
            self._stage(stage, text)
        self._show_speaker()

    def _peer_track(self, kind: str) -> None:
        if kind not in self._firsts:
            self._firsts.add(kind)
            super()._peer_track(kind)

    def _talks(self, person: Participant, talks: bool) -> None:
        if person.is_talking == talks:
            return
        person.is_talking = talks
        if talks and (self._speaker is None or not self._speaker.is_talking):
            self._speaker = person
        elif not talks and self._speaker is person:
            others = (one for one in self.participants if one.is_talking)
            self._speaker = next(others, person)
        self._show_speaker()
        self._emit(Talking(participant=person, is_talking=talks))

    def _show_speaker(self) -> None:
        """``call.video`` is the speaker's picture, before anybody spoke the first one there is."""
        shown = [self._speaker] if self._speaker else []
        shown += [one for one in self.participants if one.is_camera_on]
        shown += [one for one in self.participants if one._has_pictures]
        peer = next((one.peer for one in shown if one.peer and one._has_pictures), None)
        self._shown.follow(peer.video_in if peer else None)

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

    async def _tear_down(self, reason: EndReason, error: XnbError | None) -> None:
        await super()._tear_down(reason, error)
        self._mix.close()
        self._shown.close()
        for person in self.participants:
            person._close_tracks()
