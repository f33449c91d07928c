"""Draws random cases of the physics oracle: cultures, inputs and what is done to them.

Case i of a seed depends on (seed, i) alone. Ranges are those in which a user of livn 2.0.0 would
move: parameters within 30 % of livn's own, currents and fields that make some cells fire and others
not. tests/data/oracle/README.md explains the members of a case.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

Case = dict[str, Any]

BUILT = ("EXC", "INH")
# "POPULATION" -> livn's names of its sets, the default first.
PARAMETER_SETS = {
    "EXC": ["BoothRinzelKiehn-MN", "BoothRinzelKiehn-MN-v1", "BoothRinzelKiehn-MN-v2"],
    "INH": ["V1In-Renshaw-InVitro", "V1In-Renshaw-Perry"],
}
VELOCITY_UM_PER_MS = 250.0
POOL_DEFAULTS = {
    "d_Na_conc": 0.2,
    "beta_Na_conc": 0.075,
    "nai0_Na_conc": 15.0,
    "nao0_Na_conc": 145.0,
    "d_K_conc": 0.2,
    "beta_K_conc": 0.075,
    "ki0_K_conc": 145.0,
    "ko0_K_conc": 5.0,
}


class Draw:
    """One case in the making: its random numbers, and a note of every feature it has."""

    def __init__(self, seed: int, index: int):
        self.random = random.Random(f"livnd parity {seed} {index}")
        self.features: Counter[str] = Counter()
        self.name = f"random_{seed}_{index}"

    def chance(self, probability: float, feature: str = "") -> bool:
        """True so often; then the case has the feature."""
        yes = self.random.random() < probability
        if yes and feature:
            self.features[feature] += 1
        return yes

    def between(self, low: float, high: float) -> float:
        """A number of few digits: case files are read by people."""
        return float(f"{self.random.uniform(low, high):.6g}")

    def log_between(self, low: float, high: float) -> float:
        return float(f"{math.exp(self.random.uniform(math.log(low), math.log(high))):.6g}")

    def near(self, value: float, spread: float = 0.3) -> float:
        """Within 30 % of a value."""
        return float(f"{value * self.random.uniform(1.0 - spread, 1.0 + spread):.9g}")

    def pick(self, items: Any) -> Any:
        return self.random.choice(list(items))

    def some(self, items: Any, most: int) -> list:
        """From one to `most` of the items, in their order."""
        items = list(items)
        chosen = set(self.random.sample(range(len(items)), self.random.randint(1, most)))
        return [item for i, item in enumerate(items) if i in chosen]


def draw_case(seed: int, index: int) -> tuple[Case, Counter[str]]:
    """A case and the features it has."""
    d = Draw(seed, index)
    dt = d.random.choices([0.025, 0.0125, 0.05], [0.8, 0.1, 0.1])[0]
    d.features[f"dt {dt}"] += 1
    case: Case = {"name": d.name, "dt": dt, "seed": d.random.randrange(2**31)}
    case["cells"] = draw_cells(d)
    if d.chance(0.4, "v_init"):
        case["v_init"] = d.between(-80.0, -55.0)
    case["model"] = draw_model(d, case)
    draw_network(d, case)
    params = draw_cell_params(d, case)
    if params:
        case["cell_params"] = params
    case["noise"] = draw_noise(d, case) if d.chance(0.35, "noise") else None
    if case.get("receptors") and d.chance(0.5, "plasticity"):
        case["plasticity"] = draw_plasticity_table(d) if d.chance(0.5, "own rules") else True
    case["record"] = {"sample_dt": dt, "every": 1}
    if d.chance(0.3, "membrane currents"):
        case["record"]["current"] = dt * d.pick([1, 2, 4])
    case["runs"] = draw_runs(d, case)
    if "current" in case["record"] and d.chance(0.5):
        case.setdefault("electrodes", draw_electrodes(d))
    d.features["electrode recordings"] += "current" in case["record"] and "electrodes" in case
    total = sum(run["duration"] for run in case["runs"])
    sources = [c["gid"] for c in case["cells"] if c["population"] not in BUILT]
    if sources:
        case["input_spikes"] = {str(gid): draw_spike_times(d, case, total) for gid in sources}
        d.features["input spikes"] += 1
    return case, d.features


def draw_cells(d: Draw) -> list[dict]:
    """One cell, a few, or up to ten; populations in any order."""
    size = d.random.choices(["single", "few", "net"], [0.4, 0.35, 0.25])[0]
    d.features[size] += 1
    built = {"single": 1, "few": d.random.randint(2, 4), "net": d.random.randint(5, 10)}[size]
    num_inh = sum(d.random.random() < 0.35 for _ in range(built))
    counts = {"EXC": built - num_inh, "INH": num_inh}
    counts["SRC"] = d.random.randint(1, 3) if d.chance(0.7) else 0
    if d.chance(0.1, "two source populations"):
        counts["AFF"] = 1
    order = list(counts)
    if d.chance(0.2, "other population order"):
        d.random.shuffle(order)
    cells: list[dict] = []
    for population in order:
        for _ in range(counts[population]):
            z = d.between(-20, 20) if d.random.random() < 0.3 else 0.0
            xyz = [d.between(-150.0, 150.0), d.between(-150.0, 150.0), z]
            cells.append({"gid": len(cells), "population": population, "xyz": xyz})
        if counts[population]:
            d.features[population] += 1
    return cells


def draw_model(d: Draw, case: Case) -> dict:
    """Arguments of livn's model, and what a subclass of it can change."""
    model: dict[str, Any] = {}
    if d.chance(0.4, "refractory_period"):
        model["refractory_period"] = d.pick([0.0, 1.0, 3.3, 5.0, 20.0, d.between(0.5, 10.0)])
    if d.chance(0.4, "no depression"):
        model["short_term_depression"] = False
    if d.chance(0.3, "size_cv"):
        cv = d.between(0.05, 0.5)
        model["size_cv"] = {"EXC": cv, "INH": d.between(0.0, 0.4)} if d.chance(0.5) else cv
        if d.chance(0.7):
            model["size_seed"] = d.random.randrange(2**31)
    if d.chance(0.15, "dendrite_orientation"):
        model["dendrite_orientation"] = d.pick(["random", "aligned"])
        model["dendrite_orientation_seed"] = d.random.randrange(2**31)
        model["dendrite_offset"] = d.between(30.0, 100.0)
    populations = populations_of(case)
    if d.chance(0.35, "parameter_sets"):
        model["parameter_sets"] = {p: d.pick(PARAMETER_SETS[p]) for p in populations}
        for name in model["parameter_sets"].values():
            d.features[name] += 1
    if d.chance(0.25, "population_params"):
        model["population_params"] = {}
        for population in populations:
            name = set_of(case, population, model)
            besides = ("global_diam", "axon_diam") if "size_cv" in model else ()
            if name != PARAMETER_SETS[population][0]:
                besides += ("axon_segment_um",)
            params = draw_template_params(d, name, besides)
            model["population_params"][population] = params
    return model


def populations_of(case: Case) -> list[str]:
    """The built ones, in the order of the cells."""
    return [p for p in dict.fromkeys(c["population"] for c in case["cells"]) if p in BUILT]


def set_of(case: Case, population: str, model: dict | None = None) -> str:
    """The parameter set of a population's cells."""
    model = case["model"] if model is None else model
    return model.get("parameter_sets", {}).get(population, PARAMETER_SETS[population][0])


def has_axon(name: str) -> bool:
    """Whether cells of a parameter set have one."""
    from livn.models.rcsd import ReducedCalciumSomaDendrite

    return "axon_segments" in ReducedCalciumSomaDendrite().params(name)


def draw_template_params(d: Draw, name: str, besides: tuple[str, ...] = ()) -> dict[str, float]:
    """Some of livn's template parameters within 30 %, under the templates' own names.

    `besides` are left alone. Diameters of a scaled population: in livn they scale if given to the
    model and do not if set on the built cell, as livnd has it. The length of a single cell's axon
    sections, or of those of a set that is not livn's default: livn samples the extracellular field
    where the default has them.
    """
    from livn.models.rcsd import ReducedCalciumSomaDendrite

    fixed = ("Ra", "V_hold", "V_rest", "V_threshold", "axon_segments", "e_pas")
    base = ReducedCalciumSomaDendrite().params(name)
    keys = [key for key in base if key not in fixed + besides and base[key]]
    out = {key: d.near(base[key]) for key in d.some(keys, 4)}
    if d.chance(0.2):
        out["global_e_pas"] = base["e_pas"] + d.between(-5.0, 5.0)
    return out


def base_params(name: str) -> dict[str, float]:
    """What livn has as "soma.g_pas" ... of a cell of a parameter set."""
    from livn.backend.native.cells import PARAMETER_NAMES, BRKTemplate, V1InTemplate
    from livn.models.rcsd import ReducedCalciumSomaDendrite

    template = V1InTemplate if name.startswith("V1In") else BRKTemplate
    out: dict[str, float] = {}
    for section in template(ReducedCalciumSomaDendrite().params(name)).sections:
        kind = section.sec_type
        out[f"{kind}.cm"], out[f"{kind}.Ra"] = section.cm, section.Ra
        for key, (number, mechanism) in PARAMETER_NAMES.items():
            if mechanism and section.mechanisms & mechanism:
                value = section.params.get(number, POOL_DEFAULTS.get(key))
                if value is not None:
                    out[f"{kind}.{key}"] = value
    return out


def draw_cell_params(d: Draw, case: Case) -> dict[str, dict[str, float]]:
    """Parameters of single cells, near those of their parameter set."""
    if not d.chance(0.35, "cell_params"):
        return {}
    out: dict[str, dict[str, float]] = {}
    cells = [c for c in case["cells"] if c["population"] in BUILT]
    for cell in d.some(cells, len(cells)):
        name = set_of(case, cell["population"])
        base = base_params(name)
        own: dict[str, float] = {}
        # livn itself cannot rebuild an EXC cell: its soma would get another number of segments.
        if cell["population"] == "INH" and d.chance(0.3, "template_params"):
            own.update(draw_template_params(d, name, ("axon_segment_um",)))
        pools = [key for key in base if key.partition(".")[2] in POOL_DEFAULTS]
        if d.chance(0.3, "pool_params"):
            own.update({key: d.near(base[key], 0.2) for key in d.some(pools, 3)})
        ra = [key for key in base if key.endswith(".Ra")]
        if d.chance(0.2, "section_ra"):
            own.update({key: d.near(base[key]) for key in d.some(ra, 1)})
        for key in d.some([key for key in base if key not in pools + ra], 4):
            if key.endswith(("e_pas", "vhalf_Nas")):
                own[key] = base[key] + d.between(-4.0, 4.0)
            elif base[key] == 0.0:
                own[key] = d.between(0.0, 0.02)
            else:
                own[key] = d.near(base[key])
        out[str(cell["gid"])] = own
    return out


def draw_network(d: Draw, case: Case) -> None:
    """Edges, the receptors of each projection, and absolute weights for some of them."""
    cells, edges = case["cells"], []
    density = d.between(0.1, 0.9)
    for post in cells:
        if post["population"] not in BUILT:
            continue
        sites: list[tuple[dict, str]] = []
        for pre in cells:
            own = pre is post
            if d.random.random() > (0.1 if own else density):
                continue
            for _ in range(2 if d.random.random() < 0.1 else 1):
                # Projections that share a site are not drawn: there livn has the kinetics of the
                # first one, livnd those of each (docs/differences.md).
                own_sites = [s for s, p in sites if p == pre["population"]]
                if own_sites and d.chance(0.1, "shared site"):
                    site = d.pick(own_sites)
                else:
                    loc = d.pick([0.0, 1.0]) if d.random.random() < 0.05 else d.between(0.0, 1.0)
                    swc = d.random.choices([1, 2, 3, 4], [0.3, 0.1, 0.2, 0.4])[0]
                    site = {"syn_id": len(sites), "swc_type": swc, "loc": loc}
                    sites.append((site, pre["population"]))
                distance = draw_distance(d, case["dt"])
                edges.append(
                    {"pre": pre["gid"], "post": post["gid"], **site, "distance_um": distance}
                )
    if not edges:
        return
    case["edges"] = edges
    population = {c["gid"]: c["population"] for c in cells}
    case["receptors"] = {}
    for pair in dict.fromkeys((population[e["post"]], population[e["pre"]]) for e in edges):
        case["receptors"]["<-".join(pair)] = draw_receptors(d, pair[1])
        if d.chance(0.15, "receptors by SWC type"):
            own = {str(d.pick([1, 2, 3, 4])): draw_receptors(d, pair[1])}
            case.setdefault("swc_receptors", {})["<-".join(pair)] = own
    if d.chance(0.3, "weights"):
        case["weights"] = draw_weights(d, case, population)
        if not case["weights"]:
            del case["weights"]


def draw_distance(d: Draw, dt: float) -> float:
    """Any, or one whose delay is a whole number of half steps.

    An input spike on the grid then comes within rounding of the middle of a step. So would a
    cell's at a delay 1e-10 ms shorter, but there livn goes by a time that it sums up step by step,
    rounding included, which is not copied (docs/differences.md).
    """
    if d.chance(0.3, "tie"):
        return VELOCITY_UM_PER_MS * d.random.randint(1, 200) * dt / 2.0
    return d.between(0.0, 600.0)


def draw_receptors(d: Draw, pre: str) -> dict[str, dict]:
    """The receptors of a projection, their kinetics and conductances."""
    odds = {"AMPA": 0.8, "NMDA": 0.5, "GABA_A": 0.15, "GABA_B": 0.15}
    if pre == "INH":
        odds = {"AMPA": 0.1, "NMDA": 0.05, "GABA_A": 0.8, "GABA_B": 0.3}
    names = [name for name, odd in odds.items() if d.random.random() < odd] or ["AMPA"]
    out = {}
    for name in names:
        d.features[name] += 1
        p: dict[str, float | None] = {
            "weight": d.log_between(0.3, 60.0),
            "g_unit": d.log_between(1e-4, 2e-3),
            "tau_rise": d.log_between(0.1, 2.0),
            "tau_decay": d.log_between(1.3, 20.0),
            "e": d.between(-10.0, 10.0),
        }
        if name == "NMDA":
            p["tau_decay"] = d.log_between(20.0, 150.0)
            p["tau_rise"] = d.log_between(0.3, 15.0)
            for key, value in (("mg", 1.0), ("Kd", 3.57), ("gamma", 0.062)):
                if d.random.random() < 0.3:
                    p[key] = d.near(value)
            if d.random.random() < 0.3:
                p["vshift"] = d.between(-10.0, 10.0)
        elif name.startswith("GABA"):
            p["e"] = d.between(-95.0, -55.0)
        elif d.random.random() < 0.4:
            p["U"] = d.between(0.05, 1.0)
            p["tau_rec"] = d.log_between(20.0, 1000.0)
        # Nearer, a conductance is the difference of two far larger numbers, and rounding decides;
        # the recorded case syn_plain_limit has livn's limit of 0.9999.
        p["tau_rise"] = min(p["tau_rise"], 0.8 * p["tau_decay"])
        if d.chance(0.1, "omitted parameter"):
            del p[d.pick(["weight", "tau_rise", "e", "g_unit"])]
            if "g_unit" not in p and "weight" in p:  # its default is 1 uS
                p["weight"] = d.between(0.001, 0.01)
        if d.chance(0.04, "no decay"):
            p["tau_decay"] = None
        out[name] = p
    return out


def draw_weights(d: Draw, case: Case, population: dict[int, str]) -> dict[str, float]:
    """Absolute weights for some of the keys that the network has, and parameters of processes."""
    section = {1: "soma", 2: "axon"}
    keys = {}
    processes: dict[str, list[str]] = {}
    for e in case["edges"]:
        post, pre = population[e["post"]], population[e["pre"]]
        own = case.get("swc_receptors", {}).get(f"{post}<-{pre}", {}).get(str(e["swc_type"]))
        # livn's rule: those of the site's own type hold if any of them has a process.
        if not own or all(params.get("tau_decay") is None for params in own.values()):
            own = case["receptors"][f"{post}<-{pre}"]
        for receptor, params in own.items():
            if params.get("tau_decay") is not None:
                where = section.get(e["swc_type"], "dend")
                keys[f"{post}_{pre}-{where}-{receptor}-weight"] = params.get("g_unit", 1.0)
                processes.setdefault(receptor, []).append(f"{post}-{where}-{receptor}")
    # The conductance of an event stays in a synapse's range.
    out = {
        key: d.log_between(1e-4, 0.03) / g_unit
        for key, g_unit in keys.items()
        if d.random.random() < 0.5
    }
    for receptor, places in processes.items():
        for place in dict.fromkeys(places):
            if not d.chance(0.2, "process parameters"):
                continue
            inhibitory = receptor.startswith("GABA")
            out[f"{place}-e"] = d.between(-90.0, -60.0) if inhibitory else d.between(-5.0, 5.0)
            if receptor != "NMDA":
                out[f"{place}-tau_decay"] = d.between(3.0, 30.0)
            elif d.random.random() < 0.5:
                out[f"{place}-mg"] = d.near(1.0)
    return out


def draw_noise(d: Draw, case: Case) -> dict[str, float]:
    """Conductance noise from hardly any to enough for spikes."""
    if d.chance(0.1, "livn's noise levels"):
        return {}
    out = {
        "g_e0": d.between(0.0, 0.006),
        "g_i0": d.between(0.0, 0.01),
        "std_e": d.between(0.0, 0.002),
        "std_i": d.between(0.0, 0.003),
    }
    if d.random.random() < 0.15:
        out[d.pick(["std_e", "std_i"])] = 0.0
    if d.random.random() < 0.4:
        out.update(tau_e=d.near(2.728), tau_i=d.near(10.49))
    if d.random.random() < 0.4:
        out.update(E_e=d.between(-5.0, 5.0), E_i=d.between(-85.0, -65.0))
    if d.chance(0.4, "noise by population"):
        for population in populations_of(case):
            for key in d.some(["g_e0", "std_e", "g_i0", "std_i", "tau_i", "E_i"], 2):
                value = out.get(key, {"tau_i": 10.49, "E_i": -75.0}.get(key, 0.001))
                out[f"{population}-{key}"] = d.near(value)
    return out


def draw_plasticity_table(d: Draw) -> dict:
    """Some of livn's ten numbers: for both groups, for one, or flat."""

    def rule(ltp: float, ltd: float, half: float) -> dict[str, float]:
        every = {
            "A_ltp": d.between(0.3, 3.0),
            "A_ltd": d.between(0.3, 3.0),
            "theta_ltp": ltp + d.between(-5.0, 5.0),
            "theta_ltd": ltd + d.between(-5.0, 5.0),
            "ltp_sigmoid_half": ltp + half + d.between(-5.0, 5.0),
            "ltd_sigmoid_half": ltd + half + d.between(-5.0, 5.0),
            "learning_slope": d.between(1.1, 1.5),
            "learning_tau": d.between(5.0, 40.0),
            "w_max": d.between(1.2, 5.0),
            "w_min": d.log_between(1e-4, 0.5),
        }
        return {key: every[key] for key in d.some(every, len(every))}

    groups = {"EXC": rule(-45.0, -60.0, 5.0), "INH": rule(-77.0, -70.0, -3.0)}
    if d.random.random() < 0.3:
        del groups[d.pick(groups)]
    return groups


def draw_spike_times(d: Draw, case: Case, total_ms: float) -> list[float]:
    """Ascending times on the axis of all runs; some in the middle or on the border of a step."""
    times = []
    for _ in range(d.random.randint(0, int(total_ms / 5.0))):
        if d.chance(0.2, "tie"):
            times.append(d.random.randint(0, int(total_ms / case["dt"])) * case["dt"] / 2.0)
        else:
            times.append(d.between(0.0, 1.1 * total_ms))
    if times and d.random.random() < 0.3:  # a burst
        start = d.pick(times)
        times.extend(start + k * d.between(1.0, 6.0) for k in range(1, 6))
    return sorted(times)


def draw_runs(d: Draw, case: Case) -> list[dict]:
    """What is done to the culture: runs of 8 to 50 ms and what comes before each."""
    count = d.random.choices([1, 2, 3, 4], [0.3, 0.35, 0.25, 0.1])[0]
    interval: dict[str, float] = {}  # of each mode since the last clear
    field = ""  # extracellular and electrode_uA share livn's memory
    runs = []
    for i in range(count):
        run: dict[str, Any] = {}
        if i and d.chance(0.3, "clear"):
            run["clear"] = True
            interval, field = {}, ""
            if d.chance(0.4, "clear without reseeding"):
                run["reseed"] = False
        if d.chance(0.1, "reseed_noise"):
            run["reseed_noise"] = d.random.randrange(1000)
        if i and case.get("plasticity") and d.chance(0.3, "plasticity switched"):
            run["plasticity_on"] = d.pick([True, False, draw_plasticity_table(d)])
        if i and case.get("plasticity") and d.chance(0.2, "normalize_weights"):
            run["normalize_weights"] = d.between(0.5, 6.0)
        # Of whole sample intervals: livn counts those of membrane currents from the first run on.
        steps = 4 * d.random.randint(int(2.0 / case["dt"]), int(12.5 / case["dt"]))
        if d.chance(0.03, "run of no duration"):
            steps = 0
        run["duration"] = steps * case["dt"]
        if d.chance(0.6, "stimulus"):
            stimulus = draw_stimulus(d, case, run["duration"], interval, field)
            if stimulus:
                run["stimulus"] = stimulus
                if stimulus["mode"] in ("extracellular", "electrode_uA"):
                    field = stimulus["mode"]
        runs.append(run)
    return runs


UNITS = {
    "current": "nA",
    "current_density": "mA/cm2",
    "extracellular": "mV",
    "irradiance": "mW/mm2",
}
# Peak of a pulse: enough for some cells to fire.
AMPLITUDE = {
    "current": 0.5,
    "current_density": 0.02,
    "extracellular": 40.0,
    "electrode_uA": 15.0,
    "irradiance": 5.0,
}


def draw_stimulus(
    d: Draw, case: Case, duration_ms: float, interval: dict[str, float], field: str
) -> dict | None:
    """Pulses of any mode, in an array shorter or longer than the run."""
    mode = d.pick(AMPLITUDE)
    if field and mode in ("extracellular", "electrode_uA") and mode != field:
        return None
    d.features[mode] += 1
    group = "field" if mode in ("extracellular", "electrode_uA") else mode
    dt = interval.setdefault(group, d.pick([0.025, 0.05, 0.1, 0.1, 0.2, 0.5, 1.0, 0.07, 2.0]))
    rows = max(1, int(duration_ms / dt * d.random.uniform(0.6, 1.3)))
    spec: dict[str, Any] = {"mode": mode, "dt": dt, "rows": rows}
    if mode == "electrode_uA":
        if "electrodes" not in case:
            case["electrodes"] = draw_electrodes(d)
        width = len(case["electrodes"])
    else:
        spec["columns"] = draw_columns(d, case, mode)
        spec["units"] = UNITS[mode]
        width = len(spec["columns"])
        if mode == "irradiance":
            case.setdefault("opsin", draw_opsin(d))
    spec["pulses"] = []
    for _ in range(d.random.randint(1, 6)):
        start = d.random.randrange(rows)
        stop = min(rows, start + max(1, int(d.log_between(0.1, 20.0) / dt)))
        value = d.between(-0.4, 1.0) * AMPLITUDE[mode] * d.random.random()
        if mode == "irradiance":
            value = abs(value)
        pulse = {"column": d.random.randrange(width), "start_row": start, "stop_row": stop}
        spec["pulses"].append({**pulse, "value": value})
        if width > 1 and d.random.random() < 0.3:  # a bipolar pair
            other = {**pulse, "column": d.random.randrange(width), "value": -value}
            if mode != "irradiance":
                spec["pulses"].append(other)
    return spec


def draw_electrodes(d: Draw) -> list[list[float]]:
    """Number, x, y and z of a few."""
    return [
        [k, d.between(-200.0, 200.0), d.between(-200.0, 200.0), d.pick([0.0, 50.0])]
        for k in range(d.random.randint(1, 4))
    ]


def draw_columns(d: Draw, case: Case, mode: str) -> list[dict]:
    """Sections of some cells; now and then one that does not exist, which livn passes over."""
    built = [c for c in case["cells"] if c["population"] in BUILT]
    columns = []
    for cell in d.some(built, len(built)):
        axon = 5 if has_axon(set_of(case, cell["population"])) else 0
        sections = range((2 if cell["population"] == "EXC" else 1) + axon)
        if mode == "irradiance":
            chosen = [0] if d.random.random() < 0.8 else d.some(sections, len(sections))
        elif mode == "extracellular" and d.random.random() < 0.7:
            chosen = list(sections)
        else:
            chosen = d.some(sections, len(sections))
        columns += [{"gid": cell["gid"], "section": s} for s in chosen]
    if d.chance(0.1, "column of nothing"):
        nothing = d.pick([{"gid": 1000, "section": 0}, {"gid": built[0]["gid"], "section": 9}])
        columns.insert(d.random.randrange(len(columns) + 1), nothing)
    if d.random.random() < 0.2:
        d.random.shuffle(columns)
    return columns


def draw_opsin(d: Draw) -> dict[str, float]:
    """An opsin strong enough to make cells fire."""
    out = {"g0": d.log_between(2e3, 8e4)}
    base = {"k_a": 0.28, "k_r": 0.28, "p": 0.4, "q": 0.4, "Gd": 0.0909, "Gr0": 0.0002}
    base.update({"phi_m": 1e16, "v0": 43.0})
    for key, value in base.items():
        if d.random.random() < 0.25:
            out[key] = d.near(value)
    if d.random.random() < 0.25:
        out["E"] = d.between(-5.0, 5.0)
    return out
