"""Redaction: what may be shown, and what never."""

from __future__ import annotations

import pytest

from xnb.signaling.trace import redact, summarise


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "192.168.1.17",
        "10.0.0.1:50123",
        "fe80::1ff:fe23:4567:890a",
        "candidate:1 1 udp 2130706431 host.local 5000 typ host",
        "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd",
        "a=ice-pwd:abcd",
        "0123456789abcdef0123456789abcdef",
        "AAAAAAAAAAAAAAAAAAAAANRILgAAAAAAnNwIzUejRCOuH5E6I8",
    ],
)
def test_what_looks_like_a_secret_goes(secret: str) -> None:
    out = redact(f"before {secret} after")
    assert secret not in out
    assert out.startswith("before …")


@pytest.mark.parametrize(
    "words",
    [
        "no such user",
        "the broadcast 1OwGWYkMrvLxQ is over",
        "data=5, a=b",
        "File /usr/lib/python3.11/site-packages/xnb/server.py, line 5",
        "ModuleNotFoundError: No module named 'some_long_module_name_without_digits'",
    ],
)
def test_plain_words_stay(words: str) -> None:
    assert redact(words) == words


def test_known_secrets_go_and_the_length_is_limited() -> None:
    assert redact("ab pw cd", ["pw", ""]) == "ab … cd"
    assert redact("pw-longer pw", ["pw", "pw-longer"]) == "… …"
    assert len(redact("word " * 200, limit=50)) == 50
    assert redact("a\x1b[31mb\nc") == "a [31mb c"


def test_a_summary_shows_only_what_is_listed() -> None:
    body = {
        "broadcast_id": "b",
        "cookie": "topsecret",
        "jwt": "topsecret",
        "password": "topsecret",
        "recipient_id": 5,
        "invitees_twitter": [1, 2],
        "uris": ["turn:topsecret"],
        "success": True,
        "conversation_id": None,
        "messages": [{"id": "topsecret", "type": "OFFER", "message": "topsecret", "sender_id": 0}],
        "user": {"twitter_id": "topsecret", "other": 3.5},
    }
    assert summarise(body) == {
        "broadcast_id": "b",
        "cookie": "<9 characters>",
        "jwt": "<9 characters>",
        "password": "<9 characters>",
        "recipient_id": 5,
        "invitees_twitter": [1, 2],
        "uris": "<1 items>",
        "success": True,
        "conversation_id": None,
        "messages": [
            {"id": "<9 characters>", "type": "OFFER", "message": "<9 characters>", "sender_id": 0}
        ],
        "user": {"twitter_id": "<9 characters>", "other": "<float>"},
    }
    assert summarise({"status": "has topsecret"}, ["topsecret"]) == {"status": "<13 characters>"}
    assert summarise(["x"]) == {"body": "<1 items>"}
    assert len(summarise({str(n): n for n in range(500)})) == 20
