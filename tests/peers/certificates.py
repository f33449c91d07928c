"""Certificates for tests, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_HERE = "DNS:localhost,IP:127.0.0.1,IP:::1"


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Pair(NamedTuple):
    """Files of a certificate and its private key, which its owner alone can read."""

    cert: Path
    key: Path


class Authority:
    """A CA of the test's own.

    Attributes:
        cert: the file of its certificate.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder, self._name, self._num_signed = folder, name, 0
        self.cert, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        files = ["-keyout", self._key, "-out", self.cert]
        _openssl("req", "-x509", *_KEY, *files, "-subj", f"/CN={name}", "-days", "2")

    def sign(self, name: str = "livnd", *, hosts: str = _HERE, days: int = 2) -> Pair:
        """A certificate of this CA for `hosts`; expired where it is for less than no days."""
        self._num_signed += 1
        stem = self._folder / f"{self._name}-{self._num_signed}-{name}"
        pair = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, extensions = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={hosts}\n")
        _openssl("req", *_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        signed_by = ["-CA", self.cert, "-CAkey", self._key, "-CAcreateserial"]
        files = ["-in", request, "-out", pair.cert, "-extfile", extensions]
        _openssl("x509", "-req", *files, *signed_by, "-days", str(days))
        pair.key.chmod(0o600)
        return pair
