"""Encodings and decodings by name, which the server does (docs/codings.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from livnd import checks
from livnd.livn.env import Env
from livnd.livn.run import Run


class Features(np.ndarray):
    """What a named encoding is given in a step, float32 [inputs], in place of a stimulus."""


class NamedEncoding:
    """Hands an action to the server's encoding.

    Attributes:
        selection: of Env.use_codings().
        action_space: float32 [inputs] within the encoding's bounds; set with the culture.
    """

    action_space: spaces.Box

    def __init__(self, given: str | Mapping[str, Any], step_duration_ms: float) -> None:
        self.selection = _selection("encoding", given)
        self.selection.setdefault("step_ms", step_duration_ms)

    def use(self, culture: Env) -> None:
        """Of a culture that has it: what its inputs are."""
        inputs = culture.info.encoding_inputs
        low, high = (np.array([getattr(i, end) for i in inputs]) for end in ("low", "high"))
        self.action_space = spaces.Box(low.astype(np.float32), high.astype(np.float32))

    def __call__(self, action: Any) -> Features:
        return np.asarray(action, np.float32).view(Features)


class NamedDecoding:
    """Takes the task's action from the first decoding: its value `action`, or its only one."""

    def __init__(self, given: str | Mapping[str, Any]) -> None:
        self.selection = _selection("decoding", given)

    def __call__(self, run: Run) -> Any:
        values = run.decoded[0]
        if "action" in values:
            return values["action"]
        if len(values) == 1:
            return next(iter(values.values()))
        accepted = "one with a value `action`, or with one value; or a callable of run.decoded"
        raise checks.wrong("decoding", ", ".join(values), accepted)


def with_codings(
    culture: Env, encoding: Any, decoding: Any, step_duration_ms: float
) -> tuple[Any, Any]:
    """Callables of what was given; what is named the culture does from now on.

    Raises:
        InvalidFieldError: the server knows no such name or field; nothing has changed.
    """
    if isinstance(encoding, (str, Mapping)):
        encoding = NamedEncoding(encoding, step_duration_ms)
    if isinstance(decoding, (str, Mapping)):
        decoding = NamedDecoding(decoding)
    encodes, decodes = isinstance(encoding, NamedEncoding), isinstance(decoding, NamedDecoding)
    if encodes or decodes:
        culture.use_codings(
            encoding.selection if encodes else None, [decoding.selection] if decodes else None
        )
    if encodes:
        encoding.use(culture)
    return encoding, decoding


def _selection(field: str, given: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"name": given} if isinstance(given, str) else dict(checks.mapping(field, given, ""))
