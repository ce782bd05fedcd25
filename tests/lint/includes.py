#!/usr/bin/python3
"""Checks the folder rules of ARCHITECTURE.md: who includes whom, and which functions nobody may call."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = {"base", "wire", "mtu", "tunnel", "policy", "io", "store", "aaa", "ipc"}
MAY_USE = {
    "base": set(),
    "wire": {"base"},
    "mtu": {"base"},
    "tunnel": {"base", "wire", "mtu"},
    "policy": {"base"},
    "io": {"base"},
    "store": {"base"},
    "aaa": {"base", "policy", "io"},
    "ipc": {"base", "wire"},
    "gateway": CORE,
    "client": {"base", "wire", "mtu", "tunnel", "io"},
    "ctl": {"base", "ipc", "io"},
}
BANNED = re.compile(r"\b(atoi|atol|atoll|strtok|strcpy|strcat|sprintf|vsprintf|sscanf|alloca|gets)\s*\(")
SLEEPS = re.compile(r"\b(sleep|usleep|nanosleep)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z0-9_]+)/')


def complaints():
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        folder = path.relative_to(ROOT / "src").parts[0]
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{n}"
            m = INCLUDE.match(line)
            if m and m[1] != folder and m[1] not in MAY_USE[folder]:
                yield f"{where}: {folder} may not include {m[1]}"
            m = BANNED.search(line)
            if m:
                yield f"{where}: {m[1]} is banned, see base/parse.h, base/text.h"
    for path in sorted((ROOT / "tests").rglob("*.c")):
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if SLEEPS.search(line):
                yield f"{path.relative_to(ROOT)}:{n}: tests wait for conditions, they do not sleep"


def main():
    found = list(complaints())
    print("\n".join(found) or "folder rules hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
