"""The card's Python side: the call changes it, the page's messages change the call."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from xnb import notebook
from xnb.errors import MediaError, Missed, RecordingError, SettingsError, SignalingError
from xnb.events import CallState, EndReason, ErrorEvent
from xnb.widgets import figures, live_widget, summarized
from xnb.widgets.call_widget import CallWidget, widget_for
from xnb.widgets.own_files import recording_path

from .fake_call import FakeCall

if TYPE_CHECKING:
    from pathlib import Path


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def from_page(widget: CallWidget, content: dict[str, Any]) -> None:
    """Deliver a page's message the way ipykernel 7 does: on some other thread."""
    thread = threading.Thread(target=widget._handle_custom_msg, args=(content, []))
    thread.start()
    thread.join()


def press(widget: CallWidget, name: str, on: bool = True) -> None:
    from_page(widget, {"type": "command", "name": name, "on": on})


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_it_follows_the_call() -> None:
    call = FakeCall("ann")
    widget = CallWidget(call)
    assert (widget.title, widget.state, widget.has_video) == ("ann", "new", True)
    call.go(CallState.SIGNALING)
    call.go(CallState.RINGING)
    assert widget.state == "ringing"
    call.connect()
    assert widget.state == "connected"
    call.mute()
    call.camera_off()
    assert (widget.muted, widget.camera_on) == (True, False)
    call.duration_seconds = 42.0
    call.end(EndReason.REMOTE_HANGUP)
    assert widget.ended["reason_text"] == "ann hung up"
    assert widget.ended["duration"] == "42 s"
    await settle()
    assert call.listeners == 0


async def test_buttons_reach_the_call_on_its_own_loop() -> None:
    call = FakeCall()
    widget = CallWidget(call)
    call.connect()
    for name, on in (("mute", True), ("mute", False), ("camera", False), ("camera", True)):
        press(widget, name, on)
    await settle()
    assert call.asked == [
        "is_muted=True",
        "is_muted=False",
        "is_camera_on=False",
        "is_camera_on=True",
    ]
    press(widget, "hangup")
    await settle()
    assert call.asked[-1] == "hangup"
    assert widget.state == "ended"


async def test_recording_by_button_names_the_file() -> None:
    call = FakeCall("ann")
    widget = CallWidget(call)
    call.connect()
    press(widget, "record", True)
    await settle()
    assert call.recording is not None
    assert widget.recording
    name = str(call.recording.path)
    assert name.startswith("recordings/")
    assert name.endswith("-ann.webm")
    press(widget, "record", False)
    await settle()
    assert not widget.recording
    assert widget.notice == f"Recorded to {name}"
    assert widget.recorded == [name]
    assert [str(one.path) for one in widget.recordings] == [name]


async def test_a_recording_that_cannot_start_is_said_and_the_button_comes_back() -> None:
    call = FakeCall()
    widget = CallWidget(call)
    sent: list[Any] = []
    widget.send = lambda content, buffers=None: sent.append(content)

    def refuse(path: Path) -> None:
        raise MediaError("The folder cannot be written.", remedy="Choose another.")

    call.record = refuse  # type: ignore[method-assign,assignment]
    press(widget, "record", True)
    await settle()
    assert widget.notice == "The folder cannot be written. Choose another."
    assert sent == [{"type": "refused", "name": "record"}]
    assert isinstance(widget.error, MediaError)


async def test_a_failing_hangup_is_said() -> None:
    call = FakeCall()
    call.hangup_error = SignalingError("The server is silent.")
    widget = CallWidget(call)
    press(widget, "hangup")
    await settle()
    assert widget.notice == "The server is silent."


async def test_an_error_that_the_call_survives_is_a_notice() -> None:
    call = FakeCall()
    widget = CallWidget(call)
    call.emit(ErrorEvent(error=MediaError("The clip broke off.")))
    assert widget.notice == "The clip broke off."
    assert widget.failure == {}


async def test_before_there_is_a_call() -> None:
    widget = CallWidget(title="ann")
    widget.set_stage("server", "Starting the server")
    widget.set_stage("sign-in", "Signing in")
    assert [(one["text"], one["done"]) for one in widget.stages] == [
        ("Starting the server", True),
        ("Signing in", False),
    ]
    canceled: list[str] = []
    widget.on_cancel(lambda: canceled.append("yes"))
    press(widget, "hangup")
    assert canceled == ["yes"]
    call = FakeCall("ann")
    widget.attach(call)
    call.go(CallState.RINGING)
    assert [one["text"] for one in widget.stages] == [
        "Starting the server",
        "Signing in",
        "Ringing ann",
    ]
    assert widget.call is call


async def test_failing_before_there_is_a_call() -> None:
    widget = CallWidget(title="ann")
    error = SignalingError("The server cannot be reached.", remedy="Start it.")
    widget.fail(error)
    assert widget.state == "ended"
    assert widget.failure["cause"] == "The server cannot be reached."
    assert widget.failure["remedy"] == "Start it."
    assert widget.error is error
    missed = CallWidget(title="ann")
    missed.fail(Missed("ann did not answer."))
    assert missed.failure == {}
    assert missed.ended["reason_text"] == "ann did not answer"


async def test_attaching_from_another_thread() -> None:
    call = FakeCall("ann")
    widget = CallWidget(title="ann")
    thread = threading.Thread(target=widget.attach, args=(call,))
    thread.start()
    thread.join()
    await settle()
    call.connect()
    assert widget.state == "connected"


async def test_figures_come_only_while_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "INTERVAL_S", 0.01)
    call = FakeCall()
    widget = CallWidget(call)
    call.connect()
    await asyncio.sleep(0.05)
    assert widget.codec == ""
    from_page(widget, {"type": "view", "page": "p", "open": True, "visible": True})
    await asyncio.sleep(0.05)
    assert (widget.codec, widget.fps, widget.path) == ("VP8", "30 fps", "path: host-host udp")
    from_page(widget, {"type": "view", "page": "p", "open": False})
    await settle()
    widget.codec = "old"
    await asyncio.sleep(0.05)
    assert widget.codec == "old"
    call.end(EndReason.HANGUP)


async def test_garbage_from_a_page_changes_nothing() -> None:
    call = FakeCall()
    widget = CallWidget(call)
    garbage: tuple[Any, ...] = ({}, {"type": "command"}, {"type": "command", "name": "x"}, [], "x")
    for content in garbage:
        widget._handle_custom_msg(content, [])
    await settle()
    assert call.asked == []
    assert widget.notice == ""


async def test_one_widget_for_a_call() -> None:
    call = FakeCall()
    assert widget_for(call) is widget_for(call)
    other = FakeCall()
    made = CallWidget(title="ann")
    made.attach(other)
    assert widget_for(other) is made


async def test_no_secret_is_synced_or_shown() -> None:
    call = FakeCall()
    call.secret_token = "hunter2-token"  # type: ignore[attr-defined]
    widget = CallWidget(call)
    call.connect()
    names = {name for name in widget.keys if not name.startswith("_")}
    assert names == {
        "title", "state", "state_text", "stage_text", "stages", "incoming", "connected_at",
        "duration_s", "muted", "camera_on", "has_video", "recording", "record_elapsed", "sending",
        "codec", "size", "fps", "rtt", "loss", "path", "bitrate", "remote_muted",
        "remote_camera_off", "failure", "ended", "recorded", "saving", "notice", "own_thread",
        "transport", "leg", "player",
        "layout", "tabbable", "tooltip",
    }  # fmt: skip
    state = {name: value for name, value in widget.get_state().items() if name in names}
    assert all(
        isinstance(value, str | bool | int | float | list | dict | None) for value in state.values()
    )
    public = {name for name in widget.leg.keys if not name.startswith("_")}
    assert public == set()
    bundle, _ = widget._repr_mimebundle_()
    assert set(bundle) == {
        "application/vnd.jupyter.widget-view+json",
        "text/plain",
        "text/html",
    }
    for shown in (str(state), repr(widget), str(bundle)):
        assert "hunter2" not in shown
        assert "candidate:" not in shown
        assert "<script" not in shown


def test_recordings_made_in_one_second_get_different_names() -> None:
    first = recording_path("@a/b c", video=False)
    first.touch()
    second = recording_path("@a/b c", video=False)
    assert first != second
    assert first.parent == second.parent
    assert first.name.endswith("-a-b-c.wav")


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file in the way")
    with pytest.raises(RecordingError, match="cannot be made here"):
        recording_path("ann", video=True)


async def test_when_the_call_has_ended_a_summary_takes_the_cards_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[tuple[dict[str, Any], str, bool]] = []
    monkeypatch.setattr(
        summarized, "show", lambda data, name, *, update=False: shown.append((data, name, update))
    )
    call = FakeCall("ann")
    widget = CallWidget(call)
    call.connect()
    widget._ipython_display_()
    call.duration_seconds = 42.0
    call.end(EndReason.HANGUP)
    widget._ipython_display_()
    (first, name, _), (summary, same, update), (again, _, _) = shown
    assert "application/vnd.jupyter.widget-view+json" in first
    assert (same, update) == (name, True)
    assert set(summary) == {"text/plain", "text/html", "text/markdown", "image/png"}
    assert "You hung up" in summary["text/html"]
    assert summary["text/plain"] == "Call with ann: ended after 42 s, you hung up"
    assert again == summary


async def test_a_card_that_was_never_shown_is_not_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(summarized, "show", lambda *args, **_: shown.append(args))
    call = FakeCall()
    CallWidget(call)
    call.end(EndReason.HANGUP)
    assert shown == []


async def test_a_click_is_not_routed_to_the_shell_that_sent_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel_comm = pytest.importorskip("ipykernel.comm.comm").BaseComm
    if not hasattr(kernel_comm, "_reply_subshell_for"):
        pytest.skip("this ipykernel has one shell only")
    monkeypatch.setattr("comm.create_comm", kernel_comm)
    widget = CallWidget(FakeCall())
    for comm in (widget.comm, widget.leg.comm):
        assert isinstance(comm, kernel_comm)
        # As while a message from an engine thread is on its way.
        comm._reply_subshell_id = "the main shell"
        assert comm._reply_subshell_for({"method": "custom"}, "the page's") == "the page's"


async def test_closing_lets_go_of_the_call() -> None:
    call = FakeCall()
    widget = CallWidget(call)
    assert call.listeners > 0
    widget.close()
    await settle()
    assert call.listeners == 0
    assert widget_for(call) is not widget


async def test_a_transport_that_there_is_not_names_those_there_are() -> None:
    with pytest.raises(SettingsError) as caught:
        CallWidget(FakeCall(), transport="pigeon")
    assert "pigeon" in caught.value.message
    for known in ("auto", "webrtc", "comm", "jpeg"):
        assert f'"{known}"' in caught.value.remedy
    call = FakeCall()
    widget = widget_for(call, transport="comm")
    assert widget.transport == "comm"
    assert widget_for(call) is widget
    assert widget_for(call, transport="jpeg").transport == "jpeg"
    with pytest.raises(SettingsError):
        widget.transport = "pigeon"
    assert widget.transport == "jpeg"
    with pytest.raises(SettingsError, match="pigeon"):
        notebook.call("echo", transport="pigeon")  # type: ignore[arg-type]


async def test_figures_go_to_the_page_as_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "INTERVAL_S", 0.01)
    call = FakeCall()
    widget = CallWidget(call)
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: told.append(content))
    widget._figures._send = told.append
    call.connect()
    from_page(widget, {"type": "view", "page": "p", "open": True, "visible": True})
    await asyncio.sleep(0.1)
    assert told[0] == {
        "type": "figures", "bitrate_bps": 1_200_000.0, "sent_bitrate_bps": 64_000.0, "fps": 29.7,
        "rtt_ms": 3.2, "loss_percent": 0.0, "playout_delay_ms": None,
    }  # fmt: skip
    assert widget.bitrate == "1.2 Mbps in, 64 kbps out"
    call.end(EndReason.HANGUP)
    await settle()
    count = len(told)
    await asyncio.sleep(0.05)
    assert len(told) == count


async def test_a_snapshot_by_button_is_a_png_with_the_picture(tmp_path: Path) -> None:
    call = FakeCall()
    widget = CallWidget(call)
    call.connect()
    press(widget, "snapshot")
    async with asyncio.timeout(5):
        while not widget.notice:
            await asyncio.sleep(0.01)
    (path,) = (tmp_path / "recordings").iterdir()
    assert widget.notice == f"Snapshot saved as recordings/{path.name}"
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", (64, 48))
        red, green, blue = picture.getpixel((32, 24))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60
    frame = await widget.snapshot()
    assert frame.image.shape == (48, 64, 3)
    with pytest.raises(MediaError, match="no call yet"):
        await CallWidget(title="ann").snapshot()


async def test_a_recording_that_is_not_there_cannot_be_played() -> None:
    call = FakeCall()
    widget = CallWidget(call)
    call.connect()
    with pytest.raises(RecordingError, match="0 finished recordings"):
        widget.recording_widget()
    press(widget, "play")
    await settle()
    assert "0 finished recordings" in widget.notice
    assert widget.player is None


async def test_good_news_goes_away_and_bad_news_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_widget, "GOOD_NEWS_S", 0.05)
    call = FakeCall("ann")
    widget = CallWidget(call)
    call.connect()
    press(widget, "record", True)
    await settle()
    press(widget, "record", False)
    await settle()
    assert widget.notice.startswith("Recorded to ")
    await asyncio.sleep(0.1)
    assert widget.notice == ""
    call.emit(ErrorEvent(error=MediaError("The camera is gone.")))
    await asyncio.sleep(0.1)
    assert widget.notice == "The camera is gone."
