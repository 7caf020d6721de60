"""The group card's Python side, and media of several people over one model."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from xnb.engine.peer import Peer
from xnb.errors import MediaError, NotInvited, SfuError
from xnb.events import CallState, EndReason, ParticipantJoined
from xnb.media import synthetic
from xnb.media.clock import MonotonicClock
from xnb.widgets import summarized, tile_stats
from xnb.widgets.call_widget import CallWidget, widget_for
from xnb.widgets.group_view import Keys, group_title, names_from, people_of
from xnb.widgets.group_widget import GroupWidget
from xnb.widgets.tile_sizes import TileSizes
from xnb.widgets.tile_stats import person_words

from .fake_call import FakeCall, FakeRecording
from .fake_group import FakeGroup, FakeParticipant
from .pages import LOOPBACK, Page, strongest_hz, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def from_page(widget: GroupWidget, content: dict[str, Any]) -> None:
    """Deliver a page's message the way ipykernel 7 does: on some other thread."""
    thread = threading.Thread(target=widget._handle_custom_msg, args=(content, []))
    thread.start()
    thread.join()


async def settle(widget: GroupWidget) -> None:
    """Let what is posted and what is put off happen."""
    for _ in range(20):
        await asyncio.sleep(0)
    await until(lambda: widget._following is None, 2)


def names(widget: GroupWidget) -> list[str]:
    return [one["name"] for one in widget.people]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# Values


def test_a_title_names_three_and_counts_the_rest() -> None:
    people = ["ann", "bob", "cem", "dora", "emil"]
    assert [group_title(people[:n]) for n in range(6)] == [
        "a group",
        "ann",
        "ann and bob",
        "ann, bob and cem",
        "ann, bob, cem and 1 more",
        "ann, bob, cem and 2 more",
    ]


def test_names_of_the_invite_box() -> None:
    assert names_from(["@ann", " bob ", "ann", "", "x" * 100]) == ["ann", "bob", "x" * 64]
    assert names_from([f"n{i}" for i in range(50)]) == [f"n{i}" for i in range(20)]
    assert names_from("ann") == names_from(None) == []


async def test_people_have_keys_that_are_not_their_ids() -> None:
    keys = Keys()
    call = FakeGroup("ann", "bob")
    ann, bob = call.participants
    assert [one["key"] for one in people_of(call.participants, keys)] == ["1", "2"]
    assert people_of((bob,), keys)[0]["key"] == "2"
    assert people_of((ann,), keys)[0]["key"] == "1", "the same when they return"
    assert ann.id not in str(people_of(call.participants, keys))


def test_the_tallest_tile_of_all_pages_counts() -> None:
    sizes = TileSizes()
    assert sizes.height_px("1") is None
    sizes.told("p", {"1": 120, "2": 0})
    sizes.told("q", {"1": 300})
    assert [sizes.height_px(key) for key in ("1", "2", "3")] == [300, 0, None]
    sizes.forget("q")
    assert sizes.height_px("1") == 120
    for garbage in (None, 7, [1], {"1": "x"}):
        sizes.told("r", garbage)
    sizes.told("r", {"2": -5, "1": 1e9})
    assert [sizes.height_px(key) for key in ("1", "2")] == [4320, 0]


def test_a_persons_figures_in_lines() -> None:
    stats = {"codec": "vp8", "width": 320, "height": 180, "fps": 14.6, "bitrate_bps": 150_000.0}
    lines = person_words(stats, layer="low")
    assert lines == ["VP8 320×180 15 fps", "layer: low", "150 kbps received"]  # noqa: RUF001
    assert person_words({}, layer="") == []


# The call changes the card


async def test_it_shows_who_is_there_and_what_they_do() -> None:
    call = FakeGroup("ann")
    widget = GroupWidget(call)
    call.connect()
    assert names(widget) == ["ann"]
    assert widget.is_host
    bob = call.join("bob")
    call.talk(bob)
    await settle(widget)
    assert names(widget) == ["ann", "bob"]
    assert widget.title == "ann, bob"
    assert widget.people[1] == {
        "key": "2", "name": "bob", "host": False, "talking": True, "muted": False,
        "silenced": False, "camera": True, "pictures": True,
    }  # fmt: skip
    call.change(bob, is_muted=True, is_camera_on=False, layer="off")
    await settle(widget)
    assert not widget.people[1]["talking"], "nobody who is muted talks"
    assert not widget.people[1]["pictures"]
    call.talk(bob, False)
    await settle(widget)
    assert [widget.people[1][name] for name in ("talking", "muted", "camera")] == [
        False,
        True,
        False,
    ]
    call.leave(bob, "kicked")
    assert widget.notice == "bob was removed"
    await settle(widget)
    assert names(widget) == ["ann"]
    assert widget.leg.feeds == ("", "1")


@pytest.mark.parametrize("is_host", [True, False])
async def test_only_the_host_is_told_the_id_and_only_when_asking(is_host: bool) -> None:
    call = FakeGroup("ann", is_host=is_host)
    widget = GroupWidget(call)
    sent: list[Any] = []
    widget.send = lambda content, buffers=None: sent.append(content)
    call.connect()
    assert widget.is_host is is_host
    assert sent == []
    from_page(widget, {"type": "id", "page": "p"})
    await settle(widget)
    assert sent == ([{"type": "id", "page": "p", "id": "1abcDEF"}] if is_host else [])


async def test_that_the_host_has_muted_us_is_told() -> None:
    call = FakeGroup("ann", is_host=False)
    widget = GroupWidget(call)
    call.connect()
    call.is_muted_by_host = True
    call.tell_local()
    assert widget.muted_by_host


async def test_what_the_host_asks_for_reaches_the_call() -> None:
    call = FakeGroup("ann", "bob")
    widget = GroupWidget(call)
    call.connect()
    from_page(widget, {"type": "command", "name": "invite", "people": ["@cem", "dora"]})
    from_page(widget, {"type": "command", "name": "silence", "key": "2", "on": True})
    from_page(widget, {"type": "command", "name": "remove", "key": "1"})
    from_page(widget, {"type": "command", "name": "remove", "key": "9"})
    from_page(widget, {"type": "command", "name": "invite", "people": []})
    from_page(widget, {"type": "command", "name": "mute", "on": True})
    await settle(widget)
    assert sorted(call.asked) == ["invite cem dora", "is_muted=True", "kick ann", "mute bob"]
    assert widget.notice == "Invited cem and dora"
    assert [one["silenced"] for one in widget.people] == [False, True]
    from_page(widget, {"type": "command", "name": "silence", "key": "2", "on": False})
    await settle(widget)
    assert call.asked[-1] == "unmute bob"
    assert not widget.people[1]["silenced"]


async def test_bad_news_is_not_driven_out_by_good_news() -> None:
    call = FakeGroup("ann")
    widget = GroupWidget(call)
    call.connect()
    call.join("early")
    await settle(widget)
    assert widget.notice == "", "who was there before us has not come just now"
    call.duration_seconds = 10.0
    for name in ("bob", "cem"):
        call.join(name)
    await settle(widget)
    assert widget.notice == "bob and cem joined"
    call.refusal = SfuError("The room is full.", remedy="Raise max_participants.")
    from_page(widget, {"type": "command", "name": "invite", "people": ["dora"]})
    await settle(widget)
    call.join("eve")
    await settle(widget)
    assert widget.notice == "The room is full. Raise max_participants."


async def test_a_refused_invitation_is_said() -> None:
    call = FakeGroup("ann")
    call.refusal = SfuError("The room is full.", remedy="Raise max_participants.")
    widget = GroupWidget(call)
    call.connect()
    from_page(widget, {"type": "command", "name": "invite", "people": ["cem"]})
    await settle(widget)
    assert widget.notice == "The room is full. Raise max_participants."


async def test_sizes_of_tiles_reach_the_participants() -> None:
    call = FakeGroup("ann", "bob")
    widget = GroupWidget(call)
    call.connect()
    ann, bob = call.participants
    view = {"type": "view", "page": "p", "open": True, "visible": True}
    from_page(widget, view)
    from_page(widget, {"type": "tiles", "page": "p", "heights": {"1": 90, "2": 0}})
    await settle(widget)
    assert (ann.tile_height_px, bob.tile_height_px) == (90, 0)
    from_page(widget, {"type": "tiles", "page": "q", "heights": {"1": 400}})
    await settle(widget)
    assert ann.tile_height_px == 400
    cem = call.join("cem")
    await settle(widget)
    assert cem.tile_height_px is None, "nobody has said yet"
    from_page(widget, {**view, "open": False})
    from_page(widget, {**view, "page": "q", "open": False})
    await settle(widget)
    assert (ann.tile_height_px, bob.tile_height_px) == (None, None)


async def test_a_persons_figures_come_while_a_page_has_them_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tile_stats, "INTERVAL_S", 0.01)
    call = FakeGroup("ann")
    widget = GroupWidget(call)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(widget._stats, "_send", sent.append)
    call.connect()
    from_page(widget, {"type": "stats", "page": "p", "key": "1"})
    await until(lambda: len(sent) >= 3)
    assert sent[0] == {
        "type": "person",
        "page": "p",
        "key": "1",
        "figures": [
            "VP8 320×180 15 fps",  # noqa: RUF001
            "layer: high",
            "150 kbps received",
            "RTT 4 ms",
            "loss 0 %",
            "path: host-host udp",
        ],
    }
    call.participants[0].stats_error = MediaError("Nothing comes from ann now.")
    await until(lambda: sent[-1]["figures"] == [])
    from_page(widget, {"type": "stats", "page": "p", "key": ""})
    await settle(widget)
    assert widget._stats._reading is None
    from_page(widget, {"type": "stats", "page": "p", "key": "1"})
    call.end(EndReason.HANGUP)
    await settle(widget)
    assert widget._stats._reading is None


@pytest.mark.parametrize(
    ("reason", "is_host", "words"),
    [
        (EndReason.HANGUP, True, "You ended the call for everybody"),
        (EndReason.HANGUP, False, "You left the call"),
        (EndReason.REMOTE_HANGUP, False, "The host ended the call"),
        (EndReason.KICKED, False, "You were removed by the host"),
        (EndReason.CANCELED, True, "Canceled before it was answered"),
    ],
)
async def test_why_it_ended(reason: EndReason, is_host: bool, words: str) -> None:
    call = FakeGroup("ann", is_host=is_host)
    widget = GroupWidget(call)
    call.connect()
    call.end(reason)
    assert widget.ended["reason_text"] == words


async def test_a_film_that_is_made_after_the_call_gets_into_the_summary(tmp_path: Path) -> None:
    call = FakeGroup("ann")
    widget = GroupWidget(call)
    call.connect()
    film = FakeRecording(call, tmp_path / "film.mp4")
    call.recording = film
    call.tell_local()
    assert widget.recording
    film.progress = 0.4
    call.recording = None
    call.tell_local()
    await until(lambda: widget.saving == "Making film.mp4: 40%")
    assert not widget.recording
    call.end(EndReason.HANGUP)
    assert "film.mp4" not in widget._summary()["text/plain"]
    call.recordings.append(film)
    film.is_finished = True
    await until(lambda: not widget.saving)
    assert "film.mp4" in widget._summary()["text/plain"]
    assert widget.recorded == [str(tmp_path / "film.mp4")]


async def test_a_join_that_was_refused_is_a_failure_in_words() -> None:
    widget = GroupWidget(title="a group")
    widget.set_stage("join", "Joining the call")
    widget.fail(NotInvited("You were not invited to this call.", remedy="Ask its host."))
    assert widget.failure["cause"] == "You were not invited to this call."
    assert widget.failure["remedy"] == "Ask its host."
    assert "not invited" in widget._summary()["text/html"]


async def test_the_summary_names_all_who_were_there(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, Any], bool]] = []
    monkeypatch.setattr(
        summarized, "show", lambda data, name, *, update=False: shown.append((data, update))
    )
    call = FakeGroup("ann", "bob", "cem", "dora")
    widget = GroupWidget(call)
    call.connect()
    widget._ipython_display_()
    call.leave(call.participants[1])
    await settle(widget)
    call.duration_seconds = 62.0
    call.end(EndReason.HANGUP)
    await until(lambda: len(shown) == 2)
    summary, is_update = shown[-1]
    assert is_update
    assert set(summary) == {"text/plain", "text/html", "text/markdown", "image/png"}
    assert "1 min 02 s with ann, bob, cem, dora" in summary["text/html"]
    assert "you started it" in summary["text/html"]
    assert summary["text/plain"] == (
        "Call with ann, cem, dora: ended after 1 min 02 s, you ended the call for everybody"
    )
    assert call.listeners == 0


async def test_no_secret_is_synced() -> None:
    call = FakeGroup("ann")
    call.pin = "hunter2-pin"  # type: ignore[attr-defined]
    widget = GroupWidget(call)
    call.connect()
    own = {name for name in widget.keys if not name.startswith("_")}
    assert own - {name for name in CallWidget().keys if not name.startswith("_")} == {
        "people",
        "is_host",
        "muted_by_host",
    }
    assert {name for name in widget.leg.keys if not name.startswith("_")} == set()
    state = {name: value for name, value in widget.get_state().items() if name in own}
    bundle, _ = widget._repr_mimebundle_()
    for text in (str(state), repr(widget), str(bundle)):
        assert "hunter2" not in text
        assert call.broadcast_id not in text
        assert call.participants[0].id not in text


async def test_a_call_with_participants_shows_as_a_group() -> None:
    group, plain = FakeGroup("ann"), FakeCall("ann")
    assert isinstance(widget_for(group), GroupWidget)
    assert widget_for(group) is widget_for(group)
    assert not isinstance(widget_for(plain), GroupWidget)


async def test_garbage_from_a_page_changes_nothing() -> None:
    call = FakeGroup("ann")
    widget = GroupWidget(call)
    call.connect()
    for content in (
        {"type": "tiles"},
        {"type": "tiles", "heights": [1]},
        {"type": "stats"},
        {"type": "command", "name": "remove"},
        {"type": "command", "name": "invite", "people": 7},
        {},
        [],
    ):
        widget._handle_custom_msg(content, [])
    await settle(widget)
    assert call.asked == []
    assert widget.state == CallState.CONNECTED


# Media


class FeedPage(Page):
    """A page's connection for one person."""

    def __init__(self, leg: Any, feed: str) -> None:
        super().__init__(leg)
        self.feed = feed

    def say(self, kind: str, **content: Any) -> None:
        super().say(kind, feed=self.feed, **content)

    async def hear(self, message: dict[str, Any]) -> None:
        if message.get("feed", "") == self.feed:
            await super().hear(message)


class Room:
    """A group of which two people really send, each a tone of their own."""

    def __init__(self) -> None:
        self.call = FakeGroup("ann", "bob")
        self.peers: list[Peer] = []
        self.sources: list[Any] = []
        self.pages: list[FeedPage] = []
        self.messages: list[dict[str, Any]] = []
        self._hearing: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        self.call.peer = Peer(ice=LOOPBACK, name="own")
        self.peers.append(self.call.peer)
        for person, tone_hz in zip(self.call.participants, (440.0, 880.0), strict=True):
            person.peer = await self.connection(tone_hz)
        self.widget = GroupWidget(self.call)
        self.leg = self.widget.leg
        self.leg.send = self._deliver
        self.call.connect()

    async def connection(self, tone_hz: float) -> Peer:
        """What a person sends, received."""
        near, far = (Peer(ice=LOOPBACK, video_codec="vp8", name=name) for name in ("near", "far"))
        self.peers += (near, far)
        await near.apply_offer(await far.make_offer(video=True))
        await far.apply_answer(await near.make_answer())
        await asyncio.gather(near.wait_connected(), far.wait_connected())
        sound, picture = synthetic.tone(tone_hz), synthetic.testcard(320, 240, fps=15)
        for source in (sound, picture):
            source.start(MonotonicClock())
            self.sources.append(source)
        far.audio_out.play(sound.audio)
        far.video_out.play(picture.video)
        return near

    def _deliver(self, content: dict[str, Any], _buffers: Any = None) -> None:
        self.messages.append(content)
        for page in self.pages:
            task = asyncio.ensure_future(page.hear(content))
            self._hearing.add(task)
            task.add_done_callback(self._hearing.discard)

    async def page(self, feed: str) -> FeedPage:
        page = FeedPage(self.leg, feed)
        self.pages.append(page)
        page.say("visible", visible=True)
        await page.offer()
        return page

    async def close(self) -> None:
        await asyncio.gather(*(page.close() for page in self.pages))
        self.call.end(EndReason.HANGUP)
        await self.leg.shut()
        for source in self.sources:
            source.close()
        await asyncio.gather(*(peer.close() for peer in self.peers))


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    await room.connect()
    yield room
    await room.close()


async def test_each_persons_media_come_over_a_leg_of_their_own(room: Room) -> None:
    ann, bob = await room.page("1"), await room.page("2")
    await until(lambda: len(ann.samples) > 60 and len(bob.samples) > 60)
    await until(lambda: len(ann.counters) > 3 and len(bob.counters) > 3)
    assert strongest_hz(ann.samples[25:55]) == pytest.approx(440, abs=8)
    assert strongest_hz(bob.samples[25:55]) == pytest.approx(880, abs=8)
    assert [room.leg.connected_to(feed) for feed in ("1", "2", "")] == [1, 1, 0]
    answers = [message for message in room.messages if message["type"] == "answer"]
    assert sorted(message["feed"] for message in answers) == ["1", "2"]

    room.call.leave(room.call.participants[0])
    await until(lambda: room.leg.connected_to("1") == 0)
    heard = len(bob.samples)
    await until(lambda: len(bob.samples) > heard + 20)
    assert room.leg.feeds == ("", "2")
    room.leg._handle({"type": "offer", "page": "late", "feed": "1", "sdp": "v=0"})
    said = room.messages[-1]
    assert (said["type"], said["feed"], said["final"]) == ("lost", "1", True)


async def test_a_person_who_reconnects_is_brought_anew(room: Room) -> None:
    page = await room.page("1")
    await until(lambda: room.leg.connected_to("1") == 1)
    ann = room.call.participants[0]
    ann.peer = await room.connection(660.0)
    room.call.change(ann)
    await until(lambda: page.lost)
    assert page.lost == ["The call has a new connection."]
    assert page.told("lost")[0]["again"] is True
    again = await room.page("1")
    await until(lambda: len(again.samples) > 60)
    assert strongest_hz(again.samples[25:55]) == pytest.approx(660, abs=8)


async def test_a_person_who_is_back_at_once_is_brought_too(room: Room) -> None:
    """Who leaves and returns before the card was told of either is another object."""
    page = await room.page("1")
    await until(lambda: room.leg.connected_to("1") == 1)
    ann = room.call.participants[0]
    room.call.leave(ann)
    back = FakeParticipant(ann.name, 1)
    assert back.id == ann.id
    ann.peer = None
    back.peer = await room.connection(660.0)
    room.call._people.insert(0, back)
    room.call.emit(ParticipantJoined(participant=back))
    await until(lambda: page.lost)
    again = await room.page("1")
    await until(lambda: len(again.samples) > 60)
    assert strongest_hz(again.samples[25:55]) == pytest.approx(660, abs=8)


async def test_a_page_that_goes_leaves_no_leg_of_anybody(room: Room) -> None:
    await room.page("1")
    await room.page("2")
    await until(lambda: room.leg.connected_to("1") == room.leg.connected_to("2") == 1)
    room.leg._handle({"type": "bye", "page": "page", "feed": "1"})
    assert (room.leg.connected_to("1"), room.leg.connected_to("2")) == (0, 1)
    room.leg._handle({"type": "bye", "page": "page"})
    assert room.leg.connected_to("2") == 0
    await until(lambda: not room.leg._tasks)
    for person in room.call.participants:
        assert person.peer.audio_in._packet == []
        assert person.peer.video_in._packet == []


async def test_a_tile_out_of_sight_gets_sound_alone(room: Room) -> None:
    page = await room.page("1")
    await until(lambda: len(page.counters) > 3)
    page.say("visible", visible=False)
    await asyncio.sleep(0.5)
    pictures, samples = len(page.pictures), len(page.samples)
    await asyncio.sleep(1)
    assert len(page.pictures) - pictures <= 1
    assert len(page.samples) > samples + 25
    page.say("visible", visible=True)
    await until(lambda: len(page.pictures) > pictures + 5)


async def test_a_tile_out_of_sight_gets_no_pictures_in_messages(room: Room) -> None:
    got: list[dict[str, Any]] = []
    room.leg.send = lambda content, buffers=None: got.append(
        {**content, "bytes": sum(map(len, buffers or ()))}
    )
    say = SimpleNamespace(page="page", feed="1")
    room.leg._handle({"type": "open", "path": "comm", **vars(say)})
    await until(lambda: sum(one["type"] == "frames" for one in got) > 10)
    assert all(one["feed"] == "1" for one in got)
    assert max(one["bytes"] for one in got) < 1000, "sound alone"
    room.leg._handle({"type": "visible", "visible": True, **vars(say)})

    def acknowledge() -> bool:
        for one in got:
            if one["type"] == "frames":
                room.leg._handle({"type": "ack", "ack": one["n"], **vars(say)})
        return max(one["bytes"] for one in got) > 1500

    await until(acknowledge)
