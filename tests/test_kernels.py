"""A call in a real kernel without a browser: ipykernel 6 and 7, both loops; and plain IPython."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ipykernels import RunningKernel, install_kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

VERSIONS = {"6": "ipykernel>=6.29,<7", "7": ""}


@pytest.fixture(scope="module", params=VERSIONS)
def module_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that ipykernel; empty when it is the installed one."""
    folder: Path = tmp_path_factory.mktemp(f"ipykernel-{request.param}")
    if wanted := VERSIONS[request.param]:
        install_kernel(wanted, folder)
    return folder


def major_of(folder: Path) -> str:
    return folder.name.removeprefix("ipykernel-")[0]


async def test_a_call_in_both_loops(module_path: Path, tmp_path: Path) -> None:
    async with RunningKernel(tmp_path, module_path) as kernel:
        await kernel.run("import asyncio, time, ipykernel, xnb\n%load_ext xnb")
        version = await kernel.value("ipykernel.__version__.split('.')[0]")
        if version != major_of(module_path):
            pytest.skip(f"ipykernel {major_of(module_path)} is not what is installed here")

        subshell = await kernel.subshell()
        assert (subshell is not None) is (version == "7")
        for mode, where in (("auto", "the kernel's loop"), ("thread", "a thread of its own")):
            await kernel.run(
                f"w = xnb.call('testcard', video=True, loop={mode!r})\n"
                "await w.call.until('connected', timeout_s=20)\n"
                "picture = (await w.call.video.snapshot()).image"
            )
            assert await kernel.value("picture.shape") == (480, 640, 3)
            assert await kernel.value("float(picture.std())") > 20, "colour bars, not one colour"
            shown = await kernel.run("w")
            assert shown.startswith("Call with testcard: connected for ")
            table = await kernel.run("%xnb calls")
            assert re.search(rf"to testcard +connected +\d+ s +{where}", table), table

            # A button of the page, without a page.
            name = await kernel.value("w.model_id")
            kernel.send(name, {"type": "command", "name": "mute", "on": True})
            wait = "while not w.call.is_muted: await asyncio.sleep(0.02)"
            await kernel.run(wait, timeout_s=10)
            assert "muted" in await kernel.run("%xnb calls")

            # During a blocking cell pictures arrive in the thread, and nothing on the loop.
            got = "w.call.peer.video_in.frames"
            before, after = await kernel.value(f"({got}, time.sleep(1), {got})[::2]")
            assert (after - before > 8) is (mode == "thread"), (before, after)

            # With ipykernel 7 pages use a subshell, and hang-up works while a cell blocks;
            # with 6 it waits for the cell.
            blocking = asyncio.create_task(kernel.run("time.sleep(1.5)\nover = w.call.is_over"))
            await asyncio.sleep(0.5)
            kernel.send(name, {"type": "command", "name": "hangup", "on": True}, subshell)
            await blocking
            expected = mode == "thread" and subshell is not None
            assert await kernel.value("over") is expected
            await kernel.run("ended = await w.call.until('ended', timeout_s=15)", timeout_s=20)
            assert await kernel.value("str(ended.reason)") == "hangup"
            assert await kernel.run("%xnb calls") == "No open calls."


def test_plain_ipython(tmp_path: Path) -> None:
    """Without a kernel: text instead of a widget; the engine runs on a thread of its own."""
    lines = [
        "%load_ext xnb",
        "import xnb",
        "w = xnb.call('testcard', video=True)",
        "connected = w.call.wait('connected', 20)",
        "w",
        "w.call",
        "w.call.video.snapshot_now().image.shape",
        "%xnb calls",
        "await w.call.until('connected')",
        "%xnb hangup testcard",
        "w",
        "%xnb doctors",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--colors=NoColor"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "i")},
        input="\n".join([*lines, "exit", ""]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout
    assert done.returncode == 0, said + done.stderr
    assert "Traceback" not in said, said
    assert re.search(r"Out\[5\]: <?Call with testcard: connected for \d+ s", said), said
    assert re.search(r"Out\[6\]: <?Call (with|to) testcard: connected", said), said
    assert "(480, 640, 3)" in said
    assert re.search(r"to testcard +connected +\d+ s +a thread of its own", said), said
    assert re.search(r"Hung up\n +testcard +over", said), said
    assert re.search(r"Call with testcard: ended after \d+ s, you hung up", said), said
    assert "%xnb doctors is unknown." in said
