"""One person's network is cut for 8 s, and then for good: real network namespaces, as root."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CUT_S = 8.0
TESTS = Path(__file__).resolve().parent.parent

PERSON = textwrap.dedent(
    """
    import asyncio, json, sys
    sys.path.insert(0, sys.argv[1])
    import xnb
    from group_people import card, hear, see
    from xnb.server.app import serving
    from xnb.settings import Timeouts

    LIMITS = Timeouts(dead_peer_s=2.0, reconnect_s=10.0, signaling_s=3.0, hangup_s=1.0)
    TOKEN = "test-token-0123456789abcdef"

    def say(**what):
        print(json.dumps(what), flush=True)

    async def follow(call, number):
        call.on("statechange", lambda event: say(state=event.new))
        call.on("participantleft", lambda event: say(left=event.why))
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(lines)
        await loop.connect_read_pipe(lambda: protocol, sys.stdin)
        await call.until("connected", timeout_s=20)
        while line := (await lines.readline()).strip():
            try:
                other = call.participants[0]
                colour, tones = await asyncio.gather(see(other.video), hear(other.audio))
                say(colour=colour, tones=sorted(tones))
            except Exception as error:
                say(failed=f"{type(error).__name__}: {error}")

    async def host(address):
        async with serving(TOKEN, host=address) as base:
            guest = xnb.Client("guest", server=base, token=TOKEN)
            await guest.connect()
            await guest.close()
            async with xnb.Client("host", server=base, token=TOKEN) as client:
                call = await client.start_group_call(["guest"], video=True, source=card(0))
                say(base=base, broadcast_id=call.broadcast_id)
                await follow(call, 0)

    async def guest(base, broadcast_id):
        async with xnb.Client("guest", server=base, token=TOKEN, timeouts=LIMITS) as client:
            call = await client.join_group_call(broadcast_id, video=True, source=card(1))
            say(joined=True)
            await follow(call, 1)

    asyncio.run({"host": host, "guest": guest}[sys.argv[2]](*sys.argv[3:]))
    """
)


class Person:
    """Somebody in a namespace of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict] = []

    @classmethod
    async def start(cls, space: str, *arguments: str) -> Person:
        command = ["ip", "netns", "exec", space, sys.executable, "-c", PERSON, str(TESTS)]
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(*command, *arguments, stdin=pipe, stdout=pipe)
        )

    async def until(self, name: str, *values: object, limit_s: float = 25.0) -> object:
        """Wait until it says ``name``, as one of ``values`` if given."""
        async with asyncio.timeout(limit_s):
            while True:
                line = await self._process.stdout.readline()
                assert line, f"it ended after {self.said}"
                self.said.append(json.loads(line))
                value = self.said[-1].get(name)
                assert "failed" not in self.said[-1], self.said[-1]
                if value is not None and (not values or value in values):
                    return value

    async def sees(self) -> tuple[int, list[int]]:
        """Colour and tones of the other one."""
        self._process.stdin.write(b"look\n")
        colour = await self.until("colour")
        return colour, self.said[-1]["tones"]

    async def end(self) -> None:
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def spaces():
    """Two namespaces with a cable between them."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root; run the tests as root for this one")
    for tool in ("ip", "nft"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing (apt-get install iproute2 nftables)")
    names = [f"xnb-{os.getpid()}-{side}" for side in "ab"]
    with contextlib.ExitStack() as stack:
        try:
            for name in names:
                ip("netns", "add", name)
                stack.callback(ip, "netns", "del", name)
                ip("-n", name, "link", "set", "lo", "up")
            ends = [f"xv{os.getpid() % 100000}{side}" for side in "ab"]
            ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
            for number, (name, end) in enumerate(zip(names, ends, strict=True), 1):
                ip("link", "set", end, "netns", name)
                ip("-n", name, "addr", "add", f"10.79.5.{number}/24", "dev", end)
                ip("-n", name, "link", "set", end, "up")
        except (subprocess.CalledProcessError, OSError) as error:
            pytest.skip(f"this machine makes no network namespaces ({error})")
        yield names


def cut(space: str, is_cut: bool) -> None:
    """Drop everything that goes to or from a namespace, or let it through again."""
    rules = "table inet cut {}\ndelete table inet cut\n"
    if is_cut:
        rules += "table inet cut {\n"
        for hook in ("input", "output"):
            rules += f"chain {hook} {{ type filter hook {hook} priority 0; policy drop; }}\n"
        rules += "}\n"
    command = ["ip", "netns", "exec", space, "nft", "-f", "-"]
    subprocess.run(command, input=rules, text=True, check=True, capture_output=True)


@contextlib.asynccontextmanager
async def together(spaces):
    """A host and a guest who see and hear each other, each in a namespace."""
    people = [await Person.start(spaces[0], "host", "10.79.5.1")]
    try:
        base = await people[0].until("base")
        broadcast_id = people[0].said[-1]["broadcast_id"]
        people.append(await Person.start(spaces[1], "guest", base, broadcast_id))
        await people[1].until("joined")
        assert await people[1].sees() == (0, [0])
        assert await people[0].sees() == (1, [1])
        yield people
    finally:
        cut(spaces[1], False)
        await asyncio.gather(*(one.end() for one in people))


@pytest.mark.slow
async def test_a_cut_of_eight_seconds(spaces):
    async with together(spaces) as (host, guest):
        cut(spaces[1], True)
        await guest.until("state", "reconnecting", limit_s=CUT_S)
        await asyncio.sleep(CUT_S - 3)
        cut(spaces[1], False)
        await guest.until("state", "connected", limit_s=15)
        assert await guest.sees() == (0, [0])
        assert await host.sees() == (1, [1])


@pytest.mark.slow
@pytest.mark.skipif(
    "XNB_TEST_STRESS_S" not in os.environ,
    reason="takes 40 s; set XNB_TEST_STRESS_S to run it",
)
async def test_a_cut_for_good(spaces):
    async with together(spaces) as (host, guest):
        cut(spaces[1], True)
        await guest.until("state", "ended", limit_s=30)
        await host.until("left", limit_s=60)
