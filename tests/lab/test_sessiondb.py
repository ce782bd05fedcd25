"""The three tunnels of a session as the console shows them, the states of cisco-facts.md 2, logoff, and debug."""
import json
import os
import pty
import re
import select
import signal
import socket
import struct

import pytest

from netns import LabError, wait_for
from peers import BUILD, Culvert, Culvertd, OpenConnect, PASSWORD
from raw import DISCONNECT, RawClient, packet

pytestmark = pytest.mark.culvert

CLIENTS = [Culvert, OpenConnect]
SHORT_DPD = "anyconnect dpd-interval gateway 5"


def the_session(gateway):
    found = gateway.sessions()
    assert len(found) == 1, found
    return found[0]


def ids(session):
    """Kind -> number of the tunnels that are up."""
    out = {}
    for tunnel in session["tunnels"]:
        index, number = tunnel["id"].split(".")
        assert int(index) == session["index"]
        out[tunnel["kind"]] = int(number)
    return out


def wait_kinds(gateway, *kinds, timeout_s=15):
    def look():
        found = gateway.sessions()
        return found[0] if found and set(ids(found[0])) == set(kinds) else None
    return wait_for(look, timeout_s, lambda: f"tunnels {kinds}: {gateway.sessions()}")


def text(gateway, *words):
    return gateway.ctl("show", "vpn-sessiondb", *words, as_json=False)


def block_tcp(lab, port=443):
    for ns in (lab.gw, lab.cl):
        lab.nft(ns, f"add table inet blocktcp\nadd chain inet blocktcp in {{ type filter hook prerouting priority -300; }}\n"
                    f"add rule inet blocktcp in tcp dport {port} drop\nadd rule inet blocktcp in tcp sport {port} drop\n")


def unblock_tcp(lab):
    for ns in (lab.gw, lab.cl):
        lab.nft(ns, "delete table inet blocktcp\n")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda c: c.kind)
def test_three_tunnels(lab, client):
    gateway = Culvertd(lab)
    client(lab, gateway).wait_dtls()
    session = wait_kinds(gateway, "parent", "tls", "dtls")
    assert ids(session) == {"parent": 1, "tls": 2, "dtls": 3} and session["inactivity_s"] == 0
    out = text(gateway, "detail", "anyconnect")
    assert "Protocol     : AnyConnect-Parent SSL-Tunnel DTLS-Tunnel\n" in out
    for name, number, port in (("AnyConnect-Parent", 1, "TCP"), ("SSL-Tunnel", 2, "TCP"), ("DTLS-Tunnel", 3, "UDP")):
        assert f"{name} Tunnels: 1\n" in out
        assert re.search(rf"\n{name}:\n  Tunnel ID    : {session['index']}\.{number}\n(  .*\n)+?  Encapsulation: D?TLSv1\.[23] +"
                         rf"{port} Src Port : [1-9]\d*\n  {port} Dst Port : 443 ", out), out
    assert re.search(r"^SSL-Tunnel +: +1 : +1 : +1$", text(gateway), re.M)
    assert re.search(r"^Totals +: +3 : +3$", text(gateway), re.M)


def test_numbers_grow_over_reconnects(lab):
    """New connections have new tunnels; the parent stays, and so does what the session has counted."""
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway).wait_dtls()
    before = wait_kinds(gateway, "parent", "tls", "dtls")
    seen = ids(before)
    for _ in range(2):
        lab.kill_tcp(lab.cl)
        def again():
            now = ids(the_session(gateway))
            return now if now.get("tls", 0) > seen["tls"] and now.get("dtls", 0) > seen["dtls"] else None
        now = wait_for(again, 20, lambda: f"new tunnels: {gateway.sessions()}")
        assert now["parent"] == 1 and len(set(now.values())) == 3 and min(now["tls"], now["dtls"]) > max(seen.values()) - 1
        seen = now
    after = the_session(gateway)
    assert after["index"] == before["index"] and after["assigned_ip"] == client.inner4()
    assert after["bytes_rx"] >= before["bytes_rx"] and after["inactivity_s"] == 0
    counts = gateway.ctl("show", "vpn-sessiondb")["tunnels"]
    assert counts["parent"] == {"active": 1, "cumulative": 1, "peak": 1}
    assert counts["tls"] == {"active": 1, "cumulative": 3, "peak": 1} and counts["dtls"]["cumulative"] >= 3


def test_replaced_connections_are_counted(lab):
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    assert RawClient(lab.cl).connect(cookie=raw.cookie).status == 200
    assert raw.ended()
    assert gateway.ctl("show", "asp", "drop")["svc-replacement-conn"] == 1
    out = gateway.ctl("show", "asp", "drop", as_json=False)
    assert "  SVC replacement connection established (svc-replacement-conn)                1\n" in out.partition("Flow drop:\n")[2]
    gateway.ctl("clear", "asp", "drop", as_json=False)
    out = gateway.ctl("show", "asp", "drop", as_json=False)
    assert "svc-replacement-conn" not in out
    assert re.search(r"\AFrame drop:\n(?:.*\(mp-svc-no-session\).*\n)?\nLast clearing: [\d:]+ UTC \w+ \d+ \d+ by uid 0\n\nFlow drop:\n\nLast clearing: ", out), out


@pytest.mark.parametrize("client", CLIENTS, ids=lambda c: c.kind)
def test_udp_blocked(lab, client):
    gateway = Culvertd(lab)
    lab.block_udp()
    client(lab, gateway)
    session = wait_kinds(gateway, "parent", "tls")
    assert ids(session) == {"parent": 1, "tls": 2} and session["dtls"] is None
    assert "Protocol     : AnyConnect-Parent SSL-Tunnel\n" in text(gateway, "anyconnect")


def test_tcp_lost_and_then_both(lab):
    """The SSL-Tunnel alone decides whether a session is inactive; without any tunnel it waits, and resumes."""
    gateway = Culvertd(lab, policy_webvpn=SHORT_DPD)
    client = Culvert(lab, gateway).wait_dtls()
    wait_kinds(gateway, "parent", "tls", "dtls")
    block_tcp(lab)
    lab.kill_tcp(lab.gw)
    session = wait_kinds(gateway, "parent", "dtls")
    assert "Protocol     : AnyConnect-Parent DTLS-Tunnel\n" in text(gateway, "anyconnect")
    wait_for(lambda: the_session(gateway)["inactivity_s"] >= 1, 5, "the inactivity to be counted")
    assert [s["index"] for s in gateway.ctl("show", "vpn-sessiondb", "anyconnect", "filter", "inactive")] == [session["index"]]
    lab.block_udp()
    wait_kinds(gateway, "parent", timeout_s=40)
    assert "Protocol     : AnyConnect-Parent\n" in text(gateway, "anyconnect")
    summary = gateway.ctl("show", "vpn-sessiondb")
    assert (summary["active"], summary["inactive"]) == (0, 1)
    unblock_tcp(lab)
    lab.unblock_udp()
    again = wait_kinds(gateway, "parent", "tls", "dtls", timeout_s=60)
    assert again["index"] == session["index"] and again["inactivity_s"] == 0 and again["assigned_ip"] == client.inner4()


def test_waiting_after_a_worker_restart(lab):
    """Known by the auth process alone, shown all the same, resumed with numbers that go on."""
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    before = the_session(gateway)
    old = gateway.worker_pids()
    os.kill(old[0], signal.SIGKILL)
    wait_for(lambda: new_worker(gateway, old), 15, "a new worker that answers")
    session = wait_kinds(gateway, "parent")
    for key in ("index", "username", "assigned_ip", "public_ip", "group_policy", "tunnel_group", "login_time"):
        assert session[key] == before[key], key
    assert session["tls"] is None and session["active"] == "none"
    assert f"  Tunnel ID    : {session['index']}.1\n" in text(gateway, "detail", "anyconnect", "filter", "inactive")
    assert gateway.ctl("show", "vpn-sessiondb", "anyconnect", "filter", "name", "nobody") == []
    again = RawClient(lab.cl)
    assert again.connect(cookie=raw.cookie).status == 200
    assert ids(wait_kinds(gateway, "parent", "tls"))["tls"] > 3
    again.sock.close()
    wait_kinds(gateway, "parent")
    assert gateway.ctl("vpn-sessiondb", "logoff", "ipaddress", session["assigned_ip"])["sessions_logged_off"] == 1
    assert gateway.sessions() == []


def new_worker(gateway, old):
    try:
        return gateway.worker_pids() != old and gateway.ctl("show", "version")
    except LabError:
        return None


def test_suspend_and_reconnect_keep_the_session(lab):
    """Only a logout without the word suspend ends it (cisco-facts.md 3.1)."""
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    index = the_session(gateway)["index"]
    for payload in (b"\xb0Client PC is going into suspend mode (Sleep, Hibernate, etc).", b"\x91Reconnecting the VPN tunnel.", b"\xb2", b""):
        raw.send(packet(DISCONNECT, payload))
        assert wait_kinds(gateway, "parent")["index"] == index, payload
        cookie, raw = raw.cookie, RawClient(lab.cl)
        assert raw.connect(cookie=cookie).status == 200
    raw.send(packet(DISCONNECT, b"\xb0"))
    wait_for(lambda: gateway.sessions() == [], 5, "the end of the session")
    assert RawClient(lab.cl).connect(cookie=raw.cookie).status == 401


@pytest.mark.parametrize("words", [("name", "tester"), ("index", "{index}"), ("tunnel-group", "DefaultWEBVPNGroup"),
                                   ("ipaddress", "{assigned_ip}"), ("ipaddress", "{public_ip}"), ("anyconnect",), ("all",)],
                         ids=" ".join)
def test_logoff(lab, words):
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    words = [w.format(**the_session(gateway)) for w in words]
    out = gateway.ctl("vpn-sessiondb", "logoff", *words, "noconfirm", as_json=False)
    assert out.startswith("INFO: Number of sessions ") and out.endswith(" logged off : 1\n")
    assert raw.recv_packet(DISCONNECT) == b"\xb0Administrator Reset"
    assert gateway.sessions() == []


def test_filters_and_order(lab):
    gateway = Culvertd(lab, users="username zoe password secret\nusername bob password secret")
    clients = [RawClient(lab.cl).tunnel(user=user) for user in ("zoe", "bob", "tester")]
    names = lambda *words: [s["username"] for s in gateway.ctl("show", "vpn-sessiondb", "anyconnect", *words)]
    assert names() == ["zoe", "bob", "tester"]
    assert names("sort", "name") == ["bob", "tester", "zoe"]
    assert names("filter", "a-ipaddress", clients[1].address) == ["bob"]
    assert names("sort", "name", "filter", "group-policy", "GP1") == ["bob", "tester", "zoe"]
    clients[0].sock.close()
    wait_for(lambda: names("filter", "inactive") == ["zoe"], 5, "zoe to be inactive")
    assert names("sort", "inactivity")[0] == "zoe"
    with pytest.raises(LabError):
        names("filter", "p-ipaddress", "nowhere")


# ---- show mtu


def test_mtu_with_derivation(lab):
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway).wait_dtls()
    wait_kinds(gateway, "parent", "tls", "dtls")
    mtu = gateway.ctl("show", "mtu", "name", "tester")[0]
    assert mtu["adapter"] == client.mtu() == mtu["tls"] == mtu["dtls"] and mtu["policy"] == "seamless"
    assert mtu["formula"] == "exact" and mtu["reconnect_expected"] is False and mtu["path_limit"] == mtu["dtls"]
    for kind in ("tls", "dtls"):
        assert mtu["steps"][kind] and all({"label", "value"} == set(step) for step in mtu["steps"][kind])
    out = gateway.ctl("show", "mtu", as_json=False)
    assert f"TLS MTU      : {mtu['tls']}" in out and "  Iphdr=20 base-mtu=1500 " in out


@pytest.mark.parametrize("configured, tls, dtls", [(None, 1347, 1418), (1300, 1300, 1300)])
def test_mtu_of_the_tech_note(lab, configured, tls, dtls):
    """1347 and 1418 with every step, in show mtu and in debug; no reconnect is expected once both are the same."""
    gateway = Culvertd(lab, top="mtu-formula cisco", policy_webvpn="anyconnect mtu-policy classic" +
                       (f"\nanyconnect mtu {configured}" if configured else ""))
    console = Debug(gateway)
    OpenConnect(lab, gateway).wait_dtls()
    mtu = gateway.ctl("show", "mtu", "name", "tester")[0]
    assert (mtu["tls"], mtu["dtls"], mtu["adapter"]) == (tls, dtls, dtls) and mtu["configured"] == configured
    assert (mtu["policy"], mtu["formula"], mtu["reconnect_expected"]) == ("classic", "cisco", configured is None)
    assert mtu["steps"]["tls"][-1]["value"] == tls and mtu["steps"]["dtls"][-1]["value"] == dtls
    out = gateway.ctl("show", "mtu", as_json=False)
    debug = console.until(b"CSTP state = CONNECTED").splitlines()
    for line in ("Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=%d" % (configured or 1406), "computed tls-mtu=1347 dtls-mtu=1418 conf-mtu=%d" % (configured or 1406),
                 f"tls-mtu={tls} dtls-mtu={dtls}"):
        assert line in debug and f"\n  {line}\n" in out, line
    assert f"\n{'Reconnect':13}: {'not expected' if configured else 'expected when UDP is blocked'}\n" in out
    assert f"Sending X-CSTP-MTU: {tls}" in debug and f"Sending X-DTLS-MTU: {dtls}" in debug


# ---- debug


class Debug:
    """A console that debugs, speaking the protocol itself."""

    def __init__(self, gateway, *level, as_json=False):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        self.sock.connect(str(gateway.control))
        self.sock.send(json.dumps({"argv": ["debug", "webvpn", "anyconnect", *level], "json": as_json}).encode())
        self.data, self.status = b"", None
        assert self.sock.recv(65536) == b"S"

    def until(self, word):
        """All lines so far, read until one has the word."""
        while word not in self.data and self.status is None:
            one = self.sock.recv(65536)
            assert one, "closed by the gateway"
            if one[:1] == b"E":
                self.status = struct.unpack(">I", one[1:])[0]
            else:
                assert one[:1] == b"D"
                self.data += one[1:]
        return self.data.decode("ascii")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda c: c.kind)
def test_debug_shows_the_dialogue(lab, client):
    gateway = Culvertd(lab)
    console, other = Debug(gateway, "255"), Debug(gateway, as_json=True)
    assert "level 255 (uid 0)" in gateway.ctl("show", "debug", as_json=False)
    client(lab, gateway)
    out = console.until(b"CSTP state = CONNECTED")
    session = the_session(gateway)
    for line in ("http_parse_cstp_method()", "...input: 'CONNECT /CSCOSSLC/tunnel HTTP/1.1'", "Setting version to '1'",
                 f"IPADDR: '{session['public_ip']}', INDEX: '{session['index']}', LOGIN: 'tester'",
                 "CSTP state = WAIT_FOR_ADDRESS", "CSTP state = HAVE_ADDRESS", "SVC: Sending response",
                 f"Sending X-CSTP-MTU: {session['mtu']['tls']}", f"webvpn_cstp_accept_address: {session['assigned_ip']}/255.255.252.0"):
        assert line + "\n" in out, line
    assert re.search(r"^Iphdr=20 base-mtu=\d+ def-mtu=1500 conf-mtu=\d+$", out, re.M) and re.search(r"^dtls-mtu = ", out, re.M)
    assert re.search(r"^\.\.\.input: 'Cookie: \*\*\*\*\*'$", out, re.M)
    assert not re.search(r"webvpn=[^*]", out) and not re.search(r"\b[0-9A-Fa-f]{96}\b", out) and PASSWORD not in out
    lines = [json.loads(line) for line in other.until(b"CSTP state = CONNECTED").splitlines()]
    assert lines and all({"t", "text"} == set(line) for line in lines)
    assert not any("webvpn_cstp_parse_request_field" in line["text"] for line in lines)  # level 1
    assert gateway.ctl("undebug", "all", as_json=False) == "All possible debugging has been turned off\n"
    console.until(b"never"), other.until(b"never")
    assert (console.status, other.status) == (0, 0) and gateway.ctl("show", "debug") == []


def test_debug_of_a_bad_cookie(lab):
    gateway = Culvertd(lab)
    console = Debug(gateway)
    assert RawClient(lab.cl).connect(cookie="ab" * 32).status == 401
    out = console.until(b" refused: 401")
    assert "abab" not in out
    console.sock.send(b"{}")  # whatever it says ends the stream, and the next request is answered
    console.until(b"never")
    assert console.status == 0
    console.sock.send(b'{"argv":["show","version"]}')
    assert b"Culvert SSL VPN Gateway" in console.sock.recv(65536)


def test_debug_streams_are_few_and_do_not_hold_the_gateway(lab):
    """Consoles that never read lose lines; the fifth is refused; the gateway goes on."""
    gateway = Culvertd(lab)
    slow = [Debug(gateway, "255") for _ in range(4)]
    with pytest.raises(LabError, match="debugging already"):
        gateway.ctl("debug", "webvpn", "anyconnect", as_json=False)
    raw, cookie = RawClient(lab.cl), "ab" * 32
    big = {f"X-Filler-{i}": "x" * 900 for i in range(14)}
    lost = lambda: [d["lost"] for d in gateway.ctl("show", "debug")]
    n = 0
    while min(lost()) == 0:
        assert n < 400, "nothing is lost although nobody reads"
        RawClient(lab.cl).connect(cookie=cookie, headers=big)
        n += 1
    assert raw.tunnel().alive()
    gateway.ctl("show", "version")
    slow[0].until(b"lines lost")
    for d in slow:
        d.sock.close()
    wait_for(lambda: gateway.ctl("show", "debug") == [], 5, "the streams to be forgotten")


def test_debug_from_the_command_line(lab):
    """Prints until Ctrl-C, and ends with 0."""
    gateway = Culvertd(lab)
    ctl = lab.spawn(lab.gw, [BUILD / "culvertctl", "--control", gateway.control, "debug", "webvpn", "anyconnect"], "culvertctl")
    ctl.wait_line(r"^INFO: debug webvpn anyconnect enabled at level 1\.")
    RawClient(lab.cl).tunnel()
    ctl.wait_line(r"^CSTP state = CONNECTED")
    assert ctl.stop(signal.SIGINT) == 0
    wait_for(lambda: gateway.ctl("show", "debug") == [], 5, "the stream to be forgotten")


def test_debug_at_the_interactive_console(lab):
    """Blocks the prompt until Ctrl-C, which does not leave the console."""
    gateway = Culvertd(lab)
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", ASAN_OPTIONS="detect_leaks=0")  # libedit forgets the names of added functions
        os.execv(BUILD / "culvertctl", ["culvertctl", "--control", str(gateway.control)])
    seen = b""

    def until(word):
        nonlocal seen
        while word not in seen:
            assert select.select([fd], [], [], 10)[0], (word, seen)
            seen += os.read(fd, 4096)
        seen = seen[seen.index(word) + len(word):]
    until(b"culvert# ")
    for _ in range(2):
        os.write(fd, b"debug webvpn anyconnect 100\n")
        until(b"enabled at level 100")
        RawClient(lab.cl).tunnel()
        until(b"CSTP state = CONNECTED")
        os.write(fd, b"\x03")
        until(b"culvert# ")
    os.write(fd, b"show debug\nexit\n")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(fd)
