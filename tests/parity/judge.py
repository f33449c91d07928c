"""Judges a random case: livnd's result beside two of livn's.

livn has run the case twice, its v_init differing by 1e-12 mV. What such a difference grows to is
how well the case determines its own result; nobody can agree with livn better than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

Arrays = dict[str, np.ndarray]

# Largest difference of voltage (mV) while no cell has spiked since the last clear, and after.
SILENT_MV = 1e-6
SPIKING_MV = 1e-2
# Of learned weights.
SILENT_WEIGHT = 1e-9
SPIKING_WEIGHT = 1e-4
# States at a run's end differ by this part of themselves for each mV that voltages may differ. The
# steepest gate changes e-fold in 4 mV.
STATE_PER_MV = 1.0
FIRST_REVERSAL = 13  # column of a trace's states
# Membrane currents, mostly 2 C dV / dt, uA for each mV; livn hands them out in single precision.
CURRENT_UA_PER_MV = 0.02
SINGLE = 1.2e-7
# What electrodes record, uV for each mV: currents of ten cells at the nearest distance; and single
# precision of sums that may cancel.
ELECTRODE_UV_PER_MV = 2e4
ELECTRODE_SINGLE = 1e-5
# A difference counts up to this many times that of livn's own two runs.
TWIN_FACTOR = 100.0
# Where livn's own two runs are this far apart, nothing is judged until the next clear.
PARTED_MV = 1.0
# A voltage beyond is a blow-up.
SANE_MV = 1e3


@dataclass
class RunVerdict:
    """What came of one run."""

    spiking: bool = False  # a cell has spiked since the last clear
    judged_ms: float = 0.0
    dv_mv: float = 0.0
    limit_mv: float = 0.0
    twin_mv: float = 0.0
    refractory_tie: bool = False  # it ends what is judged
    spikes_livn: int = 0  # within the judged time
    spikes_livnd: int = 0
    shift_ms: float = 0.0  # of spikes of equal cell and order
    dw: float = 0.0
    state_part: float = 0.0  # largest difference of a state, relative
    current_ua: float = 0.0
    faults: list[str] = field(default_factory=list)


def with_half_open_runs(case: dict, livn: Arrays) -> Arrays:
    """The spikes of livn, a run from its start up to but not including its end, as livnd has them.

    A cell that is above its threshold for the first time at the very end of a run is reported by
    livn in that run, and by livnd at the start of the next one; after a clear() by nobody.
    """
    out = dict(livn)
    carried_gids, carried_ms = np.empty(0, dtype=int), np.empty(0)
    for i, run in enumerate(case["runs"]):
        gid, time = f"r{i}_spike_gid", f"r{i}_spike_t"
        if run.get("clear"):
            carried_gids, carried_ms = np.empty(0, dtype=int), np.empty(0)
        out[gid] = np.concatenate([carried_gids, out[gid]]).astype(int)
        out[time] = np.concatenate([carried_ms, out[time]])
        late = out[time] > run["duration"] - case["dt"] / 2.0
        carried_gids, carried_ms = out[gid][late], out[time][late] - run["duration"]
        out[gid], out[time] = out[gid][~late], out[time][~late]
    return out


class RefractoryTies:
    """Spikes that come exactly at the end of a cell's refractory period.

    livn compares times that it has summed up, so that rounding decides; livnd compares steps and
    lets the spike pass (docs/differences.md). Where that makes a difference the engines part.
    """

    def __init__(self, case: dict):
        steps = case["model"].get("refractory_period", 2.0) / case["dt"]
        self._steps = round(steps) if abs(steps - round(steps)) < 1e-6 else -1
        self._dt = case["dt"]
        self._start = 0  # of the run, in steps since the last clear
        self._last: dict[int, int] = {}  # step of a cell's last spike on livnd

    def first(self, livn: Arrays, livnd: Arrays, prefix: str, duration_ms: float) -> float:
        """When the first such spike is in one engine only, ms from the run's start; else inf."""
        found = math.inf
        have = {
            (int(gid), round(t / self._dt))
            for gid, t in zip(livn[prefix + "spike_gid"], livn[prefix + "spike_t"], strict=True)
        }
        gids, times = livnd[prefix + "spike_gid"], livnd[prefix + "spike_t"]
        for gid, t in zip(gids, times, strict=True):  # ascending in time
            step = self._start + round(t / self._dt)
            exact = step - self._last.get(int(gid), -(10**9)) == self._steps
            if exact and (int(gid), round(t / self._dt)) not in have:
                found = min(found, float(t))
            self._last[int(gid)] = step
        self._start += round(duration_ms / self._dt)
        return found


def _trains(arrays: Arrays, prefix: str, until_ms: float) -> dict[int, np.ndarray]:
    gids, times = arrays[prefix + "spike_gid"], arrays[prefix + "spike_t"]
    keep = times < until_ms
    return {int(gid): np.sort(times[keep & (gids == gid)]) for gid in np.unique(gids[keep])}


def _rows(livn: Arrays, livnd: Arrays) -> list[int]:
    """The rows of livnd's arrays that are the rows of livn's."""
    have = {
        (int(g), int(s)): i
        for i, (g, s) in enumerate(zip(livnd["node_gid"], livnd["node_section"], strict=True))
    }
    return [
        have[int(g), int(s)] for g, s in zip(livn["node_gid"], livn["node_section"], strict=True)
    ]


def judge(
    case: dict, livn: Arrays, twin: Arrays, livnd: Arrays, parted_mv: float = PARTED_MV
) -> list[RunVerdict]:
    """One verdict a run, on the time before livn's two runs are `parted_mv` apart."""
    livn = with_half_open_runs(case, livn)
    dt = case["record"]["sample_dt"] * case["record"]["every"]
    rows = _rows(livn, livnd)
    out: list[RunVerdict] = []
    parted = spiking = False
    ties = RefractoryTies(case)
    for i, run in enumerate(case["runs"]):
        if run.get("clear"):
            parted = spiking = False
            ties = RefractoryTies(case)
        prefix = f"r{i}_"
        verdict = RunVerdict()
        out.append(verdict)
        v, w, own = livn[prefix + "v"], twin[prefix + "v"], livnd[prefix + "v"][rows]
        if v.shape != own.shape:
            verdict.faults.append(f"{own.shape[1]} samples, livn has {v.shape[1]}")
            continue
        with np.errstate(invalid="ignore"):
            apart = np.abs(v - w).max(axis=0, initial=0.0)
            lost = ~(apart < parted_mv) | ~(np.abs(v).max(axis=0, initial=0.0) < SANE_MV)
            error = np.abs(v - own).max(axis=0, initial=0.0)
        judged = 0 if parted else int(np.argmax(lost)) if lost.any() else len(lost)
        tie_ms = ties.first(livn, livnd, prefix, run["duration"])
        if tie_ms < judged * dt:
            judged, verdict.refractory_tie = int(tie_ms / dt + 0.5), True
        parted = parted or judged < len(lost)
        until_ms = judged * dt if parted else run["duration"] + 1.0
        verdict.judged_ms = min(judged * dt, run["duration"])

        want, got = _trains(livn, prefix, until_ms), _trains(livnd, prefix, until_ms)
        verdict.spikes_livn = sum(map(len, want.values()))
        verdict.spikes_livnd = sum(map(len, got.values()))
        spiking = spiking or verdict.spikes_livn > 0
        verdict.spiking = spiking
        for gid in sorted(want.keys() | got.keys()):
            a, b = want.get(gid, np.empty(0)), got.get(gid, np.empty(0))
            common = min(len(a), len(b))
            shift = np.abs(a[:common] - b[:common]).max(initial=0.0)
            verdict.shift_ms = max(verdict.shift_ms, float(shift))
            if len(a) != len(b):
                verdict.faults.append(f"cell {gid}: {len(b)} spikes, livn has {len(a)}")
            elif shift > case["dt"] / 2.0:
                verdict.faults.append(f"cell {gid}: a spike {shift:.4f} ms beside livn's")

        verdict.twin_mv = float(apart[:judged].max(initial=0.0))
        mark = SPIKING_MV if spiking else SILENT_MV
        verdict.limit_mv = max(mark, TWIN_FACTOR * verdict.twin_mv)
        # NaN of livnd alone is a difference.
        verdict.dv_mv = float(
            np.where(np.isnan(error[:judged]), np.inf, error[:judged]).max(initial=0)
        )
        if not verdict.dv_mv < verdict.limit_mv:
            over = error[:judged] >= verdict.limit_mv
            first = int(np.argmax(over | np.isnan(error[:judged])))
            node = int(np.argmax(np.abs(v - own)[:, first]))
            where = f"cell {livn['node_gid'][node]} section {livn['node_section'][node]}"
            verdict.faults.append(
                f"|dV| {verdict.dv_mv:.3g} mV, limit {verdict.limit_mv:.3g}; "
                f"first at {first * dt:.4f} ms, {where}"
            )
        if not parted:
            _judge_weights(prefix, livn, twin, livnd, verdict)
            _judge_states(prefix, livn, livnd, rows, verdict)
            _judge_currents(prefix, livn, livnd, verdict)
    return out


def _names(arrays: Arrays, key: str) -> list[str]:
    return [k.decode() if isinstance(k, bytes) else str(k) for k in arrays.get(key, [])]


def _judge_weights(
    prefix: str, livn: Arrays, twin: Arrays, livnd: Arrays, verdict: RunVerdict
) -> None:
    key, value = prefix + "wplastic_key", prefix + "wplastic"
    if key not in livn:
        return

    def table(arrays: Arrays) -> dict[str, float]:
        return dict(zip(_names(arrays, key), arrays.get(value, []), strict=True))

    want, other, got = table(livn), table(twin), table(livnd)
    # A site with several connections has several weights, of which livn names one.
    names = [k for k in _names(livnd, key)]
    for name in {k for k in names if names.count(k) > 1}:
        want.pop(name, None), other.pop(name, None), got.pop(name, None)
    if want.keys() != got.keys():
        verdict.faults.append(f"{len(got)} learned weights, livn has {len(want)}")
        return
    if want:
        verdict.dw = max(abs(want[k] - got[k]) for k in want)
        limit = SPIKING_WEIGHT if verdict.spiking else SILENT_WEIGHT
        limit = max(limit, TWIN_FACTOR * max(abs(want[k] - other[k]) for k in want))
        if not verdict.dw < limit:
            verdict.faults.append(
                f"learned weight {verdict.dw:.3g} beside livn's, limit {limit:.3g}"
            )


def _judge_states(
    prefix: str, livn: Arrays, livnd: Arrays, rows: list[int], verdict: RunVerdict
) -> None:
    """States that the section has, at the run's end.

    Not the reversal potentials: livn's are those of the last step, before its concentrations moved.
    """
    want, got = livn[prefix + "state"][:, :FIRST_REVERSAL], livnd[prefix + "state"][rows]
    got = got[:, :FIRST_REVERSAL]
    known = np.isfinite(got)
    want, got = want[known], got[known]
    difference = np.abs(want - got) / np.maximum(np.abs(want), 1e-9)
    verdict.state_part = float(difference.max(initial=0.0))
    limit = STATE_PER_MV * verdict.limit_mv
    if not verdict.state_part < limit:
        column = int(np.nonzero(known)[1][np.argmax(difference)])
        verdict.faults.append(
            f"state {column} differs by {verdict.state_part:.3g} of itself, limit {limit:.3g}"
        )


def _judge_currents(prefix: str, livn: Arrays, livnd: Arrays, verdict: RunVerdict) -> None:
    key = prefix + "current_uA"
    if key not in livn:
        return
    potential = prefix + "electrode_uV"
    if potential in livnd:
        want, own = livn[potential], livnd[potential]
        if want.shape != own.shape:
            verdict.faults.append(f"electrodes record {own.shape}, livn's {want.shape}")
            return
        difference = float(np.abs(want - own).max(initial=0.0))
        largest = float(np.abs(want).max(initial=0.0))
        limit = ELECTRODE_UV_PER_MV * verdict.limit_mv + ELECTRODE_SINGLE * largest
        if not difference <= limit:
            verdict.faults.append(f"electrodes: {difference:.3g} uV, limit {limit:.3g}")
    # livn gives every cell two rows, of zeros where a cell has one section only.
    have: dict[tuple[int, int], np.ndarray] = {}
    for gid, row in zip(livnd[prefix + "current_gid"], livnd[key], strict=True):
        have[int(gid), sum(g == int(gid) for g, _ in have)] = row
    seen: dict[int, int] = {}
    for gid, row in zip(livn[prefix + "current_gid"], livn[key], strict=True):
        section = seen.get(int(gid), 0)
        seen[int(gid)] = section + 1
        own = have.get((int(gid), section), np.zeros_like(row))
        if own.shape != row.shape:
            verdict.faults.append(f"{own.size} current samples, livn has {row.size}")
            return
        difference = float(np.abs(own - row).max(initial=0.0))
        verdict.current_ua = max(verdict.current_ua, difference)
        limit = CURRENT_UA_PER_MV * verdict.limit_mv + SINGLE * float(np.abs(row).max(initial=0.0))
        if not difference <= limit:
            verdict.faults.append(
                f"membrane current of cell {gid} section {section}: {difference:.3g} uA, "
                f"limit {limit:.3g}"
            )
