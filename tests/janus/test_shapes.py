"""What the two servers say, member by member: the embedded one speaks as Debian's Janus does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from room_people import Person

from xnb.media import synthetic
from xnb.signaling.janus import JanusError, JanusSession, RoomAdmin, Wanted

from .conftest import Server, _rooms

# Optional in Janus' documentation.
MAY_MISS = {"success success list.plugindata.data.list[].opus_fec"}
# Later versions than Debian's say who left; whether somebody talks is said wherever it is known.
MAY_ADD = (".display", ".talking")
# Told once a second, so that a short test may end before it.
MAY_BE_LATE = {"media"}


class Listening(JanusSession):
    """Notes the shape of everything the server says."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shapes: dict[str, Any] = {}

    def on_message(self, message: dict[str, Any]) -> None:
        data = message.get("plugindata", {}).get("data", {})
        name = " ".join(str(part) for part in (message["janus"], *_names(data)) if part)
        merged = _merged(self.shapes.get(name), _shape(message))
        self.shapes[name] = merged
        super().on_message(message)


def _names(data: dict[str, Any]) -> list[Any]:
    """What kind of event or reply it is."""
    found = [data.get("videoroom"), data.get("echotest"), data.get("error_code")]
    found += [data.get("moderation")]
    for name in (
        *("publishers", "joining", "unpublished", "leaving", "kicked", "configured", "started"),
        *("paused", "switched", "left", "exists", "participants", "list", "allowed", "record"),
    ):
        if name in data:
            found.append(f"{name}=ok" if data[name] == "ok" else name)
    return found


def _shape(value: Any) -> Any:
    """Members and types of a message; lists as the union of their items."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items() if key != "error"}
    if isinstance(value, list):
        merged: Any = None
        for one in value:
            merged = _merged(merged, _shape(one))
        return [merged]
    return "number" if isinstance(value, int | float) else type(value).__name__


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _merged(one.get(key), other.get(key)) for key in sorted({*one, *other})}
    if isinstance(one, list) and isinstance(other, list):
        return [_merged(one[0], other[0])]
    return other if one is None else one


async def scenario(server: Server) -> dict[str, Any]:
    """A room's life with everything in it; gives the shapes of what was said."""
    sessions = [Listening(server.gateway("ws")) for _ in range(3)]
    people: list[Person] = []
    try:
        await asyncio.gather(*(one.open() for one in sessions))
        number = next(_rooms)
        admin = RoomAdmin(sessions[0], number, secret="s")
        await admin.create(
            is_private=False,
            allowed=["t"],
            description="talk",
            extra={"audio_active_packets": 10},
        )
        await admin.exists()
        await admin.allow("u")
        await admin.edit(description="more")
        await admin.list_rooms()
        await admin.enable_recording(False)
        ann = Person(sessions[1], number, "ann", "red", 500)
        bob = Person(sessions[2], number, "bob", "green", 800)
        people += [ann, bob]
        await ann.join(token="t")
        await bob.join(token="t")
        await ann.publish(low=True)
        await bob.publish(video=False)
        view = await bob.watch("ann")
        mids = {one.description: one.mid for one in view.feed.streams}
        own = view.mid("video")
        await view.shows("red")
        await view.subscriber.configure(own, send=True)
        await view.subscriber.switch(own, view.feed.id, mids["low"])
        await view.subscriber.pause()
        await view.subscriber.start()
        offered = await view.subscriber.update(unsubscribe=[Wanted(view.feed.id, mids["audio"])])
        assert offered
        await view.answer(offered)
        await ann.publisher.configure(bitrate_bps=300_000, send={mids["high"]: True})
        await admin.list_participants()
        await admin.moderate(view.feed.id, mids["high"], True)
        await bob.hears("moderated", view.feed.id, mids["high"], True)
        await admin.moderate(view.feed.id, mids["high"], False)
        await bob.hears("moderated", view.feed.id, mids["high"], False)
        await bob._until(
            lambda: True if any(one[0] == "talking" for one in bob.heard) else None, "talking"
        )
        assert ann.peer
        ann.peer.audio_out.play(synthetic.silence().audio)
        await bob._until(
            lambda: True if any(one[0] == "talking" and not one[2] for one in bob.heard) else None,
            "silence",
        )
        with pytest.raises(JanusError):
            await view.subscriber.switch(own, 999, "0")
        await ann.publisher.unpublish()
        await bob.hears("unpublished", view.feed.id)
        await ann.peer.close()
        await ann.publish(video=False)
        await bob.watch("ann")
        await ann.publisher.leave()
        await bob.hears("leaving", view.feed.id, "")
        await ann.join(token="t")
        assert ann.joined
        await admin.kick(ann.joined.id)
        await ann.hears("kicked")
        await bob.hears("leaving", ann.joined.id, "kicked")
        await admin.destroy()
        await bob.hears("destroyed")
        await asyncio.sleep(0.3)
    finally:
        await asyncio.gather(*(one.close() for one in people))
        await asyncio.gather(*(one.close() for one in sessions))
    found: dict[str, Any] = {}
    for session in sessions:
        for name, shape in session.shapes.items():
            found[name] = _merged(found.get(name), shape)
    return found


def differences(wanted: Any, got: Any, where: str) -> list[str]:
    """Where two shapes differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        found = []
        for key in sorted({*wanted, *got}):
            path = f"{where}.{key}"
            if key not in got:
                found += [] if path in MAY_MISS else [f"{path} is missing"]
            elif key not in wanted:
                found += [] if path.endswith(MAY_ADD) else [f"{path} is more than Janus says"]
            else:
                found += differences(wanted[key], got[key], path)
        return found
    if isinstance(wanted, list) and isinstance(got, list):
        return differences(wanted[0], got[0], f"{where}[]") if wanted[0] and got[0] else []
    return [] if wanted == got else [f"{where}: {got} instead of {wanted}"]


async def test_the_embedded_server_speaks_as_janus_does(real_janus, embedded):
    wanted, got = await scenario(real_janus), await scenario(embedded)
    assert len(wanted) > 25, sorted(wanted)
    found = [f"{name} is missing" for name in {*wanted} - {*got} - MAY_BE_LATE]
    found += [f"{name} is more than Janus says" for name in {*got} - {*wanted} - MAY_BE_LATE]
    for name in set(wanted) & set(got):
        found += differences(wanted[name], got[name], name)
    assert not found, "\n".join(sorted(found))
