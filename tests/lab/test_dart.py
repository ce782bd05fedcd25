"""culvert dart and culvert stats: what is in the bundle, and that no secret is."""
import json
import re
import zipfile

import pytest

from checks import PingLog
from netns import SRV4
from peers import BUILD, PASSWORD, Culvert, Culvertd

pytestmark = pytest.mark.culvert
ALWAYS = {"summary.txt", "versions.txt", "interfaces.txt", "addresses.txt", "routes.txt", "dns.txt"}


def dart(lab, ns, *args):
    out = lab.dir / "bundle.zip"
    out.unlink(missing_ok=True)
    lab.exec(ns, BUILD / "culvert", "dart", "-o", out, *args)
    assert out.stat().st_mode & 0o077 == 0, "others may read the bundle"
    with zipfile.ZipFile(out) as z:
        assert z.testzip() is None
        return {n: z.read(n).decode() for n in z.namelist()}


LARGEST_MAP_BYTES = 1 << 28  # larger ones are a sanitizer's shadow memory, of many TiB


def memory_of(pid):
    """All that is readable and writable in a process."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            where, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in where.split("-"))
            if rights.startswith("rw") and end - begin <= LARGEST_MAP_BYTES:
                mem.seek(begin)
                try:
                    yield mem.read(end - begin)
                except OSError:
                    pass


def cookies_of(client):
    """What looks like a cookie of our gateway in the client's memory: 32 bytes in hexadecimal. The real one is among them."""
    found = set()
    for part in memory_of(client.proc.pid):
        found |= {m.decode() for m in re.findall(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])", part)}
    return found


def test_stats(lab):
    client = Culvert(lab, Culvertd(lab)).wait_dtls()
    ping = PingLog(client.ns, SRV4)
    ping.wait_answers(5)
    ping.stop()
    shown = lab.exec(client.ns, BUILD / "culvert", "stats", "--control", client.control)
    number = {k.strip(): int(v) for k, v in re.findall(r"^    ([\w ]+): +(\d+)$", shown, re.M)}
    assert number["Packets Received"] >= 5 and number["Packets Sent"] >= 5
    assert number["Encrypted Bytes Sent"] > number["Bytes Sent"] > 0
    assert number["Encrypted Bytes Received"] > number["Bytes Received"] > 0
    assert number["Control Packets Sent"] > 0, "the DPD probe that measures DTLS"
    assert number["Encrypted Packets Sent"] == number["Packets Sent"] + number["Control Packets Sent"]
    assert "        10.10.2.0/24\n" in shown and "Protocol:                    DTLS" in shown
    as_json = json.loads(lab.exec(client.ns, BUILD / "culvert", "stats", "--json", "--control", client.control))
    assert as_json["active"] == "dtls" and as_json["tls"]["tx_wire_bytes"] > 0


def test_bundle_of_a_session(lab):
    client = Culvert(lab, Culvertd(lab)).wait_dtls()
    ping = PingLog(client.ns, SRV4)
    ping.wait_answers(5)
    ping.stop()
    n_events = len(client.event_log())
    parts = dart(lab, client.ns, "--control", client.control)
    assert set(parts) == ALWAYS | {"AnyConnect.txt", "stats.txt", "status.json"}
    for name in set(parts) - {"summary.txt"}:
        assert name in parts["summary.txt"]
    assert "A session is running" in parts["summary.txt"]
    blocks = re.findall(r"\*{42}\n\nDate        : \d\d/\d\d/\d{4}\nTime        : \d\d:\d\d:\d\d\nType        : (\w+)\n"
                        r"Source      : culvert\n\nDescription : (.+)\n", parts["AnyConnect.txt"])
    assert len(blocks) >= n_events  # more may come at any time
    assert [(e["type"], e["text"]) for e in client.event_log()][:len(blocks)] == blocks
    assert json.loads(parts["status.json"])["inner4"] == client.inner4()
    assert client.tun in parts["interfaces.txt"] and client.inner4() in parts["addresses.txt"]
    assert f"10.10.2.0/24 dev {client.tun}" in parts["routes.txt"]
    assert "192.0.2.53" in parts["dns.txt"] and "OpenSSL" in parts["versions.txt"]
    for section in ("VPN Stats", "Protocol Info", "Routes", "Firewall Rules", "OS Version"):
        assert re.search(rf"^{section}$", parts["stats.txt"], re.M)


def test_no_secrets(lab):
    client = Culvert(lab, Culvertd(lab)).wait_dtls()
    cookies = cookies_of(client)
    assert cookies, "the client's cookie was not found in its memory"
    leak = client.events.with_suffix(".leak")  # a log into which a cookie got by mistake
    leak.write_text(client.events.read_text() + json.dumps(
        {"t": "2026-11-26T09:14:55.264Z", "type": "Error", "source": "culvert", "code": 0,
         "text": f"sent password={PASSWORD} and Cookie: lang=en; webvpn={sorted(cookies)[0]}"}) + "\n")
    for args in ([], ["--events", leak]):
        parts = dart(lab, client.ns, "--control", client.control, *args)
        whole = "\n".join(parts.values())
        assert PASSWORD not in whole
        for cookie in cookies:
            assert cookie not in whole and cookie.upper() not in whole
    assert "sent password=[removed] and Cookie: [removed]" in parts["AnyConnect.txt"]


def test_without_a_session(lab):
    parts = dart(lab, lab.cl, "--control", lab.dir / "nobody.sock")
    assert set(parts) == ALWAYS
    assert "No session is running" in parts["summary.txt"]
