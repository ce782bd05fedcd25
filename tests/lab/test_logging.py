"""Log hosts and the buffer: what a syslog receiver inside gets, and what `show logging` shows."""
import re
import signal
import socket
import struct
import threading

import pytest

from checks import within
from netns import SRV4, wait_for
from peers import Culvertd, OpenConnect, gateway_config
from raw import DISCONNECT, RawClient, packet

pytestmark = pytest.mark.culvert

FRAME = re.compile(r"<(\d+)>(?:(\w{3} \d\d \d{4} \d\d:\d\d:\d\d) )?(?:(\S+) : )?%(ASA|CULVERT)-(\d)-(\d{6}): (.*)", re.S)
SO_RCVBUFFORCE = 33  # socket(7); Python has no name for it
LOGGING = "logging timestamp\nlogging device-id hostname\nlogging trap debugging\nlogging buffered debugging\nlogging buffer-size 65536\n"


class Receiver:
    """A syslog server in the inside namespace. tcp: also takes further connections after the first."""

    def __init__(self, lab, tcp=False, port=None):
        self.lines, self.n_conns, self.lock = [], 0, threading.Lock()
        port = port or (1470 if tcp else 514)

        def listen():
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # hundreds of datagrams come at once, while this process is busy being eight clients
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            s.bind((SRV4, port))
            if tcp:
                s.listen()
            return s
        self.sock, self.conns = lab.call(lab.srv, listen), []
        threading.Thread(target=self._accept if tcp else self._datagrams, daemon=True).start()

    def _datagrams(self):
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return
            assert not data.endswith(b"\n")
            with self.lock:
                self.lines.append(data.decode())

    def _accept(self):
        while True:
            try:
                conn = self.sock.accept()[0]
            except OSError:
                return
            with self.lock:
                self.n_conns += 1
                self.conns.append(conn)
            threading.Thread(target=self._stream, args=(conn,), daemon=True).start()

    def _stream(self, conn):
        rest = b""
        while True:
            try:
                data = conn.recv(65536)
            except OSError:
                return
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            with self.lock:
                self.lines += [line.decode() for line in lines]

    def frames(self):
        with self.lock:
            return [FRAME.fullmatch(line) or pytest.fail(f"no frame: {line!r}") for line in self.lines]

    def ids(self):
        return [int(m[6]) for m in self.frames()]

    def find(self, ident):
        return [m for m in self.frames() if int(m[6]) == ident]

    def wait(self, ident, n=1, timeout_s=10):
        wait_for(lambda: len(self.find(ident)) >= n, timeout_s, lambda: f"{n} times {ident}, not only {self.ids()}")
        return self.find(ident)

    def close(self):
        """What a server does that dies: the port is closed and connections are reset."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for conn in self.conns:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.shutdown(socket.SHUT_RDWR)
            conn.close()


def in_order(seen, want):
    """want is a part of seen, in this order."""
    rest = iter(seen)
    missing = [one for one in want if one not in rest]
    assert not missing, (missing, seen)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_login_sequence(lab, tcp):
    """The whole life of a session at a log host, in the order of an ASA, each with the right PRI."""
    receiver = Receiver(lab, tcp)
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}" + (" tcp/1470" if tcp else ""))
    client = OpenConnect(lab, gateway)
    client.wait_dtls()
    receiver.wait(722033, 2)
    assert client.stop() == 0
    receiver.wait(737016, 2)
    ids = receiver.ids()
    in_order(ids, [725016, 725001, 725008, 725012, 725002, 113012, 113009, 113008, 734001, 716038, 716001, 113039, 737006, 737026,
                   722055, 722051, 722033, 722022, 725001, 725012, 725002, 722033, 722022])
    in_order(ids, [722012, 722037, 722023, 722023, 722029, 722030, 722031, 716002, 113019])
    for m in receiver.frames():
        assert int(m[1]) == 20 * 8 + int(m[5]) and m[2] and m[3] == "culvert-lab", m[0]
    assert receiver.find(722051)[0][7].startswith("Group <GP1> User <tester> IP <10.10.1.2> IPv4 Address <10.10.")
    assert re.fullmatch(r"Starting SSL handshake with client outside:10\.10\.1\.2/\d+ to 10\.10\.1\.1/443 for TLS session",
                        receiver.find(725001)[0][7])
    assert [m[7].partition("<10.10.1.2> ")[2] for m in receiver.find(722023)] == [
        f"{transport} SVC connection terminated without compression" for transport in ("UDP", "TCP")]
    assert int(receiver.find(722029)[0][5]) == 7 and int(receiver.find(113019)[0][5]) == 4
    assert re.search(r"Duration: \dh:\d\dm:\d\ds, Bytes xmt: \d+, Bytes rcv: \d+, Reason: User Requested", receiver.find(113019)[0][7])


def test_disconnect_by_severity(lab):
    """722007 to 722014 by the upper three bits of the code."""
    receiver = Receiver(lab)
    Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}")
    for severity, name, level in ((0, "EMERGENCY", 3), (3, "ERROR", 5), (4, "WARNING", 5), (6, "INFO", 6)):
        raw = RawClient(lab.cl).tunnel()
        raw.send(packet(DISCONNECT, bytes([severity << 5 | 17]) + b"Reconnecting the VPN tunnel."))
        m = receiver.wait(722007 + severity)[0]
        assert m[7].endswith(f"SVC Message: 17/{name}: Reconnecting the VPN tunnel..") and int(m[5]) == level
        raw.close()


def test_loss_resume_and_stale(lab):
    receiver = Receiver(lab)
    Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}")
    first = RawClient(lab.cl).tunnel()
    first.close()
    receiver.wait(716058)
    second = RawClient(lab.cl)
    assert second.connect(cookie=first.cookie).status == 200
    receiver.wait(722034)
    third = RawClient(lab.cl)
    assert third.connect(cookie=first.cookie).status == 200
    receiver.wait(722032)
    in_order(receiver.ids(), [722033, 722037, 722023, 716058, 716059, 722034, 722022, 722028, 722032, 722022])
    assert receiver.find(716059)[0][7].endswith("AnyConnect session resumed connection from IP <10.10.1.2>.")


def test_refusals(lab):
    """Bad CONNECTs, and names: one that no user has is not shown unless the operator says so."""
    receiver = Receiver(lab)
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}")

    def refused(user):
        raw = RawClient(lab.cl)
        raw.answer(raw.start(), {"username": user, "password": "wrong"})
        raw.close()
    refused("tester")
    refused("hunter2")
    receiver.wait(716039, 2)
    texts = [m[7] for m in receiver.find(113015) + receiver.find(716039)]
    assert sum("tester" in t for t in texts) == 2 and sum("*****" in t for t in texts) == 2
    assert "hunter2" not in gateway.log()
    assert "reason = User was not found : local database : user = ***** : user IP = 10.10.1.2" in texts[1]
    assert RawClient(lab.cl).connect(cookie="00" * 32).status == 401
    assert receiver.wait(722003)[0][7] == "IP <10.10.1.2> Error authenticating SVC connect request."
    reload_with(gateway, LOGGING + f"logging host inside {SRV4}\nno logging hide username")
    refused("hunter2")
    assert "user = hunter2" in receiver.wait(113015, 3)[2][7]


def reload_with(gateway, top):
    gateway.file.write_text(gateway_config(top=top))
    assert gateway.ctl("reload")["ok"]


def test_settings_of_messages_and_reload(lab):
    receiver = Receiver(lab)
    base = f"logging host inside {SRV4}\n"
    gateway = Culvertd(lab, top=base + "no logging message 722051\nlogging message 722029 level 4\n")
    RawClient(lab.cl).tunnel().send(packet(DISCONNECT, b"\xb0"))
    m = receiver.wait(722029)[0]
    assert (m[1], m[2], m[3], m[5]) == ("164", None, None, "4")
    ids = receiver.ids()
    assert 722055 in ids and 722051 not in ids and 722030 not in ids, "off, and debugging is not asked for"
    assert "722051" not in gateway.log()

    reload_with(gateway, base + "logging facility 16\nlogging timestamp\nlogging device-id string gw7\n")
    RawClient(lab.cl).tunnel().send(packet(DISCONNECT, b"\xb0"))
    m = receiver.wait(722051)[0]
    assert (m[1], m[3], m[5]) == (str(16 * 8 + 6), "gw7", "6") and m[2]
    receiver.wait(113019, 2)
    assert len(receiver.find(722029)) == 1

    other = Receiver(lab, port=5514)
    reload_with(gateway, f"logging host inside {SRV4} udp/5514\nlogging trap errors\n")
    RawClient(lab.cl).tunnel()
    reload_with(gateway, f"logging host inside {SRV4} udp/5514\n")
    RawClient(lab.cl).tunnel()
    other.wait(722051)
    assert len(other.find(722051)) == 1 and len(receiver.find(722051)) == 1


def test_show_logging(lab):
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}\nlogging queue 5")
    raw = RawClient(lab.cl).tunnel()
    text = gateway.ctl("show", "logging", as_json=False)
    assert "Syslog logging: enabled\n    Facility: 20\n    Timestamp logging: enabled\n" in text
    assert re.search(r"^    Buffer logging: level debugging, \d+ messages logged$", text, re.M)
    assert re.search(rf"^        Logging to inside {SRV4} udp/514 errors: 0 dropped: 0 TX:\d+$", text, re.M)
    assert re.search(r"^\w{3} \d\d \d{4} \d\d:\d\d:\d\d: %ASA-6-722051: Group <GP1> User <tester> ", text, re.M)
    data = gateway.ctl("show", "logging")
    assert data["enabled"] and data["trap"]["hosts"][0]["sent"] > 10 and data["lost"] == 0
    numbers = [m["number"] for m in data["messages"]]
    assert numbers == list(range(1, len(numbers) + 1)) and "%ASA-6-722022" in [m["id"] for m in data["messages"]]
    gateway.ctl("clear", "logging", "buffer")
    left = [m["id"] for m in gateway.ctl("show", "logging")["messages"]]
    assert "%ASA-6-722051" not in left and len(left) <= 3, left
    assert raw.alive()
    reload_with(gateway, "logging buffered informational\nlogging buffer-size 4096")
    for _ in range(15):
        RawClient(lab.cl).login()
    data = gateway.ctl("show", "logging")
    texts = [m["text"] for m in data["messages"]]
    assert sum(len(t) + 64 for t in texts) <= 4096 < sum(len(t) + 64 for t in texts) + 400
    assert data["buffered"]["messages_logged"] > len(texts) and data["trap"]["hosts"] == []


def test_off_until_enabled(lab):
    receiver = Receiver(lab)
    top = f"logging host inside {SRV4}\nlogging buffered debugging\n"
    config = gateway_config(top=top).replace("logging enable\n", "")
    gateway = Culvertd(lab, config=config)
    RawClient(lab.cl).tunnel()
    gateway.wait_log("%ASA-6-722051")
    data = gateway.ctl("show", "logging")
    assert not data["enabled"] and data["messages"] == [] and receiver.lines == []


def test_tcp_host_down_and_back(lab):
    """Nothing stalls, what does not fit into the queue is dropped and counted, and the rest comes when the host is back."""
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4} tcp/1470\nlogging queue 40\nlogging permit-hostdown")
    gateway.wait_log(rf"%ASA-3-414003: TCP Syslog Server inside:{SRV4}/1470 not responding")
    raws = [RawClient(lab.cl).tunnel() for _ in range(5)]
    assert all(raw.alive() for raw in raws)
    host = gateway.ctl("show", "logging")["trap"]["hosts"][0]
    assert not host["connected"] and host["waiting"] == 40 and host["dropped"] > 0 and host["errors"] > 0
    receiver = Receiver(lab, tcp=True)
    receiver.wait(725002, timeout_s=30)
    gateway.wait_log("%ASA-6-414004: TCP Syslog Server .* Connection restored")
    wait_for(lambda: gateway.ctl("show", "logging")["trap"]["hosts"][0]["waiting"] == 0, 5, "an empty queue")
    receiver.close()
    gateway.wait_log(r"(?s)414003.*414004.*%ASA-3-414003", 20)
    assert raws[0].alive()
    again = Receiver(lab, tcp=True)
    wait_for(lambda: gateway.ctl("show", "logging")["trap"]["hosts"][0]["connected"], 30, "a new connection")
    RawClient(lab.cl).tunnel()
    again.wait(722051)
    assert gateway.stop(signal.SIGTERM) == 0


def test_silent_network_does_not_stall(lab):
    """A host whose packets vanish: connecting hangs, the gateway does not."""
    lab.nft(lab.srv, "add table inet hole\nadd chain inet hole in { type filter hook input priority 0; policy drop; }\n")
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}\nlogging host inside {SRV4} tcp/1470")
    for _ in range(5):
        assert RawClient(lab.cl).tunnel().alive()
    assert gateway.ctl("show", "logging")["trap"]["hosts"][1]["connected"] is False


def test_last_words(lab):
    """What is said while everything ends still goes to the log host."""
    receiver = Receiver(lab)
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}")
    for _ in range(8):
        RawClient(lab.cl).tunnel()
    gateway.stop(signal.SIGINT)
    assert len(receiver.wait(113019, 8)) == 8
    assert receiver.find(722038)[0][7].endswith("SVC terminating session: Administrator Shutdown.")
    assert receiver.find(716002)[0][7].endswith("WebVPN session terminated: Administrator shutdown.")
    receiver.wait(737016, 16)


def test_flood_reaches_the_monitor_bounded(lab):
    """Many sessions' lines at once: every message is logged or counted as lost, and the tunnels go on."""
    receiver = Receiver(lab)
    gateway = Culvertd(lab, top=LOGGING + f"logging host inside {SRV4}")
    raw = RawClient(lab.cl).tunnel()
    for _ in range(60):
        RawClient(lab.cl).tunnel().close()
    assert raw.alive()
    lost = lambda: gateway.ctl("show", "logging")["lost"]
    wait_for(lambda: len(receiver.find(722051)) == 61 or lost() > 0, 10, lambda: f"61 times 722051, not {receiver.ids().count(722051)}")
    within(lost(), 0, "messages lost because the monitor did not read")
    assert gateway.ctl("show", "logging")["trap"]["hosts"][0]["dropped"] == 0
