"""What the client does by itself for the seamless promise: at our own gateway, at stock ocserv, and at a gateway that announces
two MTUs. The bounds are three times those of `bench/failover`, for a machine that does other things; the figures are printed."""
import contextlib
import socket
import sys
import threading
import time

import pytest

import faults
from checks import FileServer, PingLog, ping_size, within
from netns import CL4, GW4, GW6, NsThread, SRV4, SRV6, run, wait_for
from peers import Culvert, Culvertd, Ocserv
from timeline import Timeline

pytestmark = pytest.mark.culvert
NOISE = 3  # bounds times this


def settle(seconds):
    end = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= end, seconds + 2, "traffic for a while")


class Watched:
    """A ping from each side while something happens; afterwards the longest silence, and that the adapter stayed up."""

    def __init__(self, lab, client, size=32):
        self.client, self.size = client, size
        self.pings = [PingLog(client.ns, SRV4, data_bytes=size), PingLog(lab.srv, client.inner4(), data_bytes=size)]
        self.ifindex = client.ifindex()
        for p in self.pings:
            p.wait_answers(30)

    def go_on(self, answers=30, timeout_s=15):
        for p in self.pings:
            p.wait_answers(answers, timeout_s)

    def check(self, what, bound_ms):
        for p in self.pings:
            p.stop()
        gaps = [round(p.longest_gap_ms()) for p in self.pings]
        print(f"{what}: longest silence {gaps} ms, lost {[p.lost() for p in self.pings]}")
        within(max(gaps), bound_ms * NOISE, f"{what}: {gaps} ms")
        s = self.client.status()
        assert s["adapter_bounces"] == 0 and self.client.ifindex() == self.ifindex
        return s


def limit_of(client):
    """None, while nothing is known of the path, is no limit."""
    return client.status().get("path_limit") or 1 << 16


def own(lab, **kw):
    return Culvert(lab, Culvertd(lab), **kw).wait_dtls()


# ---- our own gateway ----

def test_udp_dies_and_returns(lab):
    client = own(lab)
    w = Watched(lab, client)
    lab.block_udp()
    client.wait_tls(5)
    w.go_on()
    lab.unblock_udp()
    client.wait_dtls(30)
    s = w.check("UDP dies and returns", 300)
    assert s["last_switch"]["to"] == "dtls" and s["last_switch"]["cause"] == "probe answered", s["last_switch"]
    assert s["switches_by_cause"]["no answer"] + s["switches_by_cause"]["peer changed"] >= 1, s
    out = client.proc.text()
    for words in ("UDP lost, continuing over TLS.", "UDP back."):
        assert words in out, out
        within(out.count(words), 1, words)


@pytest.mark.parametrize("towards", ["gateway", "client"])
def test_udp_dies_one_way(lab, towards):
    client = own(lab)
    w = Watched(lab, client)
    faults.block_udp_one_way(lab, towards)
    client.wait_tls(10)
    w.go_on()
    w.check(f"UDP towards the {towards} dies", 300)


def test_udp_flaps(lab):
    """Every few seconds: each loss costs no more than the first one, and the hold-down keeps data on TLS."""
    client = own(lab)
    w = Watched(lab, client)
    for _ in range(3):
        lab.block_udp()
        settle(1)
        lab.unblock_udp()
        settle(1.5)
    s = w.check("UDP flaps", 300)
    within(s["switches"], 4, s["switches_by_cause"])


def test_udp_blocked_from_the_start(lab):
    gateway = Culvertd(lab)
    lab.block_udp()
    client = Culvert(lab, gateway)
    w = Watched(lab, client)
    s = w.check("UDP blocked from the start", 100)
    assert s["active"] == "tls" and s["reconnects"] == 0
    lab.unblock_udp()
    at = time.monotonic()
    client.wait_dtls(45)
    print(f"DTLS {time.monotonic() - at:.1f} s after UDP was there")


@pytest.mark.parametrize("path_mtu", [1300, 1000])
def test_path_shrinks_and_grows_silently(lab, path_mtu):
    """Full-size packets, nobody is told; what does not fit goes in pieces, and senders learn the limit."""
    client = own(lab)
    w = Watched(lab, client, client.mtu() - 28)
    faults.shrink_path(lab, path_mtu)
    w.go_on(60)
    wait_for(lambda: limit_of(client) < path_mtu, 20, lambda: f"the limit: {client.status()}")
    s = w.check(f"path {path_mtu}", 500)
    print(f"limit {s['path_limit']}, {s['packets_in_pieces']} in pieces, {s['told_too_big']} told, {s['path_black_holes']} black holes")
    wait_for(lambda: path_mtu - 90 <= limit_of(client) <= path_mtu - 40 and client.active() == "dtls", 10,
             lambda: f"the limit, and data on DTLS: {client.status()}")
    assert s["adapter_mtu"] == client.mtu(), "an own peer: the adapter stays"
    assert ping_size(lab, client.ns, SRV4, client.mtu()) and ping_size(lab, client.ns, SRV6, client.mtu())
    faults.grow_path(lab)
    assert ping_size(lab, client.ns, SRV4, client.mtu())


def test_link_mtu_falls(lab):
    """The kernel knows and refuses datagrams (EMSGSIZE): what it refused goes another way."""
    client = own(lab)
    w = Watched(lab, client, client.mtu() - 28)
    faults.link_mtu(lab, 1300)
    w.go_on(60)
    wait_for(lambda: limit_of(client) < 1300, 10, lambda: f"the limit: {client.status()}")
    w.check("the link's MTU falls", 500)


class Stream:
    """TCP through the tunnel, at a pace that overflows no queue: what its sender repeats was lost for another reason. What the
    receiver had already (DSACK) was late and not lost: a busy machine."""
    PORT, SO_MAX_PACING_RATE, BYTES_PER_S = 7100, 47, 4_000_000
    TOTAL_RETRANS_AT, DSACK_DUPS_AT = 100, 216  # struct tcp_info of linux/tcp.h

    def __init__(self, source_ns, sink_ns, sink_addr):
        self.sent, self.lost = 0, None
        self.stop, ready = threading.Event(), threading.Event()
        self.sink = NsThread(sink_ns, lambda: self._take(ready))
        assert ready.wait(5)
        self.source = NsThread(source_ns, lambda: self._send(sink_addr))

    def _take(self, ready):
        with socket.create_server(("", self.PORT)) as listener:
            listener.settimeout(10)
            ready.set()
            s, _ = listener.accept()
            with s:
                s.settimeout(30)
                while s.recv(1 << 18):
                    pass

    def _send(self, addr):
        with socket.create_connection((addr, self.PORT), 10) as s:
            s.settimeout(30)
            s.setsockopt(socket.SOL_SOCKET, self.SO_MAX_PACING_RATE, self.BYTES_PER_S)
            while not self.stop.is_set():
                self.sent += s.send(bytes(1 << 16))
            s.shutdown(socket.SHUT_WR)
            assert s.recv(1) == b""  # all has arrived
            info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            repeated, late = (int.from_bytes(info[at:at + 4], sys.byteorder) for at in (self.TOTAL_RETRANS_AT, self.DSACK_DUPS_AT))
            self.lost = repeated - late

    def go_on(self, n_bytes=1_000_000):
        end = self.sent + n_bytes
        wait_for(lambda: self.sent >= end or not self.source.is_alive(), 30, "more of the stream")
        assert self.source.is_alive(), "the stream broke"

    def end(self):
        self.stop.set()
        self.source.result(30)
        self.sink.result(30)
        return self.lost


def fragments_made(lab, ns, outer):
    """What the kernel has cut that was sent from there (Ip6FragCreates, Ip: FragCreates is the last of its line)."""
    if outer == GW6:
        return int(lab.exec(ns, "grep", "FragCreates", "/proc/net/snmp6").split()[1])
    names, values = (line.split() for line in lab.exec(ns, "grep", "^Ip:", "/proc/net/snmp").splitlines())
    return int(values[names.index("FragCreates")])


@pytest.mark.parametrize("outer", [GW4, GW6], ids=["outer4", "outer6"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_link_mtu_falls_under_a_stream(lab, direction, outer):
    """A batch is on its way to the kernel when the interface gets smaller: its data leaves as fragments, once. The sender hears no
    ICMP here, so whatever it repeats was lost."""
    client = own(lab, host=outer)
    overhead = {GW4: 66, GW6: 86}[outer]  # UDP, record, type
    limit = lambda: (client.status() if direction == "up" else client.gateway.sessions()[0]["mtu"])["path_limit"] or 0
    ends = [(lab.cl, "eth0"), (lab.gw, "out0")]
    outside, source, sink, address = (lab.cl, client.ns, lab.srv, SRV4) if direction == "up" else (lab.gw, lab.srv, client.ns, client.inner4())
    if direction == "down":
        ends.reverse()
    with faults.icmp_too_big_filtered(lab, source):
        stream = Stream(source, sink, address)
        stream.go_on()
        n_made = 0
        for mtu in (1330, 1310, 1290):
            before = fragments_made(lab, outside, outer)
            for ns, device in ends:  # the sender's first: the other one drops what is too large for it
                run("ip", "-n", ns, "link", "set", device, "mtu", mtu)
            wait_for(lambda: mtu - overhead - 8 <= limit() <= mtu - overhead, 10, lambda: f"the new limit: {limit()}")
            made = fragments_made(lab, outside, outer)
            stream.go_on()
            again = fragments_made(lab, outside, outer) - made
            print(f"{direction}, link {mtu}: {made - before} fragments, then {again}; limit {limit()}")
            n_made += made - before
            assert again == 0, "probes, or data after the limit was known"
        lost = stream.end()
    assert n_made > 0, "the kernel refused no data"  # a probe may have been the first, but not each time
    print(f"{lost} segments lost")
    within(lost, NOISE, "segments lost, 20 and more when the refused batches are lost")


def test_tcp_reset_under_live_dtls(lab):
    client = own(lab)
    w = Watched(lab, client)
    lab.kill_tcp(lab.gw)
    wait_for(lambda: client.status().get("reconnects", 0) == 1, 10, "the TLS tunnel again")
    w.go_on(60)
    s = w.check("TCP reset", 100)
    assert s["active"] == "dtls" and s["dtls"]["state"] == "up"
    within(s["switches"], 1, "data stayed on DTLS")


def test_address_changes(lab):
    client = own(lab)
    w = Watched(lab, client)
    faults.change_address(lab)
    w.go_on()
    w.check("address changes", 1000)


def test_default_route_moves(lab):
    """A second address is preferred from now on: a new connection is made before the old one is given up."""
    client = own(lab)
    w = Watched(lab, client)
    run("ip", "-n", lab.cl, "addr", "add", "10.10.1.78/24", "dev", "eth0")
    w.go_on(30)
    w.check("another address appears", 100)


@pytest.mark.parametrize("what, bound_ms", [("udp", 500), ("all", 1000)])
def test_nat_changes(lab, what, bound_ms):
    protocols = ("udp",) if what == "udp" else ("udp", "tcp")
    gateway = Culvertd(lab)
    faults.nat_begin(lab, CL4, 40000, protocols)
    client = Culvert(lab, gateway).wait_dtls()
    w = Watched(lab, client)
    if what == "udp":
        faults.nat_change(lab, first_port=41000)
    else:
        faults.nat_change(lab, "10.10.1.99", 42000, protocols)
    w.go_on(60)
    s = w.check(f"NAT changes {what}", bound_ms)
    assert s["state"] == "connected"


def test_idle_session_sends_nothing_extra(lab):
    """Beyond the configured DPD, which is far away here. IPv6's own chatter inside is traffic, so it is switched off."""
    client = own(lab)
    run("ip", "netns", "exec", client.ns, "sysctl", "-qw", f"net.ipv6.conf.{client.tun}.disable_ipv6=1")
    settle(5)  # what the last packets asked for
    before = client.status()
    settle(8)
    after = client.status()
    if (after["dtls"]["tx_packets"], after["dtls"]["rx_packets"]) == (before["dtls"]["tx_packets"], before["dtls"]["rx_packets"]):
        assert after["dpd_sent"] == before["dpd_sent"], (before["dpd_sent"], after["dpd_sent"])
    else:
        assert after["dpd_sent"] - before["dpd_sent"] <= 6


# ---- stock ocserv: data on one tunnel only ----

def data_counts(status):
    return status["tls"]["tx_packets"], status["dtls"]["tx_packets"]


def test_stock_gateway_udp_dies_and_returns(lab):
    client = Culvert(lab, Ocserv(lab)).wait_dtls()
    w = Watched(lab, client)
    lab.block_udp()
    client.wait_tls(5)
    w.go_on()
    on_tls = data_counts(client.status())
    w.go_on()
    within(data_counts(client.status())[1], on_tls[1], "nothing by DTLS while data is on TLS")
    lab.unblock_udp()
    client.wait_dtls(60)
    w.go_on()
    on_dtls = data_counts(client.status())
    w.go_on()
    within(data_counts(client.status())[0], on_dtls[0], "nothing by TLS while data is on DTLS")
    s = w.check("ocserv: UDP dies and returns", 300)
    assert s["duplicates"] == 0


def test_stock_gateway_one_way(lab):
    """ocserv goes on by DTLS and gives no hint: the client has to ask."""
    client = Culvert(lab, Ocserv(lab)).wait_dtls()
    w = Watched(lab, client)
    faults.block_udp_one_way(lab, "gateway")
    client.wait_tls(10)
    w.go_on()
    w.check("ocserv: UDP towards it dies", 1500)


def test_stock_gateway_path_shrinks(lab):
    """It takes no mixture, so the adapter is lowered in place to what DTLS carries, at least to 1280."""
    client = Culvert(lab, Ocserv(lab)).wait_dtls()
    before = client.mtu()
    with Timeline(lab, client) as t:
        w = Watched(lab, client, before - 28)
        faults.shrink_path(lab, 1400)
        wait_for(lambda: client.mtu() < before, 20, lambda: f"a smaller adapter: {client.status()}")
        w.go_on(30)
    w.check("ocserv: path 1400", 500)
    assert t.bounces() == 0
    wait_for(lambda: 1300 < client.mtu() == client.status()["adapter_mtu"] == limit_of(client), 10, lambda: f"one size: {client.status()}")


# ---- two announced values: the adapter changes in place ----

@contextlib.contextmanager
def two_values(lab, policy=""):
    FileServer(lab, 500_000)
    gateway = Culvertd(lab, top="mtu-formula cisco", policy_webvpn="anyconnect mtu-policy classic\n" + policy)
    client = Culvert(lab, gateway)
    with Timeline(lab, client, gateway) as t:
        yield gateway, client, t
    print([m for m in t.result("two values")["adapter_mtu"]])
    assert t.bounces() == 0, t.up


def test_two_values_raised_and_lowered_in_place(lab):
    with two_values(lab) as (_, client, t):
        client.wait_dtls()
        s = client.status()
        tls_mtu, dtls_mtu = s["tls"]["mtu"], s["dtls"]["mtu"]
        assert tls_mtu < dtls_mtu and s["peer"] == "asa"
        wait_for(lambda: client.mtu() == dtls_mtu, 5, "the adapter raised")
        assert ping_size(lab, client.ns, SRV4, dtls_mtu)
        lab.block_udp()
        client.wait_tls(10)
        wait_for(lambda: client.mtu() == tls_mtu, 5, "the adapter lowered")
        assert ping_size(lab, client.ns, SRV4, tls_mtu)
        lab.unblock_udp()
        client.wait_dtls(60)
        wait_for(lambda: client.mtu() == dtls_mtu, 5, "the adapter raised again")
    assert client.status()["adapter_bounces"] == 0
    assert [m for _, m in t.mtu][-3:] == [dtls_mtu, tls_mtu, dtls_mtu]
