"""The gateway as its operator sees it: starting, refusing to start, the console."""
import re
import signal
import socket

import pytest

from netns import GW4, LabError, NsThread, is_running, wait_for
from peers import BUILD, Culvert, Culvertd, OpenConnect, gateway_config
from raw import RawClient

pytestmark = pytest.mark.culvert


def refuses(lab, gateway, *words):
    """It ends by itself, not with 0, and says what is wrong."""
    proc = gateway.launch()
    assert proc.wait_exit(15) != 0
    for word in words:
        assert word in proc.text(), proc.tail()


def test_config_is_checked(lab):
    gateway = Culvertd(lab, start=False)
    out = lab.exec(lab.gw, BUILD / "culvertd", "-c", gateway.file, "--test")
    assert out == f"{gateway.file} can be used; errors: 0, warnings: 0, ignored: 0\n"
    gateway.file.write_text(gateway_config() + f"crypto ca trustpoint T\n certificate-file {lab.dir}/none.pem\nssl trust-point T\n")
    with pytest.raises(LabError, match="error: ssl trust-point T: .*none.pem: No such file"):
        lab.exec(lab.gw, "sh", "-c", f"{BUILD}/culvertd -c {gateway.file} --test 2>&1")
    gateway.file.write_text(gateway_config() + "sysopt connection tcpmsss 1460\n")
    with pytest.raises(LabError, match=rf"{gateway.file}:\d+:\d+: error: .*tcpmss"):
        lab.exec(lab.gw, "sh", "-c", f"{BUILD}/culvertd -c {gateway.file} --test 2>&1")
    refuses(lab, gateway, "tcpmss")


def test_no_config_file(lab):
    gateway = Culvertd(lab, start=False)
    gateway.file.unlink()
    refuses(lab, gateway, "culvert.conf")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def test_port_taken(lab, kind):
    def take():
        s = socket.socket(socket.AF_INET6, kind)
        s.bind(("::", 443))
        if kind == socket.SOCK_STREAM:
            s.listen()
        return s
    with NsThread(lab.gw, take).result():
        refuses(lab, Culvertd(lab, start=False), "443")


def test_tun_not_available(lab):
    refuses(lab, Culvertd(lab, start=False, top="tunnel-interface in0"), "in0")


def test_webvpn_not_enabled(lab):
    """Without `enable outside` nobody is let in, and the log says why."""
    gateway = Culvertd(lab, start=False, enable=False)
    proc = gateway.launch()
    wait_for(lambda: re.search("webvpn|enable", proc.text()) or not proc.alive(), 10, "a word about it")
    assert re.search("webvpn|enable", proc.text())
    with pytest.raises(OSError):
        RawClient(lab.cl)


def test_protocol_not_allowed(lab):
    """A group policy without ssl-client refuses the session, with the reason in the log."""
    gateway = Culvertd(lab, policy="vpn-tunnel-protocol ikev2")
    raw = RawClient(lab.cl)
    try:
        raw.login()
        assert raw.connect().status in (401, 403, 503)
    except LabError as e:
        assert "login refused" in str(e)
    gateway.wait_log("protocol|ssl-client")


def test_clean_end_leaves_nothing(lab):
    gateway = Culvertd(lab)
    pids = gateway.pids()
    assert gateway.stop(signal.SIGTERM) == 0
    wait_for(lambda: not any(map(is_running, pids)), 5, "all processes to end")
    assert "culvert0" not in lab.exec(lab.gw, "ip", "link")


def test_sigint_tells_the_clients(lab):
    gateway = Culvertd(lab)
    client = OpenConnect(lab, gateway)
    gateway.stop(signal.SIGINT)
    assert client.proc.wait_exit(15) == 1


def test_processes_are_separated(lab):
    """A monitor with root, a worker without; the worker cannot gain privileges and sees an empty root."""
    gateway = Culvertd(lab)
    for pid in gateway.worker_pids():
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":", 1) for line in f)
        assert status["Uid"].split()[0] != "0"
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2" or "asan" in BUILD.name  # a sanitizer needs more system calls at its end
        assert int(status["CapEff"], 16) == 0


def test_console(lab):
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway).wait_dtls()
    session = wait_for(lambda: next((s for s in gateway.sessions() if s["active"] == "dtls"), None), 5, "the session on DTLS")
    assert session["username"] == "tester" and session["public_ip"] == "10.10.1.2"
    assert session["assigned_ip"] == client.inner4() and session["assigned_ip6"] == client.inner6()
    assert session["group_policy"] == "GP1" and session["tunnel_group"] == "DefaultWEBVPNGroup"
    for key in ("index", "login_time", "duration_s", "inactivity_s", "bytes_tx", "bytes_rx", "pkts_tx", "pkts_rx", "mtu", "switches"):
        assert key in session, key
    assert session["tls"]["cipher"] and session["dtls"]["cipher"]
    text = gateway.ctl("show", "vpn-sessiondb", "detail", "anyconnect", as_json=False)
    assert re.search(r"Username\s*: tester", text) and re.search(r"Assigned IP\s*: " + re.escape(client.inner4()), text)
    assert session["assigned_ip"] in gateway.ctl("show", "ip", "local", "pool", "POOL4", as_json=False).partition("In Use")[2]
    assert "group-policy GP1 internal" in gateway.ctl("show", "running-config", as_json=False)
    assert "password secret" not in gateway.ctl("show", "running-config", as_json=False)
    assert re.search(r"\d+\.\d+", gateway.ctl("show", "version", as_json=False))


def test_reload(lab):
    """New values hold for new sessions, old sessions stay; a broken file changes nothing."""
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    gateway.file.write_text(gateway_config(policy="banner value After reload"))
    gateway.ctl("reload", as_json=False)
    assert raw.alive()
    env = OpenConnect(lab, gateway).script_env("connect")
    assert env.get("CISCO_BANNER", "").strip() == "After reload"
    gateway.file.write_text("nonsense\n")
    gateway.proc.send(signal.SIGHUP)
    gateway.wait_log(r":1:1: error")
    assert raw.alive() and RawClient(lab.cl).tunnel().alive()


def test_listen_address_and_other_port(lab):
    gateway = Culvertd(lab, config=gateway_config(port=8443, webvpn=f"listen {GW4}"), port=8443)
    OpenConnect(lab, gateway).wait_dtls()
    with pytest.raises(OSError):
        RawClient(lab.cl, "fd10:1::1", 8443)
