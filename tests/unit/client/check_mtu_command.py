#!/usr/bin/python3
"""Runs `culvert mtu` as a user does: numbers of the contract, advice that does what it says, errors."""
import json
import re
import subprocess
import sys
import unittest

CULVERT = sys.argv.pop(1)
NOTE = ("--formula", "cisco")


def run(*args):
    return subprocess.run([CULVERT, "mtu", *args], capture_output=True, text=True, timeout=20, check=False)


def derive(*args):
    done = run("--json", *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Numbers(unittest.TestCase):
    def check(self, args, tls, dtls, is_reconnect):
        d = derive(*args)
        self.assertEqual((d["tls_mtu"], d["dtls_mtu"], d["reconnect_expected"]), (tls, dtls, is_reconnect))
        self.assertEqual(d["adapter_mtu"], dtls or tls)
        for steps, result in ((d["tls_steps"], tls), (d["dtls_steps"], dtls)):
            self.assertTrue(all(set(s) == {"label", "value"} for s in steps))
            if steps:
                self.assertEqual(sum(s["value"] for s in steps[:-1]), steps[-1]["value"])
                self.assertEqual(steps[-1]["value"], result)
        self.assertEqual(bool(d["advice"]), is_reconnect)

    def test_the_note(self):
        self.check(NOTE, 1347, 1418, True)
        self.check((*NOTE, "--tcpmss", "1460"), 1427, 1418, False)
        self.check((*NOTE, "--configured", "1300"), 1300, 1300, False)
        self.check((*NOTE, "--dtls-cipher", "none"), 1347, None, False)

    def test_suites(self):
        gcm = "ECDHE-RSA-AES256-GCM-SHA384"
        self.check((*NOTE, "--tcpmss", "1460", "--cipher", gcm), 1367, 1390, True)
        self.check((*NOTE, "--tls-cipher", "AES128-SHA", "--tls-version", "1.0"), 1331, 1418, True)
        self.check((*NOTE, "--tls-cipher", "AES128-SHA", "--tls-version", "1.2"), 1315, 1418, True)
        self.check((*NOTE, "--cipher", "tls_rsa_with_aes_128_cbc_sha256", "--outer", "6"), 1303, 1374, True)

    def test_exact(self):
        self.check((), 1430, 1434, True)
        self.check(("--outer", "6"), 1410, 1414, True)
        self.check(("--cipher", "AES128-SHA", "--dtls-version", "1.0"), 1395, 1418, True)
        self.check(("--cipher", "AES128-SHA", "--encrypt-then-mac"), 1399, 1406, True)
        self.check(("--base-mtu", "576", "--ip6"), 1280, 1280, False)
        self.check(("--tls-version", "1.2", "--dtls-cipher", "PSK-CHACHA20-POLY1305"), 1423, 1442, True)


class Advice(unittest.TestCase):
    OPTION = {"anyconnect mtu": "--configured", "sysopt connection tcpmss": "--tcpmss"}

    def test_the_note(self):
        self.assertEqual(derive(*NOTE)["advice"], [
            "anyconnect mtu 1300", "anyconnect ssl df-bit-ignore enable", "sysopt connection tcpmss 1460",
            "anyconnect ssl dtls none", "anyconnect mtu-policy seamless"])

    def test_a_larger_mss_is_advised_only_where_it_helps(self):
        """cisco-facts.md 8, point 3: not with AES, whose TLS MTU stays below 1418 even with 1460."""
        advice = derive(*NOTE, "--tls-cipher", "AES128-SHA")["advice"]
        self.assertFalse([a for a in advice if "tcpmss" in a])

    def test_following_it_helps(self):
        n_followed = 0
        for base in ("576", "700", "1280", "1400", "1500", "9000"):
            for args in (NOTE, (), ("--ip6",), (*NOTE, "--cipher", "AES256-SHA256"), (*NOTE, "--outer", "6")):
                for line in derive("--base-mtu", base, *args)["advice"]:
                    m = re.fullmatch(r"(.*) (\d+)", line)
                    if m:
                        d = derive("--base-mtu", base, *args, self.OPTION[m[1]], m[2])
                        self.assertFalse(d["reconnect_expected"], (base, args, line))
                        n_followed += 1
        self.assertGreater(n_followed, 15)


class Text(unittest.TestCase):
    def test_says_it_all(self):
        out = run(*NOTE).stdout
        for part in ("tls-mtu = 1367(mtu) - 20(mac) = 1347", "= 1440(mod-mtu) - 1(cdtp) - 20(mac) - 1(pad) = 1418",
                     "will occur", "anyconnect mtu 1300", "RC4 is prohibited"):
            self.assertIn(part, out)
        self.assertIn("will not occur", run(*NOTE, "--tcpmss", "1460").stdout)

    def test_lists_what_it_knows(self):
        names = [line.split()[0] for line in run("--list-ciphers").stdout.splitlines()]
        self.assertIn("PSK-AES256-GCM-SHA384", names)
        self.assertEqual(run("--help").returncode, 0)
        for name in names:
            self.assertEqual(run("--cipher", name).returncode, 0, name)


class Errors(unittest.TestCase):
    def test_bad_input(self):
        for args, word in (
                (("--tcpmss", "-1"), "--tcpmss"), (("--tcpmss", "1e3"), "--tcpmss"), (("--tcpmss", "47"), "--tcpmss"),
                (("--tcpmss", ""), "--tcpmss"), (("--tcpmss", "4294967297"), "--tcpmss"), (("--tcpmss",), "tcpmss"),
                (("--base-mtu", "0"), "--base-mtu"), (("--base-mtu", "575"), "--base-mtu"),
                (("--base-mtu", "99999999999999999999"), "--base-mtu"), (("--configured", "1463"), "--configured"),
                (("--outer", "5"), "--outer"), (("--formula", "Cisco"), "--formula"), (("--tls-version", "1"), "--tls-version"),
                (("--dtls-version", "1.1"), "--dtls-version"), (("--cipher", "NOSUCH"), "NOSUCH"), (("--cipher", ""), "--cipher"),
                (("--dtls-cipher", "RC4-SHA"), "DTLS"), (("--tls-cipher", "AES256-GCM-SHA384", "--tls-version", "1.1"), "TLS 1.1"),
                (("--tls-cipher", "none"), "none"), (("now",), "now"), (("--unknown",), "unknown")):
            done = run("--json", *args)
            self.assertEqual((done.returncode, done.stdout), (1, ""), args)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
