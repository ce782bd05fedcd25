"""The gateway's side of seamless with a stock client: UDP dies, one way or both, the path shrinks, and what the operator sees."""
import re
import time

import pytest

import faults
from checks import PingLog, check_fetch, ping_size, within
from netns import SRV4, progress, run, wait_for
from peers import Culvertd, OpenConnect

pytestmark = pytest.mark.culvert
IDLE_S = 10
SILENCE_MS = 6000  # the promise is 3000; the machine may be busy


class Watched:
    """A stock client with pings in both directions."""

    def __init__(self, lab, size=32):
        self.lab, self.gateway = lab, Culvertd(lab)
        self.client = OpenConnect(lab, self.gateway).wait_dtls()
        self.adapter = (self.client.ifindex(), self.client.mtu(), self.client.inner4())
        self.pings = [PingLog(lab.cl, SRV4, data_bytes=size), PingLog(lab.srv, self.client.inner4(), data_bytes=size)]
        for ping in self.pings:
            ping.wait_answers(50, 15)
        wait_for(lambda: self.session()["active"] == "dtls", 10, "the gateway's data on DTLS")

    def session(self):
        return self.gateway.sessions()[0]

    def settle(self, timeout_s=20):
        """Traffic flows again; the longest silence was short; the adapter is the same one."""
        for ping in self.pings:
            ping.wait_answers(50, timeout_s)
        for ping in self.pings:
            ping.stop()
            progress(f"# {ping.summary()}")
            within(ping.longest_gap_ms(), SILENCE_MS, ping.summary())
        assert (self.client.ifindex(), self.client.mtu(), self.client.inner4()) == self.adapter


def causes(gateway):
    return gateway.ctl("show", "switches")["causes"]


def test_udp_dies(lab, server):
    """The gateway's data goes by TLS at once; the client cannot notice, and is made to come back."""
    w = Watched(lab)
    lab.block_udp()
    w.gateway.wait_log(r"%CULVERT-5-722101: Group <GP1> User <tester> IP <10\.10\.1\.2> Data to the client moved from dtls to tls, "
                       r"cause: no answer, gap: \d+ ms$")
    w.gateway.wait_log(r"%CULVERT-5-722103: ")
    w.settle()
    check_fetch(lab.cl, server)
    shown = w.gateway.ctl("show", "switches")
    assert shown["causes"]["no answer"] >= 1 and shown["nudges"] == 1
    assert sum(g["count"] for g in shown["gaps"]) >= 1
    text = w.gateway.ctl("show", "switches", as_json=False)
    assert re.search(r"^  no answer +[1-9]", text, re.M) and "client comes back: 1" in text
    assert w.session()["switches"] >= 1 and w.session()["active"] == "tls"


@pytest.mark.parametrize("towards", ["client", "gateway"])
def test_udp_dies_in_one_direction(lab, towards):
    w = Watched(lab)
    faults.block_udp_one_way(lab, towards)
    w.settle()
    assert causes(w.gateway)["no answer"] + causes(w.gateway)["peer changed"] >= 1


def test_path_shrinks(lab):
    """Full-size packets to a stock client go by TLS beside DTLS; who sends them is told, and the limit is shown."""
    w = Watched(lab)
    full = w.client.mtu()
    assert ping_size(lab, lab.srv, w.client.inner4(), full)
    assert w.gateway.ctl("show", "mtu")[0]["path_limit"] == full
    faults.shrink_path(lab, 1300)
    download = PingLog(lab.srv, w.client.inner4(), data_bytes=full - 28)
    w.gateway.wait_log(rf"%CULVERT-5-722102: .* Path limit of the DTLS tunnel changed from {full} to \d+ bytes, cause: black hole$", 20)
    download.stop()
    wait_for(lambda: 1200 < w.gateway.ctl("show", "mtu")[0]["path_limit"] < 1300, 20, lambda: f"the new limit: {w.gateway.ctl('show', 'mtu')}")
    w.settle()


def test_udp_blocked_from_the_start(lab, server):
    """Everything by TLS: full size passes with DF set, nothing is reconnected, the adapter keeps its MTU."""
    lab.block_udp()
    gateway = Culvertd(lab)
    client = OpenConnect(lab, gateway)
    ping = PingLog(lab.cl, SRV4)
    adapter = (client.ifindex(), client.mtu())
    wait_for(lambda: ping_size(lab, lab.cl, SRV4, client.mtu(), tries=1), 30, "packets of full size after the client's own wait")
    for _ in range(10):
        for ns, addr in ((lab.cl, SRV4), (lab.srv, client.inner4())):
            assert ping_size(lab, ns, addr, client.mtu(), tries=1, wait_s=10)
    check_fetch(lab.cl, server)
    ping.stop()
    assert (client.ifindex(), client.mtu()) == adapter
    assert gateway.sessions()[0]["active"] == "tls" and gateway.ctl("show", "switches")["nudges"] == 0


def test_what_is_shown(lab):
    w = Watched(lab)
    mtu = w.gateway.ctl("show", "mtu")[0]
    assert mtu["active"] == "dtls" and mtu["why"] == "DTLS is alive"
    assert mtu["path_limit"] == mtu["dtls"] == w.client.mtu()
    assert mtu["dtls_rtt_ms"] is not None
    within(mtu["dtls_rtt_ms"], 1000, "round trip of DTLS in ms")
    text = w.gateway.ctl("show", "mtu", as_json=False)
    assert re.search(r"^Active +: dtls +Reason +: DTLS is alive$", text, re.M)
    session = w.session()
    assert session["mtu"]["path_limit"] == w.client.mtu() and session["dtls"]["rtt_ms"] is not None
    w.settle()


def packets_outside(lab):
    return sum(map(int, re.findall(r"packets (\d+)", lab.exec(lab.gw, "nft", "list", "table", "inet", "counted"))))


def test_idle_session_is_left_alone(lab):
    """Nothing goes over the path of a session that nobody uses; the configured DPD and the client's keepalive are far away."""
    w = Watched(lab)
    run("ip", "netns", "exec", lab.cl, "sysctl", "-qw", f"net.ipv6.conf.{w.client.tun}.disable_ipv6=1")
    w.settle()
    lab.nft(lab.gw, "add table inet counted\n"
                    "add chain inet counted in { type filter hook input priority 0; }\n"
                    "add chain inet counted out { type filter hook output priority 0; }\n" +
            "".join(f"add rule inet counted {chain} {proto} {side} 443 counter\n"
                    for chain, side in (("in", "dport"), ("out", "sport")) for proto in ("tcp", "udp")))
    before, since, quiet_since = packets_outside(lab), time.monotonic(), time.monotonic()
    while time.monotonic() - quiet_since < IDLE_S:  # what the last packets asked for may still be under way
        wait_for(lambda: packets_outside(lab) != before or time.monotonic() - quiet_since >= IDLE_S, IDLE_S + 2, "silence")
        if packets_outside(lab) != before:
            before, quiet_since = packets_outside(lab), time.monotonic()
        assert time.monotonic() - since < 3 * IDLE_S, "the path is never silent"
