"""Strict in what is sent, lenient in what is read."""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnb.errors import SignalingError
from xnb.profile import MessageFields
from xnb.signaling.messages import (
    Answer,
    CandidateSignal,
    CreateReply,
    JoinReply,
    MediaStatusSignal,
    Offer,
    Signal,
    StatusReply,
    Unknown,
    decode,
    decode_message,
    encode_message,
    id_number,
    snake_keys,
)

FIELDS = MessageFields()
LINE = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"


def read(**members: Any) -> Signal:
    message = decode_message({"id": "1", "sender_id": 5, **members}, FIELDS)
    assert message is not None
    return message.signal


@pytest.mark.parametrize(
    ("signal", "kind", "payload"),
    [
        (Offer("v=0\r\n"), "OFFER", "v=0\r\n"),
        (Answer("v=0\r\n"), "ANSWER", "v=0\r\n"),
        (
            CandidateSignal("a=" + LINE, "0", 1),
            "CANDIDATE",
            {"id": "0", "label": 1, "candidate": LINE},
        ),
        (
            MediaStatusSignal(is_camera_deactivated=True),
            "MEDIA_STATUS",
            {"isCameraDeactivated": True, "isMicrophoneDeactivated": False},
        ),
    ],
)
def test_the_exact_form_on_the_wire(signal: Signal, kind: str, payload: Any) -> None:
    wire = encode_message(signal, FIELDS)
    assert set(wire) == {"id", "sender_id", "type", "message"}
    assert uuid.UUID(wire["id"]).version == 4
    assert (wire["sender_id"], wire["type"]) == (0, kind)
    assert isinstance(wire["message"], str)
    assert (wire["message"] if isinstance(payload, str) else json.loads(wire["message"])) == payload


@given(
    signal=st.one_of(
        st.builds(Offer, st.text(min_size=1).map(lambda s: "v=0" + s)),
        st.builds(Answer, st.text(min_size=1).map(lambda s: "v=0" + s)),
        st.builds(
            CandidateSignal,
            st.text().map(lambda s: "candidate:" + s.strip()),
            st.none() | st.text(max_size=20),
            st.none() | st.integers(0, 20),
        ),
        st.builds(MediaStatusSignal, st.booleans(), st.booleans()),
    ),
    fields=st.sampled_from([FIELDS, MessageFields("uid", "from", "kind", "body")]),
)
def test_what_is_sent_can_be_read(signal: Signal, fields: MessageFields) -> None:
    wire = json.loads(json.dumps(encode_message(signal, fields, sender_id=9)))
    message = decode_message(wire, fields)
    assert message is not None
    assert message.signal == signal
    assert message.sender_id == "9"


def test_unknown_cannot_be_sent() -> None:
    with pytest.raises(SignalingError):
        encode_message(Unknown("X"), FIELDS)


def test_other_spellings_are_read() -> None:
    body = {"id": 77, "senderId": "12345678901234567", "type": "offer", "payload": "v=0"}
    message = decode_message(body, FIELDS)
    assert message is not None
    assert (message.id, message.sender_id) == ("77", "12345678901234567")
    assert message.signal == Offer("v=0")
    assert read(type="ANSWER", message='{"type": "answer", "sdp": "v=0"}') == Answer("v=0")
    assert read(type="ANSWER", message={"sdp": "v=0"}) == Answer("v=0")
    candidate = {"sdpMid": 0, "sdpMLineIndex": "2", "candidate": f"a={LINE} ", "extra": [1]}
    assert read(type="CANDIDATE", message=json.dumps(candidate)) == CandidateSignal(LINE, "0", 2)
    assert read(type="MEDIA_STATUS", message="{}") == MediaStatusSignal()
    status = {"is_camera_deactivated": "true", "isMicrophoneDeactivated": 1}
    assert read(type="MEDIA_STATUS", message=status) == MediaStatusSignal(True, True)


@pytest.mark.parametrize(
    "body",
    [None, [], "x", {}, {"id": None, "type": "OFFER"}, {"type": "OFFER", "message": "v=0"}],
)
def test_a_message_without_an_id_is_dropped(body: Any) -> None:
    assert decode_message(body, FIELDS) is None


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("CANDIDATE_REMOVED", "{}"),
        ("CANDIDATE", "no json"),
        ("CANDIDATE", "[1]"),
        ("CANDIDATE", '{"candidate": 5}'),
        ("CANDIDATE", "[" * 10_000),
        ("OFFER", ""),
        ("OFFER", None),
        ("OFFER", "v=0" + "x" * 300_000),
        ("ANSWER", {"sdp": 5}),
        ("ANSWER", ["v=0"]),
    ],
)
def test_what_cannot_be_understood_is_unknown(kind: str, payload: Any) -> None:
    assert read(type=kind, message=payload) == Unknown(kind)
    assert read(type=5, message=payload) == Unknown("")
    assert read(type="Z" * 999) == Unknown("Z" * 40)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "type", "message", "sender_id", "sdp", "candidate", "label"])
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(body=_JSON, kind=st.sampled_from(["OFFER", "ANSWER", "CANDIDATE", "MEDIA_STATUS"]))
def test_nothing_makes_the_reader_fail(body: Any, kind: str) -> None:
    decode_message(body, FIELDS)
    assert decode_message({"id": "1", "type": kind, "message": body}, FIELDS) is not None
    for reply in (StatusReply, JoinReply, CreateReply):
        with contextlib.suppress(SignalingError):
            assert isinstance(decode(reply, body, "this"), reply)


def test_replies_are_read_leniently() -> None:
    joined = decode(JoinReply, {"sessionUuid": "s", "hostId": "99", "relay": "true", "x": 1}, "it")
    assert (joined.session_uuid, str(joined.host_id), joined.relay) == ("s", "99", True)
    status = decode(
        StatusReply,
        {"status": "RUNNING", "sessions": [{"sessionState": "21", "twitterUserId": 2**60}]},
        "it",
    )
    assert status.sessions is not None
    assert status.sessions[0].session_state == 21
    assert status.sessions[0].twitter_user_id == 2**60
    assert decode(StatusReply, {"sessions": None}, "it").sessions is None


def test_a_missing_member_is_named() -> None:
    with pytest.raises(SignalingError, match="broadcast_id") as caught:
        decode(CreateReply, {"session_uuid": "s"}, "the creation")
    assert caught.value.__context__ is None


def test_snake_keys() -> None:
    assert snake_keys({"hostId": [{"aBcD": 1}], "sdpMLineIndex": 2, "plain_key": 3}) == {
        "host_id": [{"a_bc_d": 1}],
        "sdp_mline_index": 2,
        "plain_key": 3,
    }


@pytest.mark.parametrize("bad", ["", "x", "-1", "0", "1.5", "٣", str(2**63)])
def test_ids_must_be_64_bit_numbers(bad: str) -> None:
    with pytest.raises(SignalingError):
        id_number(bad, "recipient")
    assert id_number(str(2**63 - 1), "recipient") == 2**63 - 1


def test_reprs_hide_descriptions_and_candidates() -> None:
    signals = [Offer("v=0 SECRET"), Answer("v=0 SECRET"), CandidateSignal("candidate:SECRET", "0")]
    message = decode_message(encode_message(signals[0], FIELDS), FIELDS)
    text = repr(signals) + str(signals[0]) + f"{signals[2]}" + repr(message)
    assert "SECRET" not in text
    assert "Offer(<10 characters>)" in text
