"""People who come into the rooms that a server opened, as clients do: with a place's keys."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from xnb.signaling.janus import Gateway, JanusError, JanusSession, Publisher, RoomAdmin

UNAUTHORIZED = 433


@contextlib.asynccontextmanager
async def opened(place, *, token=None):
    """A session where the room is."""
    gateway = Gateway(
        place.url,
        dialect=place.dialect,
        token=token or place.token,
        request_s=5.0,
        reclaim_s=1.0,
    )
    session = JanusSession(gateway)
    try:
        await session.open()
        yield session
    finally:
        await session.close()


@contextlib.asynccontextmanager
async def joined(place, display, *, id=None, pin=None, token=None, ticket=None):
    """Somebody in the room, not sending; ``kicked`` is set when they are put out."""
    async with opened(place, token=token) as session:
        who = display if place.dialect == "gateway" else None
        publisher = Publisher(session, place.room, pin=pin or place.pin, user_id=who)
        publisher.kicked = asyncio.Event()
        publisher.on_kicked = publisher.kicked.set
        await publisher.join(display, id=id, token=ticket or place.ticket)
        yield publisher


async def code_of(entering):
    """The code with which ``async with entering`` is refused."""
    with pytest.raises(JanusError) as caught:
        async with entering:
            pass
    return caught.value.code


def place_of(rooms, broadcast_id, who, base_url):
    """The place of somebody who may be called ``who``, or that with a ``p`` before it."""
    return rooms.place(broadcast_id, who, names={who, f"p{who}"}, base_url=base_url)


def names_of(*people):
    """All names of these people."""
    return {name for who in people for name in (who, f"p{who}")}


async def put_out_and_kept_out(rooms, base_url, *, knows_tickets):
    """Open a room, put one of two people out, and see that no key of theirs is of use.

    Args:
        rooms: Where.
        base_url: Of the server.
        knows_tickets: The room knows whose a ticket is.
    """
    await rooms.open("door", publishers=4, video_codec="vp8", bitrate_bps=500_000)
    one = await place_of(rooms, "door", "11", base_url)
    other = await place_of(rooms, "door", "22", base_url)
    assert one.ticket != other.ticket
    assert (await place_of(rooms, "door", "11", base_url)).ticket == one.ticket
    assert await code_of(joined(one, "11", ticket="made up")) == UNAUTHORIZED
    async with contextlib.AsyncExitStack() as stack:
        ann = await stack.enter_async_context(joined(one, "11", id="11"))
        bob = await stack.enter_async_context(joined(other, "22", id="22"))
        again = await stack.enter_async_context(joined(one, "p11"))
        if knows_tickets:
            for name, number in (("x", None), ("22", None), ("11", "x"), ("11", None)):
                assert await code_of(joined(one, name, id=number)) == UNAUTHORIZED, name
            theirs = [ann, again]
        else:
            theirs = [ann, again, await stack.enter_async_context(joined(one, "x"))]
        await rooms.kick("door", "11", names=names_of("11"), keep=lambda: names_of("22"))
        await asyncio.wait_for(asyncio.gather(*(each.kicked.wait() for each in theirs)), 5)
        assert await rooms.present("door") == {"22"}
        assert not bob.kicked.is_set()
        # Listening only is checked in tests/janus/test_media.py.
        assert await code_of(joined(one, "11")) == UNAUTHORIZED
        assert await code_of(joined(one, "33")) == UNAUTHORIZED
        new = await place_of(rooms, "door", "11", base_url)
        assert new.ticket != one.ticket
        async with joined(new, "11"):
            assert await rooms.present("door") == {"11", "22"}
        assert await code_of(joined(one, "11")) == UNAUTHORIZED
        # Who is in the call and comes anew: the old place goes, though the name belongs there.
        async with joined(new, "11") as old:
            everybody = names_of("11", "22")
            await rooms.kick("door", "11", names=names_of("11"), keep=lambda: everybody)
            await asyncio.wait_for(old.kicked.wait(), 5)
            assert await rooms.present("door") == {"22"}
        # Who came in otherwise, under a name that is nobody's.
        async with opened(other) as session:
            host = RoomAdmin(session, other.room, secret=other.secret, user_id="22")
            await host.allow("anybody's")
        async with joined(other, "44", ticket="anybody's") as stranger:
            assert await rooms.present("door") == {"22", "44"}
            await rooms.put_out_others("door", keep=lambda: names_of("22"))
            await asyncio.wait_for(stranger.kicked.wait(), 5)
            assert await rooms.present("door") == {"22"}
        assert not bob.kicked.is_set()
    await rooms.close_room("door")
