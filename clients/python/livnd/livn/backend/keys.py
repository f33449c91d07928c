"""Which of a culture's parameters livn's keys stand for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from livnd.errors import UnknownParameterError, invalid_field

_LOG = logging.getLogger("livnd.livn")

# Numbers of a site, as livn lists them.
_NUMBERS = ("tau_rise", "tau_decay", "e", "U", "tau_rec", "mg", "Kd", "gamma", "vshift")
# Numbers of a site that belong to the learning rule, which enable_plasticity() sets.
_OF_RULES = frozenset(
    (
        "plasticity_on",
        "w_init",
        "A_ltp",
        "A_ltd",
        "theta_ltp",
        "theta_ltd",
        "ltp_sigmoid_half",
        "ltd_sigmoid_half",
        "learning_slope",
        "learning_tau",
        "w_max",
        "w_min",
    )
)


def synapse_params(
    given: Mapping[str, Any], accepted: Collection[str], populations: Collection[str]
) -> dict[str, float]:
    """The weights and receptor numbers that livn's set_weights() takes for `given`.

    A key holds for all connections that it does not tell apart, as in livn. One that this culture
    has nothing for is passed over, as there, but for a line in the log.

    Args:
        given: values by livn's keys, "POST_PRE-SECTION-RECEPTOR-weight" or a part of it, or
            "POST-SECTION-RECEPTOR-NAME".
        accepted: what the server takes (CultureInfo.accepted_params).
        populations: of the system.

    Returns:
        Values by accepted keys, those of receptors first; a later one overrides an earlier one.

    Raises:
        ValueError: a receptor's number with a source.
        UnknownParameterError: a population that the system does not have (livn takes it as any), or
            a number that no receptor has.
        InvalidFieldError: a number of a learning rule.
    """
    from livn.types import SynapticParam

    weights: dict[str, float] = {}
    numbers: dict[str, float] = {}
    for key, value in given.items():
        try:
            wanted = SynapticParam.from_string(key)
        except ValueError:
            wanted = None
        if wanted is None:
            raise _unknown(key, accepted)
        for name in (wanted.population, wanted.source):
            if name is not None and name not in populations:
                raise _unknown(key, accepted)
        path = wanted.param_path
        is_weight = not isinstance(path, str) or path == "weight"
        if not is_weight:
            _check_number(key, wanted, accepted)
        found = [
            known for known in accepted if _matches(known, wanted, "weight" if is_weight else path)
        ]
        if not found:
            _LOG.warning("%s: this culture has no such synapses; nothing is set", key)
        into = weights if is_weight else numbers
        for known in found:
            into.pop(known, None)
            into[known] = float(value)
    return {**numbers, **weights}


def receptor_keys(accepted: Collection[str]) -> list[str]:
    """Of a server's keys those of receptors' numbers, in livn's order."""
    found = [key.split("-") for key in accepted if key.count("-") == 3]
    found = [parts for parts in found if parts[3] in _NUMBERS]
    return ["-".join(parts) for parts in sorted(found, key=lambda p: (p[:3], _NUMBERS.index(p[3])))]


def _check_number(key: str, wanted: Any, accepted: Collection[str]) -> None:
    name = wanted.param_path
    if wanted.source is not None:
        raise ValueError(
            f"{key!r}: {name!r} belongs to the site, which all sources share; name no source: "
            f"{wanted.population}-{wanted.sec_type}-{wanted.syn_name}-{name}"
        )
    if name in _OF_RULES:
        raise invalid_field("set_weights", key, "weights and receptors; enable_plasticity() learns")
    if not any(known.count("-") == 3 and known.endswith(f"-{name}") for known in accepted):
        raise _unknown(key, accepted)


def _matches(known: str, wanted: Any, name: str) -> bool:
    """Whether an accepted key is one of those that livn's key stands for."""
    parts = known.split("-")
    if len(parts) != 4 or parts[3] != name or parts[0] in ("noise", "io"):
        return False
    post, _, pre = parts[0].partition("_") if name == "weight" else (parts[0], "", None)
    return (
        wanted.population in (None, post)
        and (wanted.source is None or wanted.source == pre)
        and wanted.sec_type in (None, parts[1])
        and wanted.syn_name in (None, parts[2])
    )


def _unknown(key: str, accepted: Collection[str]) -> UnknownParameterError:
    known = ", ".join(name for name in accepted if name.count("-") == 3)
    return UnknownParameterError(
        f"{key!r} is no parameter of this culture; accepted: {known}",
        reason="INVALID_FIELD",
        code="INVALID_ARGUMENT",
        metadata={"field": "params", "value": key, "accepted": known},
    )
