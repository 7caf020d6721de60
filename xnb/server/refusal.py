"""How the server says no: one exception, one JSON shape."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request that gets an error answer.

    Args:
        status: HTTP status, 400 to 599.
        code: Stable machine-readable word, such as ``unknown_user``.
        message: What was wrong, without repeating secrets of the request.
        remedy: What the caller can do next.
    """

    def __init__(self, status: int, code: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": {"code": self.code, "message": self.message, "remedy": self.remedy}}


def malformed(message: str, remedy: str = "See the protocol notes for this path.") -> Refusal:
    """A 400: the request itself makes no sense."""
    return Refusal(400, "malformed", message, remedy)


def too_many(message: str, remedy: str) -> Refusal:
    """A 429: a bound of the server is reached."""
    return Refusal(429, "too_many", message, remedy)


def conflict(code: str, message: str, remedy: str) -> Refusal:
    """A 409: the request does not fit how things stand."""
    return Refusal(409, code, message, remedy)


def unauthorised(message: str, remedy: str) -> Refusal:
    """A 401: no token, or one that is not ours or has run out."""
    return Refusal(401, "unauthorised", message, remedy)
