"""What became of the cases, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Outcome:
    """Of one case.

    Attributes:
        result: "passed", "failed" or "skipped".
        said: what the peer did instead; why it was not asked.
    """

    case: str
    expects: str
    result: str
    said: str = ""
    duration_s: float = 0.0


@dataclass
class Report:
    """Of all cases.

    Attributes:
        subject: whom they were asked.
    """

    subject: str
    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, result: str) -> int:
        """How many cases "passed", "failed" or were "skipped"."""
        return sum(outcome.result == result for outcome in self.outcomes)

    @property
    def conforms(self) -> bool:
        """Whether something was asked and nothing failed."""
        return self.count("failed") == 0 and self.count("passed") > 0

    def json(self) -> str:
        """One object: subject, conforms and a list of outcomes."""
        return json.dumps(
            {
                "subject": self.subject,
                "conforms": self.conforms,
                "outcomes": [asdict(outcome) for outcome in self.outcomes],
            },
            indent=2,
        )

    def summary(self) -> str:
        """The last line of a report."""
        counts = ", ".join(f"{self.count(r)} {r}" for r in ("passed", "failed", "skipped"))
        return f"{self.subject}: {counts}"


def line_of(outcome: Outcome) -> str:
    """One case of a report, and what went wrong on lines of their own."""
    text = f"{outcome.result:<8}{outcome.case}"
    if outcome.result == "failed":
        text += f"\n        expected: {outcome.expects}\n        instead:  {outcome.said}"
    elif outcome.said:
        text += f" ({outcome.said})"
    return text
