"""Hostile and broken peers: the right answer or silence, a line in the log, nobody else disturbed, no process lost."""
import os
import socket
import struct

import pytest

import conftest
import netns
from checks import PingLog
from netns import NsThread, SRV4
from peers import Culvertd, OpenConnect
from raw import (COMPRESSED, DATA, DISCONNECT, DPD_REQ, DPD_RESP, KEEPALIVE, MAGIC, RawClient, TERMINATE, packet)

pytestmark = pytest.mark.culvert


@pytest.fixture(scope="module")
def stage():
    """One gateway for the whole file, with a stock client that must not notice anything."""
    with netns.Lab() as lab:
        conftest._lab = lab
        gateway = Culvertd(lab)
        bystander = OpenConnect(lab, gateway).wait_dtls()
        attacker, gw4 = lab.add_client()
        lab.pids = gateway.pids()
        lab.gateway, lab.bystander, lab.attacker, lab.gw4 = gateway, bystander, attacker, gw4
        yield lab
        conftest._lab = None
        lab.end_programs()
        lab.check_sanitizers()


@pytest.fixture
def undisturbed(stage):
    """After the test: the bystander lost nothing, and the gateway is made of the same processes."""
    ping = PingLog(stage.bystander.ns, SRV4)
    ping.wait_answers(3)
    yield stage
    ping.wait_answers(10)
    ping.stop(5)
    assert ping.lost() <= 1, ping.summary()
    assert stage.gateway.pids() == stage.pids, "a process of the gateway was replaced"
    assert stage.bystander.active() == "dtls"


@pytest.fixture
def raw(undisturbed):
    client = RawClient(undisturbed.attacker, undisturbed.gw4).tunnel()
    yield client
    client.close()


def test_dpd_of_any_size_is_echoed(raw):
    for size in (0, 1, 2, 100, 1399, 1400, 4096, 9000, 16375, 16376):
        payload = os.urandom(size)
        assert raw.dpd(payload) == payload, size


def test_keepalive_is_not_answered(raw):
    raw.send(packet(KEEPALIVE))
    assert raw.dpd(b"x") == b"x"


@pytest.mark.parametrize("kind", [1, 2, 6, 10, 0x7f, 0xff, COMPRESSED, TERMINATE, DPD_RESP])
def test_unknown_types_are_ignored_or_end_the_session(raw, kind):
    raw.send(packet(kind, b"\x45" + bytes(40)))
    assert raw.alive() or raw.ended()


def two_in_a_record(raw):
    raw.send(packet(DPD_REQ, b"one") + packet(DPD_REQ, b"two"))
    try:
        assert raw.recv_packet(DPD_RESP) == b"one"
        assert raw.recv_packet(DPD_RESP) == b"two"
    except EOFError:
        pass  # closing is allowed as well


def split_packet(raw):
    whole = packet(DPD_REQ, b"split in two records")
    raw.send(whole[:11])
    raw.send(whole[11:])
    try:
        assert raw.recv_packet(DPD_RESP) == b"split in two records"
    except EOFError:
        pass


@pytest.mark.parametrize("step", [two_in_a_record, split_packet])
def test_record_boundaries(raw, step):
    step(raw)


@pytest.mark.parametrize("data", [
    pytest.param(MAGIC + struct.pack("!HBB", 10, DATA, 0) + bytes(3), id="shorter-than-its-length"),
    pytest.param(MAGIC + struct.pack("!HBB", 0, DATA, 0) + bytes(30), id="longer-than-its-length"),
    pytest.param(MAGIC + struct.pack("!HBB", 0xffff, DATA, 0) + bytes(16376), id="length-65535"),
    pytest.param(b"GET " + bytes(20), id="bad-magic"),
    pytest.param(b"STF\x02" + bytes(4), id="bad-version"),
    pytest.param(MAGIC + struct.pack("!HBB", 0, DPD_REQ, 1), id="byte-7-not-zero"),
    pytest.param(b"S", id="one-byte"),
    pytest.param(b"\x00" * 16384, id="zeros"),
])
def test_bad_framing(raw, data):
    """The session of the sender may end; a request that follows never gets a wrong answer."""
    raw.send(data)
    try:
        assert raw.dpd(b"after", timeout_s=2) in (b"after",)
    except (EOFError, OSError):
        pass


@pytest.mark.parametrize("payload", [
    pytest.param(b"", id="empty"),
    pytest.param(b"\x45", id="one-byte"),
    pytest.param(b"\x45\x00\x00\x14" + bytes(5), id="truncated-ipv4"),
    pytest.param(b"\x60" + bytes(10), id="truncated-ipv6"),
    pytest.param(b"\xf0" + bytes(60), id="version-15"),
    pytest.param(b"\x4f\x00\xff\xff" + bytes(16372), id="16-KiB-ipv4-with-wrong-length"),
    pytest.param(bytes(16376), id="16-KiB-zeros"),
])
def test_data_that_is_no_packet_is_dropped(raw, payload):
    raw.send(packet(DATA, payload))
    assert raw.dpd(b"x") == b"x"


def ipv4(src, dst, length=60):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 1, 0x4000, 64, 17, 0, socket.inet_aton(src), socket.inet_aton(dst))
    words = sum(struct.unpack("!10H", head))
    words = (words >> 16) + (words & 0xffff)
    head = head[:10] + struct.pack("!H", ~(words + (words >> 16)) & 0xffff) + head[12:]
    return head + struct.pack("!HHHH", 9, 9, length - 20, 0) + bytes(length - 28)


def test_spoofed_source_does_not_reach_the_inside(raw, undisturbed):
    """A client may send only from the address it was given."""
    lab = undisturbed

    def listen():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("", 9))
        s.settimeout(5)
        return s
    with NsThread(lab.srv, listen).result() as inside:
        raw.send(packet(DATA, ipv4("10.10.99.99", SRV4)))
        raw.send(packet(DATA, ipv4(raw.address, SRV4)))
        assert inside.recvfrom(2048)[1][0] == raw.address
        inside.settimeout(0.3)
        with pytest.raises(TimeoutError):
            inside.recvfrom(2048)


# ---- HTTP


def status_or_closed(lab, send):
    """The status code of the answer; 0 when the gateway just closed."""
    client = RawClient(lab.attacker, lab.gw4)
    try:
        return send(client)
    except (EOFError, OSError):
        return 0
    finally:
        client.close()


@pytest.mark.parametrize("what,headers,body", [
    pytest.param("cookie", {"Cookie": "webvpn=" + "A" * 20000}, b"", id="cookie-20000"),
    pytest.param("header", {"X-Long": "B" * 70000}, b"", id="header-70000"),
    pytest.param("headers", {f"X-{i}": "c" for i in range(2000)}, b"", id="2000-headers"),
    pytest.param("length", {"Content-Length": "99999999999999999999"}, b"", id="content-length-overflow"),
    pytest.param("length", {"Content-Length": "-1"}, b"", id="content-length-negative"),
    pytest.param("length", {"Transfer-Encoding": "chunked", "Content-Length": "5"}, b"", id="two-lengths"),
])
def test_oversized_heads_are_refused(undisturbed, what, headers, body):
    def send(client):
        client.send(("POST / HTTP/1.1\r\nHost: x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode() + body)
        return client.read_reply().status
    assert status_or_closed(undisturbed, send) in (0, 400, 401, 403, 411, 413, 414, 431, 501), what


def test_oversized_body_is_refused(undisturbed):
    def send(client):
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: 4000000\r\n\r\n")
        for _ in range(250):
            client.send(b"<" * 16000)
        return client.read_reply().status
    assert status_or_closed(undisturbed, send) in (0, 400, 413)


@pytest.mark.parametrize("line", [b"\x00\x00\x00\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                  b"POST /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b" / HTTP/1.1\r\n\r\n"],
                         ids=["nul", "no-path", "version", "http2", "long-path", "no-method"])
def test_bad_request_lines(undisturbed, line):
    def send(client):
        client.send(line)
        return client.read_reply().status
    assert status_or_closed(undisturbed, send) in (0, 400, 403, 404, 405, 414, 431, 501, 505)


def test_pipelined_requests(undisturbed):
    """Answered one after the other, or refused; never mixed up."""
    client = RawClient(undisturbed.attacker, undisturbed.gw4)
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: Open AnyConnect VPN Agent v9\r\n\r\n" * 40)
    answers = 0
    try:
        for answers in range(40):
            assert client.read_reply().status < 600
    except (EOFError, OSError):
        pass
    assert answers >= 0
    client.close()


@pytest.mark.parametrize("xml", [
    b"", b"<", b"<config-auth", b"<config-auth/>", b"<a>" * 20000, b"\xff\xfe\x00", b"<config-auth client='vpn' type='init'>" + b"x" * 60000,
    b"<!DOCTYPE a [<!ENTITY b 'c'><!ENTITY d '&b;&b;&b;&b;&b;&b;&b;&b;'>]><config-auth type='init'>&d;</config-auth>",
    b"<?xml version='1.0'?><config-auth client='vpn' type='auth-reply'><auth><username>" + b"u" * 5000 + b"</username></auth></config-auth>",
], ids=["empty", "lt", "open", "bare", "deep", "utf16", "long-text", "entities", "long-name"])
def test_bad_documents(undisturbed, xml):
    def send(client):
        return client.request("POST", "/", {"X-Transcend-Version": "1", "X-Aggregate-Auth": "1", "Content-Type": "application/xml"}, xml).status
    assert status_or_closed(undisturbed, send) in (0, 200, 400, 401, 403, 413)


@pytest.mark.parametrize("value", ["0", "1", "-1", "4294967296", "18446744073709551616", "1e9", "abc", "", "1500 1500", "65536"])
def test_base_mtu_values(undisturbed, value):
    """Refused, or answered with an MTU that makes sense; never a wrapped number."""
    client = RawClient(undisturbed.attacker, undisturbed.gw4)
    client.login()
    try:
        reply = client.connect(headers={"X-CSTP-Base-MTU": value, "X-CSTP-MTU": value}, dtls=True)
    except (EOFError, OSError):
        return
    if reply.status == 200:
        for name in ("X-CSTP-MTU", "X-DTLS-MTU"):
            assert reply.get(name) is None or 576 <= int(reply.get(name)) <= 16376, (name, reply.get(name))
        assert client.alive()
    else:
        assert 400 <= reply.status < 600
    client.close()


@pytest.mark.parametrize("name,value", [
    ("X-DTLS-Master-Secret", "zz"), ("X-DTLS-Master-Secret", "A" * 95), ("X-DTLS-Master-Secret", "A" * 5000),
    ("X-DTLS-CipherSuite", ":" * 3000), ("X-DTLS12-CipherSuite", "A:" * 2000), ("X-CSTP-Hostname", "h" * 3000),
    ("X-CSTP-Address-Type", "IPv9"), ("X-CSTP-Accept-Encoding", "lzs," * 500), ("X-CSTP-Address", "999.1.1.1"),
], ids=["secret-not-hex", "secret-short", "secret-long", "ciphers-empty", "ciphers-many", "hostname-long", "address-type", "encodings-many",
        "address-bad"])
def test_odd_connect_headers(undisturbed, name, value):
    client = RawClient(undisturbed.attacker, undisturbed.gw4)
    client.login()
    try:
        reply = client.connect(headers={name: value}, dtls=True)
        assert reply.status in (200, 400, 413, 431, 503), reply.line  # 401 would tell a client that its session is gone
        if reply.status == 200:
            assert client.alive()
    except (EOFError, OSError):
        pass
    client.close()


@pytest.mark.parametrize("cookie", ["", "x", "A" * 64, "../../etc/passwd", "%00", "webvpn="])
def test_unknown_cookies_are_refused(undisturbed, cookie):
    client = RawClient(undisturbed.attacker, undisturbed.gw4)
    reply = client.request("CONNECT", "/CSCOSSLC/tunnel", {"Cookie": f"webvpn={cookie}", "X-CSTP-Version": "1"})
    assert reply.status in (401, 403, 503), reply.line
    client.close()


def test_cookie_in_use_elsewhere_is_taken_over(undisturbed):
    first = RawClient(undisturbed.attacker, undisturbed.gw4).tunnel()
    second = RawClient(undisturbed.attacker, undisturbed.gw4)
    reply = second.connect(cookie=first.cookie)
    assert reply.status == 200 and reply.get("X-CSTP-Address") == first.address
    assert second.alive() and first.ended()
    second.close()


def test_cookie_after_disconnect(undisturbed):
    """0xb0 ends the session, an empty DISCONNECT and a plain close do not."""
    def reuse(goodbye):
        client = RawClient(undisturbed.attacker, undisturbed.gw4).tunnel()
        if goodbye is not None:
            client.send(packet(DISCONNECT, goodbye))
            assert client.ended() or True
        client.close()
        again = RawClient(undisturbed.attacker, undisturbed.gw4)
        reply = again.connect(cookie=client.cookie)
        same = reply.get("X-CSTP-Address") == client.address
        again.close()
        return reply.status, same
    assert reuse(b"\xb0user")[0] == 401
    assert reuse(b"") == (200, True)
    assert reuse(None) == (200, True)


def test_half_open_and_plain_connections(undisturbed):
    """Connections that never speak, or speak no TLS, hold up nobody."""
    def dial():
        socks = [socket.create_connection((undisturbed.gw4, 443), 5) for _ in range(60)]
        for i, s in enumerate(socks):
            if i % 3 == 1:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            elif i % 3 == 2:
                s.sendall(b"\x16\x03\x01\x40\x00\x01")
        return socks
    socks = NsThread(undisturbed.attacker, dial).result()
    client = RawClient(undisturbed.attacker, undisturbed.gw4).tunnel()
    assert client.alive()
    client.close()
    for s in socks:
        s.close()


# ---- UDP


def hello(session_id=bytes(range(32)), cut=None):
    """A DTLS 1.2 ClientHello with that session id."""
    body = b"\xfe\xfd" + os.urandom(32) + bytes([len(session_id)]) + session_id + b"\x00" + b"\x00\x02\x00\xa9" + b"\x01\x00" + \
        b"\x00\x14" + b"\x00\x0d\x00\x04\x00\x02\x04\x03" + b"\xff\x01\x00\x01\x00" + b"\x00\x23\x00\x03abc"
    hs = b"\x01" + len(body).to_bytes(3, "big") + b"\x00\x00" + b"\x00\x00\x00" + len(body).to_bytes(3, "big") + body
    out = b"\x16\xfe\xff" + bytes(8) + struct.pack("!H", len(hs)) + hs
    return out[:cut]


DATAGRAMS = [
    ("empty", b""), ("one-byte", b"\x16"), ("garbage", os.urandom(200)), ("garbage-1400", os.urandom(1400)),
    ("unknown-id", hello()), ("empty-id", hello(b"")), ("id-of-255", hello(bytes(255))), ("zero-length-record", b"\x16\xfe\xff" + bytes(10)),
    ("data-record", b"\x17\xfe\xfd\x00\x01" + bytes(6) + b"\x00\x40" + os.urandom(64)),
    ("alert", b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28"), ("dtls09", b"\x16\x01\x00" + hello()[3:]),
    ("length-beyond", b"\x16\xfe\xff" + bytes(8) + b"\xff\xff" + bytes(100)), ("isakmp", b"\x00\x00\x00\x00" + os.urandom(100)),
] + [(f"hello-cut-{n}", hello(cut=n)) for n in (13, 14, 25, 59, 60, 61, 92, 93, 110)]


def test_datagrams_get_silence(undisturbed):
    """Whoever does not name a session gets no answer, so nothing can be reflected at others."""
    def exchange():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((undisturbed.gw4, 443))
            s.settimeout(0.3)
            for name, data in DATAGRAMS:
                s.send(data)
            try:
                answer = s.recv(4096)
            except TimeoutError:
                return None
            return name, answer
    assert NsThread(undisturbed.attacker, exchange).result() is None


def queued(lab):
    """Bytes that wait in the gateway's UDP sockets."""
    return sum(int(line.split()[1]) for line in lab.exec(lab.gw, "ss", "-Huan", "sport = :443").splitlines())


def test_flood_of_unknown_hellos(undisturbed):
    """5000 hellos from one source: the bystander's ping goes on."""
    def flood():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((undisturbed.gw4, 443))
            for i in range(5000):
                try:
                    s.send(hello(os.urandom(32)))
                except OSError:
                    pass
                if i % 250 == 249:  # faster than a gateway that gets no time reads, the bystander's would be lost in its buffer
                    netns.wait_for(lambda: queued(undisturbed) == 0, 10, "the gateway to read")
    NsThread(undisturbed.attacker, flood).result()


def test_log_names_the_trouble(undisturbed):
    """A bad packet leaves a line in the log with the peer's address."""
    client = RawClient(undisturbed.attacker, undisturbed.gw4).tunnel()
    before = len(undisturbed.gateway.log())
    client.send(b"XYZ\x01" + bytes(4))
    netns.wait_for(lambda: "10.10.101.2" in undisturbed.gateway.log()[before:] or
                   "tester" in undisturbed.gateway.log()[before:], 5, "a log line about the bad packet")
    client.close()
