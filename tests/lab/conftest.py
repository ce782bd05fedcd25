"""Fixtures of the lab tests. See README.md in this folder."""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

# pylint: disable=wrong-import-position
import pytest  # noqa: E402

import netns  # noqa: E402
from checks import FileServer  # noqa: E402
from peers import have_culvert  # noqa: E402

netns.stop_on_sigterm()
_lab = None


def pytest_configure(config):
    config.addinivalue_line("markers", "culvert: needs the programs of this repository")
    config.addinivalue_line("markers", "slow: takes more than a minute")


def pytest_collection_modifyitems(items):
    """Without the programs their tests are skipped, unless LAB_REQUIRE=1 (./run-tests) makes that a failure."""
    if have_culvert() or os.environ.get("LAB_REQUIRE") == "1":
        return
    for item in items:
        if item.get_closest_marker("culvert"):
            item.add_marker(pytest.mark.skip(reason="build/culvertd, culvert, culvertctl are not built"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of every program's output."""
    report = (yield).get_result()
    if report.when == "call" and report.failed and _lab:
        for proc in _lab.procs:
            report.sections.append((f"{proc.name} in {proc.ns}", proc.tail(40)))


@pytest.fixture
def lab():
    """A lab of its own for each test: nothing is left over from another one."""
    global _lab
    with netns.Lab() as made:
        _lab = made
        yield made
        made.end_programs()
        made.check_sanitizers()
    _lab = None


@pytest.fixture
def server(lab):
    return FileServer(lab)
