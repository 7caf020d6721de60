"""janode and libwebrtc in Node against both servers: a client that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from room_people import COLOURS

from .conftest import Server, _rooms

JS = Path(__file__).parent / "js"
WRTC = Path(__file__).parents[1] / "bench" / "peer" / "node_modules" / "@roamhq" / "wrtc"
LIMIT_S = 100.0
ANN, BOB = ("red", 500), ("blue", 800)


def missing() -> str:
    """What is not installed; empty when all is."""
    wanted = {
        "node": shutil.which("node") is not None,
        "janode": (JS / "node_modules" / "janode").is_dir(),
        "@roamhq/wrtc": WRTC.is_dir(),
    }
    return " and ".join(name for name, is_there in wanted.items() if not is_there)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing()),
        reason=f"{missing()} is not installed (make setup as root, then make peer)",
    ),
]


async def janode(server: Server, room: int) -> dict[str, Any]:
    """What janode saw of a room's life."""
    job = {
        "url": server.gateway().url,
        "apisecret": server.credentials.get("api_secret"),
        "token": server.credentials.get("token"),
        "room": room,
        "pin": "1234",
        "secret": "a room secret",
    }
    for name, (colour, tone_hz) in {"ann": ANN, "bob": BOB}.items():
        job[name] = {"colour": COLOURS[colour], "toneHz": tone_hz}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", str(JS / "janode_room.mjs"), json.dumps(job), stdout=pipe, stderr=pipe
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = out.decode().splitlines()
    assert lines, errors.decode()[-2000:]
    seen: dict[str, Any] = json.loads(lines[-1])
    assert process.returncode == 0, f"{seen}\n{errors.decode()[-2000:]}"
    complaints = [line for line in errors.decode().splitlines() if "ERROR" in line]
    return seen | {"complaints": complaints}


def name_of(colour: list[int]) -> str:
    """The name of the nearest colour."""
    return min(
        COLOURS,
        key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], colour, strict=True)),
    )


def look(sender: dict[str, Any]) -> tuple[str, float]:
    """What was seen and heard of somebody: the colour, and the tone to 10 Hz."""
    return name_of(sender["colour"]), round(sender["hz"], -1)


async def test_janode_takes_a_room_from_its_beginning_to_its_end(server: Server) -> None:
    room = next(_rooms)
    seen = await janode(server, room)
    assert seen["server"] == "server_info"
    assert seen["created"] == {"room": room, "permanent": False}
    assert seen["existed"] == [False, True, False]
    assert seen["listed"] == {"description": "talk", "pin_required": True, "max_publishers": 2}
    assert seen["refused"] == {
        "a wrong secret of the server": 403,
        "a room made twice": 427,
        "a wrong pin": 433,
        "no pin": 429,
        "an unknown room": 426,
        "what needs a room before it": 424,
        "a wrong secret of the room": 433,
        "kicking nobody": 428,
        "watching nobody": 428,
        "joining twice": 425,
        "publishing twice": 434,
        "no ticket": 433,
    }
    # What the room tells of a publisher, and what arrives.
    assert seen["description"] == "talk"
    assert seen["configured"] == ["audio opus", "video vp8"]
    assert seen["heardOf"] == [True, "audio opus", "video vp8"]
    assert seen["subscribed"] == ["audio opus", "video vp8"]
    assert sorted(seen["participants"]) == [["ann", True], ["cy", False]]
    assert seen["started"] == "ok"
    assert look(seen["ann"]) == ANN
    # Without a new description.
    assert seen["paused"] == "ok"
    assert seen["picturesWhilePaused"] <= 1
    assert seen["picturesAfterwards"] >= 3
    assert seen["picturesWhileOff"] <= 1
    assert seen["hzWhileMuted"] == 0
    assert seen["hzAfterwards"] == pytest.approx(ANN[1], abs=10)
    assert seen["recording"] is False
    # With one: somebody more, ICE again, somebody less.
    assert seen["inTheRoom"] == ["anna"]
    assert seen["lines"] == 4
    assert look(seen["bob"]) == BOB
    assert seen["switched"] is True
    assert name_of(seen["switchedTo"]) == BOB[0]
    assert seen["linesOfBob"] == 0
    # The end.
    assert seen["left"] is True
    assert seen["tickets"] == ["ticket"]
    assert seen["destroyed"]["room"] == room
    assert seen["departed"] == [True] * 4
    # What janode itself finds wrong.
    (complaint,) = seen["complaints"]
    assert "403 Unauthorized" in complaint
