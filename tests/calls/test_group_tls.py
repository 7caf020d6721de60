"""``xnb serve --janus wss://…`` and ``https://…``: a Janus behind TLS, as one elsewhere is.

The real Janus is behind a relay that ends TLS, as a reverse proxy does. Server and callers are
programs of their own, because which certificates are trusted is read when a program starts.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import shutil
import ssl
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from janus.relay import Relay

import xnb
from xnb.server.janus.process import JanusProcess, JanusSettings, usable_address

TOKEN = "test-token-0123456789abcdef"
CALL = """
import asyncio, sys
import xnb

async def main():
    async with xnb.Client("ann") as client:
        call = await client.start_group_call(["testcard-2"], video=True)
        await call.until("connected", timeout_s=20)
        while not call.participants or not call.participants[0].peer:
            await asyncio.sleep(0.05)
        image = (await call.participants[0].video.snapshot(timeout_s=20)).image
        height = len(image)
        print(*image[height // 10 : height // 4].reshape(-1, 3).mean(0).round().astype(int))
        await call.hangup()

asyncio.run(main())
"""

pytestmark = pytest.mark.timeout(120)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's Janus")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture
async def janus():
    if shutil.which("janus") is None:
        pytest.skip("janus is not installed (apt-get install janus)")
    try:
        usable_address()
    except xnb.SfuError as error:
        pytest.skip(f"{error.message} {error.remedy}")
    process = JanusProcess(JanusSettings())
    await process.start()
    yield process
    await process.stop()


async def run(*arguments: str, env: dict[str, str], **more) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        **more,
    )


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["wss", "https"])
async def test_a_group_call_on_a_janus_behind_tls(janus, tmp_path, scheme):
    paths = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*paths)
    inside = janus.endpoint.url if scheme == "wss" else janus.http_url
    port = int(inside.rpartition(":")[2].partition("/")[0])
    relay = await Relay(port, tls).start()
    path = "/janus" if scheme == "https" else "/"
    url = f"{scheme}://127.0.0.1:{relay.port}{path}"
    secrets = []
    for name in ("api_secret", "admin_key", "token_secret"):
        file = tmp_path / name
        file.touch(0o600)
        file.write_text(getattr(janus.endpoint, name))
        secrets += [f"--janus-{name.replace('_', '-')}-file", str(file)]
    token = tmp_path / "token"
    trusting = {**os.environ, "SSL_CERT_FILE": str(paths[0])}
    arguments = ["--port", "0", "--token-file", str(token), "--janus", url, *secrets]
    server = await run("-m", "xnb", "serve", *arguments, env=trusting)
    caller = None
    try:
        line = await asyncio.wait_for(server.stdout.readline(), 20)
        at = line.decode().split()[-1]
        there = {"XNB_SERVER": at, "XNB_SERVER_TOKEN": token.read_text().strip()}
        caller = await run("-c", CALL, env={**trusting, **there})
        said, errors = await asyncio.wait_for(caller.communicate(), 60)
        assert caller.returncode == 0, errors.decode()
        red, green, blue = (int(one) for one in said.split())
        assert green > red + 60, "testcard-2 is green"
        assert green > blue + 60
        assert relay.connections >= 2, "nobody came over TLS"
        # Who does not trust the certificate is told so, and nothing is sent.
        plain = {key: value for key, value in os.environ.items() if key != "SSL_CERT_FILE"}
        caller = await run("-c", CALL, env={**plain, **there})
        _, errors = await asyncio.wait_for(caller.communicate(), 60)
        assert caller.returncode == 1
        assert "its certificate is not trusted here" in errors.decode()
        assert "SSL_CERT_FILE" in errors.decode()
    finally:
        for one in (caller, server):
            if one is not None and one.returncode is None:
                one.terminate()
                await asyncio.wait_for(one.communicate(), 15)
        await relay.close()
