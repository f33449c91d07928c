"""How connections learn, and traces of what they have learned: members of the backend's Env."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from livnd.culture import CultureSession
from livnd.errors import invalid_field

_MECHANISMS = {
    "AMPA": "StdpLinExp2Syn",
    "NMDA": "StdpLinExp2SynNMDA",
    "GABA_A": "StdpLinExp2SynInh",
}
Key = tuple[int, int, str]  # gid, syn_id, mechanism


class PlasticSite:
    """The learning rule of one synapse, to read: `plasticity_on`, `A_ltp` and so on.

    The server holds one rule for each group of synapses; enable_plasticity() sets it.
    """

    def __init__(self, numbers: Mapping[str, float]) -> None:
        self.__dict__.update(numbers)

    def __setattr__(self, name: str, value: Any) -> None:
        raise invalid_field("plasticity", name, "enable_plasticity(), for a group of synapses")


class Plasticity:
    """Of an Env with a model, a session and a clock."""

    system: Any
    model: Any
    cells: Any
    _session: CultureSession | None

    def _start_plasticity(self) -> None:
        self._rules: dict[str, dict[str, float]] = {}
        self._learned = False  # whether learned weights may be others than 1
        self._plasticity_enabled = False
        self.w_recs: dict[Key, list[float]] = {}
        # Keys in livn's order, and the server's rows of them; None: not asked for yet.
        self._weight_order: tuple[list[Key], np.ndarray] | None = None
        self._weights_dt: float | None = None  # ms between samples; None: none are taken

    def _culture(self, what: str) -> CultureSession:
        raise NotImplementedError

    def enable_plasticity(self, config: Mapping[str, Any] | None = None) -> Any:
        session = self._culture("enable_plasticity")
        if config is None:
            hook = getattr(self.model, "neuron_plasticity_defaults", None)
            config = hook() if hook else {}
        grouped = bool(config) and isinstance(next(iter(config.values())), Mapping)
        rules = {group: dict(self._rules.get(group, {})) for group in ("EXC", "INH")}
        for group in rules:
            rules[group].update(config.get(group, {}) if grouped else config)
        session.configure(plasticity=rules, plasticity_on=True)
        self._rules, self._plasticity_enabled = rules, True
        return self

    def disable_plasticity(self) -> Any:
        self._culture("disable_plasticity").configure(plasticity_on=False)
        self._plasticity_enabled = False
        return self

    def get_weights(self) -> dict[Key, float]:
        if self._session is None:
            return {}
        learned = self._session.describe(learned_weights=True).learned
        if self._weight_order is None:
            self._weight_order = self._livns_order(learned)
        keys, rows = self._weight_order
        return dict(zip(keys, learned.weights[0][rows].tolist(), strict=True))

    def _livns_order(self, learned: Any) -> tuple[list[Key], np.ndarray]:
        """The keys of all weights in the order of livn's dictionary, and the server's rows of them.

        livn goes from projection to projection as the graph lists them, and within one from cell to
        cell.
        """
        rank: dict[tuple[str, str], int] = {}
        for post, sources in (self.system.connections_config.get("synapses") or {}).items():
            for spec in sources.values():
                for receptor in spec.get("mechanisms", {}).get("default", {}):
                    rank.setdefault((post, receptor), len(rank))
        population_of = {gid: name for name, cells in self.cells.items() for gid in cells}
        found = zip(
            learned.target_gids.tolist(), learned.syn_ids.tolist(), learned.receptors, strict=True
        )
        order = sorted(
            (rank.get((population_of[gid], receptor), len(rank)), gid, syn_id, row, receptor)
            for row, (gid, syn_id, receptor) in enumerate(found)
        )
        keys = [(gid, syn_id, _MECHANISMS[receptor]) for _, gid, syn_id, _, receptor in order]
        return keys, np.array([row for *_, row, _ in order], dtype=int)

    def normalize_weights(self, target: float | None = None) -> Any:
        self._culture("normalize_weights").configure(
            normalize_weights=True, normalize_target=target
        )
        self._learned = True
        return self

    def record_weights(self, dt: float = 0.1) -> Any:
        """Samples the weights every `dt` ms of the runs to come, into `w_recs`."""
        keys = self.get_weights()
        if not 0.0 < dt < np.inf:
            raise ValueError(f"the sampling step dt is {dt}; it has to be above 0 ms")
        for key in keys:
            self.w_recs.setdefault(key, [])
        self._weights_dt = float(dt) if keys else None
        return self

    def _weights_stride(self, dt: float) -> int | None:
        """Steps between samples of the weights; None: none are taken."""
        return None if self._weights_dt is None else max(1, round(self._weights_dt / dt))

    def _keep_weights(self, samples: np.ndarray) -> None:
        """Appends to `w_recs`.

        Args:
            samples: [weights, samples], the first one of the start of the run, which livn does not
                take; the last one of livn's is that of the end.
        """
        if not samples.shape[1]:
            return
        ends = self.get_weights()
        assert self._weight_order is not None  # get_weights() has made it
        for row, (key, last) in zip(self._weight_order[1], ends.items(), strict=True):
            self.w_recs[key] += [*samples[row, 1:].tolist(), last]

    def _clear_weights(self) -> None:
        for samples in self.w_recs.values():
            samples.clear()

    # --- livn's names for tools ----------------------------------------------------------------

    def _iter_stdp_point_processes(self) -> Iterator[tuple[int, int, str, PlasticSite]]:
        hook = getattr(self.model, "neuron_plasticity_defaults", dict)
        told: dict[str, dict[str, float]] = hook()
        numbers = {
            group: {
                "plasticity_on": int(self._plasticity_enabled),
                **told.get(group, {}),
                **self._rules.get(group, {}),
            }
            for group in ("EXC", "INH")
        }
        for (gid, syn_id), keys in itertools.groupby(self.get_weights(), lambda key: key[:2]):
            for name in dict.fromkeys(key[2] for key in keys):
                yield gid, syn_id, name, PlasticSite(numbers["INH" if "Inh" in name else "EXC"])
