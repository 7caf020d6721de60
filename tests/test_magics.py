"""``%xnb`` as a function: what it says about clients and calls, and that it hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

import xnb
from xnb import doctor, magics
from xnb.doctor import Check, Finding
from xnb.launch import embedded_server


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell()
    yield shell
    InteractiveShell.clear_instance()


def test_load_ext_gives_the_magic_and_unload_takes_it(shell: InteractiveShell) -> None:
    assert shell.extension_manager.load_extension("xnb") is None
    assert "xnb" in shell.magics_manager.magics["line"]
    answer = shell.run_line_magic("xnb", "what is this")
    assert "%xnb what is this is unknown." in repr(answer)
    assert "%xnb hangup [NAME]" in repr(answer)
    shell.extension_manager.unload_extension("xnb")
    assert "xnb" not in shell.magics_manager.magics["line"]


def test_without_calls() -> None:
    assert repr(magics.run("calls")) == "No open calls."
    assert repr(magics.run("hangup")) == "No open calls."
    assert repr(magics.run("hangup echo")) == "No open call with echo."
    assert repr(magics.run("help")).startswith("What %xnb can do:")
    assert "is unknown" in repr(magics.run("status now"))


def test_both_forms_hold_the_same_and_html_is_escaped() -> None:
    answer = magics.Answer("1 < 2", [("a & b", "<i>")], ("name", "value"), note='say "so"')
    assert repr(answer) == '1 < 2\n  name   value\n  a & b  <i>\nsay "so"'
    html = answer._repr_html_()
    assert "1 &lt; 2" in html
    assert '<td style="text-align:left">&lt;i&gt;</td>' in html
    assert "<i>" not in html


def use_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor looks at one thing only; all of them take many seconds (see test_doctor.py)."""
    good = Check("pulse", lambda: Finding("ok", "regular"), needed=True)
    monkeypatch.setattr(doctor.main, "__defaults__", ((good,),))


def test_the_doctor_prints_its_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_checks(monkeypatch)
    assert magics.run("doctor") is None
    assert capsys.readouterr().out == "ok       pulse  regular\n"


async def test_on_a_running_loop_hangup_only_posts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with xnb.Client("reader") as client:
        one = await client.call("echo")
        other = await client.call("music")
        await one.until("connected", timeout_s=20)
        other.mute()
        status = repr(magics.run(""))
        assert f"xnb {xnb.__version__}" in status
        assert f"running (process {embedded_server().pid})" in status
        assert "client reader  this program's loop; 2 open calls" in status
        for secret in (embedded_server().url, embedded_server().token, "127.0.0.1"):
            assert secret not in status
        table = repr(magics.run("calls"))
        assert "to echo   connected" in table
        assert "muted" in table
        assert "Open are: " in repr(magics.run("hangup nobody"))
        use_checks(monkeypatch)
        magics.run("doctor")
        paused, found = capsys.readouterr().out.splitlines()
        assert paused.startswith("Paused meanwhile")
        assert "echo" in paused
        assert found.endswith("regular")

        answer = magics.run("hangup @Echo")
        assert repr(answer).startswith("Hanging up\n  echo  ending")
        await one.until("ended", timeout_s=10)
        assert str(one.end_reason) == "hangup"
        assert not other.is_over
        assert repr(magics.run("calls")).startswith("1 open call\n")
        magics.run("hangup")
        await other.until("ended", timeout_s=10)
        assert repr(magics.run("calls")) == "No open calls."


async def test_with_a_thread_it_is_over_when_it_returns() -> None:
    async with xnb.Client("threaded", loop="thread") as client:
        call = await client.call("echo")
        await call.until("connected", timeout_s=20)
        assert "a thread of its own; 1 open call" in repr(magics.run("status"))
        assert repr(magics.run("hangup")) == "Hung up\n  echo  over"
        assert str(call.state) == "ended"


def test_where_the_loop_runs_only_while_a_line_awaits() -> None:
    """A terminal's IPython: between two lines its loop stands still."""
    loop = asyncio.new_event_loop()

    async def place() -> tuple[xnb.Client, xnb.Call]:
        client = xnb.Client("typist")
        call = await client.call("echo")
        await call.until("connected", timeout_s=20)
        return client, call

    client, call = loop.run_until_complete(place())
    try:
        assert repr(magics.run("hangup")) == "Hung up\n  echo  over"
        assert str(call.end_reason) == "hangup"
    finally:
        loop.run_until_complete(client.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
