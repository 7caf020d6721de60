"""Recordings of group calls over real sockets: who, when, in sync."""

from __future__ import annotations

import asyncio
import time

import av
import numpy as np
import pytest
from group_people import COLOURS, Rooms, all_there, card, heard_in, number_of, until
from recorded import tracks

import xnb

TITLES = ("picture", "sound")


@pytest.fixture
async def rooms(clients):
    """Makes rooms of people who can be told apart."""
    return Rooms(clients, lambda number: card(number, fps=15))


def frames_of(path, title):
    """Pictures of a track, as numbers of people, with their times."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams.video if s.metadata.get("title") == title)
        return [
            (number_of(frame.to_ndarray(format="rgb24")), frame.time)
            for frame in container.decode(stream)
        ]


def sound_of(path, title):
    """Samples of a track, and when it begins."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams.audio if s.metadata.get("title") == title)
        frames = list(container.decode(stream))
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].time


async def test_everybody_has_tracks_and_who_is_late_begins_late(rooms, tmp_path):
    calls = await rooms.open(3, join=2)
    await all_there(calls)
    path = tmp_path / "group.mkv"
    recording = calls[0].record(path, sides="both")
    await asyncio.sleep(1.5)
    late = await rooms.join(2)
    await until(lambda: len(calls[0].participants) == 2, "the third one")
    await asyncio.sleep(2)
    assert calls[0].recording is recording
    recorded = await recording.stop()
    await late.hangup()
    assert [one.path for one in recorded] == [path]
    names = [rooms.name(number) for number in range(3)]
    found = {title for _, _, title in tracks(path)}
    assert found == {f"{name} {what}" for name in names for what in TITLES}
    begins = {}
    for number, name in enumerate(names):
        shown = frames_of(path, f"{name} picture")
        assert {one for one, _ in shown} == {number}
        samples, begins[name] = sound_of(path, f"{name} sound")
        assert set(heard_in(samples[-36000:-12000])) == {number}
        assert shown[0][1] == pytest.approx(begins[name], abs=0.7)
    assert begins[names[2]] > 1.3
    assert begins[names[1]] < 0.7


async def test_any_other_file_is_mixed(rooms, tmp_path):
    calls = await rooms.open(3)
    await all_there(calls)
    recording = calls[0].record(tmp_path / "film.mp4")
    sound = calls[0].record_incoming(audio_path=tmp_path / "sound.wav")
    await asyncio.sleep(2.5)
    [film] = await recording.stop()
    [heard] = await sound.stop()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["film.mp4", "sound.wav"]
    image = film.frame_at(film.duration_s - 0.5).image
    half = image.shape[1] // 2
    assert {number_of(image[:, :half]), number_of(image[:, half:])} == {1, 2}
    for one in (film, heard):
        samples = one.audio()[-36000:-12000, 0]
        assert set(heard_in(samples)) == {1, 2}
    assert not heard.has_video


async def test_two_people_who_do_the_same_thing_at_once_are_together(rooms, tmp_path, clients):
    """Both send the same changes of colour; their tracks agree within 60 ms."""
    begun = time.monotonic() + 1.0

    def blinking():
        while True:
            phase = int((time.monotonic() - begun) * 2.5) % 2
            yield np.broadcast_to(np.array(COLOURS[phase], np.uint8), (120, 160, 3)).copy()

    both = Rooms(clients, lambda number: card(number) if number == 0 else xnb.silence())
    calls = await both.open(3)
    await all_there(calls)
    for call in calls[1:]:
        call.send_video(blinking(), fps=25)
    await asyncio.sleep(0.5)
    recording = calls[0].record(tmp_path / "sync.mkv")
    await asyncio.sleep(3.2)
    [recorded] = await recording.stop()
    changes = []
    for number in (1, 2):
        shown = frames_of(recorded.path, f"{both.name(number)} picture")
        pairs = zip(shown, shown[1:], strict=False)
        changes.append([after[1] for before, after in pairs if before[0] != after[0]])
    offsets = [min(abs(at - other) for other in changes[1]) for at in changes[0][1:-1]]
    assert len(offsets) >= 4
    assert np.median(offsets) < 0.06, offsets


async def test_leaving_and_coming_back_stays_in_one_track(rooms, tmp_path):
    calls = await rooms.open(2)
    await all_there(calls)
    recording = calls[0].record(tmp_path / "back.mkv")
    await asyncio.sleep(1)
    await calls[1].hangup()
    await until(lambda: not calls[0].participants, "the leaving")
    await asyncio.sleep(1)
    await rooms.join(1)
    await until(lambda: calls[0].participants, "the coming back")
    await asyncio.sleep(1.2)
    [recorded] = await recording.stop()
    shown = frames_of(recorded.path, f"{rooms.name(1)} picture")
    times = [time_s for _, time_s in shown]
    gaps = np.diff(times)
    assert {number for number, _ in shown} == {1}
    assert gaps.max() > 0.9
    assert recorded.duration_s == pytest.approx(times[-1], abs=0.5)


async def test_a_recording_ends_with_the_call(rooms, tmp_path):
    calls = await rooms.open(2)
    await all_there(calls)
    recording = calls[1].record(tmp_path / "end.mkv")
    await asyncio.sleep(1.5)
    ended = asyncio.ensure_future(calls[1].until("ended", timeout_s=15))
    await calls[0].hangup()
    await ended
    assert recording.is_finished
    [recorded] = calls[1].recordings
    assert recorded.duration_s > 1
    with pytest.raises(xnb.RecordingError, match="over"):
        calls[1].record(tmp_path / "after.mkv")
