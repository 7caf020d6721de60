"""Which streams a request of a subscriber names."""

from __future__ import annotations

from collections.abc import Sequence

from ..janus.plugin import Json, PluginError
from .feed import FeedStream
from .requests import (
    INVALID_ELEMENT,
    MISSING_ELEMENT,
    flag,
    items,
    missing,
    optional_id,
    required_id,
    text,
)
from .room import Room
from .subscription import Subscription


def streams_of(room: Room, asked: Sequence[Json]) -> list[tuple[FeedStream, Json]]:
    """The streams of a ``streams`` list, each with the item that asks for it.

    Raises:
        PluginError: There is no such feed or stream (428), or an item is not as it should be.
    """
    found: list[tuple[FeedStream, Json]] = []
    for one in asked:
        text(one, "crossrefid"), flag(one, "send")  # checked before anything is changed
        streams = room.streams(required_id(one, "feed"), text(one, "mid"))
        found += [(stream, one) for stream in streams]
    return found


def legacy_streams(room: Room, body: Json) -> list[tuple[FeedStream, Json]]:
    """A ``join`` as before Janus 1.0: one feed, all of it or only sound or pictures.

    Raises:
        PluginError: No feed is named (429), or it sends nothing (428).
    """
    feed_id = optional_id(body, "feed")
    if feed_id is None:
        raise PluginError(
            MISSING_ELEMENT, "At least one between 'streams' and 'feed' must be specified"
        )
    wanted = {
        kind: flag(body, kind) is not False and flag(body, f"offer_{kind}") is not False
        for kind in ("audio", "video")
    }
    return [(one, {}) for one in room.streams(feed_id, None) if wanted[one.kind]]


def switch_pairs(
    room: Room, subscriptions: Sequence[Subscription], body: Json
) -> list[tuple[Subscription, FeedStream]]:
    """Which subscription a ``switch`` wants to show which stream.

    Raises:
        PluginError: There is no such feed or stream (428), or the request is not as it should be.
    """
    asked = items(body, "streams")
    if asked is None:
        return _legacy_pairs(room, subscriptions, body)
    if not asked:
        raise PluginError(INVALID_ELEMENT, "Empty switch list")
    pairs = []
    for one in asked:
        feed_id, mid, sub_mid = required_id(one, "feed"), text(one, "mid"), text(one, "sub_mid")
        if mid is None or sub_mid is None:
            raise missing("mid" if mid is None else "sub_mid")
        found = [each for each in subscriptions if each.line.mid == sub_mid]
        for stream in room.streams(feed_id, mid):
            pairs += [(subscription, stream) for subscription in found]
    return pairs


def _legacy_pairs(
    room: Room, subscriptions: Sequence[Subscription], body: Json
) -> list[tuple[Subscription, FeedStream]]:
    """A ``switch`` as before Janus 1.0: everything from one feed to another."""
    feed_id = optional_id(body, "feed")
    if feed_id is None:
        raise PluginError(
            MISSING_ELEMENT, "At least one between 'streams' and 'feed' must be specified"
        )
    streams = room.streams(feed_id, None)
    pairs = []
    for subscription in subscriptions:
        fitting = next((one for one in streams if one.kind == subscription.line.kind), None)
        if fitting:
            streams.remove(fitting)
            pairs.append((subscription, fitting))
    return pairs
