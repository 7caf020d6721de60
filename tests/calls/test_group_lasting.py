"""What lasts in a group call: pictures for who reads them, mutes, and what has happened."""

from __future__ import annotations

import asyncio

import pytest
from group_people import Rooms, all_there, see, until

from xnb.events import Connected, StateChange, Talking


@pytest.fixture
async def rooms(clients):
    """Makes rooms of people who can be told apart."""
    return Rooms(clients)


def states(call):
    """The states it went through."""
    return [event.new for event in call.timeline if isinstance(event, StateChange)]


async def test_a_hidden_tile_takes_no_pictures_from_who_reads_them(rooms, tmp_path):
    calls = await rooms.open(2)
    await all_there(calls)
    person = calls[0].participants[0]
    person.tile_height_px = 0
    await until(lambda: person.layer == "off", "the hidden tile's layer")
    assert await see(person.video, 10) == 1
    await until(lambda: person.layer == "off", "nobody's reading any more", 20)
    recording = calls[0].record(tmp_path / "group.mkv")
    await until(lambda: person.layer == "high", "the recording's layer")
    await asyncio.sleep(2)
    [made] = await recording.stop()
    assert made.has_video
    assert made.frame_at(made.duration_s - 0.3).image.std() > 5
    await until(lambda: person.layer == "off", "the end of the recording")
    assert await see(calls[0].video, 10) == 1


async def test_who_is_muted_by_the_host_stays_so_over_a_new_connection(rooms):
    calls = await rooms.open(2)
    await all_there(calls)
    name = rooms.name(1)
    person = calls[0].participant(name)
    await calls[0].mute_participant(name)
    assert person.is_muted_by_host
    await until(lambda: calls[1].is_muted_by_host, "the muted one's hearing of it")
    # The whole session is lost, so they come back as somebody of whom the room knows nothing.
    calls[1]._group._session._lose()
    await until(lambda: states(calls[1])[-2:] == ["reconnecting", "connected"], "coming back")
    await until(
        lambda: calls[0].participants and calls[0].participants[0].is_muted_by_host, "the mute", 15
    )
    await until(lambda: calls[1].is_muted_by_host, "the muted one's hearing of it again", 15)
    await calls[0].mute_participant(name, muted=False)
    await until(lambda: not calls[0].participant(name).is_muted, "the end of the mute")
    assert not calls[1].is_muted_by_host


async def test_talking_drives_nothing_out_of_the_timeline(rooms):
    calls = await rooms.open(1)
    for number in range(1200):
        calls[0]._emit(Talking(participant=None, is_talking=number % 2 == 0))
    assert isinstance(await calls[0].until("connected", timeout_s=0.1), Connected)
    told = calls[0].timeline
    assert any(isinstance(event, Connected) for event in told)
    assert sum(isinstance(event, Talking) for event in told) == 500
    assert [event.time_s for event in told] == sorted(event.time_s for event in told)


async def test_a_stopped_recording_is_no_running_one_while_its_film_is_made(rooms, tmp_path):
    calls = await rooms.open(2)
    await all_there(calls)
    call = calls[0]
    recording = call.record(tmp_path / "film.webm")
    assert call.recording is recording
    await asyncio.sleep(2)
    told = []
    call.on("localstatus", lambda event: told.append(event.recording))
    stopping = recording.stop()
    assert call.recording is None
    assert told[0] is False
    seen = set()

    async def watch():
        while not recording.is_finished:
            seen.add(recording.progress)
            await asyncio.sleep(0.01)

    watching = asyncio.ensure_future(watch())
    [film] = await stopping
    await watching
    assert film.has_video
    assert 0.0 in seen
    assert recording.progress == 1.0
    another = call.record(tmp_path / "sound.wav")
    assert call.recording is another
    await asyncio.sleep(0.3)
    await another.stop()
