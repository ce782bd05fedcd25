#!/usr/bin/python3
"""Prints "N passed, N failed, N skipped" from meson's testlog.json and pytest's JUnit file.

summary.py TESTLOG.json LAB.xml [--all]     status 1 when a test failed, or with --all when a file is missing
"""
import json
import os
import sys
import xml.etree.ElementTree as ET

PASSED, SKIPPED = {"OK", "EXPECTEDFAIL"}, {"SKIP"}


def from_meson(path):
    counts = [0, 0, 0]
    with open(path, encoding="utf-8") as f:
        for line in f:
            result = json.loads(line)["result"]
            counts[0 if result in PASSED else 2 if result in SKIPPED else 1] += 1
    return counts


def from_junit(path):
    counts = [0, 0, 0]
    for case in ET.parse(path).iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        counts[1 if bad else 2 if case.find("skipped") is not None else 0] += 1
    return counts


def main():
    total, missing = [0, 0, 0], []
    for path, read in ((sys.argv[1], from_meson), (sys.argv[2], from_junit)):
        if os.path.exists(path):
            total = [a + b for a, b in zip(total, read(path))]
        else:
            missing.append(path)
    needed = missing if "--all" in sys.argv else [p for p in missing if p == sys.argv[1]]
    for path in needed:
        print(f"no results: {path}", file=sys.stderr)
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or needed else 0


if __name__ == "__main__":
    sys.exit(main())
