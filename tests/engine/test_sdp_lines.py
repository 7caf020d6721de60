"""Which m-lines of an offer are taken, and how the others are rejected: text only."""

from __future__ import annotations

import pytest

from xnb.engine.sdp_lines import (
    OfferedLines,
    common_codecs,
    joined,
    split,
    without_rejections,
)
from xnb.errors import SignalingError

SESSION = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2 3"]
TRANSPORT = [
    "a=ice-ufrag:abcd",
    "a=ice-pwd:abcdefghijklmnopqrstuv",
    "a=fingerprint:sha-256 AA:BB",
    "a=setup:actpass",
]


def line(kind, mid, payload, codec, *more, port=9):
    first = f"m={kind} {port} UDP/TLS/RTP/SAVPF {payload}"
    return [first, "c=IN IP4 0.0.0.0", *TRANSPORT, f"a=mid:{mid}", "a=rtcp-mux", *codec, *more]


OPUS = ["a=rtpmap:111 opus/48000/2"]
VP8 = ["a=rtpmap:96 VP8/90000"]
VP9 = ["a=rtpmap:98 VP9/90000"]
DATA = [
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    *TRANSPORT,
    "a=mid:1",
    "a=sctp-port:5000",
]
CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"


def offer(*sections, session=SESSION):
    lines = [*session, *(one for section in sections for one in section)]
    return "\r\n".join(lines) + "\r\n"


SOUND = line("audio", "0", "111", OPUS, "a=sendonly")
PICTURE = line("video", "2", "96", VP8, "a=sendonly")
STRANGE = line("video", "3", "98", VP9, "a=sendonly")


def test_a_description_survives_being_taken_apart():
    text = offer(SOUND, DATA, PICTURE, STRANGE)
    assert joined(*split(text)) == text


def test_common_codecs_are_told_for_each_line():
    assert common_codecs(offer(SOUND, DATA, PICTURE, STRANGE)) == [["opus"], [], ["vp8"], []]


@pytest.mark.parametrize("text", ["", "v=0\r\n", "m=audio\r\n", "\0\1\2", "m=audio x y z"])
def test_garbage_is_refused_in_our_words(text):
    with pytest.raises(SignalingError):
        split(text)
        common_codecs(text)


@pytest.mark.parametrize(
    "text",
    [
        "m=audio 9 UDP/TLS/RTP/SAVPF abc\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fmtp:5 a=b\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ssrc:x\r\n",
        "m=audio 9 ///// 111\r\na=setup:strange\r\n",
    ],
)
def test_garbage_in_a_line_is_refused_in_our_words(text):
    with pytest.raises(SignalingError):
        common_codecs(text)


def test_only_wanted_lines_are_seen_and_the_others_rejected():
    lines = OfferedLines()
    seen = lines.reduced(offer(SOUND, DATA, PICTURE, STRANGE), ["0", "2"])
    session, sections = split(seen)
    assert [one.mid for one in sections] == ["0", "2"]
    assert "a=group:BUNDLE 0 2" in session
    answer = offer(SOUND, PICTURE, session=[*SESSION[:-1], "a=group:BUNDLE 0 2"])
    session, sections = split(lines.restored(answer))
    assert [one.mid for one in sections] == ["0", "1", "2", "3"]
    assert [one.is_rejected for one in sections] == [False, True, False, True]
    assert "a=group:BUNDLE 0 2" in session
    assert sections[1].lines[0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
    assert sections[3].lines[0] == "m=video 0 UDP/TLS/RTP/SAVPF 98"


def test_candidates_of_a_rejected_line_are_not_lost():
    first = [*DATA, CANDIDATE, "a=end-of-candidates"]
    _, sections = split(OfferedLines().reduced(offer(first, SOUND), ["0"]))
    assert CANDIDATE in sections[0].lines
    assert "a=end-of-candidates" in sections[0].lines


def test_a_line_that_is_taken_later_comes_after_those_that_were_taken_before():
    lines = OfferedLines()
    assert [one.mid for one in split(lines.reduced(offer(DATA, SOUND, PICTURE), ["2"]))[1]] == ["2"]
    assert [
        one.mid for one in split(lines.reduced(offer(DATA, SOUND, PICTURE), ["0", "2"]))[1]
    ] == ["2", "0"]
    answer = offer(PICTURE, SOUND, session=[*SESSION[:-1], "a=group:BUNDLE 2 0"])
    _, sections = split(lines.restored(answer))
    assert [one.mid for one in sections] == ["1", "0", "2"]


def test_a_line_that_is_rejected_later_stays_and_rests():
    lines = OfferedLines()
    lines.reduced(offer(SOUND, PICTURE), ["0", "2"])
    gone = [PICTURE[0].replace(" 9 ", " 0 "), "a=mid:2"]
    _, sections = split(lines.reduced(offer(SOUND, gone), ["0"]))
    assert [one.mid for one in sections] == ["0", "2"]
    assert "a=inactive" in sections[1].lines
    assert "a=sendonly" not in sections[1].lines
    assert "a=ice-ufrag:abcd" in sections[1].lines
    _, sections = split(lines.restored(offer(SOUND, PICTURE)))
    assert [one.is_rejected for one in sections] == [False, True]


def test_an_offer_of_which_nothing_is_taken_is_refused():
    with pytest.raises(SignalingError, match="Opus"):
        OfferedLines().reduced(offer(DATA, STRANGE), [])


def test_a_rejected_line_of_an_answer_becomes_an_inactive_one():
    ours = offer(line("audio", "0", "96", OPUS), line("video", "1", "97", VP8))
    theirs = line("audio", "0", "96", OPUS, "a=recvonly")
    refused = ["m=video 0 UDP/TLS/RTP/SAVPF 97", "a=mid:1"]
    _, sections = split(without_rejections(offer(theirs, refused), ours))
    assert sections[0].lines == theirs
    assert "a=inactive" in sections[1].lines
    assert "a=rtpmap:96 VP8/90000" in sections[1].lines
    assert "a=ice-ufrag:abcd" in sections[1].lines


def test_an_answer_that_takes_nothing_is_refused():
    ours = offer(SOUND)
    for answer in (offer(SOUND, PICTURE), offer(["m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=mid:0"])):
        with pytest.raises(SignalingError):
            without_rejections(answer, ours)


def test_a_bundle_only_line_is_not_rejected():
    """RFC 9143 section 7.3.1: its port is 0, and it counts."""
    bundled = line("video", "2", "96", VP8, "a=bundle-only", port=0)
    _, sections = split(offer(SOUND, bundled))
    assert [one.is_rejected for one in sections] == [False, False]


def test_other_credentials_are_a_restart():
    lines = OfferedLines()
    text = offer(DATA, SOUND, PICTURE)
    assert not lines.is_restart(text)
    lines.reduced(text, ["0"])
    assert not lines.is_restart(text)
    assert lines.is_restart(text.replace("a=ice-ufrag:abcd", "a=ice-ufrag:efgh"))
