"""Things that break: processes, connections, UDP, the path. Sessions come back with the same addresses."""
import os
import re
import signal

import pytest

from checks import PingLog, check_fetch, check_full_size, ping_size, within
from netns import GW4, SRV4, SRV6, is_running, run, wait_for
from peers import Culvert, Culvertd, OpenConnect, Ocserv
from raw import RawClient

pytestmark = pytest.mark.culvert
BOTH = pytest.mark.parametrize("kind", [Culvert, OpenConnect], ids=lambda k: k.kind)
FAST_DPD = "anyconnect dpd-interval client 5\nanyconnect dpd-interval gateway 5"


class Unchanged:
    """A client with traffic; afterwards its addresses must be the same, for ours also the adapter."""

    def __init__(self, client):
        self.client, self.before = client, (client.inner4(), client.inner6())
        self.ifindex = client.ifindex()
        self.ping = PingLog(client.ns, SRV4)
        self.ping.wait_answers(3)

    def check(self, timeout_s=40):
        self.ping.wait_answers(20, timeout_s)
        self.ping.stop()
        assert (self.client.inner4(), self.client.inner6()) == self.before
        assert self.client.ifindex() == self.ifindex
        print(f"{self.client.kind}: {self.ping.summary()}")


@BOTH
def test_tcp_reset_by_a_middlebox(lab, server, kind):
    client = kind(lab, Culvertd(lab), dtls=False)
    same = Unchanged(client)
    lab.reset_tcp()
    same.check()
    check_fetch(client.ns, server)


def test_tcp_lost_under_live_dtls(lab):
    """Data stays on DTLS, the TLS tunnel is made again underneath, nobody notices."""
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway).wait_dtls()
    same = Unchanged(client)
    lab.kill_tcp(lab.gw)
    wait_for(lambda: client.status().get("tls", {}).get("state") in ("up", "established", "connected") and
             client.status().get("reconnects", 0) > 0, 15, lambda: f"the TLS tunnel again: {client.status()}")
    same.check()
    within(same.ping.longest_gap_ms(), 1000, same.ping.summary())


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_gateway_restart(lab, sig):
    gateway = Culvertd(lab)
    other, gw4 = lab.add_client()
    sames = [Unchanged(Culvert(lab, gateway)), Unchanged(OpenConnect(lab, gateway, ns=other, host=gw4))]
    old = gateway.pids()
    gateway.stop(sig)
    wait_for(lambda: not any(map(is_running, old)), 10, "all processes of the old gateway to end")
    gateway.start()
    for same in sames:
        same.check(60)


def test_worker_killed(lab):
    gateway = Culvertd(lab)
    other, gw4 = lab.add_client()
    sames = [Unchanged(Culvert(lab, gateway)), Unchanged(OpenConnect(lab, gateway, ns=other, host=gw4))]
    for pid in gateway.worker_pids():
        os.kill(pid, signal.SIGKILL)
    for same in sames:
        same.check(60)
    assert gateway.proc.alive()


def test_client_killed(lab):
    """kill -9 of one client: the other does not notice, and the user can log in again at once."""
    gateway = Culvertd(lab)
    other, gw4 = lab.add_client()
    victim = Culvert(lab, gateway, ns=other, host=gw4)
    same = Unchanged(Culvert(lab, gateway))
    victim.proc.stop(signal.SIGKILL)
    again = Culvert(lab, gateway, ns=other, host=gw4, tun="tun1")
    assert ping_size(lab, other, SRV4, 100)
    same.check()
    assert same.ping.lost() <= 1, same.ping.summary()
    assert again.stop() == 0


@pytest.mark.parametrize("state", ["dtls", "tls", "reconnecting"])
def test_adapter_is_deleted(lab, state):
    """By somebody else: the session ends at once, says what happened and what to do, and leaves nothing behind."""
    routes = lab.exec(lab.cl, "ip", "route")
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway, dtls=state == "dtls")
    if state == "dtls":
        client.wait_dtls()
    if state == "reconnecting":
        gateway.stop(signal.SIGKILL)
        wait_for(lambda: client.status()["state"] == "reconnecting", 20, lambda: f"no tunnel: {client.status()}")
    run("ip", "-n", lab.cl, "link", "del", client.tun)
    assert client.proc.wait_exit(10) == 6
    assert re.search(r"^culvert: Somebody else removed the adapter tun0, so the session has ended\. Connect again;", client.proc.text(), re.M)
    assert lab.exec(lab.cl, "ip", "route") == routes
    if state != "reconnecting":
        wait_for(lambda: gateway.sessions() == [], 5, "the gateway to know")


@BOTH
def test_udp_blocked_from_the_start(lab, server, kind):
    gateway = Culvertd(lab)
    lab.block_udp()
    client = kind(lab, gateway)
    check_fetch(client.ns, server)
    check_full_size(lab, client)
    assert client.active() == "tls"


def test_first_ping_does_not_wait_for_udp(lab):
    gateway = Culvertd(lab)
    lab.block_udp()
    ping = PingLog(lab.cl, SRV4)
    Culvert(lab, gateway)
    within(ping.first_answer_s(), 3, "seconds to the first answer")
    ping.stop(0)


@BOTH
def test_udp_blocked_later(lab, kind):
    gateway = Culvertd(lab, policy_webvpn=FAST_DPD)
    client = kind(lab, gateway).wait_dtls()
    same = Unchanged(client)
    lab.block_udp()
    client.wait_tls(45)
    same.ping.wait_answers(10, 30)
    lab.unblock_udp()
    if kind is Culvert:  # openconnect tries again once in 60 s
        client.wait_dtls(75)
    same.check()


def test_openconnect_reconnects_by_signal(lab):
    client = OpenConnect(lab, Culvertd(lab)).wait_dtls()
    same = Unchanged(client)
    client.proc.send(signal.SIGUSR2)
    wait_for(lambda: any(c.startswith("reconnect ") for c in client.script_calls()), 20, "the script's reconnect call")
    same.check()


@pytest.mark.parametrize("path_mtu", [1300, 1400, 9000])
@BOTH
def test_path_mtu(lab, server, kind, path_mtu):
    """The outer link has another MTU, and both ends know it."""
    for ns, dev in ((lab.gw, "out0"), (lab.cl, "eth0")):
        lab.exec(ns, "ip", "link", "set", dev, "mtu", path_mtu)
    gateway = Culvertd(lab)
    client = kind(lab, gateway).wait_dtls()
    check_fetch(client.ns, server, SRV4)
    if kind is Culvert or path_mtu >= 1400:  # openconnect uses no adapter MTU above DTLS: under 1280 there is no IPv6 inside
        check_fetch(client.ns, server, SRV6)
    check_full_size(lab, client)


def test_udp_source_port_changes(lab):
    """NAT rebinding: the same tunnel from another source port."""
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway).wait_dtls()
    same = Unchanged(client)
    lab.rebind_udp()
    same.check()


def test_reconnect_after_stock_gateway_restart(lab):
    """culvert -> ocserv: after a TCP reset the session goes on with the same address."""
    gateway = Ocserv(lab)
    client = Culvert(lab, gateway, dtls=False)
    same = Unchanged(client)
    lab.reset_tcp()
    same.check()


def test_cookie_survives_a_restart(lab):
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    gateway.stop(signal.SIGTERM)
    raw.close()
    gateway.start()
    again = RawClient(lab.cl, GW4)
    reply = again.connect(cookie=raw.cookie)
    assert reply.status == 200 and reply.get("X-CSTP-Address") == raw.address
