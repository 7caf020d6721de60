"""A client of Janus servers: sessions, handles, rooms. It knows no media; SDP is just text."""

from __future__ import annotations

from .echo import echo_test
from .errors import JanusError
from .feeds import (
    Feed,
    FeedId,
    FeedStream,
    Joined,
    Offered,
    Participant,
    RoomInfo,
    SubscribedStream,
    Wanted,
)
from .gateway import Dialect, Gateway
from .handle import Event, JanusHandle, Reply
from .publisher import Publisher
from .room_admin import RoomAdmin
from .session import JanusSession
from .subscriber import Subscriber

__all__ = [
    "Dialect",
    "Event",
    "Feed",
    "FeedId",
    "FeedStream",
    "Gateway",
    "JanusError",
    "JanusHandle",
    "JanusSession",
    "Joined",
    "Offered",
    "Participant",
    "Publisher",
    "Reply",
    "RoomAdmin",
    "RoomInfo",
    "SubscribedStream",
    "Subscriber",
    "Wanted",
    "echo_test",
]
