"""The card that rings: callers come and go, buttons answer them."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from xnb.errors import CallError, Unreachable
from xnb.events import Emitter, EndReason, ErrorEvent, ListenerHandle
from xnb.loop import Runner
from xnb.widgets import incoming_widget
from xnb.widgets.incoming_widget import MAX_CALLERS, IncomingWidget

from .fake_call import FakeCall

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeIncoming:
    """A call that rings."""

    def __init__(self, who: str, *, audio_only: bool = False) -> None:
        self.broadcast_id = f"id-{who}"
        self.host_id = "7"
        self.caller = SimpleNamespace(handle=who)
        self.audio_only = audio_only
        self.asked: list[Any] = []
        self.error: Exception | None = None
        self._gone: list[Callable[[str], Any]] = []

    def on_gone(self, callback: Callable[[str], Any]) -> None:
        self._gone.append(callback)

    def go(self, why: str) -> None:
        for callback in self._gone:
            callback(why)

    async def accept(self, **options: Any) -> FakeCall:
        self.asked.append(options)
        if self.error:
            raise self.error
        self.go("answered")
        return FakeCall(self.caller.handle, video=options["video"])

    async def decline(self) -> None:
        self.asked.append("decline")
        self.go("declined")


class FakeClient:
    """Who is called."""

    def __init__(self) -> None:
        self.handle = "me"
        self.runner = Runner(asyncio.get_running_loop())
        self.callbacks: list[Any] = []
        self._emitter = Emitter()

    def listen_for_calls(self, callback: Any) -> ListenerHandle:
        self.callbacks.append(callback)
        return ListenerHandle(lambda: self.callbacks.remove(callback))

    def on_error(self, fn: Any) -> ListenerHandle:
        return self._emitter.on("error", fn)

    def ring(self, incoming: FakeIncoming) -> FakeIncoming:
        for callback in self.callbacks:
            callback(incoming)
        return incoming


@pytest.fixture
async def client() -> FakeClient:
    return FakeClient()


async def press(widget: IncomingWidget, **content: Any) -> None:
    thread = threading.Thread(target=widget._handle_custom_msg, args=(content, []))
    thread.start()
    thread.join()
    for _ in range(20):
        await asyncio.sleep(0)


async def test_callers_are_listed_by_name(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    assert repr(widget) == "<Waiting for calls as me>"
    client.ring(FakeIncoming("ann"))
    client.ring(FakeIncoming("bob", audio_only=True))
    assert widget.callers == [
        {"id": "1", "who": "ann", "video": True, "busy": False},
        {"id": "2", "who": "bob", "video": False, "busy": False},
    ]
    assert repr(widget) == "<ann, bob calling me>"


async def test_accepting_shows_the_call(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    ann = client.ring(FakeIncoming("ann"))
    await press(widget, type="accept", id="1", video=True)
    assert ann.asked == [{"video": True}]
    assert widget.callers == []
    assert widget.call.title == "ann"
    assert widget.widget is not None
    assert widget.widget.call is widget.call
    assert str(widget.get_state()["active"]).startswith("IPY_MODEL_")


async def test_accepting_with_sound_only(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    ann = client.ring(FakeIncoming("ann"))
    await press(widget, type="accept", id="1", video=False)
    assert ann.asked == [{"video": False}]
    bob = client.ring(FakeIncoming("bob", audio_only=True))
    await press(widget, type="accept", id="2", video=True)
    assert bob.asked == [{"video": False}], "an audio call is answered without video"


async def test_declining_and_missing(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    ann, bob = client.ring(FakeIncoming("ann")), client.ring(FakeIncoming("bob"))
    await press(widget, type="decline", id="1")
    assert ann.asked == ["decline"]
    assert [caller["who"] for caller in widget.callers] == ["bob"]
    assert widget.notice == "You declined the call from ann."
    bob.go("canceled")
    assert widget.callers == []
    assert widget.notice == "bob hung up before you answered."


async def test_answering_in_python_ends_the_ringing(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    ann = client.ring(FakeIncoming("ann"))
    await ann.accept(video=True)
    assert widget.callers == []
    assert widget.notice == "You answered ann in Python."
    assert widget.call is None


async def test_a_second_click_does_nothing(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    ann = client.ring(FakeIncoming("ann"))
    for _ in range(2):
        widget._handle_custom_msg({"type": "decline", "id": "1"}, [])
    await press(widget, type="accept", id="nobody", video=True)
    assert ann.asked == ["decline"]


async def test_a_call_that_cannot_be_answered_says_why(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    ann = client.ring(FakeIncoming("ann"))
    ann.error = CallError("It does not ring any more.", remedy="Call back.")
    await press(widget, type="accept", id="1", video=True)
    assert widget.notice == "It does not ring any more. Call back."
    assert widget.callers == []
    assert widget.call is None


async def test_trouble_with_the_server_is_said(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    client._emitter.emit(ErrorEvent(error=Unreachable("No answer.", remedy="Start it.")))
    assert widget.notice == "No answer. Start it."


async def test_too_many_callers_are_declined(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    for number in range(MAX_CALLERS):
        client.ring(FakeIncoming(f"caller{number}"))
    late = client.ring(FakeIncoming("late"))
    await asyncio.sleep(0.01)
    assert late.asked == ["decline"]
    assert len(widget.callers) == MAX_CALLERS


async def test_a_saved_notebook_tells_of_the_last_call(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[dict[str, Any], str, bool]] = []
    monkeypatch.setattr(
        incoming_widget,
        "show",
        lambda data, name, *, update=False: shown.append((data, name, update)),
    )
    widget = IncomingWidget(client, keep_picture=False)  # type: ignore[arg-type]
    widget._ipython_display_()
    client.ring(FakeIncoming("<ann>"))
    await press(widget, type="accept", id="1", video=True)
    assert widget.widget is not None
    assert not widget.widget.keep_picture
    widget.call.connect()
    widget.call.duration_seconds = 42.0
    widget.call.end(EndReason.REMOTE_HANGUP)
    widget.close()
    (first, name, _), (second, same, update), (last, _, _) = shown
    assert (same, update) == (name, True)
    view = "application/vnd.jupyter.widget-view+json"
    assert view in first
    assert view in second, "it still waits for calls"
    assert "It was waiting when this was saved" in second["text/html"]
    assert set(last) == {"text/plain", "text/html", "text/markdown", "image/png"}
    assert "Waited for calls as me" in last["text/html"]
    assert "42 s with &lt;ann&gt;" in last["text/html"]
    assert last["text/plain"].splitlines() == [
        "Not waiting for calls as me any more",
        "Call with <ann>: ended after 42 s, <ann> hung up",
    ]


async def test_closing_stops_listening(client: FakeClient) -> None:
    widget = IncomingWidget(client)  # type: ignore[arg-type]
    widget.close()
    widget.close()
    assert client.callbacks == []
    assert repr(widget) == "<Not waiting for calls as me any more>"
