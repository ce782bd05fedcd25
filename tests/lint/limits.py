#!/usr/bin/python3
"""Compares the limits in SECURITY.md with the sources: each name must be defined where the page says, with the value it says."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| [^|]+ \| ([^|]*) \| `([A-Z0-9_]+)` \| `([a-z0-9_/.]+)` \|$", re.M)
UNITS = {"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "ms": 1, "s": 1}
N_ROWS_MIN = 40  # fewer: the table's form has changed and this script sees nothing


def value_of(expr):
    """The number of a #define like (256u << 10), or None when it is built of other names."""
    expr = re.sub(r"/\*.*", "", expr).strip().strip("()")
    m = re.fullmatch(r"(\d+)u?l*(?:\s*<<\s*(\d+))?", expr)
    return int(m[1]) << int(m[2] or 0) if m else None


def said(text, name):
    """The number that the page means, in the unit of the name."""
    m = re.fullmatch(r"(\d+)(?: ([A-Za-z]+))?", text.strip())
    if m is None or (m[2] or "") not in UNITS:
        return None
    return int(m[1]) * UNITS[m[2] or ""] * (1000 if m[2] == "s" and name.endswith("_MS") else 1)


def complaint(text, name, path):
    file = ROOT / "src" / path
    if not file.is_file():
        return f"there is no src/{path}"
    m = re.search(rf"^#define\s+{name}\s+(.+)$", file.read_text(encoding="utf-8"), re.M)
    if m is None:
        return f"{name} is not defined in src/{path}"
    real, page = value_of(m[1]), said(text, name)
    if real is not None and real != page:
        return f"{name} is {real}, the page says {text}"
    return None


def main():
    rows = ROW.findall((ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    found = [c for c in (complaint(*row) for row in rows) if c]
    if len(rows) < N_ROWS_MIN:
        found.append(f"only {len(rows)} limits found")
    print("\n".join(f"SECURITY.md: {c}" for c in found) or f"{len(rows)} limits agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
