"""A server between clients and a real server on whose lines nothing is certain but a seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent import futures
from dataclasses import dataclass, field
from urllib.parse import quote

import grpc
from livnd._proto import METHODS
from livnd.conformance.lossy_proxy import OPERATIONS
from livnd.conformance.serving import AllCalls

# What may become of a call, and how often. "lost" is told to the client at once.
FATES = {
    "answered": 20,
    "request lost": 4,
    "answer lost": 4,
    # What the client waits for no longer: it comes after its deadline.
    "request late": 3,
    "answer late": 3,
    # The server gets it twice: both at once, or again after later ones.
    "twice": 6,
    "again later": 8,
    # It waits until the answer to a call that began later has gone before it.
    "overtaken": 6,
}
# Of calls that are no operations: who waits for one in vain may ask for it anew, as another one.
LASTING = ("answered", "answer lost", "twice", "again later")
_UPSTREAM_S = 60.0


@dataclass
class _Session:
    """What the proxy does to the calls of one session."""

    random: random.Random
    # Requests that come again, and after how many more operations.
    held: list[list] = field(default_factory=list)


class ScramblingProxy:
    """Carries calls of all methods. Operations of a session meet fates that the seed decides.

    Attributes:
        address: "unix:PATH".
        met: how often which fate.
        stale: what the server said to requests that came again: a method, and "OK" or a code.
    """

    def __init__(self, path: str, upstream: str, seed: int) -> None:
        self.address = f"unix:{path}"
        self.met: Counter[str] = Counter()
        self.stale: Counter[tuple[str, str]] = Counter()
        self._seed = seed
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._num_begun = self._num_answered = 0
        self._sessions: dict[str, _Session] = {}
        self._others = _Session(random.Random(f"{seed}"))
        self._differing: list[str] = []
        self._upstream = grpc.insecure_channel(upstream)
        paths = [told.path for told in METHODS.values()]
        self._stubs = {path: self._upstream.unary_unary(path) for path in paths}
        self._again = futures.ThreadPoolExecutor(2)
        self._server = grpc.server(futures.ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers((AllCalls(self._carry),))
        assert self._server.add_insecure_port(f"unix:{quote(path)}")
        self._server.start()

    def _fate(self, name: str, request: bytes) -> tuple[_Session, str]:
        session = self._others
        if "session" in {field.name for field in METHODS[name].request.DESCRIPTOR.fields}:
            of = METHODS[name].request.FromString(request).session
            session = self._sessions.get(of, self._others)
        if name == "RenewLease":
            return session, "answered"  # it comes by the clock, and draws nothing
        fates = ("answered",)
        if name in OPERATIONS:
            fates = tuple(FATES)
        elif name in ("CreateSession", "Fork"):
            fates = LASTING
        elif name in ("Snapshot", "DeleteSession"):
            fates = ("answered", "twice", "again later")
        [fate] = session.random.choices(fates, [FATES[fate] for fate in fates])
        self.met[fate] += 1
        return session, fate

    def _carry(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        name = method.rpartition("/")[2]
        gone = threading.Event()  # who called has its answer, or has given up
        context.add_callback(gone.set)
        with self._lock:
            self._num_begun += 1
            number = self._num_begun
            session, fate = self._fate(name, request)
            if fate in ("request late", "again later"):
                after = session.random.randrange(4)
        if fate == "request late":
            gone.wait(_UPSTREAM_S)
        if fate in ("request late", "again later"):
            with self._lock:
                session.held.append([after, method, request])
                # What is late may also come beside what the client does instead.
                if fate == "request late" and after == 0:
                    self._send_again(session)
        if fate in ("request lost", "request late"):
            context.abort(grpc.StatusCode.UNAVAILABLE, fate)
        calls = [self._stubs[method].future(request, timeout=_UPSTREAM_S)]
        if fate == "twice":
            calls.append(self._stubs[method].future(request, timeout=_UPSTREAM_S))
        answers = [_outcome(call) for call in calls]
        if name in OPERATIONS and not _are_same(answers[0], answers[-1]):
            self._differing.append(f"{method}: {answers}")
        if name in ("CreateSession", "Fork") and isinstance(answers[0], bytes):
            self._greet(name, answers[0])
        if fate == "overtaken":
            with self._changed:
                done = self._num_answered
                self._changed.wait_for(
                    lambda: self._num_begun > number and self._num_answered > done, 0.1
                )
        elif fate == "answer late":
            gone.wait(_UPSTREAM_S)
        with self._changed:
            self._num_answered += 1
            self._changed.notify_all()
            if name in OPERATIONS:
                self._send_again(session)
        if fate == "answer lost":
            context.abort(grpc.StatusCode.UNAVAILABLE, fate)
        if not isinstance(answers[-1], bytes):
            code, details, metadata = answers[-1]
            context.set_trailing_metadata(metadata)
            context.abort(code, details)
        return answers[-1]

    def _greet(self, name: str, answer: bytes) -> None:
        """Draws for new sessions from randomness of their own, in the order of their making."""
        made = METHODS[name].response.FromString(answer)
        with self._lock:
            for told in made.sessions if name == "Fork" else [made]:
                if told.session not in self._sessions:
                    numbered = f"{self._seed} {len(self._sessions)}"
                    self._sessions[told.session] = _Session(random.Random(numbered))

    def _send_again(self, session: _Session, now: bool = False) -> list[futures.Future]:
        """What is due, beside whatever the session does next."""
        sent = []
        for held in list(session.held):
            held[0] -= 1
            if held[0] < 0 or now:
                session.held.remove(held)
                sent.append(self._again.submit(self._send_stale, *held[1:]))
        return sent

    def _send_stale(self, method: str, request: bytes) -> None:
        answer = _outcome(self._stubs[method].future(request, timeout=_UPSTREAM_S))
        said = "OK" if isinstance(answer, bytes) else answer[0].name
        with self._lock:
            self.stale[method.rpartition("/")[2], said] += 1

    def send_the_rest(self) -> None:
        """Now comes what would have come again later."""
        with self._lock:
            sessions = [self._others, *self._sessions.values()]
            sent = [call for session in sessions for call in self._send_again(session, now=True)]
        for call in sent:
            call.result()

    def close(self) -> None:
        self._server.stop(0).wait()
        self._again.shutdown()
        self._upstream.close()
        assert not self._differing, self._differing


def _outcome(call: grpc.Future) -> bytes | tuple:
    """The answer, or what stands for it."""
    try:
        return call.result()
    except grpc.RpcError as error:
        return error.code(), error.details(), error.trailing_metadata()


def _are_same(one: bytes | tuple, other: bytes | tuple) -> bool:
    """Of refusals, code and words; their metadata is a map, which comes in any order."""
    if isinstance(one, bytes) or isinstance(other, bytes):
        return one == other
    return one[:2] == other[:2]
