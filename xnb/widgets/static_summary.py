"""The forms of a call that need no kernel and no script: a line of text, HTML and Markdown.

What survives where: JupyterLab shows the HTML of a notebook that is not trusted with plain tags,
``style``, ``title`` and images, but without ``aria-*``, ``data-*``, inline SVG and CSS variables.
GitHub drops ``style`` as well. So drawings are images with an ``alt``, all else is text in an
order that can be read without any style.
"""

from __future__ import annotations

import base64
from html import escape

from . import summary_charts as charts
from .summary_facts import CallFacts, File, length_words
from .words import duration_words

_LINE = "rgba(128,128,128,.4)"
_BOX = (
    f"box-sizing:border-box;max-width:640px;margin:4px;overflow:hidden;border:1px solid {_LINE};"
    "border-radius:12px;font-size:13px;line-height:1.45"
)
_PICTURE_WIDTH_PX = 208
_MARKDOWN_SIGNS = set("\\`*_{}[]#!|<>~&$")


def summary_text(facts: CallFacts) -> str:
    """``Call with echo: ended after 42 s, you hung up``."""
    if facts.failure:
        rest = f"failed: {facts.failure.get('cause', '')}"
    elif facts.reason_text:
        reason = facts.reason_text
        if reason.startswith("You "):
            reason = f"y{reason[1:]}"
        rest = f"ended after {duration_words(facts.duration_s)}, {reason}"
    elif facts.state == "connected":
        rest = f"connected for {duration_words(facts.duration_s)}"
    else:
        rest = facts.state_text or facts.state
    names = ", ".join(file.name for file in facts.files)
    return f"Call with {facts.title}: {rest}{f'; recorded to {names}' if names else ''}"


def summary_html(facts: CallFacts) -> str:
    """A card for saved notebooks and exports."""
    mode = {"failed": "failed", "ended": "ended"}.get(facts.state_label, "gone")
    state = "ended" if facts.is_over else facts.state
    title = escape(facts.title)
    body = "".join(f'<div style="opacity:.8">{escape(line)}</div>' for line in facts.lines)
    return (
        f'<section class="xnb-card xnb-static" role="group" aria-label="Call with {title}"'
        f' data-state="{escape(state)}" data-mode="{mode}" style="{_BOX}">'
        f'<div style="padding:10px 14px;border-bottom:1px solid {_LINE}"><strong>{title}</strong>'
        f'&ensp;<span style="opacity:.8">{facts.state_label}</span></div>'
        '<div style="display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start;padding:14px">'
        f'{_picture(facts)}<div style="flex:1 1 220px;min-width:0">'
        f'<strong style="font-size:15px">{escape(facts.headline)}</strong>'
        f"{body}{_figures(facts)}</div></div>{_strip(facts)}{_files(facts.files)}</section>"
    )


def summary_markdown(facts: CallFacts) -> str:
    """The same as Markdown: headline, times, figures, names of the files."""
    parts = [f"**Call with {_marked(facts.title)}**: {_marked(facts.headline)}"]
    parts += [_marked(line) for line in facts.lines]
    if facts.spans:
        cells = [(_marked(span.text), length_words(span.length_s)) for span in facts.spans]
        parts.append(_table(*zip(*cells, strict=True)))
    if facts.figures:
        labels = [_marked(figure.label) for figure in facts.figures]
        parts.append(_table(labels, [_marked(figure.text) for figure in facts.figures]))
    parts += [f"Recorded to {_marked(file.name)}" for file in facts.files]
    return "\n\n".join(parts)


def _picture(facts: CallFacts) -> str:
    picture = facts.picture
    if picture is None:
        size = f'width="{charts.FACE_PX}" height="{charts.FACE_PX}"'
        style = "display:block;flex:none;margin:0"
        return charts.image(charts.face_svg(facts.initial), "", f'{size} style="{style}"')
    data = base64.b64encode(picture.jpeg).decode()
    width = min(_PICTURE_WIDTH_PX, picture.width)
    height = round(picture.height * width / picture.width)
    return (
        f'<img src="data:image/jpeg;base64,{data}" width="{width}" height="{height}"'
        f' alt="Last picture of {escape(facts.title)}"'
        ' style="display:block;margin:0;max-width:100%;border-radius:8px">'
    )


def _figures(facts: CallFacts) -> str:
    rows = []
    for figure in facts.figures:
        style = "width:120px;height:24px;margin:0 8px;max-width:none"
        curve = charts.image(
            charts.curve_svg(figure),
            f"curve of {figure.label}",
            f'width="{charts.CURVE_WIDTH_PX}" height="{charts.CURVE_HEIGHT_PX}" style="{style}"',
        )
        rows.append(
            '<div style="display:flex;flex-wrap:wrap;align-items:center;font-size:12px">'
            f'<span style="width:56px">{figure.label}</span> {curve} '
            f"<span>{escape(figure.text)}</span></div>"
        )
    return f'<div style="margin-top:8px">{"".join(rows)}</div>' if rows else ""


def _strip(facts: CallFacts) -> str:
    if not facts.spans:
        return ""
    words = [
        f'<span style="white-space:nowrap"><span style="color:{charts.state_color(span.state)}">'
        f"&#9632;</span> {escape(span.text)} {length_words(span.length_s)}</span>"
        for span in facts.spans
    ]
    if facts.recorded:
        length_s = sum(end_s - start_s for start_s, end_s in facts.recorded)
        words.append(
            f'<span style="white-space:nowrap"><span style="color:{charts.RECORDED_COLOR}">'
            f"&#9644;</span> recorded {length_words(length_s)}</span>"
        )
    size = f'width="100%" height="{charts.STRIP_HEIGHT_PX}"'
    style = f"display:block;width:100%;height:{charts.STRIP_HEIGHT_PX}px;max-width:none;margin:0"
    bar = charts.image(
        charts.strip_svg(facts), f"Timeline: {facts.timeline_text}", f'{size} style="{style}"'
    )
    return (
        f'<div style="padding:0 14px 12px">{bar}'
        f'<div style="margin-top:4px;font-size:12px">{" &ensp; ".join(words)}</div></div>'
    )


def _files(files: tuple[File, ...]) -> str:
    return "".join(
        f'<div style="padding:0 14px 12px">{_player(file)}'
        f"<div>Recorded to <code>{escape(file.name)}</code></div></div>"
        for file in files
    )


def _player(file: File) -> str:
    if not file.source:
        return ""
    return (
        f'<{file.kind} controls preload="metadata" src="{escape(file.source)}" width="320"'
        f' aria-label="Recording {escape(file.name)}" style="display:block;max-width:100%">'
        f"</{file.kind}>"
    )


def _table(head: object, row: object) -> str:
    def line(cells: object) -> str:
        return f"| {' | '.join(cells)} |"  # type: ignore[arg-type]

    cells = list(head)  # type: ignore[call-overload]
    return "\n".join((line(cells), line(["---"] * len(cells)), line(row)))


def _marked(text: str) -> str:
    """Text as Markdown that shows it as it is."""
    return "".join(f"\\{sign}" if sign in _MARKDOWN_SIGNS else sign for sign in text).replace(
        "\n", " "
    )
