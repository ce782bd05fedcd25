#!/usr/bin/python3
"""Runs `culvert diagnose` over the golden corpus: run_diagnose.py CULVERT [CASE...].

A case is a folder of files in the formats of real devices, and `expect`, one statement a line:
    exit N                         the exit status
    args ...                       options
    finding ID SEVERITY            exactly these findings, in any order
    confidence ID WORD
    evidence ID FILE "PART"        a line of evidence from a file of that name has this part
    cause ID "PART"                the explanation has this part
    remedy ID "LINE", no-remedy    some remedy has this line of configuration; none has
    user ID NAME, no-user          is among those concerned; is not
    kind FILE KIND...              what the file is recognised as; -: not at all
    timeline NAME                  whose timeline is shown
    gzip FILE, zip NAME            given packed: FILE as FILE.gz; the folder NAME.d as NAME
    lines-differ                   evidence is not compared with the files (UTF-16, archives)"""
import gzip
import html.parser
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile

CORPUS = pathlib.Path(__file__).resolve().parent / "diagnose"
FINDING = {"id", "severity", "confidence", "title", "cause", "evidence", "remedies", "users"}
COMMANDS = re.compile(r" *(group-policy|webvpn|anyconnect|sysopt|vpn-|tunnel-group|ssl |icmp |capture |show |address-pools|ipv6-address-pools|ip local|test aaa)")
SETTINGS = re.compile(r"[a-z0-9-]+ = ")
VOID = {"meta", "br"}


class Failure(Exception):
    pass


def want(is_true, text):
    if not is_true:
        raise Failure(text)


def read_expect(path):
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line)
        if words:
            rows.setdefault(words[0], []).append(words[1:])
    return rows


def pack(case, expect, tmp):
    """The files to give, packed as the case says."""
    zips = {w[0] for w in expect.get("zip", [])}
    packed = {w[0] for w in expect.get("gzip", [])}
    for entry in sorted(case.iterdir()):
        if entry.name == "expect":
            continue
        if entry.is_dir():
            out = tmp / entry.name.removesuffix(".d")
            want(out.name in zips, f"{entry.name} is not to be packed")
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
                for member in sorted(entry.rglob("*")):
                    if member.is_file():
                        z.write(member, member.relative_to(entry))
            yield out
        elif entry.name in packed:
            out = tmp / (entry.name + ".gz")
            out.write_bytes(gzip.compress(entry.read_bytes()))
            yield out
        else:
            yield entry


def run(culvert, *args):
    return subprocess.run([culvert, "diagnose", *map(str, args)], capture_output=True, timeout=60, check=False)


def part(text, wanted):
    return " ".join(wanted.split()) in " ".join(text.split())


def check_form(d):
    want({"verdict", "findings", "timeline", "files", "notices"} <= set(d), "keys of the report")
    want(1 <= len(d["verdict"]) <= 5, f"{len(d['verdict'])} lines of verdict")
    for f in d["findings"]:
        want(FINDING <= set(f), f"keys of {f.get('id')}")
        want(f["evidence"], f"{f['id']} without evidence")
        want(f["cause"].endswith((".", " ", "\"")), f"{f['id']}: cause is not a sentence: {f['cause'][-30:]!r}")
        for r in f["remedies"]:
            want({"title", "config", "effect", "side_effects"} <= set(r) and r["effect"], f"remedy of {f['id']}")


def check_products(d):
    """An ocserv has no use for the commands of an ASA, and the reverse."""
    kinds = {k for f in d["files"] for k in f["kinds"]}
    foreign = COMMANDS if kinds and kinds <= {"ocserv", "openconnect"} else SETTINGS if kinds and not kinds & {"ocserv", "openconnect"} else None
    for f in d["findings"]:
        for line in config_lines(f):
            want(foreign is None or not foreign.match(line), f"{f['id']}: {line!r} for {sorted(kinds)}")


def check_lines(d, files):
    """Evidence is what stands in the file, at that line."""
    texts = {str(p): (gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes()).decode("utf-8", "replace").splitlines() for p in files}
    for f in d["findings"]:
        for e in f["evidence"]:
            if e["file"] not in texts:
                continue
            near = " ".join(texts[e["file"]][e["line"] - 1:e["line"] + 6])
            head = e["text"].encode("ascii", "ignore").decode().split("\\x")[0][:60].strip()
            want(part(near, head), f"{e['file']}:{e['line']} is not {e['text']!r}")


class Page(html.parser.HTMLParser):
    """Well-formed, and nothing in it that runs or loads."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        want(tag not in ("script", "link", "img", "iframe", "object", "use", "image"), f"<{tag}> in the page")
        for name, value in attrs:
            want(not name.startswith("on") and name not in ("href", "src"), f"{name}={value} in the page")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        want(self.open and self.open.pop() == tag, f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


def check_page(path, d):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    want(not page.open, f"open at the end: {page.open}")
    text = "".join(page.text)
    for f in d["findings"]:
        want(f["id"] in text and f["title"] in text, f"{f['id']} is not in the page")
        for e in f["evidence"]:
            want(e["text"] in text, f"{e['text']!r} is not in the page")


def finding(d, fid):
    for f in d["findings"]:
        if f["id"] == fid:
            return f
    raise Failure(f"no {fid}")


def config_lines(f):
    return [line for r in f["remedies"] for line in r["config"]]


def check_findings(d, expect):
    got = {(f["id"], f["severity"]) for f in d["findings"]}
    wanted = {tuple(w) for w in expect.get("finding", [])}
    want(got == wanted, f"findings {sorted(got)}, not {sorted(wanted)}")
    for fid, word in expect.get("confidence", []):
        want(finding(d, fid)["confidence"] == word, f"{fid} is {finding(d, fid)['confidence']}")
    for fid, name, text in expect.get("evidence", []):
        lines = [e["text"] for e in finding(d, fid)["evidence"] if pathlib.PurePath(e["file"]).name == name]
        want(any(part(line, text) for line in lines), f"no evidence {text!r} of {name}: {lines}")
    for fid, text in expect.get("cause", []):
        want(text in finding(d, fid)["cause"], f"cause without {text!r}: {finding(d, fid)['cause']}")
    for fid, line in expect.get("remedy", []):
        want(line in config_lines(finding(d, fid)), f"no remedy {line!r}: {config_lines(finding(d, fid))}")
    for fid, line in expect.get("no-remedy", []):
        want(line not in config_lines(finding(d, fid)), f"remedy {line!r}")
    for fid, name in expect.get("user", []):
        want(name in finding(d, fid)["users"], f"{name} is not among {finding(d, fid)['users']}")
    for fid, name in expect.get("no-user", []):
        want(name not in finding(d, fid)["users"], f"{name} is among the users")


def check_files(d, expect):
    kinds = {pathlib.PurePath(f["name"]).name: f["kinds"] for f in d["files"]}
    for name, *wanted in expect.get("kind", []):
        want(kinds.get(name) == (wanted if wanted != ["-"] else []), f"{name} is {kinds.get(name)}")
    for (name,) in expect.get("timeline", []):
        want(d["timeline"]["user"] == name, f"timeline of {d['timeline']['user']}")


def check_case(culvert, case, tmp):
    expect = read_expect(case / "expect")
    files = list(pack(case, expect, tmp))
    args = [w for words in expect.get("args", []) for w in words]
    page = tmp / "page.html"
    done = run(culvert, "--json", "--html", page, *args, *files)
    status = int(expect["exit"][0][0])
    want(done.returncode == status, f"exit {done.returncode}, not {status}: {done.stderr.decode()}{done.stdout.decode()[:2000]}")
    d = json.loads(done.stdout.decode("utf-8"))
    check_form(d)
    check_products(d)
    check_findings(d, expect)
    check_files(d, expect)
    if "lines-differ" not in expect:
        check_lines(d, files)
    check_page(page, d)
    text = run(culvert, *args, *files)
    want(text.returncode == status, f"as text: exit {text.returncode}")
    want(b"\x1b" not in text.stdout, "a control character for the terminal")


def main():
    culvert, names = sys.argv[1], sys.argv[2:]
    cases = [c for c in sorted(CORPUS.iterdir()) if not names or c.name in names]
    n_bad = 0
    for case in cases:
        with tempfile.TemporaryDirectory() as tmp:
            try:
                check_case(culvert, case, pathlib.Path(tmp))
            except (Failure, KeyError, ValueError) as e:
                n_bad += 1
                print(f"{case.name}: {type(e).__name__}: {e}")
    print(f"{len(cases)} cases, {n_bad} failed")
    return 1 if n_bad or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
