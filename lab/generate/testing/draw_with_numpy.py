"""Writes numpy_draws.json: what NumPy draws and computes, for lab/generate to compare with.

python lab/generate/testing/draw_with_numpy.py renews it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("numpy_draws.json")


def floats(values: np.ndarray) -> list[float]:
    """Numbers of single precision, exactly."""
    return [float(x) for x in np.asarray(values).ravel()]


def stream(seed: int) -> dict:
    """default_rng(seed): doubles, then an odd number of single-precision ones, and more."""
    rng = np.random.default_rng(seed)
    doubles = floats(rng.random(3))
    odd = floats(rng.random(5, dtype=np.float32))
    more = floats(rng.random(6, dtype=np.float32))
    return {"seed": seed, "doubles": doubles, "floats": odd + more}


def named(seed: int, *names: str) -> dict:
    """Philox with a key of BLAKE2b, as livn keys it."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(str(seed).encode())
    for name in names:
        digest.update(b"\x00" + name.encode())
    key = np.frombuffer(digest.digest(), dtype="<u8")
    raw = np.random.Philox(key=key, counter=7).random_raw(6)
    return {"seed": seed, "names": list(names), "first_block": 7, "raw": [str(x) for x in raw]}


def sums() -> list[dict]:
    """numpy.sum of kernels in single precision, sources times targets."""
    out = []
    cases = ((7, 5, 100.0, False), (61, 47, 250.0, True), (700, 900, 600.0, False))
    for sources, targets, sigma, gaussian in cases:
        rng = np.random.default_rng(sources)
        a = rng.random((sources, 2)).astype(np.float32) * np.float32(1000)
        b = rng.random((targets, 2)).astype(np.float32) * np.float32(1000)
        d = np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2).astype(np.float32)
        w = np.exp(-(d**2) / (2.0 * sigma**2)) if gaussian else np.exp(-d / sigma)
        out.append(
            {
                "sources": sources,
                "targets": targets,
                "sigma": sigma,
                "gaussian": gaussian,
                "sum": float(w.sum()),
                "max": float(w.max()),
                "last": float(w[-1, -1]),
                "last_distance": float(d[-1, -1]),
            }
        )
    return out


def draws() -> dict:
    """All that the file holds."""
    rng = np.random.default_rng(3)
    parts = [rng.random(400) * 3, rng.random(200) * 110, rng.random(50) * 1e-3]
    falling = -np.concatenate([*parts, [0.0, 87.4, 100.0, 103.9]]).astype(np.float32)
    angles = (rng.random(300) * 2 * np.pi).astype(np.float32)
    sine, cosine = floats(np.sin(angles)), floats(np.cos(angles))
    keys = (
        (123, "coordinates", "EXC"),
        (10921, "connectivity", "EXC", "INH"),
        (0, "population-" + "x" * 300),
    )
    return {
        "streams": [stream(s) for s in (0, 123, 1001, 2**40 + 17)],
        "named": [named(*key) for key in keys],
        "exp": {"x": floats(falling), "y": floats(np.exp(falling))},
        "angles": {"x": floats(angles), "sin": sine, "cos": cosine},
        "sums": sums(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(draws(), indent=1) + "\n")
