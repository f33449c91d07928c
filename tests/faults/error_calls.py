"""Requests made by hand, and rows that say how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import livnd
import numpy as np

pb = livnd.culture.pb
encode = livnd.culture.encode

NAN = float("nan")
COPIES = 2


class Caller:
    """Two copies of a culture, cleared, or of a task; requests are made by hand."""

    def __init__(self, client: livnd.Client, environment_id: str) -> None:
        self.session = client.create_session(environment_id, COPIES)
        if environment_id.startswith("Culture"):
            self.clear()

    def send(self, method: str, request: Any) -> None:
        request.session = self.session.name
        request.op_index = self.session.next_op_index
        self.session._connection.call(method, request)
        self.session.next_op_index += 1

    def clear(self) -> None:
        self.send("Clear", pb.ClearRequest())

    def configure(self, **fields: Any) -> None:
        request = pb.ConfigureRequest()
        for path, value in fields.items():
            put(request, path, value)
        self.send("Configure", request)

    def params(self, *params: Any, **fields: Any) -> None:
        self.configure(params=list(params), **fields)

    def record(self, **series: Any) -> None:
        """Configures one series of voltages, with these changes."""
        added = pb.SeriesSelection(quantity=VOLTAGE, sample_dt_ms=1.0, dtype=FLOAT64)
        if "sites" not in series:
            put(added, "sites", sites((0, 0)))
        for path, value in series.items():
            if value is not None:
                put(added, path, value)
        self.configure(recording__series=[added])

    def run(self, duration_ms: float, *stimuli: Any) -> None:
        self.send("Run", pb.RunRequest(duration_ms=duration_ms, stimuli=stimuli))

    def plan(self, plan: Any) -> None:
        self.send("Run", pb.RunRequest(duration_ms=20.0, pulse_plan=plan))

    def featured(
        self, duration_ms: float = 10.0, num_inputs: int = 8, pulse_plan: Any = None
    ) -> None:
        """Gives the encoding two steps of a half."""
        halves = np.full((COPIES, 2, num_inputs), 0.5)
        features = encode(halves, np.float32)
        request = pb.RunRequest(duration_ms=duration_ms, features=features, pulse_plan=pulse_plan)
        self.send("Run", request)

    def charges(self) -> None:
        self.send("Run", pb.RunRequest(duration_ms=1.0, charges=True))

    def stimulate(self, **fields: Any) -> None:
        self.run(1.0, stimulus(**fields))

    def learn(self, weight: float) -> None:
        """Sets all learned weights."""
        learned = self.session.describe(learned_weights=True).learned.weights
        self.configure(learned_weights=encode(np.full_like(learned, weight), np.float64))

    def hear(self) -> None:
        request = pb.GetCultureRequest(session=self.session.name, electrode_hearing=True)
        self.session._connection.call("GetCulture", request)

    def reset(self, **fields: Any) -> None:
        request = pb.ResetRequest()
        for path, value in fields.items():
            put(request, path, value)
        self.send("Reset", request)

    def step(self, actions: np.ndarray) -> None:
        self.send("Step", pb.StepRequest(actions=[encode(actions, np.float32)]))


class Row(NamedTuple):
    """A request that is refused, and what the answer says.

    Attributes:
        site: "FILE: TEXT" (error_sites).
        calls: of one session; the last one is refused.
        field, value: of the error.
        accepted: a text in what it says is accepted.
        environment: of the session.
        file: which file of the system is at fault, if it is not the request.
    """

    site: str
    calls: tuple[Callable[[Caller], None], ...]
    field: str
    value: str
    accepted: str
    environment: str = "Culture-small-v0"
    file: str = ""


VOLTAGE = pb.RECORDED_QUANTITY_VOLTAGE_MV
CURRENT = pb.RECORDED_QUANTITY_MEMBRANE_CURRENT_UA
STATE = pb.RECORDED_QUANTITY_STATE
HEARD = pb.RECORDED_QUANTITY_ELECTRODE_POTENTIAL_UV
FLOAT64 = pb.DATA_TYPE_FLOAT64
FIELD = pb.STIMULUS_QUANTITY_EXTRACELLULAR_MV
ELECTRODE = pb.STIMULUS_QUANTITY_ELECTRODE_UA
LIGHT = pb.STIMULUS_QUANTITY_IRRADIANCE_MW_MM2
LIVN = pb.SAMPLE_TIMING_LIVN
PATCH = pb.SELECTION_METHOD_PATCH
BLIND = "Culture-blind-v0"  # without electrodes
POINTS = "Culture-points-v0"
TASK = "TargetRate-small-v0"


def put(message: Any, path: str, value: Any) -> None:
    """Sets a field by its path, "rcsd__size_seed"; messages and lists are copied."""
    *parents, name = path.split("__")
    for parent in parents:
        message = getattr(message, parent)
    if isinstance(value, list):
        getattr(message, name).extend(value)
    elif hasattr(value, "SerializeToString"):
        getattr(message, name).CopyFrom(value)
    else:
        setattr(message, name, value)


def sites(*pairs: tuple[int, int]) -> Any:
    """Of (gid, section) pairs."""
    gids, sections = ([p[i] for p in pairs] for i in (0, 1))
    return pb.Sites(gids=encode(gids, np.int64), sections=encode(sections, np.int64))


def stimulus(*, electrodes: list[int] | None = None, **fields: Any) -> Any:
    """Three samples of no current into the somata of cells 0 and 1, or what the fields say."""
    made = pb.CultureStimulus(quantity=pb.STIMULUS_QUANTITY_CURRENT_NA, sample_dt_ms=1.0)
    if electrodes is not None:
        made.quantity = ELECTRODE
        put(made, "electrodes", encode(electrodes, np.int64))
    elif "sites" not in fields:
        put(made, "sites", sites((0, 0), (1, 0)))
    if "samples" not in fields:
        put(made, "samples", encode(np.zeros((3, len(electrodes or [0, 1]))), np.float64))
    for path, value in fields.items():
        put(made, path, value)
    return made


def samples(value: float, channels: int = 2) -> Any:
    """Three equal ones of each channel."""
    return encode(np.full((3, channels), value), np.float64)


def param(key: str, value: float | list[float]) -> Any:
    """A parameter, of all cells or of each."""
    if isinstance(value, list):
        return pb.Param(key=key, values=encode(value, np.float64))
    return pb.Param(key=key, value=value)


def share(population: str = "EXC", **fields: Any) -> Any:
    """What a selection takes of a population."""
    return pb.PopulationShare(population=population, **fields)


def gids(*numbers: int) -> Any:
    """A share of EXC by gids."""
    return share(gids=encode(list(numbers), np.int64))


def call(name: str, *args: Any, **fields: Any) -> Callable[[Caller], None]:
    """A call of one of the methods of Caller."""
    return lambda caller: getattr(caller, name)(*args, **fields)


def row(site: str, name: str, *args: Any, says: tuple[str, str, str], **fields: Any) -> Row:
    """A row of one call.

    `on` is the environment, `in_file` the file at fault, `after` what is called before.
    """
    environment = fields.pop("on", "Culture-small-v0")
    file = fields.pop("in_file", "")
    after = fields.pop("after", ())
    return Row(site, (*after, call(name, *args, **fields)), *says, environment, file)


def selected(site: str, field: str, value: str, accepted: str, **fields: Any) -> Row:
    """A row of a selection."""
    file = fields.pop("in_file", "")
    changes = {f"selection__{path}": of for path, of in fields.items()}
    says = (field if file or field == "selection" else f"selection.{field}", value, accepted)
    return row(f"selection.cc: {site}", "configure", says=says, in_file=file, **changes)


def stimulated(site: str, field: str, value: str, accepted: str, **fields: Any) -> Row:
    """A row of a Run's only stimulus."""
    says = (f"stimuli[0]{field}", value, accepted)
    return row(f"stimulus_plan.cc: {site}", "stimulate", says=says, **fields)


def recorded(site: str, field: str, value: str, accepted: str, **fields: Any) -> Row:
    """A row of a recording's only series."""
    says = (f"recording.series[0]{field}", value, accepted)
    return row(site, "record", says=says, **fields)
