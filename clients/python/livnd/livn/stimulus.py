"""What goes into a culture, in livn's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from livnd import checks
from livnd.culture import CultureInfo, CultureStimulus
from livnd.errors import invalid_field

_QUANTITIES = {
    "extracellular": "extracellular_mv",
    "current": "current_na",
    "current_density": "current_density_ma_cm2",
    "irradiance": "irradiance_mw_mm2",
}
# What `units` may say of each mode: its own, or another quantity's.
_UNITS = {
    "extracellular": ("mV",),
    "current": ("nA",),
    "current_density": ("mA/cm2",),
    "irradiance": ("mW/mm2", "photon_flux"),
    "electrode": ("uA",),
}


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What a run is given; a livn.stimulus.Stimulus does as well.

    Its arguments are in livn's order: run() also takes them alone, as (array, dt) or by name.

    Attributes:
        array: [num_samples, channels], from the start of the run on.
        dt: ms between samples; with the timing "exact" a multiple of the time step.
        gids: the cell of each channel; None: the culture's cells in order, equally many channels
            each.
        input_mode: "extracellular" (mV), "current" (nA), "current_density" (mA/cm2),
            "irradiance" (mW/mm2, or units="photon_flux") or "electrode" (uA; gids are then
            electrode ids, by default all in order).
        units: None, the mode's own, or "photon_flux".
        sections: the section of each channel, as a number or by its name ("soma"); None: the n-th
            channel of a cell is its section n.
        wavelength_nm: of an irradiance.
        timing: "exact" or "livn" (livnd.CultureStimulus); None: the Env's. All stimuli of a mode
            have the same until the next clear.
    """

    array: Any
    dt: float = 1.0
    gids: Any = None
    input_mode: str = "extracellular"
    units: str | None = None
    sections: Any = None
    wavelength_nm: float = 473.0
    timing: str | None = None


# That livn's Stimulus has in the same order, array to sections.
_NUM_ARGUMENTS = 6
_ACCEPTED = "a Stimulus, an array [num_samples, channels], (array, dt), or a dict of its arguments"


def as_stimulus(given: Any) -> Any:
    """A Stimulus, livnd's or livn's, of what a run takes for one.

    Args:
        given: a Stimulus, its array, its arguments in order, or its arguments by name.

    Raises:
        InvalidFieldError: none of these.
    """
    if hasattr(given, "input_mode"):
        return given
    if isinstance(given, Mapping):
        names = [field.name for field in fields(Stimulus)]
        if unknown := [name for name in given if name not in names]:
            raise invalid_field("stimulus", unknown, ", ".join(names))
        if "array" not in given:
            raise invalid_field("stimulus", list(given), "array, and the other arguments")
        return Stimulus(**given)
    if isinstance(given, (tuple, list)) and _is_matrix(given):
        if len(given) > _NUM_ARGUMENTS:
            raise invalid_field("stimulus", f"{len(given)} arguments", _ACCEPTED)
        return Stimulus(*given)
    return Stimulus(given)


def _is_matrix(arguments: Any) -> bool:
    """Whether the first of them is an array of its own, so that they are no array's rows."""
    first: Any = arguments[0] if len(arguments) else None
    if hasattr(first, "shape"):
        return len(first.shape) == 2
    return isinstance(first, (tuple, list)) and bool(first) and isinstance(first[0], (tuple, list))


def to_culture_stimulus(
    given: Any, info: CultureInfo, electrode_ids: np.ndarray, timing: str = "exact"
) -> CultureStimulus:
    """What the protocol takes for a livn stimulus, or for an array taken as one.

    Args:
        given: as as_stimulus() takes it.
        info: of the culture.
        electrode_ids: of its electrodes, in declared order.
        timing: of a stimulus that names none.

    Raises:
        InvalidFieldError: the array, its mode or its channels do not fit.
    """
    given = as_stimulus(given)
    cell_gids = info.gids
    timing = getattr(given, "timing", None) or timing
    array = checks.array("stimulus", given.array, accepted=_ACCEPTED)
    if array.ndim != 2:
        raise invalid_field("stimulus", f"{array.ndim} axes", "[num_samples, channels]")
    width = array.shape[1]
    units = getattr(given, "units", None)
    checks.choice("input_mode", given.input_mode, _UNITS)
    if units is not None:
        checks.choice("units", units, _UNITS[given.input_mode])
    if given.input_mode == "electrode":
        ids = electrode_ids
        if given.gids is not None:
            ids = checks.integers("gids", given.gids, "ids of electrodes").ravel()
        if len(ids) != width:
            raise invalid_field("stimulus", f"{width} channels", f"{len(ids)} electrodes")
        return CultureStimulus("electrode_ua", array, given.dt, ids.tolist(), timing=timing)
    quantity = _QUANTITIES[given.input_mode]
    if units == "photon_flux":
        quantity = "photon_flux"
    gids = given.gids
    if gids is None:
        if width % max(1, len(cell_gids)):
            raise invalid_field(
                "stimulus", f"{width} channels", f"a multiple of {len(cell_gids)} cells, or gids"
            )
        gids = np.repeat(cell_gids, width // max(1, len(cell_gids)))
    gids = checks.integers("gids", gids, "gids of cells").ravel().tolist()
    if len(gids) != width:
        raise invalid_field("gids", f"{len(gids)} of them", f"{width}, one a channel")
    sections = _sections(given.sections, gids, info)
    extra = getattr(given, "extra", {})
    wavelength_nm: Any = extra.get("wavelength_nm") or getattr(given, "wavelength_nm", 473.0)
    channels = list(zip(gids, sections, strict=True))
    return CultureStimulus(quantity, array, given.dt, channels, wavelength_nm, timing)


def _sections(given: Any, gids: list[int], info: CultureInfo) -> list[int]:
    """The number of each channel's section."""
    if given is None:
        seen: dict[int, int] = {}
        counted = []
        for gid in gids:
            counted.append(seen.get(gid, 0))
            seen[gid] = counted[-1] + 1
        return counted
    accepted = "numbers or names of sections"
    sections = checks.entries("sections", given, accepted)
    if len(sections) != len(gids):
        raise invalid_field("sections", f"{len(sections)} of them", f"{len(gids)}, one a channel")
    if not any(isinstance(section, str) for section in sections):
        return checks.integers("sections", sections, accepted).tolist()
    names = {gid: p.sections for p in info.populations for gid in p.gids.tolist()}
    for channel, (section, gid) in enumerate(zip(sections, gids, strict=True)):
        field = f"sections[{channel}]"
        if isinstance(section, str):
            known = names.get(gid, ())
            sections[channel] = known.index(checks.choice(field, section, known or [accepted]))
        else:
            sections[channel] = checks.integer(field, section, accepted)
    return sections
