"""Where the gRPC door listens and what its callers are told: the `callback_grpc*` keys."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wove.errors import CallbackUnreachableError
from wove.receiver.address import check_template, fill

if TYPE_CHECKING:
    import grpc

__all__ = ["GrpcSettings", "cannot_listen"]


@dataclass(frozen=True, kw_only=True)
class GrpcSettings:
    """The `callback_grpc*` keys of an `executor_config`."""

    host: str
    """Address to bind."""
    port: int = 0
    """Port to bind; 0 takes any that is free."""
    address: str = "{host}:{port}"
    """What workers are told, a template as `callback_url`."""
    certificate: str | None = None
    """File with the server's certificate and its chain, PEM; with it the door speaks TLS."""
    private_key: str | None = field(default=None, repr=False)
    """File with the key of `certificate`, PEM."""
    client_ca: str | None = None
    """File with the authorities of which workers must show a certificate, PEM."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], host: str) -> GrpcSettings | None:
        """Read the settings; None when gRPC is not asked for.

        Args:
            config: an `executor_config`.
            host: the HTTP door's address, which gRPC's is without a `callback_grpc_host`.

        Raises:
            TypeError: a value has the wrong type.
            ValueError: a value cannot be right; the message says what may be.
        """
        wanted = config.get("callback_grpc")
        if wanted is None or wanted is False:
            return None
        if wanted is not True and not isinstance(wanted, str):
            raise TypeError(
                "callback_grpc must be True, or an address as workers see it, not "
                f"{type(wanted).__name__}"
            )
        certificate = _path(config, "callback_grpc_certificate")
        private_key = _path(config, "callback_grpc_private_key")
        client_ca = _path(config, "callback_grpc_client_ca")
        if (certificate is None) != (private_key is None):
            raise ValueError("callback_grpc_certificate and callback_grpc_private_key go together")
        if client_ca is not None and certificate is None:
            raise ValueError(
                "callback_grpc_client_ca needs callback_grpc_certificate: workers can show a "
                "certificate only over TLS"
            )
        port = config.get("callback_grpc_port") or 0
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
            raise ValueError(
                f"callback_grpc_port must be from 0 (any free port) to 65535, not {port!r}"
            )
        return cls(
            host=config.get("callback_grpc_host") or host,
            port=port,
            address=cls.address if wanted is True else _checked(wanted),
            certificate=certificate,
            private_key=private_key,
            client_ca=client_ca,
        )

    @property
    def door(self) -> tuple[object, ...]:
        """What tells one listening door from another; what callers are told is no part of it."""
        return (self.host, self.port, self.certificate, self.private_key, self.client_ca)

    def listen_address(self) -> str:
        """The address to bind, as gRPC writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, port: int, token: str) -> str:
        """What the payload says: `grpc://host:port/token`, or `grpcs://` with TLS.

        Args:
            port: the port that is bound.
            token: what callers must know.
        """
        scheme, separator, rest = self.address.rpartition("://")
        if not separator:
            scheme = "grpc" if self.certificate is None else "grpcs"
        address = fill(rest, host=self.host, port=port, token=token)
        return f"{scheme}://{address}/{quote(token, safe='')}"

    def credentials(self) -> grpc.ServerCredentials | None:
        """The TLS credentials; None without a certificate.

        Raises:
            CallbackUnreachableError: a file cannot be read, is no PEM file of its kind, or
                the key is another certificate's.
        """
        if self.certificate is None or self.private_key is None:
            return None
        import grpc

        key, chain = self._read("private_key"), self._read("certificate")
        authorities = None if self.client_ca is None else self._read("client_ca")
        self._check_files(self.certificate, self.private_key)
        return grpc.ssl_server_credentials(
            [(key, chain)], authorities, require_client_auth=authorities is not None
        )

    def _read(self, name: str) -> bytes:
        try:
            return Path(getattr(self, name)).read_bytes()
        except OSError as error:
            raise _unusable(f"callback_grpc_{name} cannot be read: {error}") from error

    def _check_files(self, certificate: str, private_key: str) -> None:
        # gRPC says only that it cannot bind, and of an authority nothing at all.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # The password of an encrypted key is asked for at the terminal, if not given.
            context.load_cert_chain(certificate, private_key, password="")
        except (ssl.SSLError, ValueError) as error:
            raise _unusable(
                f"callback_grpc_certificate ({certificate}) and callback_grpc_private_key "
                f"({private_key}) must be PEM files of one certificate and its key, without a "
                f"password: {error}"
            ) from error
        if self.client_ca is None:
            return
        try:
            context.load_verify_locations(self.client_ca)
        except ssl.SSLError as error:
            raise _unusable(
                f"callback_grpc_client_ca ({self.client_ca}) must be a PEM file of "
                f"certificates: {error}"
            ) from error


def _unusable(words: str) -> CallbackUnreachableError:
    return CallbackUnreachableError(
        f"Wove cannot receive gRPC callbacks over TLS: {words}", reason=words
    )


def cannot_listen(settings: GrpcSettings, words: str) -> CallbackUnreachableError:
    """The error for an address that cannot be bound."""
    return CallbackUnreachableError(
        f"Wove cannot receive gRPC callbacks on {settings.host} port {settings.port}: "
        f"{words.rstrip('.')}. Set callback_grpc_port=0 to take any free port, and "
        "callback_grpc_host to an address of this machine.",
        reason=words,
    )


def _path(config: Mapping[str, Any], key: str) -> str | None:
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, (str, Path)):
        raise TypeError(f"{key} must be the path of a PEM file, not {type(value).__name__}")
    return str(value)


def _checked(address: str) -> str:
    check_template(address, key="callback_grpc")
    scheme, separator, rest = address.rpartition("://")
    if separator and scheme not in ("grpc", "grpcs"):
        raise ValueError("callback_grpc must be host:port, grpc://host:port or grpcs://host:port")
    if not rest or "/" in rest:
        raise ValueError("callback_grpc must be host:port without a path; the token is added")
    return address
