"""Kernels to run code in: of the installed ipykernel, or of an older one beside it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager

INSTALL_LIMIT_S = 60.0
START_LIMIT_S = 30.0


def install_kernel(wanted: str, folder: Path) -> None:
    """Put another ipykernel, without what it depends on, into ``folder``; skips when it cannot."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--target", str(folder), wanted]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"pip could not get {wanted} within {INSTALL_LIMIT_S:g} s")
    if done.returncode:
        pytest.skip(f"pip could not get {wanted}: {done.stderr.strip().splitlines()[-1:]}")


class RunningKernel:
    """A kernel process and a front end of it.

    Args:
        path: A folder that comes first among its modules.
    """

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._folder = folder
        self._env = {**os.environ, "IPYTHONDIR": str(folder / "ipython")}
        if path:
            self._env["PYTHONPATH"] = str(path)

    async def __aenter__(self) -> RunningKernel:
        self.manager = AsyncKernelManager(kernel_name="python3")
        await self.manager.start_kernel(env=self._env, cwd=str(self._folder))
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=START_LIMIT_S)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.client.stop_channels()
        await self.manager.shutdown_kernel(now=False)

    async def run(self, code: str, timeout_s: float = 30) -> str:
        """Run a cell; what it printed and showed, as plain text.

        Raises:
            AssertionError: It raised; the text is its traceback.
        """
        texts: list[str] = []

        def collect(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                texts.append("\n".join(content["traceback"]))
            texts.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

        reply = await self.client.execute_interactive(
            code, timeout=timeout_s, output_hook=collect, allow_stdin=False
        )
        assert reply["content"]["status"] == "ok", "".join(texts)
        return "".join(texts).strip()

    async def value(self, expression: str) -> Any:
        """The value of an expression, which must be a literal."""
        return ast.literal_eval(await self.run(f"print(repr({expression}))"))

    async def subshell(self) -> str | None:
        """Make a subshell, as JupyterLab does for widgets; ``None`` where the kernel has none."""
        info = await self.client.kernel_info(reply=True, timeout=10)
        if "kernel subshells" not in info["content"].get("supported_features", ()):
            return None
        self.client.control_channel.send(self.client.session.msg("create_subshell_request"))
        while True:
            reply = await self.client.get_control_msg(timeout=10)
            if reply["msg_type"] == "create_subshell_reply":
                name: str = reply["content"]["subshell_id"]
                return name

    def send(self, comm_id: str, content: dict[str, Any], subshell: str | None = None) -> None:
        """What a page's ``model.send(content)`` does; not answered."""
        data = {"comm_id": comm_id, "data": {"method": "custom", "content": content}}
        message = self.client.session.msg("comm_msg", data)
        if subshell:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
