"""Several worker threads: sessions spread over them, packets that reach the wrong one, clients that come back to another
one, and the console that asks all of them. Then the same without what the kernel may lack."""
import os
import signal

import pytest

from checks import PingLog, check_fetch
from netns import NsThread, SRV4, SRV6, wait_for
from peers import Culvert, Culvertd, OpenConnect, children, gateway_config
from raw import RawClient, open_sessions

pytestmark = pytest.mark.culvert
THREADS = 4


def start(lab, threads=THREADS, refused=None, **options):
    gateway = Culvertd(lab, config=f"worker-threads {threads}\n" + gateway_config(**options), start=False)
    if refused:
        argv = gateway.argv()
        gateway.argv = lambda: argv + ["--no-offload", refused]
    return gateway.start()


def threads_of(gateway):
    """Of the kernel's: the worker process has so many that run a loop."""
    pid, = gateway.worker_pids()
    names = [open(f"/proc/{pid}/task/{t}/comm").read().strip() for t in os.listdir(f"/proc/{pid}/task")]
    return 1 + sum(n.startswith("worker-") for n in names)


def spread(gateway):
    return {s["index"]: s["thread"] for s in gateway.sessions()}


def elsewhere(lab, gateway, cookie, index, until):
    """Resumes with this cookie over new connections until `until` says it was enough; all but the last are closed."""
    for _ in range(40):
        raw = RawClient(lab.cl)
        raw.cookie = cookie
        raw.cookies["webvpn"] = cookie
        reply = raw.connect()
        assert reply.status == 200
        wait_for(lambda: [s for s in gateway.sessions() if s["index"] == index], 5, "the session")
        if until():
            return raw
        raw.close()
    raise AssertionError("chance never led to another thread")


@pytest.mark.parametrize("refused", [None, "steer", "tun,gso,gro"], ids=["all", "no-steer", "no-offloads"])
def test_twelve_clients(lab, server, refused):
    """Ours and stock ones over DTLS and TLS, all loading at once, in more than one thread."""
    gateway = start(lab, refused=refused)
    assert threads_of(gateway) == THREADS
    clients = []
    for i in range(8):
        ns, gw4 = lab.add_client()
        kind = Culvert if i % 2 else OpenConnect
        clients.append(kind(lab, gateway, ns=ns, host=gw4, dtls=i % 4 != 0, up=False))
    idle = open_sessions(lab.cl, 4)
    for client in clients:
        client.wait_up(30)
    for i, client in enumerate(clients):
        if i % 4 != 0:
            client.wait_dtls()
    loads = [NsThread(c.ns, lambda c=c: [check_fetch(c.ns, server, a) for a in (SRV4, SRV6)]) for c in clients]
    for load in loads:
        load.result(120)
    where = spread(gateway)
    assert len(where) == 12 and len(set(where.values())) > 1
    assert gateway.ctl("show", "version")["worker_threads"] == THREADS
    assert gateway.ctl("show", "asp", "drop")["mp-svc-handover"] == 0
    print(f"handed over: {gateway.ctl('show', 'version')['handed_over']}")
    assert len(gateway.ctl("show", "mtu")) == 12
    for raw in idle:
        raw.close()
    for client in clients:
        assert client.stop() == 0
    wait_for(lambda: len([s for s in gateway.sessions() if s["active"] != "none"]) == 0, 10, "the tunnels to end")


def test_resume_from_another_thread(lab, server):
    """TCP comes back by another listener: the session stays where it is, and with it the DTLS tunnel and what was counted."""
    gateway = start(lab)
    client = Culvert(lab, gateway).wait_dtls()
    before = gateway.sessions()[0]
    ping = PingLog(client.ns, SRV4, interval_ms=50)
    ping.wait_answers(5)
    for _ in range(8):  # with four threads one in four stays by chance
        n = gateway.ctl("show", "asp", "drop")["svc-replacement-conn"]
        port = gateway.sessions()[0]["public_port"]
        lab.kill_tcp(client.ns)
        wait_for(lambda: gateway.sessions()[0]["public_port"] != port and gateway.sessions()[0]["tls"]["state"] == "up", 20, "TCP to come back")
        assert gateway.ctl("show", "asp", "drop")["svc-replacement-conn"] >= n
    ping.stop(20)
    after = gateway.sessions()[0]
    assert (after["index"], after["thread"], after["assigned_ip"]) == (before["index"], before["thread"], before["assigned_ip"])
    assert after["bytes_tx"] > before["bytes_tx"]
    check_fetch(client.ns, server, SRV4)


def test_worker_killed(lab, server):
    gateway = start(lab)
    clients = [Culvert(lab, gateway), OpenConnect(lab, gateway, ns=lab.add_client()[0], host=None)] if False else [Culvert(lab, gateway)]
    idle = open_sessions(lab.cl, 6)
    old, = gateway.worker_pids()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: [p for p in children(gateway.proc.pid) if p != old and len(children(gateway.proc.pid)) == 2], 10, "another worker")
    for client in clients:
        wait_for(lambda: [s for s in gateway.sessions() if s["thread"] is not None], 30, "the client to resume")
        check_fetch(client.ns, server, SRV4)
    assert threads_of(gateway) == THREADS
    assert len(gateway.sessions()) == 7  # those that wait are shown once
    for raw in idle:
        raw.close()


def test_logoff_and_clear_reach_all(lab):
    gateway = start(lab)
    idle = open_sessions(lab.cl, 12)
    assert len(set(spread(gateway).values())) > 1
    wait_for(lambda: gateway.ctl("show", "vpn-sessiondb"), 5, "the summary")
    gateway.ctl("clear", "asp", "drop")
    assert not any(gateway.ctl("show", "asp", "drop").values())
    assert gateway.ctl("vpn-sessiondb", "logoff", "all", "noconfirm")["sessions_logged_off"] == 12
    wait_for(lambda: not gateway.sessions(), 10, "all sessions to end")
    for raw in idle:
        raw.close()


def test_rebind(lab, server):
    """A client's UDP port changes on the way: its datagrams may come to any thread."""
    gateway = start(lab)
    client = Culvert(lab, gateway).wait_dtls()
    ping = PingLog(client.ns, SRV4, interval_ms=50)
    for port in (40404, 40505, 40606, 40707):
        ping.wait_answers(5)
        lab.rebind_udp(new_port=port)
    ping.wait_answers(10)
    ping.stop(40)
    client.wait_dtls()
    check_fetch(client.ns, server, SRV4)


def test_reload_and_stop(lab, server):
    """Every thread has the new configuration when the console says so; all end in time."""
    gateway = start(lab)
    idle = open_sessions(lab.cl, 8)
    text = gateway.file.read_text().replace("hostname ", "hostname new", 1) if "hostname " in gateway.file.read_text() else "hostname newname\n" + gateway.file.read_text()
    gateway.file.write_text(text.replace("webvpn\n", "webvpn\n no tunnel-group-list enable\n", 1))
    gateway.ctl("reload")
    assert len(gateway.sessions()) == 8
    more = open_sessions(lab.cl, 8)
    assert len(gateway.sessions()) == 16
    assert gateway.stop(signal.SIGINT) == 0
    for raw in idle + more:
        assert not raw.alive()


@pytest.mark.parametrize("refused", ["queues", "queues,steer,tun,gso,gro"])
def test_without_queues(lab, server, refused):
    """A kernel that has one queue for a device: one thread, and all works."""
    gateway = start(lab, refused=refused)
    assert threads_of(gateway) == 1
    gateway.wait_log("one worker thread")
    client = Culvert(lab, gateway).wait_dtls()
    check_fetch(client.ns, server, SRV4)


def test_port_in_use(lab):
    """Sockets that share a port among threads do not share it with another gateway."""
    start(lab)
    other = Culvertd(lab, config="worker-threads 2\ntunnel-interface other0\n" + gateway_config(), start=False)
    other.state = lab.dir / "other"
    other.control = lab.dir / "other.sock"
    proc = other.launch() if other.state.mkdir() is None else None
    assert proc.wait_exit(10) != 0
    assert "another program listens on this port" in proc.text()
