"""Copies of an environment in sessions of several servers, as if they were in one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np

from livnd import checks
from livnd.client import Client
from livnd.errors import (
    EpisodeEndedError,
    LivndError,
    NotResetError,
    OwnServerEndedError,
    UnknownOutcomeError,
    UnknownSessionError,
    invalid_field,
)
from livnd.fleet import joining, snapshots
from livnd.fleet.servers import MAX_CALLS, told_where
from livnd.gym.renewable_session import RenewableSession, advise
from livnd.one_caller import OneCaller
from livnd.results import ObserveResult, RenderResult, ResetResult, StepResult
from livnd.specs import EnvironmentSpec, TensorSpec
from livnd.step_stream import StepStream


@dataclass(eq=False)
class Shard:
    """The copies that one server has.

    Attributes:
        client: of the server.
        session: they are in it.
        copies: which of the fleet's they are.
        stream: over which they step; made by the first step.
        seen: what they show, since the last operation; None where it has to be asked for.
    """

    client: Client
    session: RenewableSession
    copies: slice
    stream: StepStream | None = None
    seen: ResetResult | None = None

    @property
    def num_envs(self) -> int:
        return self.copies.stop - self.copies.start

    @property
    def next_op_index(self) -> int:
        """Of its session; 0 where there is none yet."""
        return self.session.session.next_op_index if self.session.name else 0

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"stream": None}


@dataclass(eq=False)
class _Operation:
    """One of the fleet's, until all servers have done it.

    Attributes:
        what: its name and arguments, by which a repeat is known.
        next_op_index: of each shard's session, before it.
        results: by the shard's number; of those who have answered.
        under_way: calls of shards that nobody waits for any more, after an interrupt.
    """

    what: tuple[Any, ...]
    next_op_index: list[int]
    results: dict[int, Any] = field(default_factory=dict)
    under_way: dict[int, Future[Any]] = field(default_factory=dict)


class FleetSession:
    """num_envs copies over several servers; RenewableSession's verbs. One caller at a time.

    An operation goes to all servers that it concerns at once. Where one of them fails and others
    have done it, the error is in_doubt: the same operation again is done by those only that have
    not, so that each copy does it once; a reset or restore of all copies forgets it. Any other
    operation is an UnknownOutcomeError until then.

    Args:
        clients: of the servers, in the order of the copies.
        copies: which copies each of them has.
        spec: the environment's.
        autoreset_mode: the protocol's name.
        max_episode_steps, pace: as RenewableSession.
    """

    def __init__(
        self,
        clients: Sequence[Client],
        copies: Sequence[slice],
        spec: EnvironmentSpec,
        autoreset_mode: str,
        max_episode_steps: int | None = None,
        pace: str | float | None = None,
    ) -> None:
        self._spec = spec
        self._mode = autoreset_mode
        self.shards = [
            Shard(
                client,
                RenewableSession(
                    client,
                    spec.environment_id,
                    its.stop - its.start,
                    autoreset_mode,
                    max_episode_steps,
                    pace,
                ),
                its,
            )
            for client, its in zip(clients, copies, strict=True)
        ]
        self.num_envs = copies[-1].stop
        self._was_reset = np.zeros(self.num_envs, np.bool_)
        # Whose episode has ended, and who is not in another one yet.
        self._ended = np.zeros(self.num_envs, np.bool_)
        self._operation: _Operation | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._one_caller = OneCaller("fleet")

    def __getstate__(self) -> dict[str, Any]:
        """A copy, or a pickle, begins where this one is."""
        if self._operation is not None:
            raise self._in_doubt()
        return self.__dict__ | {"_pool": None}

    def close(self) -> None:
        """Hangs up; the sessions end with their clients. Idempotent."""
        for shard in self.shards:
            if shard.stream is not None:
                shard.stream.close()
                shard.stream = None
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None

    # --- operations ----------------------------------------------------------------------------

    def reset(
        self, seeds: Sequence[int | None], *, mask: Any = None, options: dict[str, Any]
    ) -> ResetResult:
        """As RenewableSession.reset; a server whose copies the mask leaves out is not asked."""
        return self._one_caller.call(self._reset, seeds, mask, options)

    def _reset(
        self, seeds: Sequence[int | None], mask: Any, options: dict[str, Any]
    ) -> ResetResult:
        chosen = np.ones(self.num_envs, np.bool_) if mask is None else np.asarray(mask, np.bool_)
        missing = np.flatnonzero(~chosen & ~self._was_reset)
        if missing.size:
            raise NotResetError(
                f"Reset: copy {missing[0]} was never reset and the mask leaves it out",
                reason="NOT_RESET",
                code="FAILED_PRECONDITION",
            )
        what = ("Reset", tuple(seeds), chosen.tobytes(), tuple(sorted(options.items())))
        operation = self._begin(what, is_beginning=bool(chosen.all()))

        def call(shard: Shard) -> Callable[[], ResetResult] | None:
            its = chosen[shard.copies]
            if not its.any():
                return None
            its_seeds = seeds[shard.copies]
            its_mask = None if its.all() else its
            return lambda: shard.session.reset(its_seeds, mask=its_mask, options=options)

        self._do(operation, call)
        for i, result in operation.results.items():
            self.shards[i].seen = result
        self._operation = None
        self._ended &= ~chosen
        self._was_reset |= chosen
        return joining.resets([self._seen(shard) for shard in self.shards])

    def step(self, actions: Any) -> StepResult:
        """As RenewableSession.step."""
        return self._one_caller.call(self._step, actions)

    def _step(self, actions: Any) -> StepResult:
        if not self._was_reset.all():
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        given = self._checked(actions)
        operation = self._begin(("Step", given.tobytes()))
        failed: list[tuple[Shard, LivndError]] = []
        asked = [i for i in range(len(self.shards)) if i not in operation.results]
        for i in asked:
            shard = self.shards[i]
            if shard.stream is None:
                shard.stream = shard.client.step_stream()
            if not shard.stream.num_waiting:
                try:
                    shard.stream.send(shard.session.session, given[shard.copies])
                except LivndError as error:
                    failed.append((shard, error))
        for i in asked:
            shard = self.shards[i]
            assert shard.stream is not None
            if shard.stream.num_waiting:
                try:
                    operation.results[i] = shard.stream.recv()[1]
                except LivndError as error:
                    failed.append((shard, error))
        if failed:
            raise self._failed(operation, failed)
        self._operation = None
        results = [operation.results[i] for i in range(len(self.shards))]
        for shard, result in zip(self.shards, results, strict=True):
            shard.seen = ResetResult(result.observations, result.infos, result.episode_seeds)
        whole = joining.steps(results, self._mode == "same_step")
        if self._mode != "same_step":
            self._ended = whole.terminated | whole.truncated
        return whole

    def restore(self, snapshot: bytes, copy_of: Sequence[int] | None = None) -> None:
        """As RenewableSession.restore."""
        self._one_caller.call(self._restore, snapshot, copy_of)

    def _restore(self, snapshot: bytes, copy_of: Sequence[int] | None) -> None:
        contents = snapshots.contents(snapshot) if isinstance(snapshot, bytes) else None
        places = self._places(copy_of, contents)
        chosen = places >= 0
        what = ("Restore", snapshot, places.tobytes())
        operation = self._begin(what, is_beginning=bool(chosen.all()))

        def call(shard: Shard) -> Callable[[], None] | None:
            its = places[shard.copies].tolist()
            if max(its) < 0:
                return None
            return lambda: shard.session.restore(snapshot, its)

        self._do(operation, call)
        self._operation = None
        assert contents is not None  # no server takes it otherwise
        for shard in self.shards:
            shard.seen = None
        copies = contents.task.copies
        for copy in np.flatnonzero(chosen):
            self._was_reset[copy] = copies[places[copy]].was_reset
            self._ended[copy] = copies[places[copy]].ended

    # --- what changes nothing ------------------------------------------------------------------

    def observe(self) -> ObserveResult | None:
        """What the copies show; None if one of them has not been reset.

        Where an operation's outcome was unknown, and all servers have done it, it is known.
        """
        return self._one_caller.call(self._observe)

    def _observe(self) -> ObserveResult | None:
        self._settle()
        seen = self._ask([shard.session.observe for shard in self.shards])
        operation = self._operation
        if operation is not None and all(
            shard.next_op_index > before
            for shard, before in zip(self.shards, operation.next_op_index, strict=True)
        ):
            self._operation = None
            for shard in self.shards:
                shard.seen = None
        found = [each for each in seen if each is not None]
        return joining.observed(found) if len(found) == len(seen) else None

    def render(self) -> RenderResult:
        """As RenewableSession.render."""
        return self._one_caller.call(self._render)

    def _render(self) -> RenderResult:
        self._settle()
        return joining.rendered(self._ask([shard.session.render for shard in self.shards]))

    def snapshot(self, copies: Sequence[int] | None = None) -> bytes:
        """As RenewableSession.snapshot: one for all servers, the one that a single server gives."""
        return self._one_caller.call(self._snapshot, copies)

    def _snapshot(self, copies: Sequence[int] | None) -> bytes:
        self._settle()
        if self._operation is not None:
            raise self._in_doubt()
        chosen = list(range(self.num_envs)) if copies is None else self._copies(copies)
        # Places in what the servers answer, one after the other.
        order = np.zeros(len(chosen), np.int64)
        calls: list[Callable[[], bytes]] = []
        asked: list[Shard] = []
        num_before = 0
        for shard in self.shards:
            its = range(shard.copies.start, shard.copies.stop)
            wanted = [i for i, copy in enumerate(chosen) if copy in its]
            if not wanted:
                continue
            local = [chosen[i] - shard.copies.start for i in wanted]
            calls.append(functools.partial(shard.session.snapshot, local))
            asked.append(shard)
            order[wanted] = num_before + np.arange(len(wanted))
            num_before += len(wanted)
        return snapshots.joined(self._ask(calls, asked), order.tolist())

    # --- inside --------------------------------------------------------------------------------

    def _begin(self, what: tuple[Any, ...], is_beginning: bool = False) -> _Operation:
        """The operation that was not done by all, if it is this one; else a new one."""
        operation = self._operation
        if operation is not None and operation.what == what:
            self._settle(keep=True)
            return operation
        if operation is not None:
            if not is_beginning:
                raise self._in_doubt()
            self._settle()
        self._operation = _Operation(what, [shard.next_op_index for shard in self.shards])
        return self._operation

    def _settle(self, keep: bool = False) -> None:
        """Waits for what an interrupt has left under way; `keep`: steps are received later."""
        operation = self._operation
        if operation is None:
            return
        for i in list(operation.under_way):
            future = operation.under_way[i]
            error = future.exception()
            del operation.under_way[i]
            if error is None:
                operation.results[i] = future.result()
        for i, shard in enumerate(self.shards):
            while not keep and shard.stream is not None and shard.stream.num_waiting:
                try:
                    operation.results[i] = shard.stream.recv()[1]
                except LivndError:
                    break  # the session knows what became of it

    def _do(
        self, operation: _Operation, call_of: Callable[[Shard], Callable[[], Any] | None]
    ) -> None:
        """Has all servers do what they have not done yet."""
        calls = {
            i: call
            for i, shard in enumerate(self.shards)
            if i not in operation.results and (call := call_of(shard)) is not None
        }
        failed: list[tuple[Shard, LivndError]] = []
        if len(calls) == 1:
            ((i, call),) = calls.items()
            try:
                operation.results[i] = call()
            except LivndError as error:
                failed.append((self.shards[i], error))
        else:
            operation.under_way = {i: self._threads().submit(call) for i, call in calls.items()}
            for i in calls:
                try:
                    operation.results[i] = operation.under_way[i].result()
                except LivndError as error:
                    failed.append((self.shards[i], error))
                del operation.under_way[i]
        if failed:
            raise self._failed(operation, failed)

    def _ask(
        self, calls: Sequence[Callable[[], Any]], asked: Sequence[Shard] | None = None
    ) -> list[Any]:
        """The answers of calls that change nothing, of all shards or of those that are named."""
        shards = self.shards if asked is None else asked
        answers = []
        futures = [self._threads().submit(call) for call in calls] if len(calls) > 1 else []
        for i, (shard, call) in enumerate(zip(shards, calls, strict=True)):
            try:
                answers.append(futures[i].result() if futures else call())
            except LivndError as error:
                raise told_where(error, shard.client, shard.copies) from None
        return answers

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            num_threads = min(len(self.shards), MAX_CALLS)
            self._pool = ThreadPoolExecutor(num_threads, thread_name_prefix="livnd-fleet")
        return self._pool

    def _failed(self, operation: _Operation, failed: list[tuple[Shard, LivndError]]) -> LivndError:
        """What to raise of an operation that some servers have not done."""
        shard, error = failed[0]
        if isinstance(error, (UnknownSessionError, OwnServerEndedError)):
            error = advise(error)
        error = told_where(error, shard.client, shard.copies)
        if operation.results or any(other.in_doubt for _, other in failed):
            error.in_doubt = True
        else:
            self._operation = None
        return error

    def _in_doubt(self) -> UnknownOutcomeError:
        assert self._operation is not None
        return UnknownOutcomeError(
            f"the last {self._operation.what[0]} was not answered by all servers: repeat it with "
            "the same arguments, or reset all copies",
            reason="UNKNOWN_OUTCOME",
            code="FAILED_PRECONDITION",
        )

    def _seen(self, shard: Shard) -> ResetResult:
        """What the shard's copies show; they have been reset."""
        if shard.seen is None:
            (seen,) = self._ask([shard.session.observe], [shard])
            shard.seen = ResetResult(seen.observations, seen.infos, seen.episode_seeds)
        return shard.seen

    def _checked(self, actions: Any) -> np.ndarray:
        """The actions, where no server would refuse them: the others would have stepped."""
        (spec,) = self._spec.actions
        shape = (self.num_envs, *spec.shape)
        accepted = f"{spec.dtype} of shape {shape}"
        given = checks.array(spec.name, actions, spec.dtype, accepted)
        if given.shape != shape:
            raise checks.wrong(spec.name, f"of shape {given.shape}", accepted)
        if self._mode == "disabled" and self._ended.any():
            raise EpisodeEndedError(
                f"Step: the episode of copy {self._ended.argmax()} has ended; reset it first",
                reason="EPISODE_ENDED",
                code="FAILED_PRECONDITION",
            )
        held = (given >= spec.low) & (given <= spec.high)
        if not held.all():
            held[self._ended] = True  # the actions of copies that begin are not looked at
            if not held.all():
                raise _out_of_bounds(spec, given, ~held)
        return given

    def _places(self, copy_of: Sequence[int] | None, contents: Any) -> np.ndarray:
        """Which copy of a snapshot each copy becomes, or -1, as every server will take it."""
        # What cannot be read is refused by all of them.
        num_there = 2**31 if contents is None else len(contents.task.copies)
        if copy_of is None:
            if contents is not None and num_there != self.num_envs:
                accepted = f"of {self.num_envs} copies, or copy_of"
                raise invalid_field("snapshot", f"of {num_there} copies", accepted)
            return np.arange(self.num_envs)
        accepted = f"{self.num_envs} numbers of copies of the snapshot, -1 .. {num_there - 1}"
        places = checks.integers("copy_of", copy_of, accepted)
        inside = places.shape == (self.num_envs,) and (places >= -1).all()
        if not inside or not (places < num_there).all():
            raise checks.wrong("copy_of", copy_of, accepted)
        return places

    def _copies(self, copies: Sequence[int]) -> list[int]:
        accepted = f"numbers of copies, 0 .. {self.num_envs - 1}"
        chosen = checks.integers("copies", copies, accepted)
        inside = chosen.ndim == 1 and chosen.size and (chosen >= 0).all()
        if not inside or not (chosen < self.num_envs).all():
            raise checks.wrong("copies", copies, accepted)
        return chosen.tolist()


def _out_of_bounds(spec: TensorSpec, given: np.ndarray, wrong: np.ndarray) -> LivndError:
    """As a server says it, of the first one."""
    first = tuple(int(i[0]) for i in np.nonzero(wrong))
    element = int(np.ravel_multi_index(first[1:], spec.shape))
    known = element < len(spec.element_names)
    name = spec.element_names[element] if known else f"element {element}"
    return invalid_field(
        "actions[0].data",
        f"{_exact(given[first])} (copy {first[0]}, {name})",
        f"{_exact(spec.low[first[1:]])} .. {_exact(spec.high[first[1:]])}",
    )


def _exact(number: Any) -> str:
    return str(number).removesuffix(".0")
