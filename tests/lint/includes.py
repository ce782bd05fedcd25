#!/usr/bin/python3
"""Checks what ARCHITECTURE.md says of the folders: who includes whom, which functions nobody calls, which the
pure ones do not call, and that tests do not sleep. The table of that page is the rule: there is no second one."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `src/([a-z]+)` \|.*\| ([^|]+) \|$", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z0-9_]+)/')
BANNED = re.compile(r"\b(atoi|atol|atoll|strtok|strtok_r|strcpy|strcat|sprintf|vsprintf|sscanf|alloca|gets)\s*\(")
IMPURE = re.compile(r"(?<![.>])\b(socket|time|clock_gettime|gettimeofday|getrandom|rand|random|exit|abort|getenv|open)\s*\(")
PURE = ("wire", "mtu", "tunnel", "policy", "datapath")
SLEEP_C = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep)\s*\(")
# only the helpers that poll may wait; everybody else calls them
SLEEP_PY = re.compile(r"^\s*time\.sleep\(")
POLLERS = {"netns.py", "janitor.py", "checks.py"}


def rules():
    """Folder -> the folders it may use, in the order of the table."""
    rows = {}
    for name, uses in ROW.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")):
        words = re.findall(r"[a-z]+", uses)
        rows[name] = set(rows) if words[:2] == ["all", "above"] else {w for w in words if w in rows}
    return rows


def code_lines(path):
    """(number, line) without comments; strings stay."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    return enumerate(text.splitlines(), 1)


def check_includes(path, folder, may_use):
    for n, line in code_lines(path):
        m = INCLUDE.match(line)
        if m and m[1] in may_use and m[1] != folder and m[1] not in may_use[folder]:
            yield n, f"{folder} may not include {m[1]}"


def check_calls(path, pattern, why):
    for n, line in code_lines(path):
        m = pattern.search(line)
        if m:
            yield n, f"{m[1] if pattern.groups else 'time.sleep'}() {why}"


def complaints(may_use):
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder not in may_use:
            yield path, 1, f"src/{folder} has no row in ARCHITECTURE.md"
            continue
        for n, text in check_includes(path, folder, may_use):
            yield path, n, text
        for n, text in check_calls(path, BANNED, "is banned, see base/parse.h and base/text.h"):
            yield path, n, text
        if folder in PURE:
            for n, text in check_calls(path, IMPURE, f"is not for the pure folder {folder}"):
                yield path, n, text
    for path in sorted((ROOT / "tests").rglob("*.c")):
        parts = path.relative_to(ROOT / "tests").parts
        if parts[0] == "unit" and parts[1] in may_use:
            for n, text in check_includes(path, parts[1], may_use):
                yield path, n, text
        for n, text in check_calls(path, SLEEP_C, "in a test: wait for the condition"):
            yield path, n, text
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.name not in POLLERS:
            for n, text in check_calls(path, SLEEP_PY, "in a test: wait for the condition, see netns.py"):
                yield path, n, text


def main():
    may_use = rules()
    if len(may_use) < 12:
        print("ARCHITECTURE.md: the table of folders is not readable")
        return 1
    found = [f"{p.relative_to(ROOT)}:{n}: {text}" for p, n, text in complaints(may_use)]
    print("\n".join(found) or "folder rules hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
