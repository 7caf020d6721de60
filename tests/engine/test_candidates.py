"""Candidates of a bundle."""

from __future__ import annotations

from xnb.engine.candidates import with_shared_candidates

HEAD = ["v=0", "a=group:BUNDLE 0 1"]
AUDIO = ["m=audio 9 RTP 96", "a=mid:0", "a=candidate:1 1 udp 1 h 9 typ host", "a=end-of-candidates"]
VIDEO = ["m=video 9 RTP 97", "a=mid:1"]
REJECTED = ["m=video 0 RTP 97", "a=mid:2"]


def test_the_first_lines_candidates_go_to_those_that_have_none():
    made = with_shared_candidates([*HEAD, *AUDIO, *VIDEO, *REJECTED])
    assert made == [*HEAD, *AUDIO, *VIDEO, *AUDIO[2:], *REJECTED]


def test_own_candidates_and_descriptions_without_a_bundle_stay():
    both = [*HEAD, *AUDIO, *VIDEO, "a=candidate:2 1 udp 1 h 8 typ host"]
    assert with_shared_candidates(both) == both
    assert with_shared_candidates([HEAD[0], *AUDIO, *VIDEO]) == [HEAD[0], *AUDIO, *VIDEO]
    assert with_shared_candidates(["v=0"]) == ["v=0"]
