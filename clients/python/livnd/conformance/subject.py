"""The server that is asked, in messages of the suite's own: no call is repeated or corrected."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import numpy as np

from livnd import addresses
from livnd._proto import pb
from livnd.conformance.cases import NotOffered, expect, expect_equal
from livnd.credentials import NONE, Credentials
from livnd.errors import LivndError, from_rpc_error
from livnd.line import Line
from livnd.specs import EnvironmentSpec
from livnd.tensors import decode, encode

Answer = dict[str, np.ndarray]


class Subject:
    """A server, and the sessions that a case makes on it.

    Args:
        address: "unix:PATH" or "HOST:PORT".
        environment_id: on which the cases are asked; "" takes the one whose episodes are shortest.
        timeout_s: of a call.

    Raises:
        LivndError: nobody answers, or there is no such environment.
    """

    def __init__(
        self,
        address: str,
        environment_id: str = "",
        *,
        credentials: Credentials = NONE,
        timeout_s: float = 60.0,
    ) -> None:
        self.address = address
        self._line = Line(addresses.parse(address), None, credentials)
        self._timeout_s = timeout_s
        self._opened: list[str] = []
        try:
            self.info = self.call("GetServerInfo", pb.GetServerInfoRequest())
            listed = self.call("ListEnvironments", pb.ListEnvironmentsRequest())
            self.environments, self.not_offered = (
                list(listed.environments),
                list(listed.not_offered),
            )
            if not environment_id:
                environment_id = _shortest(self.environments)
            self.message = self.call(
                "DescribeEnvironment", pb.DescribeEnvironmentRequest(environment_id=environment_id)
            ).environment
            self.spec = EnvironmentSpec.from_message(self.message)
        except BaseException:
            self._line.end()
            raise

    def call(self, method: str, request: Any) -> Any:
        """One call, once; the request is a message or bytes. LivndError: as it was answered."""
        payload = request if isinstance(request, bytes) else request.SerializeToString()
        return self._line.attempt(method, payload, self._timeout_s)

    def stream(self, method: str, requests: Sequence[Any]) -> list[Any]:
        """All answers of a stream to which all of the requests are sent."""
        payloads = [request.SerializeToString() for request in requests]
        try:
            return list(self._line.open_stream(method, payloads, self._line.metadata))
        except grpc.RpcError as error:
            raise from_rpc_error(error, method) from None

    def create(self, num_envs: int = 2, **fields: Any) -> Any:
        """CreateSession's answer; the fields are the request's. It is deleted after the case."""
        request: dict[str, Any] = {
            "request_id": uuid.uuid4().hex,
            "environment_id": self.message.environment_id,
            "num_envs": num_envs,
        }
        made = self.call("CreateSession", pb.CreateSessionRequest(**{**request, **fields}))
        self._opened.append(made.session)
        return made

    def session(self, num_envs: int = 2, **fields: Any) -> Driven:
        """A new session that keeps count of its operations; as create()."""
        return Driven(self, self.create(num_envs, **fields))

    def culture_id(self) -> str:
        """An environment without a task. NotOffered."""
        for environment in self.environments:
            if environment.kind == pb.ENVIRONMENT_KIND_CULTURE:
                return environment.environment_id
        raise NotOffered("the server has no culture without a task")

    def forget(self) -> None:
        """Deletes what the case has made."""
        for name in self._opened:
            with contextlib.suppress(LivndError):  # the case may have deleted it
                self.call("DeleteSession", pb.DeleteSessionRequest(session=name))
        self._opened.clear()

    def close(self) -> None:
        """Ends the connection."""
        self._line.end()


class Driven:
    """A session with a task, and its next operation index.

    Attributes:
        name: of the session.
        next_op_index: as it has to be if the server keeps count.
        answer: CreateSession's.
    """

    def __init__(self, subject: Subject, answer: Any) -> None:
        self.subject = subject
        self.answer = answer
        self.name = answer.session
        self.num_envs = answer.num_envs
        self.next_op_index = answer.next_op_index

    def reset_request(
        self, seeds: Sequence[int] | None = None, mask: Sequence[bool] | None = None
    ) -> Any:
        """Of the next operation."""
        request = pb.ResetRequest(session=self.name, op_index=self.next_op_index)
        if seeds is not None:
            request.seeds.CopyFrom(encode(seeds, np.uint64))
        if mask is not None:
            request.mask.CopyFrom(encode(mask, np.bool_))
        return request

    def reset(
        self, seeds: Sequence[int] | None = None, mask: Sequence[bool] | None = None
    ) -> Answer:
        """The next operation; its answer is held against the spec."""
        return self.operate("Reset", self.reset_request(seeds, mask))

    def actions(self, number: float = 0.0) -> np.ndarray:
        """[num_envs, ...] of the first action tensor: within bounds, others for other numbers."""
        spec = self.subject.spec.actions[0]
        low = np.clip(spec.low, -1e6, 1e6)
        high = np.clip(spec.high, -1e6, 1e6)
        place = np.arange(self.num_envs * low.size).reshape(self.num_envs, *low.shape)
        share = 0.5 + 0.5 * np.sin(0.7 * place + 1.3 * number)
        return (low + share * (high - low)).astype(spec.dtype)

    def step_request(self, actions: np.ndarray | None = None, op_index: int | None = None) -> Any:
        """Of the next operation or another index; further action tensors lie in the middle."""
        request = pb.StepRequest(
            session=self.name, op_index=self.next_op_index if op_index is None else op_index
        )
        for number, spec in enumerate(self.subject.spec.actions):
            values = self.actions() if actions is None else actions
            if number > 0:
                middle = (np.clip(spec.low, -1e6, 1e6) + np.clip(spec.high, -1e6, 1e6)) / 2
                values = np.broadcast_to(middle, (self.num_envs, *spec.shape))
            request.actions.append(encode(values, spec.dtype))
        return request

    def step(self, number: float = 0.0) -> Answer:
        """The next operation, with the actions of that number."""
        return self.operate("Step", self.step_request(self.actions(number)))

    def observe(self) -> Answer:
        """What the copies show; changes nothing."""
        response = self.position()
        expect_equal("Observe: next_op_index", response.next_op_index, self.next_op_index)
        return self._told("Observe", response)

    def operate(self, method: str, request: Any) -> Answer:
        """An operation with the next index."""
        response = self.subject.call(method, request)
        expect_equal(f"{method}: op_index", response.op_index, request.op_index)
        self.next_op_index = request.op_index + 1
        return self._told(method, response)

    def position(self) -> Any:
        """Observe's message, for what must not have changed."""
        return self.subject.call("Observe", pb.ObserveRequest(session=self.name))

    def _told(self, method: str, response: Any) -> Answer:
        """The answer's tensors by name, each as the spec says."""
        spec = self.subject.spec
        told: Answer = {}
        for kind, tensors, specs in (
            ("observation", response.observations, spec.observations),
            ("info", response.infos, spec.infos),
        ):
            expect_equal(f"{method}: number of {kind}s", len(tensors), len(specs))
            for tensor, one in zip(tensors, specs, strict=True):
                array = decode(tensor)
                name = f"{kind} {one.name}"
                expect_equal(f"{method}: dtype of {name}", array.dtype, one.dtype)
                expect_equal(f"{method}: shape of {name}", array.shape, (self.num_envs, *one.shape))
                expect(
                    np.all(array >= one.low) and np.all(array <= one.high),
                    f"{method}: {name} leaves its bounds",
                )
                told[name] = array
        wanted: dict[str, Callable[[np.ndarray], Any]] = {"episode_seeds": np.uint64}
        if method in ("Reset", "Step"):
            wanted["began"] = np.bool_
        if method == "Step":
            wanted |= {"rewards": np.float64, "terminated": np.bool_, "truncated": np.bool_}
        if method == "Observe":
            wanted |= {"episodes": np.int64, "ticks": np.int64}
        for name, dtype in wanted.items():
            array = decode(getattr(response, name))
            expect_equal(f"{method}: dtype of {name}", array.dtype, np.dtype(dtype))
            expect_equal(f"{method}: shape of {name}", array.shape, (self.num_envs,))
            told[name] = array
        return told


def _shortest(environments: Sequence[Any]) -> str:
    """The task whose episodes go by fastest; of equals the first by name, and before any other one
    those in which time goes by at all. NotOffered: no task.
    """
    tasks = [
        (
            e.step_duration_ms == 0,
            e.step_duration_ms * e.max_episode_steps,
            e.environment_id,
        )
        for e in environments
        if e.kind != pb.ENVIRONMENT_KIND_CULTURE
    ]
    if not tasks:
        raise NotOffered("the server has no environment with a task")
    return min(tasks)[-1]
