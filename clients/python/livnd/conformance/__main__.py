"""python -m livnd.conformance: a report on a server, or on a client's program."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from livnd.arguments import above_0
from livnd.conformance.cases import Level, NotOffered, cases
from livnd.conformance.client import check_client
from livnd.conformance.report import Outcome, line_of
from livnd.conformance.server import check_server
from livnd.credentials import Credentials
from livnd.errors import LivndError


def main(arguments: Sequence[str] | None = None) -> int:
    """Asks what the command line says; 0: it conforms, 1: it does not, 2: it could not be asked."""
    args = _parser().parse_args(arguments)
    if args.list:
        for case in cases(Level[args.level.upper()]):
            print(f"{case.level.name.lower():<6}{case.name}\n      {case.expects}")
        return 0

    def tell(outcome: Outcome) -> None:
        print(line_of(outcome), flush=True, file=sys.stderr if args.json else sys.stdout)

    try:
        if args.client:
            report = check_client(args.client, args.address, timeout_s=args.timeout, tell=tell)
        else:
            report = check_server(
                args.address,
                level=Level[args.level.upper()],
                environment_id=args.environment.removeprefix("livnd/"),
                only=args.only,
                credentials=Credentials.parse(
                    token=None,
                    token_file=args.token_file,
                    tls_ca=args.tls_ca,
                    tls_cert=args.tls_cert,
                    tls_key=args.tls_key,
                ),
                timeout_s=args.timeout,
                tell=tell,
            )
    except (LivndError, NotOffered, OSError) as error:
        print(f"livnd.conformance: {error}", file=sys.stderr)
        return 2
    print(report.json() if args.json else report.summary())
    return 0 if report.conforms else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livnd.conformance",
        description="Holds a server of the protocol to docs/protocol.md, case by case; with"
        " --client, a program that steps it. Exit status 0: it conforms, 1: it does not.",
        epilog="A client's program makes a session, resets it with a seed, steps it ten times or"
        " more, deletes it and ends with status 0, and prints nothing but what follows from the"
        " answers: python -m livnd.conformance --address unix:/run/livnd.sock"
        " --client ./my_client --server {address}",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--address", metavar="ADDRESS", help="unix:PATH or HOST:PORT of the server")
    what.add_argument("--list", action="store_true", help="print the cases and what they expect")
    parser.add_argument(
        "--level",
        choices=[level.name.lower() for level in Level],
        default="full",
        help="core: environments with a task, NEXT_STEP; full: everything (default)",
    )
    parser.add_argument(
        "--environment",
        metavar="ID",
        default="",
        help="to ask on (default: the one with the shortest episodes)",
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="cases with this in their name")
    parser.add_argument("--json", action="store_true", help="print one object at the end")
    parser.add_argument(
        "--timeout",
        type=above_0("number of seconds"),
        metavar="S",
        default=60.0,
        help="of one call, or of one run of the client's program (default: 60)",
    )
    for name, says in (
        ("token-file", "a file that holds the token to show"),
        ("tls-ca", "call with TLS: a file of the CAs of the server, in PEM"),
        ("tls-cert", "a certificate to show, in PEM"),
        ("tls-key", "its private key"),
    ):
        parser.add_argument(f"--{name}", metavar="FILE", help=says)
    parser.add_argument(
        "--client",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="the last option: hold this program to the rules; {address} is put in",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
