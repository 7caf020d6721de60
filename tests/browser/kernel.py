"""A second client of a notebook's kernel: runs Python in it and reads values back."""

from __future__ import annotations

import ast
import asyncio
import json
import uuid
from types import TracebackType
from typing import Any, Self

import aiohttp


class KernelError(AssertionError):
    """The code raised; the text is the kernel's traceback."""


class Kernel:
    """One kernel behind JupyterLab's own websocket.

    Args:
        base_url: Address of the server, without a slash at the end.
        token: The server's token.
        kernel_id: The kernel.
    """

    def __init__(self, base_url: str, token: str, kernel_id: str) -> None:
        self._url = f"{base_url}/api/kernels/{kernel_id}/channels"
        self._headers = {"Authorization": f"token {token}"}
        self._session_id = uuid.uuid4().hex

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(headers=self._headers)
        self._socket = await self._http.ws_connect(self._url, max_msg_size=0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._socket.close()
        await self._http.close()

    async def run(self, code: str, timeout_s: float = 30) -> None:
        """Run code, which may await, as a cell would."""
        await self._execute(code, {}, timeout_s)

    async def eval(self, expression: str, timeout_s: float = 30) -> Any:
        """The value of an expression: a literal as itself, anything else as its repr."""
        found = await self._execute("", {"value": expression}, timeout_s)
        answer = found["value"]
        if answer["status"] != "ok":
            raise KernelError("\n".join(answer["traceback"]))
        text = answer["data"]["text/plain"]
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text

    async def wait_for(self, expression: str, wanted: Any = True, timeout_s: float = 15) -> None:
        """Ask again and again until an expression has a value."""
        found: Any = None
        try:
            async with asyncio.timeout(timeout_s):
                while (found := await self.eval(expression)) != wanted:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(
                f"{expression} is {found!r}, not {wanted!r}, after {timeout_s:g} s"
            ) from None

    async def _execute(
        self, code: str, expressions: dict[str, str], timeout_s: float
    ) -> dict[str, Any]:
        message_id = uuid.uuid4().hex
        header = {
            "msg_id": message_id,
            "msg_type": "execute_request",
            "username": "test",
            "session": self._session_id,
            "date": "",
            "version": "5.4",
        }
        content = {
            "code": code,
            "silent": False,
            "store_history": False,
            "user_expressions": expressions,
            "allow_stdin": False,
            "stop_on_error": False,
        }
        await self._socket.send_str(
            json.dumps(
                {
                    "header": header,
                    "parent_header": {},
                    "metadata": {},
                    "content": content,
                    "channel": "shell",
                    "buffers": [],
                }
            )
        )
        async with asyncio.timeout(timeout_s):
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                answer = json.loads(message.data)
                if (
                    answer["parent_header"].get("msg_id") == message_id
                    and answer["header"]["msg_type"] == "execute_reply"
                ):
                    if answer["content"]["status"] != "ok":
                        raise KernelError("\n".join(answer["content"].get("traceback", [])))
                    found: dict[str, Any] = answer["content"]["user_expressions"]
                    return found
        raise AssertionError("the kernel's socket was closed")
