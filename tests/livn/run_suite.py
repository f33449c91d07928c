"""What passes in livn's own test suite on its native backend passes on livnd.

Its name keeps it out of the other legs' pytest: it needs .venv-livn (tools/setup.sh --livn), and
fetches livn's source distribution.
"""

from __future__ import annotations

import livn_suite
import pytest


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest) -> tuple[livn_suite.Outcomes, livn_suite.Outcomes]:
    native, ours = (livn_suite.run(backend) for backend in livn_suite.BACKENDS)
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print("\n" + livn_suite.table(native, ours))
    return native, ours


def test_the_suite_was_there(both) -> None:
    native, ours = both
    assert native.keys() == ours.keys()
    assert sum(kind == "passed" for kind in native.values()) > 300


def test_what_passes_on_native_passes_on_livnd(both) -> None:
    assert [name for name in livn_suite.lost(*both) if name not in livn_suite.EXPLAINED] == []


def test_what_is_explained_is_still_so(both) -> None:
    assert sorted(livn_suite.EXPLAINED) == [
        name for name in livn_suite.lost(*both) if name in livn_suite.EXPLAINED
    ]


def test_the_page_has_the_table(both) -> None:
    assert livn_suite.on_page() == livn_suite.table(*both)
