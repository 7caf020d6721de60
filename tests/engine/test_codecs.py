"""What an offer's video section says about codecs."""

from __future__ import annotations

import pytest

from xnb.engine.codecs import offered_video_codec

AUDIO = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 opus/48000/2\r\n"
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF {}\r\na=rtpmap:96 VP9/90000\r\na=rtpmap:97 VP8/90000\r\n"
    "a=rtpmap:98 rtx/90000\r\na=rtpmap:99 H264/90000\r\n"
)


@pytest.mark.parametrize(
    ("numbers", "codec"),
    [("97 98 99", "vp8"), ("99 97 98", "h264"), ("96 98 99 97", "h264"), ("96 98", None)],
)
def test_the_first_codec_of_ours_counts(numbers, codec):
    assert offered_video_codec(AUDIO + VIDEO.format(numbers)) == codec


@pytest.mark.parametrize("sdp", ["", AUDIO, "m=video ", "m=video 9", "m=video 9 RTP/AVP x\r\n"])
def test_nothing_is_found_where_nothing_is(sdp):
    assert offered_video_codec(sdp) is None


def test_sections_behind_the_video_are_not_looked_at():
    other = "m=application 9 X 97\r\na=rtpmap:97 H264/90000\r\n"
    assert offered_video_codec(VIDEO.format("97") + other) == "vp8"
