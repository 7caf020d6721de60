"""What a call's events become on the card."""

from __future__ import annotations

from xnb.errors import CallGated, ConnectError
from xnb.events import CallState, Ended, EndReason, MediaStatus, Stage
from xnb.widgets import words
from xnb.widgets.call_view import describe, step

from .fake_call import FakeCall


def texts(values: dict[str, object]) -> list[tuple[str, bool]]:
    return [(one["text"], one["done"]) for one in values["stages"]]  # type: ignore[attr-defined]


async def test_steps_are_words_and_the_last_one_is_open() -> None:
    call = FakeCall("ann")
    call.go(CallState.SIGNALING, "Talking to the server")
    call.emit(Stage(stage="create", text="Creating the call"))
    call.go(CallState.RINGING)
    values = describe(call, call.timeline, ())
    assert texts(values) == [
        ("Talking to the server", True),
        ("Creating the call", True),
        ("Ringing ann", False),
    ]
    assert values["stage_text"] == "Ringing ann"
    assert values["state_text"] == "ringing"


async def test_a_step_told_twice_is_shown_once() -> None:
    call = FakeCall()
    call.emit(Stage(stage="checking", text="Looking for a path"))
    call.go(CallState.CONNECTING, "Looking for a path")
    assert texts(describe(call, call.timeline, ())) == [("Looking for a path", False)]


async def test_steps_before_the_call_stay_and_times_go_on() -> None:
    call = FakeCall()
    call.go(CallState.SIGNALING)
    before = [step("server", "Starting the server", 0), step("x", "Signing in", 800)]
    values = describe(call, call.timeline, before)
    assert [one["at_ms"] for one in values["stages"]] == [0, 800, 800]


async def test_all_steps_are_done_once_connected() -> None:
    call = FakeCall()
    call.go(CallState.SIGNALING)
    call.connect()
    values = describe(call, call.timeline, ())
    assert all(one["done"] for one in values["stages"])
    assert values["connected_at"] == call.timeline[-1].wall_time_s


async def test_the_far_ends_camera_and_microphone() -> None:
    call = FakeCall()
    call.emit(MediaStatus(is_camera_deactivated=True, is_microphone_deactivated=False))
    values = describe(call, call.timeline, ())
    assert (values["remote_camera_off"], values["remote_muted"]) == (True, False)


async def test_a_lost_network_is_a_failure_with_cause_and_remedy() -> None:
    call = FakeCall()
    error = ConnectError("No path was found.", stage="checking", remedy="Use a TURN server.")
    call.end(EndReason.NETWORK, error)
    values = describe(call, call.timeline, ())
    assert values["failure"] == {
        "title": "Could not connect",
        "cause": "No path was found.",
        "remedy": "Use a TURN server.",
    }


async def test_a_declined_call_is_an_end_and_no_failure() -> None:
    call = FakeCall("ann")
    call.emit(Ended(reason=EndReason.DECLINED, duration_seconds=0.0))
    values = describe(call, call.timeline, ())
    assert values["failure"] == {}
    assert values["ended"]["reason_text"] == "ann declined"


def test_every_state_and_reason_has_words() -> None:
    for state in CallState:
        assert words.state_words(state)
        assert words.stage_words(state, "ann", incoming=True)
    assert len({words.end_words(reason, "ann") for reason in EndReason}) == len(EndReason)


def test_an_unforeseen_errors_own_text_is_not_shown() -> None:
    said = words.failure_words(OSError("connect to 192.0.2.1 with token hunter2 failed"))
    assert "hunter2" not in str(said)
    assert "192.0.2.1" not in str(said)
    assert "OSError" in said["cause"]
    assert words.failure_words(CallGated("Not yet."))["cause"] == "Not yet."


def test_durations_and_figures_read_well() -> None:
    assert [words.duration_words(s) for s in (0, 42.9, 185, 3725)] == [
        "0 s",
        "42 s",
        "3 min 05 s",
        "1 h 02 min",
    ]
    shown = words.stats_words(
        {"codec": "h264", "width": 640, "height": 480, "fps": 29.7, "rtt_ms": 3.2,
         "loss_percent": 1.25, "path": "host-host udp", "bitrate_bps": 999_600.0,
         "sent_bitrate_bps": 64_400.0}
    )  # fmt: skip
    assert shown == {
        "codec": "H.264",
        "size": "640×480",  # noqa: RUF001
        "fps": "30 fps",
        "rtt": "RTT 3 ms",
        "loss": "loss 1.2 %",
        "path": "path: host-host udp",
        "bitrate": "1.0 Mbps in, 64 kbps out",
    }
    assert set(words.stats_words({}).values()) == {""}
