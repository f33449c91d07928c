"""Which cells of a system are built, and with which model, from livn's documents to messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.errors import invalid_field
from livnd.tensors import encode

_METHODS = {
    "first": pb.SELECTION_METHOD_FIRST,
    "random": pb.SELECTION_METHOD_RANDOM,
    "patch": pb.SELECTION_METHOD_PATCH,
}
_ORIENTATIONS = {
    "random": pb.DENDRITE_ORIENTATION_RANDOM,
    "aligned": pb.DENDRITE_ORIENTATION_ALIGNED,
}
_SELECTION = ("cells", "method", "bounds", "seed")
_RCSD, _GLIF, _IZHIKEVICH = (
    "livn.models.rcsd.ReducedCalciumSomaDendrite",
    "livn.models.glif.GLIF",
    "livn.models.izhikevich.Izhikevich",
)
# Arguments that livn has and that have one value here, or no effect (docs/params.md).
_INPUT_MODES = (None, "current_density", "conductance", "current", "irradiance")
_GLIF_ONLY = {
    "mechanism": "hard",
    "diffusion": False,
    "read_out_neurons": None,
    "config": None,
    "current_scale": 1e3,
}


def cell_selection(selection: Any) -> Any:
    """A pb.CellSelection from one of the forms of docs/params.md.

    Raises:
        InvalidFieldError: none of these forms.
    """
    message = pb.CellSelection()
    spec = selection
    if not (isinstance(selection, Mapping) and set(selection) <= set(_SELECTION)):
        spec = {"cells": selection}
    if spec.get("cells") is not None:
        _put_cells(message, spec["cells"])
    method = spec.get("method", "first")
    message.method = _METHODS[checks.choice("selection.method", method, _METHODS)]
    if spec.get("bounds") is not None:
        accepted = "[[x0, y0], [x1, y1]]"
        corners = checks.array("selection.bounds", spec["bounds"], accepted=accepted)
        if corners.size != 4:
            raise checks.wrong("selection.bounds", spec["bounds"], accepted)
        corners = corners.reshape(2, 2)
        (x0, y0), (x1, y1) = corners.tolist()
        message.bounds.CopyFrom(pb.Rectangle(x0_um=x0, y0_um=y0, x1_um=x1, y1_um=y1))
    if spec.get("seed") is not None:
        message.seed = _integer("selection.seed", spec["seed"])
    return message


def _put_cells(message: Any, cells: Any) -> None:
    if isinstance(cells, str):
        message.stored = checks.text("selection", cells)
    elif isinstance(cells, Mapping):
        message.populations.SetInParent()
        for population, share in cells.items():
            field = f"selection.populations[{population}]"
            name = checks.text("selection.populations", population, "names as text")
            added = message.populations.shares.add(population=name)
            _put_share(added, field, share)
    else:
        _put_share(message, "selection", cells)


def _put_share(message: Any, field: str, share: Any) -> None:
    """A whole number of cells, a fraction, or (of a population) gids."""
    accepted = "a number of cells, a fraction, or gids"
    if isinstance(share, np.ndarray) and share.ndim == 0:
        share = share[()]
    if isinstance(share, (bool, np.bool_)):
        raise checks.wrong(field, share, accepted)
    if hasattr(share, "__len__"):
        gids = checks.integers(field, share, accepted)
        if gids.ndim != 1 or field == "selection":
            raise checks.wrong(field, share, accepted)
        message.gids.CopyFrom(encode(gids, np.int64))
    elif hasattr(share, "__index__"):
        message.num_cells = checks.integer(field, share, accepted)
    else:
        message.fraction = checks.number(field, share, accepted)


def cell_model(document: Any) -> Any:
    """A pb.CellModel from what a model.json holds: {"cls": ..., "kwargs": {...}}.

    Raises:
        InvalidFieldError: no such class, argument or value.
    """
    accepted = '{"cls": ..., "kwargs": {...}}'
    if not isinstance(document, Mapping) or not set(document) <= {"cls", "kwargs"}:
        raise invalid_field("model", document, accepted)
    arguments = document.get("kwargs")
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, Mapping):
        raise invalid_field("model.kwargs", arguments, "a mapping")
    message = pb.CellModel()
    name = document.get("cls")
    if not isinstance(name, str):
        raise checks.wrong("model.cls", name, ", ".join((_RCSD, _GLIF, _IZHIKEVICH)))
    if name == _RCSD:
        message.rcsd.SetInParent()
        _put_rcsd(message.rcsd, arguments)
    elif name == _GLIF:
        message.glif.SetInParent()
        _put_glif(message.glif, arguments)
    elif name == _IZHIKEVICH:
        message.izhikevich.SetInParent()
        if arguments:
            raise checks.wrong("model.kwargs", list(arguments), "none")
    else:
        raise invalid_field("model.cls", name, ", ".join((_RCSD, _GLIF, _IZHIKEVICH)))
    return message


def _put_rcsd(message: Any, arguments: Mapping[str, Any]) -> None:
    numbers = {"refractory_period": "refractory_period_ms", "dendrite_offset": "dendrite_offset_um"}
    seeds = ("dendrite_orientation_seed", "size_seed")
    others = ("short_term_depression", "dendrite_orientation", "size_cv", "input_mode")
    for name, value in arguments.items():
        field = f"model.kwargs.{name}"
        if name in numbers:
            setattr(message, numbers[name], checks.number(field, value))
        elif name in seeds:
            setattr(message, name, _integer(field, value))
        elif name == "short_term_depression":
            message.short_term_depression = checks.flag(field, value)
        elif name == "dendrite_orientation":
            orientation = checks.choice(field, value, _ORIENTATIONS)
            message.dendrite_orientation = _ORIENTATIONS[orientation]
        elif name == "size_cv":
            cvs = value if isinstance(value, Mapping) else dict.fromkeys(("EXC", "INH"), value)
            if not set(cvs) <= {"EXC", "INH"}:
                raise checks.wrong(field, list(cvs), "EXC, INH")
            for population, cv in cvs.items():
                setattr(message, f"size_cv_{population.lower()}", checks.number(field, cv))
        elif name == "input_mode":
            if not (value is None or isinstance(value, str)) or value not in _INPUT_MODES:
                raise checks.wrong(field, value, ", ".join(map(str, _INPUT_MODES)))
        else:
            raise invalid_field("model.kwargs", name, ", ".join((*numbers, *seeds, *others)))


def _put_glif(message: Any, arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        field = f"model.kwargs.{name}"
        if name == "level":
            message.level = _integer(field, value)
        elif name == "params":
            accepted = "None, or numbers by livn's names"
            params = {} if value is None else checks.mapping(field, value, accepted)
            for key, number in params.items():
                name = checks.text(field, key, accepted)
                message.params.add(key=name, value=checks.number(f"{field}[{name}]", number))
        elif name in _GLIF_ONLY:
            if np.ndim(value) or value != _GLIF_ONLY[name]:
                raise checks.wrong(field, value, repr(_GLIF_ONLY[name]))
        else:
            raise invalid_field("model.kwargs", name, ", ".join(("level", "params", *_GLIF_ONLY)))


def _integer(field: str, value: Any) -> int:
    return checks.integer(field, value, "a whole number")
