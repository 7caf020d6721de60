"""``xnb serve --recordings``: a room of the embedded SFU records what each person sends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import av
import pytest
from room_people import Person, colour_of

from xnb.errors import SfuError
from xnb.signaling.janus import Gateway, JanusSession, RoomAdmin

START_S = 20


async def served(folder: Path, *args: str) -> tuple[asyncio.subprocess.Process, Gateway]:
    """A server in the foreground, as somebody starts it, and its Janus API."""
    token = folder / "token"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "xnb", "serve", "--token-file", str(token), *args),
        stdout=subprocess.PIPE,
        cwd=folder,
    )
    assert process.stdout
    async with asyncio.timeout(START_S):
        line = (await process.stdout.readline()).decode()
    url = line.split()[-1].replace("http:", "ws:") + "/janus"
    return process, Gateway(url, token=token.read_text().strip())


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_room_records_where_the_server_was_told_to(allowed, tmp_path):
    args = ("--recordings", "here/and there") if allowed else ()
    process, gateway = await served(tmp_path, *args)
    session = JanusSession(gateway)
    try:
        await session.open()
        room = RoomAdmin(session, "talk", secret="hush")
        if not allowed:
            with pytest.raises(SfuError):
                await room.create(record=True, record_dir="talk")
            return
        await room.create(record=True, record_dir="talk")
        person = await Person(session, "talk", "ann", "yellow").enter()
        await asyncio.sleep(2)
        await person.close()
        [path] = (tmp_path / "here" / "and there" / "talk").iterdir()
        with av.open(str(path)) as container:
            assert {stream.type for stream in container.streams} == {"audio", "video"}
            pictures = list(container.decode(video=0))
        assert len(pictures) > 10
        assert {colour_of(one) for one in pictures[::5]} == {"yellow"}
    finally:
        await session.close()
        process.terminate()
        await asyncio.wait_for(process.wait(), START_S)
