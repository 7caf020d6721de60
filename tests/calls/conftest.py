"""Calls over the embedded server, on real sockets."""

from __future__ import annotations

import asyncio
import uuid

import pytest

import xnb


@pytest.fixture(params=["auto", "thread"])
def loop_mode(request):
    """Both places where the engine can run."""
    return request.param


@pytest.fixture
async def clients():
    """Make clients with fresh names on the embedded server; all are closed afterwards."""
    made: list[xnb.Client] = []

    def make(handle: str | None = None, **settings) -> xnb.Client:
        client = xnb.Client(handle or f"user-{uuid.uuid4().hex[:8]}", **settings)
        made.append(client)
        return client

    yield make
    await asyncio.gather(*(client.close() for client in made))
