"""Fixtures of the lab tests. See README.md in this folder."""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

# pylint: disable=wrong-import-position
import pytest  # noqa: E402

from _pytest.runner import runtestprotocol  # noqa: E402

import netns  # noqa: E402
from checks import FileServer, TooSlow  # noqa: E402
from peers import have_culvert  # noqa: E402

netns.stop_on_sigterm()
_lab = None
TRIES = 3  # of a test that fails by TooSlow and by nothing else


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
    report.was_too_slow = bool(call.excinfo and call.excinfo.errisinstance(TooSlow))
    if report.when == "call" and report.failed and _lab:
        for proc in _lab.procs:
            report.sections.append((f"{proc.name} in {proc.ns}", proc.tail(40)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """A test that missed a bound of time, and did nothing else wrong, is run again, in a lab of its own as before. What is slow by
    itself misses it each time."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for left in reversed(range(TRIES)):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failed = [r for r in reports if r.failed]
        if not left or not failed or not all(r.was_too_slow for r in failed):
            break
        netns.progress(f"# {item.nodeid} again: " + failed[0].longrepr.reprcrash.message)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


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
