"""Callback URLs: templates, and what this machine is called."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import quote

from wove.dispatch.urls import EVENTS_PATH

__all__ = ["callback_url", "check_template", "fill"]

DEFAULT_TEMPLATE = "http://{host}:{port}" + EVENTS_PATH + "{token}"

_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = ("host", "port", "token", "hostname", "ip")
# TEST-NET-1 (RFC 5737). Connecting a datagram socket sends nothing; it asks the
# routing table which address of ours would be used.
_SOMEWHERE = ("192.0.2.1", 9)


def check_template(template: str, key: str = "callback_url") -> None:
    """Refuse what cannot be filled in.

    Args:
        template: a setting.
        key: its name.

    Raises:
        ValueError: a field that is not known, or a stray brace.
    """
    for name in _FIELD.findall(template):
        if name not in _FIELDS:
            known = ", ".join(f"{{{each}}}" for each in _FIELDS)
            raise ValueError(f"{key} has {{{name}}}; what can be filled in is {known}")
    if re.search(r"[{}]", _FIELD.sub("", template)):
        raise ValueError(f"{key} has a brace without its counterpart")


def callback_url(template: str | None, *, host: str, port: int, token: str) -> str:
    """The URL that workers are told.

    Args:
        template: None for `http://{host}:{port}/wove/events/{token}`; else as `fill`.
        host: the address that is bound.
        port: the port that is bound.
        token: the token, as it is.
    """
    return fill(template or DEFAULT_TEMPLATE, host=host, port=port, token=token)


def fill(template: str, *, host: str, port: int, token: str) -> str:
    """Fill a template in.

    Args:
        template: holds any of the fields.
        host: the address that is bound; one that means "all" is filled in as
            this machine's own.
        port: the port that is bound.
        token: the token, as it is.
    """
    values = {"port": str(port), "token": quote(token, safe=""), "hostname": socket.gethostname()}

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "host":
            return _bracketed(_own_ip() if _is_wildcard(host) else host)
        return _bracketed(_own_ip()) if name == "ip" else values[name]

    return _FIELD.sub(value, template)


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _own_ip() -> str:
    """This machine's address in its network, or 127.0.0.1 when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
