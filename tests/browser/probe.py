"""Watches what the page plays, and starts cells without waiting for their end."""

from __future__ import annotations

import asyncio
from typing import Any

from .lab import Card, LabPage

# Notes the moment of each picture, and how loud each 21 ms of sound are.
_START = """async (video) => {
    const probe = { pictures: [], sound: [], ends: [] };
    window.probe = probe;
    let running = true;
    const seen = () => {
        probe.pictures.push(performance.now());
        if (running) video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const stream = new MediaStream(video.srcObject.getAudioTracks());
    const source = context.createMediaStreamSource(stream);
    const meter = context.createScriptProcessor(1024, 1, 1);
    meter.onaudioprocess = (event) => {
        const wave = event.inputBuffer.getChannelData(0);
        const power = wave.reduce((sum, x) => sum + x * x, 0) / wave.length;
        probe.sound.push(Math.sqrt(power));
    };
    source.connect(meter).connect(context.destination);
    probe.ends.push(() => { running = false; meter.disconnect(); context.close(); });
}"""

_STOP = """(quiet) => {
    const probe = window.probe;
    for (const end of probe.ends) end();
    const now = performance.now();
    const times = [...probe.pictures, now];
    let [still, longest] = [0, 0];
    for (const rms of probe.sound) {
        still = rms < quiet ? still + 1024 / 48000 : 0;
        longest = Math.max(longest, still);
    }
    const pauses = times.slice(1).map((time, i) => time - times[i]);
    return {
        pictures: probe.pictures.length, still_s: Math.max(...pauses) / 1000,
        silent_s: longest, sound_s: (probe.sound.length * 1024) / 48000,
    };
}"""

QUIET = 0.003
"""Root mean square below which a stretch of the test card's tone counts as silence."""


async def watch(card: Card) -> None:
    """Begin to note what the card's element plays."""
    await card.video.evaluate(_START)


async def watched(card: Card) -> dict[str, Any]:
    """Stop, and give the longest pause without a picture and without sound since :func:`watch`.

    Returns:
        ``pictures``, ``still_s``, ``silent_s``, and the ``sound_s`` that was listened to.
    """
    found: dict[str, Any] = await card.video.evaluate(f"() => ({_STOP})({QUIET})")
    return found


async def start_cell(notebook: LabPage, index: int, source: str) -> None:
    """Write a cell and run it without waiting for its end; the calls stay in view."""
    await notebook.set_source(index, source)
    await notebook.page.evaluate(
        "(index) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }",
        index,
    )
    await notebook.command("notebook:run-cell")
    await asyncio.sleep(0.3)


async def code_cells(notebook: LabPage) -> list[int]:
    """Where the notebook's code cells are."""
    return [i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code"]


async def sessions(notebook: LabPage, method: str) -> None:
    """Do as the menu does: ``restartKernel`` or ``shutdown``, without its question."""
    await notebook.page.evaluate(
        "(method) => window.jupyterapp.shell.currentWidget.sessionContext[method]()", method
    )


async def interrupt(notebook: LabPage) -> None:
    """Interrupt the running cell, as the stop button does."""
    await notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
    )
