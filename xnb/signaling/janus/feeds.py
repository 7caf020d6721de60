"""Who is in a room and what they send, as values; what Janus' JSON says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .errors import JanusError

FeedId: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class FeedStream:
    """One m-line that somebody sends.

    Args:
        kind: ``"audio"``, ``"video"`` or ``"data"``.
        mid: Its name in the sender's description.
        mindex: Its place there, from 0.
        codec: ``"opus"``, ``"vp8"``, ``"h264"``…, ``None`` if the server does not say.
        description: What the sender calls it: ``"low"`` and ``"high"`` are layers.
        is_disabled: Nothing is sent there now.
        is_moderated: The host muted it.
    """

    kind: str
    mid: str
    mindex: int = 0
    codec: str | None = None
    description: str | None = None
    is_disabled: bool = False
    is_moderated: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """Somebody who sends.

    Args:
        id: Their id in the room.
        display: The name they joined with.
        streams: What they send; empty on servers that do not list it.
        is_talking: Whether they talk now, ``None`` if the room does not watch for it.
        user_id: X's user id where the server tells it, else the name.
    """

    id: FeedId
    display: str = ""
    streams: tuple[FeedStream, ...] = ()
    is_talking: bool | None = None
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a room says to somebody who joins.

    Args:
        id: Our id in the room.
        private_id: Says in subscriptions that they are ours; keep it to yourself.
        publishers: Who sends already.
        attendees: Id and name of those who do not send (yet), where the room tells.
    """

    id: FeedId
    private_id: int | None = field(default=None, repr=False)
    publishers: tuple[Feed, ...] = ()
    attendees: tuple[tuple[FeedId, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """One entry of a room's list.

    Args:
        id: Their id in the room.
        display: The name they joined with.
        is_publisher: Whether they send.
        is_talking: Whether they talk now, ``None`` if the room does not watch for it.
    """

    id: FeedId
    display: str = ""
    is_publisher: bool = False
    is_talking: bool | None = None


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """A room as a server lists it.

    Args:
        room: Its id.
        description: Its name.
        is_pin_required: Whether joining takes a pin.
        max_publishers: How many may send.
        participants: How many are in it.
        video_codecs: What may be sent in it, best first.
        bitrate_bps: What each may send, 0 for no limit.
    """

    room: FeedId
    description: str = ""
    is_pin_required: bool = False
    max_publishers: int = 0
    participants: int = 0
    video_codecs: tuple[str, ...] = ()
    bitrate_bps: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream to subscribe to.

    Args:
        feed: Whose.
        mid: Which of theirs; ``None`` for all.
    """

    feed: FeedId
    mid: str | None = None


@dataclass(frozen=True, slots=True)
class SubscribedStream:
    """One m-line of a subscription.

    Args:
        mid: Its name in the subscription's description.
        kind: ``"audio"``, ``"video"`` or ``"data"``.
        feed_id: Whose it is, ``None`` when it carries nothing any more.
        feed_mid: Which of theirs.
        codec: As far as the server says.
        active: Whether it is in use.
    """

    mid: str
    kind: str
    feed_id: FeedId | None = None
    feed_mid: str | None = None
    codec: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Offered:
    """A description that the server offers to a subscriber.

    Args:
        sdp: The offer; it is answered with ``Subscriber.start``.
        streams: What is in it.
    """

    sdp: str = field(repr=False)
    streams: tuple[SubscribedStream, ...] = ()


def is_id(value: object) -> bool:
    """Whether a value can be somebody's id: a string or a number."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def feeds_in(value: object) -> tuple[Feed, ...]:
    """The feeds of a ``publishers`` member. What has no usable id is left out."""
    return tuple(_feed(one) for one in _maps(value) if is_id(one.get("id")))


def people_in(value: object) -> tuple[tuple[FeedId, str], ...]:
    """Id and name of an ``attendees`` or ``joining`` member."""
    return tuple(
        (one["id"], _text(one.get("display"))) for one in _maps(value) if is_id(one.get("id"))
    )


def participants_in(value: object) -> tuple[Participant, ...]:
    """The entries of a ``participants`` member."""
    return tuple(
        Participant(
            one["id"],
            _text(one.get("display")),
            one.get("publisher") in (True, "true"),
            _flag(one.get("talking")),
        )
        for one in _maps(value)
        if is_id(one.get("id"))
    )


def rooms_in(value: object) -> tuple[RoomInfo, ...]:
    """The rooms of a ``list`` member."""
    return tuple(
        RoomInfo(
            one["room"],
            _text(one.get("description")),
            one.get("pin_required") is True,
            _number(one.get("max_publishers")),
            _number(one.get("num_participants")),
            tuple(name for name in _text(one.get("videocodec")).split(",") if name),
            _number(one.get("bitrate")),
        )
        for one in _maps(value)
        if is_id(one.get("room"))
    )


def subscribed_in(value: object) -> tuple[SubscribedStream, ...]:
    """The m-lines of a subscription's ``streams`` member."""
    return tuple(
        SubscribedStream(
            _text(one.get("mid")),
            _text(one.get("type")),
            one["feed_id"] if is_id(one.get("feed_id")) else None,
            _text(one.get("feed_mid")) or None,
            _text(one.get("codec")) or None,
            one.get("active") is not False,
        )
        for one in _maps(value)
    )


def sdp_of(jsep: Mapping[str, Any] | None, kind: str, what: str) -> str:
    """The description of a reply.

    Raises:
        JanusError: There is none, or it is of another kind.
    """
    if jsep is None or jsep.get("type") != kind:
        raise JanusError(
            f"The group-call server's reply to the request to {what} has no {kind}.",
            remedy="Check that the server is a Janus with the video-room plugin.",
        )
    return str(jsep["sdp"])


def _feed(one: Mapping[str, Any]) -> Feed:
    streams = tuple(
        FeedStream(
            _text(stream.get("type")),
            _text(stream.get("mid")),
            _number(stream.get("mindex")),
            _text(stream.get("codec")) or None,
            _text(stream.get("description")) or None,
            stream.get("disabled") is True,
            stream.get("moderated") is True,
        )
        for stream in _maps(one.get("streams"))
    )
    talks = [_flag(part.get("talking")) for part in (one, *_maps(one.get("streams")))]
    known = [flag for flag in talks if flag is not None]
    display = _text(one.get("display"))
    user = one.get("periscope_user_id")
    return Feed(
        one["id"],
        display,
        streams,
        any(known) if known else None,
        str(user) if is_id(user) else display,
    )


def _maps(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        return [value]
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return str(value) if is_id(value) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
