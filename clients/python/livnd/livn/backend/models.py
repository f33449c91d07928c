"""What the server has to know of a livn model, and what of a model it cannot follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livnd.errors import invalid_field

# The arguments of their constructors that the models keep under the same names.
_RCSD = (
    "refractory_period",
    "short_term_depression",
    "dendrite_offset",
    "dendrite_orientation",
    "dendrite_orientation_seed",
    "size_cv",
    "size_seed",
)
# What a subclass of a model may not have of its own: the server's engine has livn's of it.
_IN_THE_ENGINE = (
    "params",
    "cell_types",
    "section_name",
    "size_scales",
    "neuron_celsius",
    "neuron_synapse_mechanisms",
    "neuron_synapse_rules",
    "neuron_plasticity_mechanism_groups",
    "neuron_noise_configure",
    "ignored_populations",
)


# Arguments of GLIF's that have to be what livn makes of no argument, which is all that livnd has.
_GLIF = {"mechanism": "hard", "config": None, "current_scale": 1e3, "read_out_neurons": None}
_KINDS = {
    "livn.models.rcsd": "ReducedCalciumSomaDendrite",
    "livn.models.glif": "GLIF",
    "livn.models.izhikevich": "Izhikevich",
}


def to_document(model: Any) -> dict[str, Any]:
    """A model as a model.json.

    Raises:
        TypeError: no model that livnd has.
        InvalidFieldError: a subclass that changes what is in livnd's engine.
    """
    # By their names: livn's point neurons need packages that livnd's do not.
    for kind in type(model).__mro__:
        if _KINDS.get(kind.__module__) == kind.__name__:
            break
    else:
        raise TypeError(
            f"livnd has no {type(model).__name__} cells; it has {', '.join(_KINDS.values())}"
        )
    for name in _IN_THE_ENGINE:
        if getattr(type(model), name, None) is not getattr(kind, name, None):
            accepted = f"{kind.__name__}'s own, which is in livnd's engine"
            raise invalid_field("model", f"{type(model).__name__}.{name}", accepted)
    kwargs: dict[str, Any] = {}
    if kind.__name__ == "ReducedCalciumSomaDendrite":
        kwargs = {name: getattr(model, name) for name in _RCSD}
    elif kind.__name__ == "GLIF":
        for name, value in {**_GLIF, "diffusion": False}.items():
            if getattr(model, name) != value:
                raise invalid_field(f"model.{name}", getattr(model, name), repr(value))
        kwargs = {"level": model.level}
        if model.params:
            kwargs["params"] = {name: float(value) for name, value in model.params.items()}
    return {"cls": f"{kind.__module__}.{kind.__name__}", "kwargs": kwargs}


def opsin_of(model: Any, populations: Mapping[str, tuple[str, ...]]) -> Opsin | None:
    """The light-gated channel that a model's cells carry; None: none.

    Args:
        model: livn's.
        populations: names of the sections of each simulated population's cells.

    Raises:
        InvalidFieldError: it is not on the soma, or no RhO3c.
    """
    for name in ("opsin_config", "native_opsin_config", "neuron_opsin_config"):
        hook = getattr(model, name, None)
        if callable(hook):
            config = hook() or {}
            break
    else:
        return None
    if not config:
        return None
    if config.get("mechanism", "RhO3c") != "RhO3c":
        raise invalid_field("opsin_config.mechanism", config["mechanism"], "RhO3c")
    wanted = set(config.get("sections", ["soma"]))
    carried = {name for sections in populations.values() for name in sections} & wanted
    if carried - {"soma"}:
        raise invalid_field("opsin_config.sections", sorted(carried), "soma")
    params = {str(name): float(value) for name, value in (config.get("params") or {}).items()}
    carriers = [p for p in config.get("populations", populations) if p in populations and carried]
    return Opsin(frozenset(carriers), params, float(config.get("wavelength_nm", 473.0)))


@dataclass(frozen=True)
class Opsin:
    """Where the channel is, and with which numbers.

    Attributes:
        populations: whose somata carry it.
        params: numbers that are not livn's defaults, by livn's names.
        wavelength_nm: of light that names none.
    """

    populations: frozenset[str]
    params: Mapping[str, float]
    wavelength_nm: float
