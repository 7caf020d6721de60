"""The same odd requests to both servers: what one refuses, the other refuses with the same code."""

from __future__ import annotations

from typing import Any

from xnb.signaling.janus import JanusError, JanusHandle, JanusSession, Publisher, RoomAdmin

from .conftest import Server, _rooms

ROOM = "the room"
"""Stands for the room's number."""

FRESH: list[dict[str, Any]] = [
    {"request": 5},
    {"request": "nonsense"},
    {"request": "create", "room": ROOM},
    {"request": "create", "publishers": -1},
    {"request": "create", "publishers": "many"},
    {"request": "create", "videocodec": "vp7"},
    {"request": "create", "videocodec": 5},
    {"request": "create", "bitrate": "fast"},
    {"request": "create", "pin": 5},
    {"request": "create", "allowed": "text"},
    {"request": "create", "allowed": [5]},
    {"request": "create", "is_private": "yes"},
    {"request": "create", "permanent": "yes"},
    {"request": "exists"},
    {"request": "exists", "room": -5},
    {"request": "destroy"},
    {"request": "destroy", "room": 999_999},
    {"request": "destroy", "room": ROOM},
    {"request": "destroy", "room": ROOM, "secret": 5},
    {"request": "destroy", "room": ROOM, "secret": "wrong"},
    {"request": "edit", "room": ROOM, "secret": "s", "new_publishers": -1},
    {"request": "edit", "room": ROOM, "secret": "s", "new_bitrate": "fast"},
    {"request": "edit", "room": 999_999},
    {"request": "listparticipants"},
    {"request": "listparticipants", "room": 999_999},
    {"request": "kick", "room": ROOM, "secret": "s"},
    {"request": "kick", "room": ROOM, "secret": "s", "id": 5},
    {"request": "kick", "room": ROOM, "secret": "wrong", "id": 5},
    {"request": "moderate", "room": ROOM, "secret": "s", "id": 5},
    {"request": "moderate", "room": ROOM, "secret": "s", "id": 5, "mid": "0"},
    {"request": "moderate", "room": ROOM, "secret": "s", "id": 5, "mid": "0", "mute": 5},
    {"request": "moderate", "room": ROOM, "secret": "s", "id": 77, "mid": "9", "mute": True},
    {"request": "allowed", "room": ROOM, "secret": "s"},
    {"request": "allowed", "room": ROOM, "secret": "s", "action": "hug"},
    {"request": "allowed", "room": ROOM, "secret": "s", "action": "add"},
    {"request": "allowed", "room": ROOM, "secret": "s", "action": "add", "allowed": "text"},
    {"request": "allowed", "room": ROOM, "secret": "s", "action": "add", "allowed": [5]},
    {"request": "enable_recording", "room": ROOM, "secret": "s"},
    {"request": "enable_recording", "room": ROOM, "secret": "wrong", "record": True},
    {"request": "rtp_forward", "room": ROOM},
    {"request": "join"},
    {"request": "join", "room": ROOM},
    {"request": "join", "room": ROOM, "ptype": 5},
    {"request": "join", "room": ROOM, "ptype": "guest"},
    {"request": "join", "room": 999_999, "ptype": "publisher"},
    {"request": "join", "room": ROOM, "ptype": "publisher", "id": -5},
    {"request": "join", "room": ROOM, "ptype": "publisher", "id": 77},
    {"request": "join", "room": ROOM, "ptype": "publisher", "display": 5},
    {"request": "join", "room": ROOM, "ptype": "subscriber"},
    {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": "text"},
    {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": []},
    {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": [{}]},
    {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": [{"feed": 5}]},
    {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": [{"feed": 77}]},
    {"request": "join", "room": ROOM, "ptype": "subscriber", "feed": 77},
    {"request": "joinandconfigure", "room": ROOM, "ptype": "subscriber"},
    {"request": "configure", "bitrate": 5},
    {"request": "publish"},
    {"request": "unpublish"},
    {"request": "start"},
    {"request": "pause"},
    {"request": "switch"},
    {"request": "update"},
    {"request": "subscribe"},
    {"request": "leave"},
]
JOINED: list[dict[str, Any]] = [
    {"request": "join", "room": ROOM, "ptype": "publisher"},
    {"request": "joinandconfigure", "room": ROOM, "ptype": "publisher"},
    {"request": "unpublish"},
    {"request": "configure", "bitrate": "fast"},
    {"request": "configure", "bitrate": -5},
    {"request": "configure", "display": 5},
    {"request": "configure", "keyframe": "now"},
    {"request": "configure", "descriptions": "text"},
    {"request": "configure", "descriptions": [{}]},
    {"request": "configure", "streams": "text"},
    {"request": "configure", "streams": [{}]},
    {"request": "configure", "streams": [{"mid": "9", "send": False}]},
    {"request": "configure", "audiocodec": 5},
    {"request": "start"},
    {"request": "pause"},
    {"request": "switch"},
    {"request": "update"},
    {"request": "subscribe"},
    {"request": "unsubscribe"},
    {"request": "nonsense"},
]

# Where ours differs on purpose: text as an id is good (Janus takes either numbers or text, by its
# settings); forwarding to plain RTP is not there; what is nonsense is refused although Janus
# does not look at it.
DIFFERENT = {
    "fresh: {'request': 'rtp_forward', 'room': 'the room'}": 423,
    "fresh: {'request': 'joinandconfigure', 'room': 'the room', 'ptype': 'subscriber'}": 430,
    "joined: {'request': 'configure', 'streams': 'text'}": 430,
    "joined: {'request': 'configure', 'streams': [{}]}": 430,
    "joined: {'request': 'configure', 'audiocodec': 5}": 0,
}


async def codes(server: Server) -> dict[str, int]:
    """The codes of all refusals, 0 for what is taken."""
    session = JanusSession(server.gateway("ws"))
    found: dict[str, int] = {}
    try:
        await session.open()
        number = next(_rooms)
        await RoomAdmin(session, number, secret="s").create()
        await Publisher(session, number).join("somebody", id=77)

        async def ask(handle: JanusHandle, where: str, body: dict[str, Any]) -> None:
            sent = {k: number if v is ROOM else v for k, v in body.items()}
            code = 0
            try:
                await handle.request(sent, timeout_s=3)
            except JanusError as error:
                code = error.code or -1
            found[f"{where}: {body}"] = code

        for body in FRESH:
            handle = await session.attach()
            await ask(handle, "fresh", body)
            await handle.detach()
        ann = Publisher(session, number)
        await ann.join("ann")
        assert ann.handle
        for body in JOINED:
            await ask(ann.handle, "joined", body)
    finally:
        await session.close()
    return found


async def test_both_refuse_alike(real_janus, embedded):
    wanted, got = await codes(real_janus), await codes(embedded)
    assert sum(code != 0 for code in wanted.values()) > 60
    assert -1 not in wanted.values()
    found = [
        f"{what}: {got[what]} instead of {code}"
        for what, code in (wanted | DIFFERENT).items()
        if got[what] != code
    ]
    assert not found, "\n".join(found)
