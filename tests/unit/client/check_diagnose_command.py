#!/usr/bin/python3
"""Runs `culvert diagnose` as a user does: options, exit status, files of any packing, files that cannot be read."""
import gzip
import io
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unittest
import zipfile

CULVERT = sys.argv.pop(1)
WHO = "Group <GP1> User <alice> IP <203.0.113.5>"


def line(second, words):
    return f"Nov 16 2013 01:{28 + second // 60:02}:{second % 60:02} fw1 : {words}\n"


HEALTHY = line(0, f"%ASA-6-113039: {WHO} AnyConnect parent session started.") + line(1, "%ASA-6-302013: Built outbound TCP connection 1 for outside:192.0.2.1/443 (192.0.2.1/443) to inside:10.1.1.9/5 (10.1.1.9/5)")
NOTE = (line(1, f"%ASA-5-722033: {WHO} First TCP SVC connection established for SVC session.")
        + "".join(line(s, f"%ASA-6-722036: {WHO} Transmitting large packet 1418 (threshold 1347).") for s in range(5, 60, 3))
        + line(62, f"%ASA-5-722032: {WHO} New TCP SVC connection replacing old connection."))


def run(*args, **how):
    done = subprocess.run([CULVERT, "diagnose", *map(str, args)], capture_output=True, timeout=30, check=False, **how)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def packed(members, method=zipfile.ZIP_DEFLATED, out=None):
    out = out or io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in members.items():
            z.writestr(name, data)
    return out.getvalue()


class Pipe(io.BytesIO):
    """What a writer that cannot seek makes: sizes come behind the data."""

    def seekable(self):
        return False

    def tell(self):
        raise OSError

    def seek(self, *_):
        raise OSError


class Case(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = pathlib.Path(tmp.name)

    def file(self, name, data):
        path = self.dir / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def report(self, *args, status=10, **how):
        code, out, err = run("--json", *args, **how)
        self.assertEqual(code, status, err)
        self.assertEqual(err, "")
        return json.loads(out)

    def files(self, *args, **how):
        """name (without this folder) -> what the report says of it"""
        return {f["name"].replace(f"{self.dir}/", ""): f for f in self.report(*args, **how)["files"]}

    def ids(self, *args, **how):
        return [f["id"] for f in self.report(*args, **how)["findings"]]


class Status(Case):
    def test_status(self):
        healthy, note = self.file("healthy.log", HEALTHY), self.file("note.log", NOTE)
        self.assertEqual(run(healthy)[0], 0)
        self.assertEqual(run(note)[0], 10)
        self.assertEqual(run(healthy, self.dir / "missing")[0], 2)
        code, out, _ = run(note, self.dir / "missing")
        self.assertEqual(code, 2)
        self.assertIn("dtls-blocked-mtu-reconnect", out)  # printed all the same

    def test_usage(self):
        log = self.file("a.log", HEALTHY)
        for args in ((), (log, "--since", "yesterday"), (log, "--since", "2013-02-30"), (log, "--ip", "1.2.3"), (log, "--user", ""),
                     (log, "--bogus"), (log, "--html", self.dir / "no" / "page.html")):
            code, out, err = run(*args)
            self.assertEqual((code, out), (1, ""), args)
            self.assertNotEqual(err, "", args)
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        self.assertIn("Usage: culvert diagnose", out)

    def test_output_is_full(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([CULVERT, "diagnose", self.file("a.log", HEALTHY)], stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot be written", done.stderr)


class Options(Case):
    def test_since(self):
        log = self.file("note.log", NOTE + NOTE.replace("Nov 16", "Nov 18").replace("alice", "bob"))
        users = lambda *args: {u for f in self.report(log, *args)["findings"] for u in f["users"]}  # noqa: E731
        self.assertEqual(users(), {"alice", "bob"})
        for since in ("2h", "1d", "2013-11-17", "2013-11-17 12:00", "2013-11-18T00:00:00Z"):
            self.assertEqual(users("--since", since), {"bob"}, since)
        self.assertEqual(users("--since", "3d"), {"alice", "bob"})
        self.report(log, "--since", "2014-01-01", status=0)

    def test_html(self):
        page = self.dir / "page.html"
        self.assertEqual(run(self.file("note.log", NOTE), "--html", page)[0], 10)
        self.assertIn("dtls-blocked-mtu-reconnect", page.read_text(encoding="utf-8"))

    def test_standard_input(self):
        self.assertIn("dtls-blocked-mtu-reconnect", self.ids("-", input=NOTE.encode()))
        files = self.files("-", input=packed({"a.log": NOTE}))
        self.assertEqual(list(files), ["standard input:a.log"])

    def test_no_progress_without_a_terminal(self):
        self.assertEqual(run(self.file("note.log", NOTE))[2], "")

    def test_progress(self):
        """Longer than 200 ms, and the line is gone in the end."""
        main, end = pty.openpty()
        words = "what nobody knows, for a while, on a terminal; " * 2 + "\n"
        log = self.file("big.log", words * 600000)
        with subprocess.Popen([CULVERT, "diagnose", log], stdout=subprocess.DEVNULL, stderr=end) as p:
            os.close(end)
            seen = b""
            try:
                while chunk := os.read(main, 4096):
                    seen += chunk
            except OSError:  # the other end is closed
                pass
            self.assertEqual(p.wait(), 0)
        os.close(main)
        self.assertRegex(seen, rb"% of \d+\.\d MB")
        self.assertTrue(seen.endswith(b"\r\x1b[K"))


class Packing(Case):
    def test_all_forms(self):
        inner = packed({"note.log": NOTE})
        forms = {
            "a.log": NOTE, "crlf.log": NOTE.replace("\n", "\r\n"), "cr.log": NOTE.replace("\n", "\r"), "utf16.log": NOTE.encode("utf-16"),
            "be.log": NOTE.encode("utf-16-be"), "mark.log": NOTE.encode("utf-8-sig"), "a.gz": gzip.compress(NOTE.encode()),
            "members.gz": b"".join(gzip.compress(s.encode()) for s in NOTE.splitlines(True)), "a.zip": inner,
            "stored.zip": packed({"note.log": NOTE}, zipfile.ZIP_STORED), "gz.zip": packed({"note.log.gz": gzip.compress(NOTE.encode())}),
            "zip.zip": packed({"in.zip": inner}), "pipe.zip": packed({"note.log": NOTE}, out=Pipe()),
        }
        for name, data in forms.items():
            self.assertIn("dtls-blocked-mtu-reconnect", self.ids(self.file(name, data)), name)

    def test_names(self):
        path = self.file("n.zip", packed({"日本.log": NOTE, "../../x\x1b[2J.log": "x\n"}))
        for locale in ("C", "C.UTF-8"):
            names = list(self.files(path, env=dict(os.environ, LC_ALL=locale)))
            self.assertEqual(names, ["n.zip:日本.log", "n.zip:../../x\\x1b[2J.log"])

    def test_folder(self):
        for name in ("b.log", "a.log"):
            self.file(name, NOTE)
        (self.dir / "sub").mkdir()
        files = self.report(self.dir)["files"]
        self.assertEqual([pathlib.Path(f["name"]).name for f in files[:2]], ["a.log", "b.log"])
        self.assertIn("1 folders", files[2]["note"])

    def test_cut_off(self):
        words = "".join(f"{i * 7919 % 100003} some words\n" for i in range(20000))
        data = gzip.compress((NOTE + words).encode())
        for path in (self.file("cut.gz", data[:len(data) // 2]), self.file("cut.zip", packed({"a.log": NOTE + words})[:len(data) // 2])):
            files = self.report(path)["files"]
            self.assertIn("cut off", files[0]["note"], path)
            self.assertIsNone(files[0]["error"])

    def test_cannot_be_read(self):
        good = self.file("note.log", NOTE)
        for name, data, words in (("lzma.zip", packed({"a.log": NOTE}, zipfile.ZIP_LZMA), "not read"),
                                  ("empty.zip", packed({}), "without files"),
                                  ("deep.gz", gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"x"))))), "too deep")):
            files = self.report(good, self.file(name, data), status=2)["files"]
            self.assertIn(words, files[1]["error"], name)

    def test_bomb(self):
        bomb = gzip.compress(bytes(300 << 20), 9)
        files = self.report(self.file("bomb.gz", bomb), self.file("note.log", NOTE))["files"]
        self.assertIn("is no text", files[0]["note"])
        spaces = gzip.compress(b" " * (300 << 20), 9)
        files = self.report(self.file("bomb.gz", spaces), self.file("note.log", NOTE))["files"]
        self.assertIn("250 times its size", files[0]["note"])

    def test_not_recognised(self):
        files = self.files(self.file("words", "some words\nand others\n"), self.file("junk", bytes(range(256)) * 100), self.file("empty", ""),
                           self.file("long", "x" * 20_000_000), status=0)
        self.assertEqual({f["kind"] for f in files.values()}, {None})
        self.assertIn("no text", files["junk"]["note"])
        self.assertIn("too long", files["long"]["note"])


if __name__ == "__main__":
    unittest.main()
