"""Modules of tests are no installed package's: whichever came first would be both."""

from __future__ import annotations

from importlib.metadata import packages_distributions
from pathlib import PurePosixPath

from checkout import tracked


def test_helpers_of_tests_have_names_of_their_own():
    folders = ("clients/python/tests/*.py", "tests/**/*.py")
    modules = {PurePosixPath(path).stem for path in tracked(*folders)}
    assert len(modules) > 50
    assert not modules & packages_distributions().keys()
