"""A whole server of the protocol's core, to read: a point on a line that has to stay near 0.

python docs/toy_server.py unix:/tmp/toy.sock
python -m livnd.conformance --level core --address unix:/tmp/toy.sock
"""

import sys
import uuid

import numpy as np
from livnd._proto import pb
from livnd.conformance.serving import Refusal, serve
from livnd.tensors import decode, encode

MAX_ENVS, MAX_STEPS, STEP_MS = 64, 50, 10
FLOAT = {"dtype": pb.DATA_TYPE_FLOAT32, "shape": [1], "unit": "1"}
SPEC = pb.EnvironmentSpec(
    environment_id="Toy-v0", task="Toy", description="Stay near 0.", physics_version="toy-1",
    actions=[pb.TensorSpec(name="push", low=encode([-1], "f8"), high=encode([1], "f8"), **FLOAT)],
    observations=[pb.TensorSpec(name="place", **FLOAT)], kind=pb.ENVIRONMENT_KIND_TASK,
    step_duration_ms=STEP_MS, tick_ns=1_000_000, max_episode_steps=MAX_STEPS, deterministic=True,
)  # fmt: skip
FIXED = {
    "GetServerInfo": pb.GetServerInfoResponse(
        physics_version="toy-1", max_sessions=1000, max_envs_per_session=MAX_ENVS,
        max_receive_message_bytes=4 << 20, max_send_message_bytes=4 << 20,
    ),
    "ListEnvironments": pb.ListEnvironmentsResponse(environments=[SPEC]),
    "DescribeEnvironment": pb.DescribeEnvironmentResponse(environment=SPEC),
}  # fmt: skip
sessions, created = {}, {}


def need(holds, code, reason, **metadata):
    if not holds:
        raise Refusal(code, reason, **metadata)


def check(holds, field, got, takes):
    said = {"field": field, "value": str(got), "accepted": takes}
    need(holds, "INVALID_ARGUMENT", "INVALID_FIELD", **said)


def array(tensor, field, dtype, shape):
    wanted = encode(np.zeros(shape), dtype)
    fits = tensor.dtype == wanted.dtype and tensor.shape == wanted.shape
    check(fits and len(tensor.data) == len(wanted.data), field, tensor, f"{dtype} {shape}")
    return decode(tensor)


class Session:
    def __init__(self, request):
        self.n, self.limit = request.num_envs, min(request.max_episode_steps or 50, MAX_STEPS)
        self.next_op_index, self.last = 1, None  # the last request, and its answer
        self.place, self.ended = np.zeros(self.n), np.zeros(self.n, bool)
        self.episodes, self.steps = np.zeros((2, self.n), "i8")
        drawn = np.random.default_rng().integers(2**63, size=(2, self.n))
        self.seed, self.next_seed = drawn.astype("u8")

    def operate(self, request):
        """Exactly once: the next index is done, the last one is answered again."""
        if self.last and request.op_index == self.next_op_index - 1:
            need(request == self.last[0], "INVALID_ARGUMENT", "PAYLOAD_MISMATCH")
        else:
            index, fits = self.next_op_index, request.op_index == self.next_op_index
            need(fits, "FAILED_PRECONDITION", "WRONG_OP_INDEX", expected=str(index))
            do = self.step if isinstance(request, pb.StepRequest) else self.reset
            self.last, self.next_op_index = (request, do(request)), index + 1
        return self.last[1]

    def begin(self, mask, seeds):
        self.seed[mask], self.steps[mask], self.ended[mask] = seeds[mask], 0, False
        self.episodes += mask
        for copy in np.flatnonzero(mask):  # the seed decides the episode, and the next seed
            drawn = np.random.default_rng(int(seeds[copy]))
            self.place[copy], self.next_seed[copy] = drawn.uniform(-10, 10), drawn.integers(2**63)

    def reset(self, request):
        mask, given, seeds = np.ones(self.n, bool), np.ones(self.n, bool), self.next_seed.copy()
        if request.HasField("mask"):
            mask = array(request.mask, "mask", "?", (self.n,))
        if request.HasField("seed_present"):
            given = array(request.seed_present, "seed_present", "?", (self.n,))
        if request.HasField("seeds"):
            seeds[given] = array(request.seeds, "seeds", "u8", (self.n,))[given]
        check(mask.any(), "mask", mask, "at least one copy")
        check(not request.options, "options", request.options, "no options")
        self.check_reset(mask)
        self.begin(mask, seeds)
        return pb.ResetResponse(op_index=request.op_index, began=encode(mask, "?"), **self.seen())

    def step(self, request):
        self.check_reset()
        check(len(request.actions) == 1, "actions", len(request.actions), "1 tensor")
        push = array(request.actions[0], "actions[0]", "f4", (self.n, 1))[:, 0]
        began, runs = self.ended.copy(), ~self.ended
        check((abs(push) <= 1)[runs].all(), "actions[0].data", push, "-1 .. 1")  # NaN is neither
        self.place[runs] += push[runs]
        self.steps[runs] += 1
        rewards = encode(np.where(runs, -abs(self.place), 0.0), "f8")
        self.begin(began, self.next_seed)
        self.ended = runs & (self.steps >= self.limit)
        flags = {"began": began, "truncated": self.ended, "terminated": np.zeros(self.n)}
        told = {name: encode(flag, "?") for name, flag in flags.items()} | self.seen()
        return pb.StepResponse(op_index=request.op_index, rewards=rewards, **told)

    def observe(self):
        self.check_reset()
        told = {"episodes": encode(self.episodes, "i8"), "next_op_index": self.next_op_index}
        return pb.ObserveResponse(ticks=encode(self.steps * STEP_MS, "i8"), **told, **self.seen())

    def seen(self):
        shown = encode(self.place[:, None], "f4")
        return {"observations": [shown], "episode_seeds": encode(self.seed, "u8")}

    def check_reset(self, about_to_be=False):
        need(((self.episodes > 0) | about_to_be).all(), "FAILED_PRECONDITION", "NOT_RESET")


def answer(method, request):
    known = getattr(request, "environment_id", "Toy-v0") == "Toy-v0"
    need(known, "NOT_FOUND", "UNKNOWN_ENVIRONMENT", accepted="Toy-v0")
    if method in FIXED or method == "CreateSession":
        return FIXED.get(method) or create(request)
    if method == "DeleteSession" and (request.session in sessions or request.allow_missing):
        sessions.pop(request.session, None)
        return pb.DeleteSessionResponse()
    need(request.session in sessions, "NOT_FOUND", "UNKNOWN_SESSION", field="session")
    session = sessions[request.session]
    return session.observe() if method == "Observe" else session.operate(request)


def create(request):
    check(request.request_id, "request_id", "", "a name that the client makes")
    check(request.num_envs > 0, "num_envs", request.num_envs, f"1 .. {MAX_ENVS}")
    check(request.max_episode_steps >= 0, "max_episode_steps", request.max_episode_steps, "0 ..")
    need(request.num_envs <= MAX_ENVS, "RESOURCE_EXHAUSTED", "TOO_MANY_ENVS")
    if request.request_id not in created:
        session, name = Session(request), uuid.uuid4().hex
        made = pb.CreateSessionResponse(session=name, environment=SPEC, num_envs=request.num_envs)
        made.environment.max_episode_steps = session.limit
        made.next_op_index = made.generation = made.autoreset_mode = 1
        sessions[name], created[request.request_id] = session, (request, made)
    first, made = created[request.request_id]
    need(first == request, "INVALID_ARGUMENT", "PAYLOAD_MISMATCH")
    return made


if __name__ == "__main__":
    serve(sys.argv[1], answer, num_threads=1).wait_for_termination()
