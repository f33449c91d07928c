"""What there is, and what is said of it."""

from __future__ import annotations

import numpy as np

from livnd._proto import pb
from livnd.conformance.cases import expect, expect_equal, expect_refused
from livnd.conformance.subject import Subject
from livnd.specs import EnvironmentSpec


def the_server_says_its_versions_and_limits(server: Subject) -> None:
    """GetServerInfo has a physics_version, and caps on messages, sessions and copies above 0."""
    expect(server.info.physics_version, "physics_version is empty")
    for name in (
        "max_receive_message_bytes",
        "max_send_message_bytes",
        "max_sessions",
        "max_envs_per_session",
    ):
        expect(getattr(server.info, name) > 0, f"{name} is {getattr(server.info, name)}")


def environments_are_listed_once(server: Subject) -> None:
    """ListEnvironments has every id once, and DescribeEnvironment says the same of it."""
    ids = [environment.environment_id for environment in server.environments]
    expect_equal("the ids, each once", sorted(set(ids)), sorted(ids))
    for environment in server.environments:
        request = pb.DescribeEnvironmentRequest(environment_id=environment.environment_id)
        described = server.call("DescribeEnvironment", request).environment
        expect(described == environment, f"{environment.environment_id} is described in two ways")


def what_is_not_offered_has_a_reason(server: Subject) -> None:
    """ListEnvironments says why of every environment that it has not, once, and DescribeEnvironment
    refuses it.
    """
    ids = [one.environment_id for one in server.not_offered]
    expect_equal("the ids, each once", sorted(set(ids)), sorted(ids))
    for one in server.not_offered:
        expect(one.why, f"{one.environment_id} is not offered, and nothing says why")
        request = pb.DescribeEnvironmentRequest(environment_id=one.environment_id)
        expect_refused(
            f"DescribeEnvironment of {one.environment_id}",
            lambda request=request: server.call("DescribeEnvironment", request),
            "NOT_FOUND",
            "UNKNOWN_ENVIRONMENT",
        )


def an_environment_says_what_it_takes_and_gives(server: Subject) -> None:
    """Every tensor of a task's spec has a name, a dtype and, where there are bounds, one for each
    element; names of elements are none or one for each; episodes are steps of some length.
    """
    for message in server.environments:
        if message.kind == pb.ENVIRONMENT_KIND_CULTURE:
            continue
        spec = EnvironmentSpec.from_message(message)
        where = spec.environment_id
        expect(spec.actions and spec.observations, f"{where} has no actions or no observations")
        expect(spec.max_episode_steps > 0, f"{where}: max_episode_steps is not above 0")
        for tensor in (*spec.actions, *spec.observations, *spec.infos):
            expect(tensor.name, f"{where} has a tensor without a name")
            expect(np.all(tensor.low <= tensor.high), f"{where}: {tensor.name}: low > high")
            size = int(np.prod(tensor.shape))
            expect(
                len(tensor.element_names) in (0, size),
                f"{where}: {tensor.name} names {len(tensor.element_names)} of {size} elements",
            )


def an_unknown_environment_is_refused(server: Subject) -> None:
    """DescribeEnvironment of an id that is not there is NOT_FOUND / UNKNOWN_ENVIRONMENT."""
    request = pb.DescribeEnvironmentRequest(environment_id="NoSuchTask-v0")
    expect_refused(
        "DescribeEnvironment",
        lambda: server.call("DescribeEnvironment", request),
        "NOT_FOUND",
        "UNKNOWN_ENVIRONMENT",
    )
