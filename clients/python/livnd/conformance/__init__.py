"""What anybody's server, or client, of the protocol is held to.

`python -m livnd.conformance --address ADDRESS` asks a server every case of a level and reports what
it did instead. A case is a sentence of docs/protocol.md or of a comment in proto/: `cases()` lists
them. `--client COMMAND` holds a program of anybody's, which steps that server, to the rules for
repeating calls: what it says through a line that loses calls and answers has to be what it says
through one that does not.
"""

from livnd.conformance.cases import Case, Level, cases
from livnd.conformance.client import check_client
from livnd.conformance.report import Outcome, Report
from livnd.conformance.server import check_server

__all__ = ["Case", "Level", "Outcome", "Report", "cases", "check_client", "check_server"]
