"""Who is in a group call: they come, speak and leave, and are heard and seen as one far end."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call
from .engine.mixed_in import FollowedIncoming, MixedIncoming
from .errors import CallError, XnbError
from .events import EndReason, ParticipantChanged, ParticipantJoined, ParticipantLeft, Talking
from .loop import Runner
from .media.accept import Sendable
from .participants import Participant
from .settings import CallOptions
from .signaling.messages import User


@dataclass(frozen=True, slots=True)
class _Everybody:
    """The others as if they were one far end."""

    audio_in: MixedIncoming
    video_in: FollowedIncoming


class GroupPeople(Call):
    """Base of :class:`~xnb.group_call.GroupCall`: its participants.

    Args:
        runner: Where the call lives.
        recipient: Its host, as far as known.
        options: As of every call.
        is_host: Whether it is ours.
        title: What it is called.
        source: What is sent at first.
    """

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
        self.me = ""
        self.my_name = ""
        self._title = title
        self._people: dict[str, Participant] = {}
        self._introduced: set[str] = set()
        self._firsts: set[str] = set()
        self._host_id = recipient.id
        self._speaker: Participant | None = None
        self._mix = MixedIncoming()
        self._shown = FollowedIncoming()
        self._everybody = _Everybody(self._mix, self._shown)
        self.audio._attach(self._everybody, self._started_s)
        self.video._attach(self._everybody, self._started_s)

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
            self._tell_recordings(person)
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

    def _tell_recordings(self, person: Participant) -> None:
        """Somebody's media come another way now; a call that records them takes care."""

    async def _tear_down(self, reason: EndReason, error: XnbError | None) -> None:
        await super()._tear_down(reason, error)
        self._mix.close()
        self._shown.close()
        for person in self.participants:
            person._close_tracks()
