"""Layers on the embedded SFU: what is asked for comes, and a slow path harms only itself."""

from __future__ import annotations

import asyncio

import pytest
from group_people import Rooms, all_there, card, see, until

import xnb

HEIGHT_PX = 360
SMALL_PX = 180


@pytest.fixture
async def pair(clients):
    """Two people, the second of whom sends pictures that have a small layer."""
    rooms = Rooms(clients, lambda number: card(number, width=640, height=HEIGHT_PX, fps=15))
    calls = await rooms.open(2)
    await all_there(calls)
    return calls, calls[0].participant(rooms.name(1))


async def height(person, wanted: int) -> None:
    """Wait until the picture has this height, and is theirs."""
    async with asyncio.timeout(12):
        async for frame in person.video.frames():
            if frame.height == wanted:
                break
    assert await see(person.video) == 1


async def test_the_layer_that_is_asked_for_comes(pair):
    calls, person = pair
    changes = []
    calls[0].on("participantchanged", lambda event: changes.append(event.participant.layer))
    await height(person, HEIGHT_PX)
    assert person.layer == "high"
    calls[0].layer(person, "low")
    await height(person, SMALL_PX)
    assert person.layer == "low"
    calls[0].layer(person.name, "off")
    await until(lambda: person.layer == "off", "the layer's going off")
    await asyncio.sleep(0.5)
    counted = person.peer.video_in.frames
    await asyncio.sleep(1)
    assert person.peer.video_in.frames == counted
    assert person.is_camera_on, "what does not come is not said to be off"
    heard = person.peer.audio_in.frames
    await asyncio.sleep(0.5)
    assert person.peer.audio_in.frames > heard + 15
    calls[0].layer(person, "high")
    await height(person, HEIGHT_PX)
    assert changes[-1] == "high"
    assert {"low", "off"} <= set(changes)
    with pytest.raises(xnb.SettingsError, match="no layer"):
        calls[0].layer(person, "medium")
    with pytest.raises(xnb.CallError, match=person.name):
        calls[0].layer("somebody-else", "low")


async def test_small_tiles_get_the_small_picture(pair):
    _, person = pair
    await height(person, HEIGHT_PX)
    received = (await person.stats()).bitrate_bps
    person.tile_height_px = 120
    await height(person, SMALL_PX)
    await asyncio.sleep(1.5)
    assert (await person.stats()).fps <= 16
    assert (await person.stats()).bitrate_bps < max(received, 400_000)
    person.tile_height_px = 0
    await until(lambda: person.layer == "off", "the hidden tile's layer")
    person.tile_height_px = 480
    await height(person, HEIGHT_PX)


async def test_a_lossy_path_gets_less_and_nobody_else_notices(clients, monkeypatch):
    """One of two receivers loses every fifth packet: it falls to the low layer, the other not."""
    monkeypatch.setattr("xnb.group_layers.FIRST_HOLD_S", 2.0)
    rooms = Rooms(clients, lambda number: card(number, width=640, height=HEIGHT_PX, fps=15))
    calls = await rooms.open(3)
    await all_there(calls)
    poor, rich = (calls[n].participant(rooms.name(1)) for n in (0, 2))
    await until(lambda: poor.layer == rich.layer == "high", "both high layers")
    wire = poor.peer.streams.wire
    take, count = wire._on_rtp, 0

    def lossy(data: bytes, arrival_s: float) -> None:
        nonlocal count
        count += 1
        if count % 5:
            take(data, arrival_s)

    wire._path._on_rtp = lossy
    await until(lambda: poor.layer != "high", "the fall", 10)
    assert rich.layer == "high"
    counted = rich.peer.video_in.frames
    await asyncio.sleep(1)
    assert rich.peer.video_in.frames - counted >= 10, "the other one's picture goes on"
    assert rich.peer.video_in.size[1] == HEIGHT_PX
    wire._path._on_rtp = take
    await until(lambda: poor.layer == "high", "the way back", 40)


async def test_a_publisher_offers_two_layers(pair):
    calls, _ = pair
    descriptions = calls[1].peer.descriptions()
    assert sorted(descriptions.values()) == ["audio", "high", "low"]
    assert "a=sendonly" in calls[1].peer.pc.localDescription.sdp
    assert "a=sendrecv" not in calls[1].peer.pc.localDescription.sdp
