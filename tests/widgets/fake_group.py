"""A group call without a network, for the Python side of its widget."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from xnb.engine.stats import PeerStats
from xnb.events import ParticipantChanged, ParticipantJoined, ParticipantLeft, Talking

from .fake_call import FakeCall

if TYPE_CHECKING:
    from xnb.errors import XnbError


class FakeParticipant:
    """Has what the widget uses of :class:`xnb.participants.Participant`."""

    def __init__(self, name: str, number: int) -> None:
        self.id = f"77{number:04d}"
        self.name = name
        self.is_host = False
        self.is_talking = False
        self.is_muted = False
        self.is_muted_by_host = False
        self.is_camera_on = True
        self.joined_at = datetime.now(UTC)
        self.peer: Any = None
        self.layer = "high"
        self.tile_height_px: int | None = None
        self.stats_error: XnbError | None = None

    async def stats(self) -> PeerStats:
        if self.stats_error:
            raise self.stats_error
        return PeerStats(
            codec="vp8",
            width=320,
            height=180,
            fps=15.0,
            rtt_ms=4.0,
            loss_percent=0.0,
            bitrate_bps=150_000.0,
            sent_bitrate_bps=0.0,
            path="host-host udp",
        )


class FakeGroup(FakeCall):
    """Has what the widget uses of :class:`xnb.group_call.GroupCall`."""

    def __init__(self, *names: str, video: bool = True, is_host: bool = True) -> None:
        self._people: list[FakeParticipant] = []
        super().__init__("group call", video=video)
        self.is_host = is_host
        self.is_muted_by_host = False
        self.broadcast_id = "1abcDEF"
        self.me = "1"
        self.speaker: FakeParticipant | None = None
        self.refusal: XnbError | None = None
        self._count = 0
        for name in names:
            self._add(name)

    @property
    def title(self) -> str:
        return ", ".join(one.name for one in self._people) or "group call"

    @title.setter
    def title(self, _title: str) -> None:
        """It is always called after those who are there."""

    @property
    def participants(self) -> tuple[FakeParticipant, ...]:
        return tuple(self._people)

    def _add(self, name: str) -> FakeParticipant:
        self._count += 1
        self._people.append(FakeParticipant(name, self._count))
        return self._people[-1]

    def join(self, person: FakeParticipant | str) -> FakeParticipant:
        """Somebody comes, or comes back."""
        if isinstance(person, str):
            person = self._add(person)
        else:
            self._people.append(person)
        self.emit(ParticipantJoined(participant=person))
        return person

    def leave(self, person: FakeParticipant, why: str = "left") -> None:
        self._people.remove(person)
        self.emit(ParticipantLeft(participant=person, why=why))

    def talk(self, person: FakeParticipant, on: bool = True) -> None:
        person.is_talking = on
        if on:
            self.speaker = person
        self.emit(Talking(participant=person, is_talking=on))

    def change(self, person: FakeParticipant, **values: bool | str) -> None:
        for name, value in values.items():
            setattr(person, name, value)
        self.emit(ParticipantChanged(participant=person))

    def _check(self, what: str) -> None:
        self.asked.append(what)
        if self.refusal:
            raise self.refusal

    async def invite(self, *people: str) -> None:
        self._check(f"invite {' '.join(people)}")

    async def kick(self, person: FakeParticipant) -> None:
        self._check(f"kick {person.name}")

    async def mute_participant(self, person: FakeParticipant, *, muted: bool = True) -> None:
        self._check(f"{'mute' if muted else 'unmute'} {person.name}")
        self.change(person, is_muted_by_host=muted)
