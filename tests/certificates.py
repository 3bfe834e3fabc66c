"""Certificates of the tests' own, made with openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A private CA that signs certificates into a folder, which it makes.

    Attributes:
        certificate: its own, a PEM file.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        _openssl(
            *("req", "-x509", *_KEY, "-nodes", "-days", "2"),
            *("-subj", f"/CN={folder.name}"),
            *("-keyout", folder / "ca.key", "-out", self.certificate),
        )

    def sign(self, name: str, *, host: str = "IP:127.0.0.1", expired: bool = False) -> Pair:
        """A certificate for `host`, such as DNS:web.internal; `expired`: valid until yesterday."""
        key, asked, made = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / "extensions"
        extensions.write_text(f"subjectAltName={host}")
        _openssl(
            *("req", *_KEY, "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", key, "-out", asked),
        )
        _openssl(
            *("x509", "-req", "-in", asked, "-days", "-1" if expired else "2"),
            *("-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial"),
            *("-out", made, "-extfile", extensions),
        )
        return Pair(made, key)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def _openssl(*arguments: object) -> None:
    command = ["openssl", *(str(each) for each in arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
