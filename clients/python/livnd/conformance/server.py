"""Asks a server."""

from __future__ import annotations

import time
from collections.abc import Callable

from livnd.conformance.cases import Case, Level, NotConforming, NotOffered, cases
from livnd.conformance.report import Outcome, Report
from livnd.conformance.subject import Subject
from livnd.credentials import NONE, Credentials
from livnd.errors import LivndError


def check_server(
    address: str,
    *,
    level: Level = Level.FULL,
    environment_id: str = "",
    only: str = "",
    credentials: Credentials = NONE,
    timeout_s: float = 60.0,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> Report:
    """Asks every case of a level, one after the other.

    Args:
        address: "unix:PATH" or "HOST:PORT".
        level: of the cases.
        environment_id: on which; "" takes the one whose episodes are shortest.
        only: cases whose name has this in it.
        credentials: what the server is shown, and asked for.
        timeout_s: of a call.
        tell: is told of each case as it ends.

    Raises:
        LivndError: nobody answers there, or there is no such environment.
        NotOffered: the server has no environment with a task.
    """
    subject = Subject(address, environment_id, credentials=credentials, timeout_s=timeout_s)
    report = Report(f"{subject.message.environment_id} at {address}")
    try:
        for case in cases(level):
            if only not in case.name:
                continue
            outcome = _ask(case, subject)
            report.outcomes.append(outcome)
            tell(outcome)
    finally:
        subject.close()
    return report


def _ask(case: Case, subject: Subject) -> Outcome:
    begun_s = time.monotonic()
    result, said = "passed", ""
    try:
        case.run(subject)
    except NotConforming as error:
        result, said = "failed", str(error)
    except NotOffered as error:
        result, said = "skipped", str(error)
    except LivndError as error:
        result, said = "failed", f"{error.code} {error.reason}: {error}"
    except Exception as error:  # what is answered is no answer: no number where one belongs, say
        result, said = "failed", f"{type(error).__name__}: {error}"
    finally:
        subject.forget()
    return Outcome(case.name, case.expects, result, said, time.monotonic() - begun_s)
