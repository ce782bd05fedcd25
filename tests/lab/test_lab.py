"""The lab itself: its raw peer against a stock gateway, its faults against the stock pair, and that it leaves nothing."""
import os
import signal
import subprocess

import pytest

import netns
from checks import PingLog
from netns import HERE, Lab, PYTHON, SRV4, wait_for
from peers import Ocserv, OpenConnect
from raw import RawClient


def test_raw_peer_with_a_stock_gateway(lab):
    Ocserv(lab)
    raw = RawClient(lab.cl).tunnel()
    assert raw.dpd(b"x" * 1000) == b"x" * 1000
    raw.close()
    again = RawClient(lab.cl)
    reply = again.connect(cookie=raw.cookie)
    assert (reply.status, reply.get("X-CSTP-Address")) == (200, raw.address)


def test_faults_with_the_stock_pair(lab):
    """Reset and rebinding really happen, and stock programs survive them."""
    client = OpenConnect(lab, Ocserv(lab)).wait_dtls()
    ping = PingLog(lab.cl, SRV4)
    ping.wait_answers(5)
    lab.rebind_udp()
    ping.wait_answers(20)
    address = client.inner4()
    lab.kill_tcp(lab.gw)
    wait_for(lambda: any(c.startswith("reconnect ") for c in client.script_calls()), 30, "the reconnect")
    ping.wait_answers(5, 30)
    ping.stop(0)
    assert client.inner4() == address


def test_tcp_reset_with_the_stock_pair(lab):
    client = OpenConnect(lab, Ocserv(lab), dtls=False)
    ping = PingLog(lab.cl, SRV4)
    ping.wait_answers(5)
    lab.reset_tcp()
    wait_for(lambda: any(c.startswith("reconnect ") for c in client.script_calls()), 30, "the reconnect")
    ping.wait_answers(5, 30)
    ping.stop(0)


CHILD = """
import signal, sys
sys.path.insert(0, {here!r})
import netns
netns.stop_on_sigterm()
with netns.Lab() as lab:
    lab.spawn(lab.cl, ["sleep", "600"], "sleeper")
    print(lab.prefix, lab.dir, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_nothing_is_left(sig):
    """Interrupted, ended or killed: namespaces, processes and files go away."""
    with subprocess.Popen([PYTHON, "-c", CHILD.format(here=str(HERE))], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as p:
        prefix, folder = p.stdout.readline().split()
        names = lambda: [n for n in netns.run("ip", "netns", "list").split() if n.startswith(prefix + "-")]
        assert len(names()) == 3
        pids = wait_for(lambda: netns.run("ip", "netns", "pids", f"{prefix}-cl").split(), 10, "the sleeper to be there")
        p.send_signal(sig)
        try:
            wait_for(lambda: not names() and not os.path.exists(folder), 20, "the lab to be removed")
            assert not [pid for pid in pids if netns.is_running(pid)]
        finally:
            p.kill()  # the end of `with` waits for it, without a limit


def test_two_labs_side_by_side():
    with Lab() as one, Lab() as two:
        assert one.prefix != two.prefix
        one.exec(one.cl, "ping", "-c", 1, "-W", 10, netns.GW4)
        two.exec(two.cl, "ping", "-c", 1, "-W", 10, netns.GW4)
