"""Who exists: every handle that has logged in, and the bots."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .refusal import Refusal, malformed

_HANDLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(slots=True)
class User:
    """One account.

    ``id`` is the public numeric id (positive, below 2**53 so that JavaScript can hold it);
    ``periscope_id`` is the other id such services give, used as the TURN user name.
    """

    id: int
    handle: str
    display_name: str
    periscope_id: str
    is_bot: bool = False
    last_seen_s: float = field(default=0.0, repr=False)

    def public(self) -> dict[str, int | str]:
        """What any user may know of this one."""
        return {"id": self.id, "handle": self.handle, "display_name": self.display_name}


def _key(handle: str) -> str:
    return handle.lower()


def _digest(handle: str) -> bytes:
    return hashlib.sha256(b"xnb user " + _key(handle).encode()).digest()


def clean_handle(handle: str) -> str:
    """Return ``handle`` without a leading ``@``.

    Raises:
        Refusal: 400, when it is not 1 to 32 letters, digits, ``_``, ``.`` or ``-``.
    """
    handle = handle.removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise malformed(
            "That is not a handle.",
            "Use 1 to 32 of the letters a-z, digits, '_', '.' and '-', starting with a letter, "
            "a digit or '_'.",
        )
    return handle


class Directory:
    """The accounts of one server, bounded.

    Ids follow from the handle, so that they are the same after a restart and in every server.

    Args:
        bots: Reserved handles.
        max_users: Accounts kept, bots included.
        is_busy: Whether a user is in a live call and must not be forgotten.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        bots: Iterable[str] = (),
        *,
        max_users: int = 4096,
        is_busy: Callable[[User], bool] = lambda _user: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_key: dict[str, User] = {}
        self._by_id: dict[int, User] = {}
        self._max_users = max_users
        self._is_busy = is_busy
        self._clock = clock
        for handle in bots:
            self._add(handle, is_bot=True)

    def __len__(self) -> int:
        return len(self._by_key)

    def _add(self, handle: str, *, is_bot: bool) -> User:
        digest = _digest(handle)
        user_id = 1_000_000_000 + int.from_bytes(digest[:5])
        while user_id in self._by_id:
            user_id += 1
        periscope_id = "1" + "".join(_BASE32[byte & 31] for byte in digest[5:17])
        user = User(user_id, handle, handle, periscope_id, is_bot, self._clock())
        self._by_key[_key(handle)] = self._by_id[user_id] = user
        return user

    def register(self, handle: str) -> User:
        """Return the account of a person's handle, made when it is new.

        Raises:
            Refusal: 400 bad handle; 403 a bot's handle; 429 no room.
        """
        handle = clean_handle(handle)
        user = self._by_key.get(_key(handle))
        if user is None:
            if len(self._by_key) >= self._max_users:
                self._forget_one()
            user = self._add(handle, is_bot=False)
        if user.is_bot:
            raise Refusal(
                403,
                "reserved_handle",
                f"The handle {user.handle!r} belongs to a bot.",
                "Choose another handle for yourself.",
            )
        user.last_seen_s = self._clock()
        return user

    def _forget_one(self) -> None:
        by_age = sorted(self._by_key.values(), key=lambda user: user.last_seen_s)
        oldest = next((u for u in by_age if not u.is_bot and not self._is_busy(u)), None)
        if oldest is None:
            raise Refusal(
                429, "too_many", "The server holds as many users as it can.", "Try again later."
            )
        del self._by_key[_key(oldest.handle)], self._by_id[oldest.id]

    def by_handle(self, handle: str) -> User:
        """Raises Refusal 404 when nobody has that handle."""
        user = self._by_key.get(_key(clean_handle(handle)))
        if user is None:
            raise _unknown()
        return user

    def by_id(self, user_id: int) -> User:
        """Raises Refusal 404 when nobody has that id."""
        user = self._by_id.get(user_id)
        if user is None:
            raise _unknown()
        return user


def _unknown() -> Refusal:
    return Refusal(
        404,
        "unknown_user",
        "Nobody with that id or handle is known here.",
        "Check the spelling. A person becomes known by connecting to this server once; "
        "bots such as 'echo' are always there.",
    )
