"""Who may log in, with what result, into which group, and what the client is told."""
import subprocess
import time

import pytest

from checks import PingLog, ping_size
from netns import GW4, LabError, SRV4, wait_for
from peers import BUILD, Culvert, Culvertd, OpenConnect, PASSWORD, USER
from raw import RawClient

pytestmark = pytest.mark.culvert

GROUPS = """
group-policy GUESTS internal
group-policy GUESTS attributes
 banner value Welcome, guest
 vpn-tunnel-protocol ssl-client
 vpn-simultaneous-logins 2000
 address-pools value POOL4
tunnel-group STAFF type remote-access
tunnel-group STAFF general-attributes
 default-group-policy GP1
tunnel-group STAFF webvpn-attributes
 group-alias staff enable
tunnel-group GUESTS type remote-access
tunnel-group GUESTS general-attributes
 default-group-policy GUESTS
tunnel-group GUESTS webvpn-attributes
 group-alias guests enable
 group-url https://10.10.1.1/visit enable
"""
WITH_GROUPS = {"webvpn": "tunnel-group-list enable", "groups": GROUPS}


def exit_of(client):
    return client.proc.wait_exit(30)


# ---- refusals and exit codes


def test_wrong_password_openconnect(lab):
    client = OpenConnect(lab, Culvertd(lab), password="wrong", up=False)
    assert exit_of(client) == 1
    assert client._addr("inet") is None


def test_wrong_password_culvert(lab):
    assert exit_of(Culvert(lab, Culvertd(lab), password="wrong", up=False)) == 2


def test_unknown_user_is_told_no_more_than_a_wrong_password(lab):
    Culvertd(lab)
    said = []
    for user in ("tester", "nobody"):
        raw = RawClient(lab.cl)
        reply = raw.answer(raw.start(), {"username": user, "password": "wrong"})
        said.append((reply.status, reply.body.replace(user.encode(), b"")))
        raw.close()
    assert said[0][0] == said[1][0] and len(said[0][1]) == len(said[1][1])


def test_third_wrong_password_ends_the_dialogue(lab):
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl)
    reply, statuses = raw.start(), []
    for _ in range(3):
        reply = raw.answer(reply, {"username": "tester", "password": "wrong"})
        statuses.append(reply.status)
    assert statuses == [200, 200, 401]
    gateway.wait_log(r"%ASA-6-113015|%ASA-6-113005")

    def now_welcome():
        try:
            return RawClient(lab.cl).login()
        except (LabError, EOFError, OSError):
            return None
    wait_for(now_welcome, 60, "the end of the lockout")


def test_nobody_listens(lab):
    gateway = Culvertd(lab)
    pin = gateway.pin
    gateway.stop()
    assert exit_of(Culvert(lab, gateway, pin=pin, up=False)) == 3


def test_wrong_pin(lab):
    gateway = Culvertd(lab)
    wrong = "pin-sha256:" + "A" * 43 + "="
    client = Culvert(lab, gateway, pin=wrong, up=False)
    assert exit_of(client) == 4
    assert "none of the pins matches" in client.proc.text() and "--pin" not in client.proc.text()  # no advice to trust it


def test_without_rights_no_password_is_sent(lab):
    gateway = Culvertd(lab)
    done = subprocess.run(["ip", "netns", "exec", lab.cl, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                           BUILD / "culvert", "connect", f"{USER}@{GW4}", "--pin", gateway.pin, "--password-stdin"],
                          input=PASSWORD + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 6 and "needs root" in done.stderr and not done.stdout
    assert gateway.sessions() == []


def test_group_of_other_servers_than_local(lab):
    """They are not asked yet: nobody gets in by the local users instead, --test says so, and the log why."""
    gateway = Culvertd(lab, top="aaa-server RAD protocol radius",
                       groups="tunnel-group DefaultWEBVPNGroup general-attributes\n authentication-server-group RAD")
    assert "nobody can log in through tunnel-group DefaultWEBVPNGroup" in gateway.log()
    assert exit_of(Culvert(lab, gateway, up=False)) == 3
    gateway.wait_log(f"%ASA-6-113014: AAA authentication server not accessible : server = RAD : user = {USER}")


def test_usage_errors(lab):
    gateway = Culvertd(lab, start=False)
    for options in (["--no-such-option"], ["--mtu-policy", "wild"]):
        assert exit_of(Culvert(lab, gateway, pin="pin-sha256:" + "A" * 43 + "=", options=options, up=False)) == 1


def test_user_ends_it(lab):
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway)
    client.disconnect()
    assert exit_of(client) == 0
    wait_for(lambda: not gateway.sessions(), 5, "the session to end")
    assert client.inner4() is None


@pytest.mark.parametrize("kind,status", [(Culvert, 5), (OpenConnect, 1)])
def test_operator_ends_it(lab, kind, status):
    gateway = Culvertd(lab)
    client = kind(lab, gateway)
    gateway.ctl("vpn-sessiondb", "logoff", "name", "tester", as_json=False)
    assert exit_of(client) == status
    wait_for(lambda: not gateway.sessions(), 5, "the session to end")


@pytest.mark.parametrize("xmlpost", [True, False])
def test_authenticate_then_cookie(lab, xmlpost):
    """openconnect --authenticate prints a cookie; a second openconnect starts from it."""
    gateway = Culvertd(lab)
    first = OpenConnect(lab, gateway, options=["--authenticate"] + ([] if xmlpost else ["--no-xmlpost"]), up=False)
    assert exit_of(first) == 0, first.proc.tail()
    cookie = next(line.split("'")[1] for line in first.proc.text().splitlines() if line.startswith("COOKIE="))
    second = OpenConnect(lab, gateway, options=["--cookie", cookie])
    assert ping_size(lab, lab.cl, SRV4, 100)
    assert second.stop() == 0


# ---- groups


@pytest.mark.parametrize("how", [{"group": "guests"}, {"path": "visit"}, {"group": "staff"}], ids=str)
def test_groups_openconnect(lab, how):
    gateway = Culvertd(lab, **WITH_GROUPS)
    OpenConnect(lab, gateway, **how)
    session = gateway.sessions()[0]
    want = "STAFF" if how.get("group") == "staff" else "GUESTS"
    assert session["tunnel_group"] == want
    assert session["group_policy"] == {"STAFF": "GP1"}.get(want, want)


@pytest.mark.parametrize("group,want", [("guests", "GUESTS"), ("visit", "GUESTS"), ("staff", "STAFF")])
def test_groups_culvert(lab, group, want):
    gateway = Culvertd(lab, **WITH_GROUPS)
    client = Culvert(lab, gateway, group=group)
    assert gateway.sessions()[0]["tunnel_group"] == want
    assert client.status()["group"].lower() in (group, want.lower())


def test_unknown_group(lab):
    gateway = Culvertd(lab, **WITH_GROUPS)
    assert exit_of(Culvert(lab, gateway, group="nosuch", up=False)) in (2, 3)


# ---- limits


def test_simultaneous_logins_replace_the_oldest(lab):
    gateway = Culvertd(lab, policy="vpn-simultaneous-logins 2")
    one, two, three = (RawClient(lab.cl).tunnel() for _ in range(3))
    assert one.ended() and two.alive() and three.alive()
    assert len(gateway.sessions()) == 2
    again = RawClient(lab.cl)
    assert again.connect(cookie=one.cookie).status == 401


@pytest.mark.slow
def test_idle_and_session_timeout(lab):
    """The shortest that the configuration allows is a minute; both at the same time."""
    gateway = Culvertd(lab, policy="vpn-idle-timeout 1", groups="""
group-policy SHORT internal
group-policy SHORT attributes
 vpn-tunnel-protocol ssl-client
 vpn-session-timeout 1
 address-pools value POOL4
tunnel-group SHORT type remote-access
tunnel-group SHORT general-attributes
 default-group-policy SHORT
tunnel-group SHORT webvpn-attributes
 group-alias short enable
""", webvpn="tunnel-group-list enable")
    idle = RawClient(lab.cl).tunnel()
    begin = time.monotonic()
    other, _ = lab.add_client()
    busy = OpenConnect(lab, gateway, ns=other, host="10.10.101.1", group="short", dtls=False)
    ping = PingLog(other, SRV4, interval_ms=500)
    assert idle.ended(90)
    assert time.monotonic() - begin > 50
    assert exit_of(busy) == 1
    ping.stop(0)
    wait_for(lambda: not gateway.sessions(), 10, "both sessions to end")


def test_pool_exhausted(lab):
    gateway = Culvertd(lab, pool4="10.10.8.10-10.10.8.10 mask 255.255.252.0", pool6="")
    first = RawClient(lab.cl).tunnel()
    second = RawClient(lab.cl)
    second.login()
    reply = second.connect()
    assert reply.status == 503 and reply.get("X-Reason"), reply.line
    gateway.wait_log(r"address")
    assert first.alive()
    first.send(b"STF\x01\x00\x01\x05\x00\xb0")
    first.close()

    def third():
        raw = RawClient(lab.cl)
        raw.login()
        return raw.connect().status == 200
    wait_for(third, 10, "the address to be free again")


# ---- what the client is told


TOLD = """
banner value Authorized use only
dns-server value 10.10.2.53 10.10.2.54
default-domain value example.com
split-dns value corp.example.com lab.example.com
"""


def test_parameters_reach_openconnect(lab):
    gateway = Culvertd(lab, policy=TOLD, top="access-list SPLIT standard permit 10.77.0.0 255.255.0.0")
    env = OpenConnect(lab, gateway).script_env("connect")
    assert env["CISCO_BANNER"].strip() == "Authorized use only"
    assert env["INTERNAL_IP4_DNS"].split() == ["10.10.2.53", "10.10.2.54"]
    assert env["CISCO_DEF_DOMAIN"] == "example.com"
    assert set(env["CISCO_SPLIT_DNS"].split(",")) == {"corp.example.com", "lab.example.com"}  # openconnect reverses lists
    nets = {(env[f"CISCO_SPLIT_INC_{i}_ADDR"], env[f"CISCO_SPLIT_INC_{i}_MASK"]) for i in range(int(env["CISCO_SPLIT_INC"]))}
    assert nets == {("10.10.2.0", "255.255.255.0"), ("10.77.0.0", "255.255.0.0")}
    assert env["INTERNAL_IP6_ADDRESS"].startswith("fd10:8::")


def test_split_exclude_reaches_openconnect(lab):
    gateway = Culvertd(lab, policy="split-tunnel-policy excludespecified")
    env = OpenConnect(lab, gateway).script_env("connect")
    assert "CISCO_SPLIT_INC" not in env
    assert (env["CISCO_SPLIT_EXC"], env["CISCO_SPLIT_EXC_0_ADDR"]) == ("1", "10.10.2.0")


def test_parameters_reach_culvert(lab):
    """Routes and resolver as told, and all as before afterwards."""
    gateway = Culvertd(lab, policy=TOLD, top="access-list SPLIT standard permit 10.77.0.0 255.255.0.0")
    routes = lambda: lab.exec(lab.cl, "ip", "route"), lab.exec(lab.cl, "ip", "-6", "route", "show", "default")
    before, resolv = routes[0](), lab.exec(lab.cl, "cat", "/etc/resolv.conf")
    client = Culvert(lab, gateway)
    assert "10.77.0.0/16 dev tun0" in routes[0]() and "10.10.2.0/24 dev tun0" in routes[0]()
    # a resolv.conf written in the client's own mount namespace is seen from there only
    seen = lab.exec(lab.cl, "nsenter", "-t", client.proc.pid, "-m", "cat", "/etc/resolv.conf")
    assert "10.10.2.53" in seen and "example.com" in seen
    assert client.stop() == 0
    assert routes[0]() == before and lab.exec(lab.cl, "cat", "/etc/resolv.conf") == resolv


def test_culvert_shows_the_banner(lab):
    assert "Authorized use only" in Culvert(lab, Culvertd(lab, policy=TOLD)).proc.text()


def test_full_tunnel_culvert(lab):
    """Without a split list everything goes into the tunnel, except the way to the gateway itself."""
    gateway = Culvertd(lab, policy="split-tunnel-policy tunnelall")
    lab.exec(lab.cl, "ip", "route", "add", "default", "via", GW4)
    client = Culvert(lab, gateway)
    assert "dev tun0" in lab.exec(lab.cl, "ip", "route", "get", "198.51.100.1")
    assert "dev tun0" not in lab.exec(lab.cl, "ip", "route", "get", GW4)
    assert ping_size(lab, lab.cl, SRV4, 100)
    assert client.stop() == 0
    assert f"via {GW4}" in lab.exec(lab.cl, "ip", "route", "get", "198.51.100.1")


def test_script_gets_the_vpnc_environment(lab):
    """culvert --script: the variables that stock scripts read."""
    gateway = Culvertd(lab, policy=TOLD)
    script, out = lab.dir / "script.sh", lab.dir / "script-env"
    script.write_text(f'#!/bin/sh\nenv >{out}.$reason\n')
    script.chmod(0o755)
    client = Culvert(lab, gateway, options=["--script", script], up=False)
    env_file = lab.dir / "script-env.connect"
    wait_for(env_file.exists, 15, lambda: f"the connect call:\n{client.proc.tail()}")
    wait_for(lambda: "reason=connect" in env_file.read_text(), 5, "its environment")
    env = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line)
    assert env["TUNDEV"] == "tun0" and env["VPNGATEWAY"] == GW4 and int(env["INTERNAL_IP4_MTU"]) >= 1280
    assert env["INTERNAL_IP4_ADDRESS"].startswith("10.10.") and env["CISCO_SPLIT_INC_0_MASKLEN"] == "24"
    assert env["CISCO_BANNER"].strip() == "Authorized use only" and env["INTERNAL_IP4_DNS"] == "10.10.2.53 10.10.2.54"
    client.stop()
    assert (lab.dir / "script-env.disconnect").exists()


def test_password_from_a_file(lab):
    gateway = Culvertd(lab)
    f = lab.dir / "pw"
    f.write_text(PASSWORD + "\n")
    f.chmod(0o600)
    client = Culvert(lab, gateway, password=None, options=["--password-file", f], up=False)
    client.wait_up()
    assert client.stop() == 0
