"""The control socket against clients that do not keep to docs/control-protocol.md, and the interactive console."""
import json
import os
import pty
import select
import socket
import struct
import subprocess

import pytest

from netns import LabError, wait_for
from peers import BUILD, Culvertd, OpenConnect
from raw import RawClient

pytestmark = pytest.mark.culvert


def connect(gateway):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(str(gateway.control))
    return s


def answer(s):
    """(status, data); status None: the gateway closed."""
    data = b""
    while True:
        try:
            packet = s.recv(65536)
        except ConnectionResetError:
            packet = b""
        if not packet:
            return None, data
        if packet[:1] == b"E":
            return struct.unpack(">I", packet[1:])[0], data
        assert packet[:1] == b"D"
        data += packet[1:]


def ask(s, *argv, **keys):
    s.send(json.dumps({"argv": argv, **keys}).encode())
    return answer(s)


def test_malformed_requests(lab):
    gateway = Culvertd(lab)
    bad = [b"{", b"\0", b"[]", b"{}", b'{"argv":[]}', b'{"argv":"show"}', b'{"argv":[1]}', b'{"argv":[""]}', b'{"argv":["show"],"x":1}',
           b'{"argv":["show"],"json":1}', b'{"argv":["show"],"argv":["show"]}', b'{"argv":["\xff"]}', b'{"argv":["a\\u0000b"]}',
           b'{"argv":["show"]} {}', b"[" * 4096, b" " * 5000, b'{"argv":[' + b'"a",' * 40 + b'"a"]}',
           b'{"argv":["' + b"a" * 300 + b'"]}']
    with connect(gateway) as s:
        for request in bad:
            s.send(request)
            assert answer(s) == (1, b"ERROR: malformed request\n"), request
        assert ask(s, "show", "version")[0] == 0
        status, data = ask(s, "show", "\x1b[2J" + "x" * 200, json=True)
        assert status == 1 and b"\x1b" not in data and "Possible here" in json.loads(data)["error"]


def test_too_many_clients(lab):
    gateway = Culvertd(lab)
    first = [connect(gateway) for _ in range(16)]
    for s in first:
        assert ask(s, "show", "version")[0] == 0
    with connect(gateway) as one_more:
        assert answer(one_more)[0] is None
    first.pop().close()
    wait_for(lambda: gateway_answers(gateway), 5, "room for another client")
    for s in first:
        s.close()


def gateway_answers(gateway):
    try:
        with connect(gateway) as s:
            return ask(s, "show", "version")[0] == 0
    except OSError:
        return False


def test_slow_reader_disturbs_nobody(lab):
    """One that asks and never reads; the tunnel and other consoles go on."""
    gateway = Culvertd(lab)
    raw = RawClient(lab.cl).tunnel()
    with connect(gateway) as slow:
        slow.setblocking(False)
        try:
            for _ in range(10000):
                slow.send(b'{"argv":["show","running-config","all"]}')
        except BlockingIOError:
            pass
        assert raw.alive()
        version = gateway.ctl("show", "version")
    assert version["sessions"] == 1
    assert version["crypto"].startswith(("ipsec-mb ", "OpenSSL "))


def test_pipelined_requests(lab):
    with connect(Culvertd(lab)) as s:
        for _ in range(20):
            s.send(b'{"argv":["show","vpn-sessiondb"],"json":true}')
        for _ in range(20):
            status, data = answer(s)
            assert status == 0 and json.loads(data)["active"] == 0


def test_client_leaves_while_auth_is_asked(lab):
    gateway = Culvertd(lab)
    for _ in range(50):
        with connect(gateway) as s:
            s.send(b'{"argv":["show","ip","local","pool"]}')
    wait_for(lambda: gateway_answers(gateway), 5, "room for another client")


def test_logoff_and_counters(lab):
    gateway = Culvertd(lab)
    client = OpenConnect(lab, gateway)
    session = gateway.sessions()[0]
    assert gateway.ctl("show", "mtu", "name", "tester")[0]["announced"] == session["mtu"]["tls"]
    with pytest.raises(LabError):
        gateway.ctl("vpn-sessiondb", "logoff", "index", str(session["index"] + 1))
    text = gateway.ctl("vpn-sessiondb", "logoff", "name", "tester", "noconfirm", as_json=False)
    assert text == 'INFO: Number of sessions with name "tester" logged off : 1\n'
    assert client.proc.wait_exit(15) != 0
    assert gateway.sessions() == [] and gateway.ctl("show", "vpn-sessiondb")["cumulative"] == 1
    gateway.ctl("clear", "asp", "drop")
    assert "Last clearing: Never" not in gateway.ctl("show", "asp", "drop", as_json=False)
    gateway.wait_log("%ASA-5-111008: User 'uid 0' executed the 'vpn-sessiondb logoff name tester noconfirm' command")


def test_gateway_not_running(lab):
    done = subprocess.run([BUILD / "culvertctl", "--control", lab.dir / "none.sock", "show", "version"], capture_output=True, text=True)
    assert done.returncode == 1 and "does not run" in done.stderr


def test_lines_and_sections_are_chosen(lab):
    gateway = Culvertd(lab)

    def lines(*command):
        return gateway.ctl(*command, as_json=False).splitlines()
    whole = lines("show", "running-config")
    assert lines("show", "run", "|", "include", "^ip.* pool") == [line for line in whole if line.startswith(("ip ", "ipv6 "))]
    assert lines("show", "run", "|", "grep", "-v", ".") == []
    assert lines("show", "run", "|", "begin", "^webvpn") == whole[whole.index("webvpn"):]
    assert lines("show", "run", "group", "GP") == whole[whole.index("group-policy GP1 internal"):
                                                        whole.index("tunnel-group DefaultWEBVPNGroup general-attributes")]
    assert "group-policy DfltGrpPolicy internal" in lines("show", "run", "all", "group-policy")
    assert lines("show", "run", "nothing") == []
    for wrong in (["show", "run", "|"], ["show", "run", "|", "include", "["], ["configure", "terminal"]):
        with pytest.raises(LabError):
            gateway.ctl(*wrong, as_json=False)


def test_interactive(lab):
    """Tab completes, "?" helps, exit leaves."""
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
    os.write(fd, b"sho\tver\t\n")
    until(b"Culvert SSL VPN Gateway Version")
    until(b"culvert# ")
    os.write(fd, b"show ip local ?")
    until(b"Address pools")
    os.write(fd, b"pool\n")
    until(b"Begin")
    until(b"culvert# ")
    os.write(fd, b"exit\n")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(fd)
