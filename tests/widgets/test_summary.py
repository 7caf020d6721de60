"""What stands in a notebook when a call is over: words, HTML, Markdown and a PNG."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from xnb.widgets import summary_charts as charts
from xnb.widgets.static_summary import summary_html, summary_markdown, summary_text
from xnb.widgets.summary_facts import (
    CallFacts,
    Figure,
    File,
    Picture,
    Span,
    facts_of,
    moment_words,
    strip_edges,
)
from xnb.widgets.summary_files import MAX_EMBEDDED_BYTES, files_of
from xnb.widgets.summary_picture import encode
from xnb.widgets.summary_png import WIDTH_PX, summary_png

if TYPE_CHECKING:
    from pathlib import Path

SPANS = (
    Span("signaling", "signing in", 0.0, 0.12),
    Span("ringing", "ringing", 0.12, 0.55),
    Span("connecting", "connecting", 0.55, 0.7),
    Span("connected", "connected", 0.7, 42.7),
)
GREEN = (10, 200, 30)


def picture() -> Picture:
    made = encode(Image.new("RGB", (320, 240), GREEN))
    assert made is not None
    return made


def over(**more: Any) -> CallFacts:
    ended = {"reason_text": "You hung up", "duration_s": 42.0}
    values = {"title": "ann", "state": "ended", "ended": ended}
    given: dict[str, Any] = {
        "began_at_s": 1_800_000_000.0,
        "spans": SPANS,
        "recorded": ((10.0, 20.0),),
        "figures": (
            Figure("RTT", ((1.0, 10.0), (2.0, 40.0), (3.0, 10.0)), "10 ms, at most 40 ms"),
        ),
        "files": (File("recordings/a.webm", "video", "recordings/a.webm"),),
        "picture": picture(),
    }
    return facts_of(values, **{**given, **more})


class Page(HTMLParser):
    """What is left of HTML where only plain tags, images and words are let through."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag in ("div", "section"):
            self.words += "\n"

    def handle_data(self, data: str) -> None:
        self.words += data


def colors(data: bytes) -> tuple[np.ndarray[Any, Any], set[tuple[int, ...]]]:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return pixels, {
        tuple(int(part) for part in one) for one in np.unique(pixels.reshape(-1, 3), axis=0)
    }


def rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))


def test_the_line_of_text() -> None:
    assert summary_text(over()) == (
        "Call with ann: ended after 42 s, you hung up; recorded to recordings/a.webm"
    )
    assert summary_text(facts_of({"title": "ann", "state": "connected", "duration_s": 5})) == (
        "Call with ann: connected for 5 s"
    )


def test_without_any_style_the_card_reads_from_top_to_bottom() -> None:
    page = Page(summary_html(over()))
    lines = [line.strip() for line in page.words.splitlines() if line.strip()]
    when = moment_words(1_800_000_000.0)
    assert [" ".join(line.split()) for line in lines] == [
        "ann ended",
        "You hung up",
        "42 s with ann",
        f"{when}, you called",
        "RTT 10 ms, at most 40 ms",
        "■ signing in 0.12 s ■ ringing 0.43 s ■ connecting 0.15 s ■ connected 42 s ▬ recorded 10 s",
        "Recorded to recordings/a.webm",
    ]
    assert [one["alt"] for one in page.images] == [
        "Last picture of ann",
        "curve of RTT",
        "Timeline: signing in 0.12 s, ringing 0.43 s, connecting 0.15 s, connected 42 s",
    ]
    assert set(page.tags) <= {"section", "div", "span", "strong", "code", "img", "video"}


def test_what_jupyterlab_takes_out_of_untrusted_html_is_not_needed() -> None:
    html = summary_html(over())
    styles = ";".join(re.findall(r'style="([^"]*)"', html))
    assert "var(" not in styles
    assert "<svg" not in html, "drawings are images"
    assert "<script" not in html
    assert "onclick" not in html


def test_names_are_escaped_everywhere() -> None:
    name = '<script>x</script>"|*'
    facts = dataclasses.replace(over(), title=name, files=(File("a&b|c.mp4", "video", "a&b.mp4"),))
    html = summary_html(facts)
    assert "<script" not in html
    assert "42 s with &lt;script&gt;" in html
    assert "a&amp;b|c.mp4" in html
    text = summary_markdown(facts)
    assert "\\<script\\>" in text
    assert "a\\&b\\|c.mp4" in text
    assert summary_png(facts).startswith(b"\x89PNG")


def test_markdown_has_the_same_facts() -> None:
    assert summary_markdown(over()).splitlines() == [
        "**Call with ann**: You hung up",
        "",
        "42 s with ann",
        "",
        f"{moment_words(1_800_000_000.0)}, you called",
        "",
        "| signing in | ringing | connecting | connected |",
        "| --- | --- | --- | --- |",
        "| 0.12 s | 0.43 s | 0.15 s | 42 s |",
        "",
        "| RTT |",
        "| --- |",
        "| 10 ms, at most 40 ms |",
        "",
        "Recorded to recordings/a.webm",
    ]


def test_the_png_shows_picture_states_recording_and_curve() -> None:
    data = summary_png(over())
    assert len(data) < 60_000
    pixels, found = colors(data)
    assert pixels.shape[1] == WIDTH_PX
    portrait = pixels[60:190, 30:200].reshape(-1, 3).astype(int)
    assert np.abs(portrait - GREEN).max() < 12, "the picture stands at the left"
    for span in SPANS:
        assert rgb(charts.state_color(span.state)) in found, span.state
    assert rgb(charts.RECORDED_COLOR) in found
    curve = np.abs(np.array(sorted(found)) - rgb(charts.CURVE_COLOR)).max(axis=1)
    assert curve.min() < 48, "the curve is thin, so its colour is mixed with what is beside it"
    # The strip is the only thing that is green (as "connected" is) over most of the width.
    green = np.all(pixels == rgb(charts.state_color("connected")), axis=2).sum(axis=1).max()
    assert 0.8 * WIDTH_PX < green < WIDTH_PX - 32


def test_without_a_picture_there_is_a_letter() -> None:
    facts = over(picture=None)
    assert "image/jpeg" not in summary_html(facts)
    face = base64.b64decode(Page(summary_html(facts)).images[0]["src"].split(",")[1]).decode()
    assert ">A</text>" in face
    assert Page(summary_html(facts)).images[0]["alt"] == ""
    _, found = colors(summary_png(facts))
    assert rgb(charts.FACE_COLOR) in found


def test_a_failed_call_says_cause_and_remedy() -> None:
    failure = {"title": "Could not connect", "cause": "No path was found.", "remedy": "Use TURN."}
    facts = facts_of({"title": "ann", "state": "ended", "failure": failure}, spans=SPANS[:3])
    for text in (summary_html(facts), summary_markdown(facts)):
        assert "Could not connect" in text
        assert "No path was found." in text
        assert "Use TURN." in text
    assert summary_text(facts) == "Call with ann: failed: No path was found."


def test_a_call_that_goes_on_says_what_to_do() -> None:
    facts = facts_of({"title": "ann", "state": "connected"})
    assert not facts.is_over
    assert "Run the cell to call again" in summary_html(facts)
    assert 'data-state="connected"' in summary_html(facts)


def test_short_states_stay_visible_on_the_strip() -> None:
    edges = strip_edges(SPANS, 600, 14)
    widths = [right - left for left, right in zip(edges, edges[1:], strict=False)]
    assert min(widths) >= 14
    assert edges[0] == 0
    assert edges[-1] == 600
    assert widths[3] > 500
    many = [Span("ringing", "ringing", n, n + 1.0) for n in range(200)]
    assert strip_edges(many, 600, 14)[-1] == 600


def test_a_long_curve_is_thinned_and_keeps_its_peak() -> None:
    points = tuple((float(n), 100.0 if n == 777 else 1.0) for n in range(2000))
    drawn = charts.curve_points(Figure("RTT", points, ""), 120, 24)
    assert len(drawn) <= charts.MAX_CURVE_POINTS
    assert min(y for _, y in drawn) == pytest.approx(1.5), "the peak reaches the top"
    assert drawn[-1][0] == 120


class Recorded:
    def __init__(self, path: Path, *, has_video: bool = True) -> None:
        self.path, self.has_video = path, has_video


def test_a_recording_is_played_from_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = tmp_path / "recordings" / "a b.webm"
    here.parent.mkdir()
    here.write_bytes(b"secret media")
    (file,) = files_of([Recorded(here)])
    assert file == File("recordings/a b.webm", "video", "recordings/a%20b.webm")
    (sound,) = files_of([Recorded(here, has_video=False)])
    assert sound.kind == "audio"
    html = summary_html(over(files=(file,)))
    assert 'src="recordings/a%20b.webm"' in html
    assert base64.b64encode(b"secret media").decode() not in html


def test_of_a_file_elsewhere_only_the_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    outside = tmp_path / "a.webm"
    outside.write_bytes(b"x")
    (file,) = files_of([Recorded(outside)])
    assert (file.name, file.source) == ("a.webm", "")
    assert "<video" not in summary_html(over(files=(file,)))


def test_small_recordings_get_into_the_notebook_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small, large = tmp_path / "small.ogg", tmp_path / "large.ogg"
    small.write_bytes(b"sound")
    large.write_bytes(bytes(MAX_EMBEDDED_BYTES + 1))
    one, other = files_of([Recorded(small), Recorded(large)], embed=True)
    assert one.source == f"data:audio/ogg;base64,{base64.b64encode(b'sound').decode()}"
    assert other.source == "large.ogg"
    assert len(files_of([Recorded(small)] * 20)) == 8
