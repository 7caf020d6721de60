"""The configuration of a private Janus, as Debian's ``/etc/janus/*.jcfg`` documents it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PLUGINS = ("videoroom", "echotest")
_TRANSPORTS = ("http", "websockets")
_PROTECTED = (
    *("/bin", "/boot", "/dev", "/etc", "/initrd", "/lib", "/lib32", "/lib64", "/proc", "/root"),
    *("/sbin", "/sys", "/usr", "/var/lib", "/home"),
)


@dataclass(frozen=True, slots=True, repr=False)
class JanusConfig:
    """What differs from one private Janus to the next."""

    libraries: Path
    interface: str
    http_port: int
    ws_port: int
    rtp_ports: tuple[int, int]
    session_timeout_s: int
    reclaim_s: int
    api_secret: str | None
    admin_key: str
    token_secret: str | None
    has_string_ids: bool
    name: str


def write(config: JanusConfig, folder: Path) -> None:
    """Write the files that Janus reads, for its user alone.

    Args:
        config: What goes into them.
        folder: An existing folder with mode 0700.
    """
    for name, text in (
        ("janus.jcfg", _core(config, folder)),
        ("janus.transport.http.jcfg", _http(config)),
        ("janus.transport.websockets.jcfg", _web_sockets(config)),
        ("janus.plugin.videoroom.jcfg", _videoroom(config)),
        ("janus.plugin.echotest.jcfg", "general: { events = false }\n"),
    ):
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)


def _core(config: JanusConfig, folder: Path) -> str:
    auth = []
    if config.api_secret is not None:
        auth.append(f"api_secret = {_quoted(config.api_secret)}")
    if config.token_secret is not None:
        auth += ["token_auth = true", f"token_auth_secret = {_quoted(config.token_secret)}"]
    protected = ", ".join(_quoted(path) for path in _PROTECTED)
    return f"""
general: {{
  configs_folder = {_quoted(folder)}
  plugins_folder = {_quoted(config.libraries / "plugins")}
  transports_folder = {_quoted(config.libraries / "transports")}
  events_folder = {_quoted(config.libraries / "events")}
  loggers_folder = {_quoted(config.libraries / "loggers")}
  log_to_stdout = true
  debug_level = 3
  debug_timestamps = true
  debug_colors = false
  server_name = {_quoted(config.name)}
  session_timeout = {config.session_timeout_s}
  reclaim_session_timeout = {config.reclaim_s}
  hide_dependencies = true
  protected_folders = [ {protected} ]
  {" ".join(auth)}
}}
certificates: {{ }}
media: {{ rtp_port_range = "{config.rtp_ports[0]}-{config.rtp_ports[1]}" }}
nat: {{
  nice_debug = false
  ignore_mdns = true
  full_trickle = false
  ice_enforce_list = {_quoted(config.interface)}
}}
plugins: {{ disable = "{_others(config.libraries / "plugins", PLUGINS)}" }}
transports: {{ disable = "{_others(config.libraries / "transports", _TRANSPORTS)}" }}
loggers: {{ disable = "{_others(config.libraries / "loggers", ())}" }}
events: {{ broadcast = false }}
"""


def _http(config: JanusConfig) -> str:
    return f"""
general: {{
  json = "compact" base_path = "/janus" http = true port = {config.http_port} ip = "127.0.0.1"
  https = false
}}
admin: {{ admin_http = false admin_https = false }}
cors: {{ }}
certificates: {{ }}
"""


def _web_sockets(config: JanusConfig) -> str:
    return f"""
general: {{
  json = "compact" ws = true ws_port = {config.ws_port} ws_ip = "127.0.0.1" wss = false
}}
admin: {{ admin_ws = false admin_wss = false }}
cors: {{ }}
certificates: {{ }}
"""


def _videoroom(config: JanusConfig) -> str:
    return f"""
general: {{
  admin_key = {_quoted(config.admin_key)}
  lock_rtp_forward = true
  string_ids = {"true" if config.has_string_ids else "false"}
  events = false
}}
"""


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _others(folder: Path, wanted: tuple[str, ...]) -> str:
    keep = {f"libjanus_{name}.so" for name in wanted}
    if not folder.is_dir():
        return ""
    return ",".join(sorted(p.name for p in folder.glob("*.so") if p.name not in keep))
