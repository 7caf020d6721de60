"""Whatever a server sends, reading goes on."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xnb.signaling.janus import Gateway, JanusHandle, JanusSession, Publisher, Subscriber
from xnb.signaling.janus.transport import note
from xnb.signaling.trace import Trace

NAMES = [
    *("janus", "sender", "transaction", "session_id", "plugindata", "data", "jsep", "sdp"),
    *("type", "error", "code", "reason", "videoroom", "publishers", "streams", "id", "display"),
    *("mid", "leaving", "kicked", "joining", "unpublished", "moderation", "candidate"),
    *("audio-level-dBov-avg", "talking", "feed_id", "receiving", "plugin", "error_code"),
]
WORDS = [
    *("event", "webrtcup", "media", "hangup", "detached", "trickle", "ack", "success", "error"),
    *("timeout", "keepalive", "talking", "destroyed", "attached", "ok", "kicked", "muted"),
    *("offer", "answer", "v=0", ""),
]
plain = st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.sampled_from(WORDS)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)
messages = st.fixed_dictionaries(
    {"janus": st.sampled_from(WORDS) | plain, "sender": st.sampled_from([1, 2]) | values},
    optional={
        "plugindata": st.fixed_dictionaries(
            {"data": st.dictionaries(st.sampled_from(NAMES), values, max_size=6)}
        )
        | values,
        "jsep": values,
        "transaction": values,
        "error": values,
        "type": values,
        "mid": values,
        "reason": values,
        "candidate": values,
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(messages, min_size=1, max_size=5))
def test_no_message_stops_the_reader(found: list[dict[str, Any]]) -> None:
    session = JanusSession(Gateway("ws://127.0.0.1:1"))
    session._state = "open"
    heard: list[Any] = []
    for number, person in ((1, Publisher(session, 1)), (2, Subscriber(session, 1))):
        handle = session._handles[number] = JanusHandle(session, number, "videoroom")
        person._listen(handle)
        for name in vars(person):
            if name.startswith("on_"):
                setattr(person, name, lambda *details: heard.append(details))
    trace = Trace()
    for message in found:
        note(trace, "in", "ws", message, 1)
        session.on_message(message)
        repr(trace.entries)
    assert session.state in ("open", "lost")
