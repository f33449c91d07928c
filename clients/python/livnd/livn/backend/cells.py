"""The cells of a culture on a server, and their parameters by livn's names.

The server is told parameters and does not tell them back; what cells have without being told
follows from livn's own templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from livn.cells import CellRegistry
from livn.types import Cell

# livn 2.0.0's library has these of its own; they are no template's (models/rcsd/neuron/mechanisms).
_CONCENTRATIONS = {
    "d_Na_conc": 0.2,
    "beta_Na_conc": 0.075,
    "nai0_Na_conc": 15.0,
    "nao0_Na_conc": 145.0,
    "d_K_conc": 0.2,
    "beta_K_conc": 0.075,
    "ki0_K_conc": 145.0,
    "ko0_K_conc": 5.0,
}
# Measured at the start of the first run, so that the cell rests; nobody sets it.
_MEASURED = "ic_constant"
_CELSIUS = 36.0  # of livn 2.0.0 (backend/native/env.py), whose models name no other


class ServerCell(Cell):
    """One cell.

    Parameters are "SECTION.NAME" ("soma.g_pas"), or a template's ("global_diam"), from which the
    cell is built before the former are set.
    """

    def __init__(self, env: Any, population: str, gid: int, sections: tuple[str, ...]) -> None:
        super().__init__(env, population, gid)
        self._sections = sections
        self._template: Any = None
        self._set: dict[str, float] = {}  # of its sections
        self._resting: dict[str, float] | None = None  # measured currents, by section

    @property
    def section_names(self) -> list[str]:
        return list(self._sections)

    def get_params(self) -> dict[str, float]:
        from livn.backend.native.cells import PARAMETER_NAMES

        params: dict[str, float] = {}
        for spec in self.template.sections:
            kind = spec.sec_type
            if f"{kind}.cm" in params:
                continue
            params[f"{kind}.cm"] = float(spec.cm)
            params[f"{kind}.Ra"] = float(spec.Ra)
            for name, (number, needs) in PARAMETER_NAMES.items():
                if name == "cm" or (needs and not spec.mechanisms & needs):
                    continue
                if name == _MEASURED:
                    value = self._resting_currents()[kind] if self._env.has_run else 0.0
                else:
                    value = spec.params.get(number, _CONCENTRATIONS.get(name, np.nan))
                params[f"{kind}.{name}"] = float(value)
        return {**params, **self._set}

    def get_param(self, key: str) -> float:
        """What one parameter is, also a template's. KeyError: the cell has none of that name."""
        template = self.template
        if template.has_template_param(key):
            value = template.axon_params.get(key)
            return float(getattr(template, key) if value is None else value)
        params = self.get_params()
        if key not in params or key.endswith(f".{_MEASURED}"):
            raise self.unknown_param(key, params)
        return params[key]

    def set_params(self, params: Mapping[str, float]) -> Any:
        return self._env.cells.set_of_cells(
            [(key, {self._gid: float(value)}) for key, value in params.items()]
        )

    @property
    def template(self) -> Any:
        """Livn's description of the cell, sections aside that were set."""
        if self._template is None:
            from livn.backend.native.cells import TEMPLATES

            model = self._env.model
            kind, name = model.cell_types()[self._population]
            params = dict(model.params(name))
            if model.size_cv_for(self._population) > 0.0:
                scale = float(model.size_scales(self._population, [self._gid])[0])
                for key in ("global_diam", "axon_diam"):
                    if params.get(key) is not None:
                        params[key] = float(params[key]) * scale
            self._template = TEMPLATES[kind](params)
        return self._template

    def _resting_currents(self) -> dict[str, float]:
        """What keeps each kind of section at rest, nA: livn's measure of a cell like this one."""
        if self._resting is None:
            from livn.backend.native import _lib
            from livn.backend.native.cells import NativeCell, build_cell
            from livn.models.rcsd import hold_potential

            model, lib = self._env.model, _lib.load()
            params = model.params(model.cell_types()[self._population][1])
            sim = lib.rcsd_create(_CELSIUS, float(self._env.v_init))
            try:
                threshold, hold = float(params["V_threshold"]), hold_potential(params)
                index, sections = build_cell(
                    lib, sim, self._gid, 0, self.template, threshold, hold, 2.0
                )
                alone = SimpleNamespace(_lib=lib, _sim=sim)
                cell = NativeCell(
                    alone, self._population, self._gid, index, self.template, sections
                )
                cell.set_params(self._set)
                _lib.check(lib.rcsd_init(sim), lib)
                found = cell.get_params()
            finally:
                lib.rcsd_destroy(sim)
            self._resting = {
                key.partition(".")[0]: value
                for key, value in found.items()
                if key.endswith(f".{_MEASURED}")
            }
        return self._resting

    def note(self, key: str, value: float) -> None:
        """Keeps in mind what the server was told."""
        self._resting = None
        template = self.template
        if template.has_template_param(key):
            template.set_template_param(key, value)
            template.geometry()
            template.biophys()
        else:
            self._set[key] = value


class ServerCells(CellRegistry):
    """All cells; what is set of many is one call of the server."""

    def set_params(self, params: Mapping[str, Any]) -> Any:
        order = [int(gid) for gid in self.gids]
        population_of = self._population_of()
        told = []
        for name, value in params.items():
            population, key = self._split_population(name)
            values = [value] * len(order) if np.ndim(value) == 0 else list(value)
            if len(values) != len(order):
                raise ValueError(f"{key!r}: {len(values)} values for {len(order)} cells")
            told.append(
                (
                    key,
                    {
                        gid: float(one)
                        for gid, one in zip(order, values, strict=True)
                        if population in (None, population_of[gid])
                    },
                )
            )
        return self.set_of_cells(told)

    def set_of_cells(self, told: list[tuple[str, dict[int, float]]]) -> Any:
        """Sets parameters, in order, each of the cells that it names; all of it or nothing.

        Raises:
            KeyError: one of the cells has no such parameter.
        """
        row_of = {int(gid): row for row, gid in enumerate(self.gids)}
        params: dict[str, np.ndarray] = {}
        for key, values in told:
            for population, cells in self.items():
                named = [gid for gid in cells if gid in values]
                if not named:
                    continue
                name = f"cells-{population}:{key}"
                # The server takes a number for each cell of a population.
                numbers = params.pop(name, None)
                if numbers is None:
                    numbers = np.zeros(len(row_of))
                    for gid, cell in cells.items():
                        numbers[row_of[gid]] = cell.get_param(key)
                for gid in named:
                    numbers[row_of[gid]] = values[gid]
                params[name] = numbers
        if params:
            self._env.tell_cells(params)
        for key, values in told:
            for gid, value in values.items():
                self[gid].note(key, value)
        return self._env
