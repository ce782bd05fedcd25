"""The same traffic through every combination of the kernel's offloads: what arrives inside is what was sent, byte by byte.
Odd packets are made by hand and caught by hand; streams are compared by their hash."""
import hashlib
import os
import random
import socket
import struct
import threading

import pytest

from checks import check_fetch, check_full_size
from netns import NsThread, SRV4, SRV6
from peers import Culvert, Culvertd

pytestmark = pytest.mark.culvert

MODES = {  # what gateway and client do without
    "all offloads": ("", ""),
    "gateway without TUN offloads": ("tun", ""),
    "client without TUN offloads": ("", "tun"),
    "no USO": ("uso", "uso"),
    "no super-packets by TLS": ("super", "super"),
    "no UDP GSO": ("gso", "gso"),
    "no UDP GRO": ("gro", "gro"),
    "none": ("all", "all"),
}
PORT, ODD_PORT = 7000, 9
SO_NO_CHECK, UDP_SEGMENT = 11, 103  # linux/socket.h, linux/udp.h
TTL_AT, SUM_AT = 8, 10


def refuse(words):
    return ("--no-offload", words) if words else ()


def echo_udp(ready, stop, family):
    """Sends every datagram back until stop is set."""
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind(("", PORT))
        s.settimeout(0.2)
        ready.set()
        while not stop.is_set():
            try:
                data, peer = s.recvfrom(65536)
            except TimeoutError:
                continue
            s.sendto(data, peer)


def ask(s, datagrams):
    """Sends them; the answers in any order. Whoever lost some to a full queue is asked again."""
    missing = set(datagrams)
    for _ in range(4):
        for d in missing:
            s.send(d)
        try:
            while missing:
                missing.discard(s.recv(65536))
        except TimeoutError:
            continue
        break
    return missing


def udp_of_all_sizes(addr, family, sizes, has_sum=True):
    rand = random.Random(7)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        if not has_sum:
            s.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        s.connect((addr, PORT))
        s.settimeout(1)
        for n in range(0, len(sizes), 40):
            missing = ask(s, [struct.pack("!H", size) + rand.randbytes(size - 2) for size in sizes[n:n + 40]])
            assert not missing, f"no echo of {sorted(len(d) for d in missing)} bytes"


def udp_trains(addr, family):
    """Many datagrams in one send(), as QUIC does it: each comes back as it was."""
    rand = random.Random(8)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.connect((addr, PORT))
        s.settimeout(10)
        for size in (1, 100, 1000, 1200):
            for n in (2, 7, 40):
                parts = [rand.randbytes(size) for _ in range(n - 1)] + [rand.randbytes(max(1, size // 2))]
                s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
                s.send(b"".join(parts))
                s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
                got = []
                try:
                    while len(got) < n:
                        got.append(s.recv(65536))
                except TimeoutError:
                    pass
                assert sorted(got) == sorted(parts), f"{n} x {size}: {len(got)} came back"


def take_stream(ready, family):
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # urgent bytes are part of the stream
        listener.bind(("", PORT))
        listener.listen(1)
        listener.settimeout(60)
        ready.set()
        s, _ = listener.accept()
        digest = hashlib.sha256()
        with s:
            while part := s.recv(1 << 18):
                digest.update(part)
            s.sendall(digest.digest())


def send_stream(addr, family, n_bytes, is_urgent):
    rand = random.Random(n_bytes)
    data = rand.randbytes(n_bytes)
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(60)
        s.connect((addr, PORT))
        at = 0
        while at < n_bytes:
            size = rand.choice((1, 10, 1000, 1381, 1382, 1383, 65536, 200000))
            part = data[at:at + size]
            at += len(part)
            if is_urgent and size < 1000:
                s.send(part, socket.MSG_OOB)
            else:
                s.sendall(part)
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100) == hashlib.sha256(data).digest(), f"{n_bytes} bytes by TCP: changed"


# ---- packets made by hand


def ip_sum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tcp_packet(src, dst, number, flags=0x10, options=b"", payload=b"", ip_options=b"", tos=0, urgent=0, bad_sum=False, seq=None):
    head_bytes = 20 + len(options)
    tcp = struct.pack("!HHIIBBHHH", 40000 + number, ODD_PORT, seq or 1000 * number, 77, head_bytes // 4 << 4, flags, 500, 0, urgent) + options
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 6, len(tcp) + len(payload))
    total = ip_sum(pseudo + tcp + payload) ^ (1 if bad_sum else 0)
    tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
    n = 20 + len(ip_options)
    ip = struct.pack("!BBHHHBBH4s4s", 0x40 | n // 4, tos, n + len(tcp) + len(payload), number + 1, 0x4000, 64, 6, 0,
                     socket.inet_aton(src), socket.inet_aton(dst)) + ip_options
    return ip[:10] + struct.pack("!H", ip_sum(ip)) + ip[12:] + tcp + payload


def odd_packets(src, dst):
    rand = random.Random(9)
    rows = [
        dict(flags=0x10, payload=rand.randbytes(100)),
        dict(flags=0x18, payload=rand.randbytes(1000)),
        dict(flags=0x11, payload=rand.randbytes(333)),                                # FIN with data
        dict(flags=0x30, payload=rand.randbytes(50), urgent=20),                      # URG
        dict(flags=0xd0, payload=rand.randbytes(50)),                                 # CWR, ECE
        dict(flags=0x10, tos=3, payload=rand.randbytes(77)),                          # CE
        dict(options=bytes.fromhex("0101080a0000000100000002"), payload=rand.randbytes(99)),
        dict(options=bytes.fromhex("0101050a0000000100000002"), payload=b"x"),        # SACK
        dict(options=bytes.fromhex("fd04abcd"), payload=rand.randbytes(8)),           # experiment
        dict(options=bytes(40), payload=rand.randbytes(8)),
        dict(ip_options=bytes.fromhex("94040000"), payload=rand.randbytes(60)),       # router alert
        dict(payload=b""),
        dict(payload=rand.randbytes(5), bad_sum=True),                                # raw sockets see it all the same
        dict(flags=0, payload=rand.randbytes(5)),
        dict(flags=0x10, payload=bytes(1)),
    ]
    out = [tcp_packet(src, dst, n, **row) for n, row in enumerate(rows)]
    # one flow: a train, one with a wrong checksum in the middle, other options at its end
    for n in range(12):
        out.append(tcp_packet(src, dst, 500, seq=1 + n * 500, payload=rand.randbytes(500), bad_sum=n == 5,
                              options=bytes.fromhex("0101080a0000000100000002") if n > 7 else b""))
    return out


def without_hop(packet):
    """What a router may change: TTL and with it the checksum."""
    return packet[:TTL_AT] + b"\0" + packet[TTL_AT + 1:SUM_AT] + b"\0\0" + packet[SUM_AT + 2:]


def catch(ready, n, src):
    out = []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as s:
        s.settimeout(10)
        ready.set()
        try:
            while len(out) < n:
                packet = s.recv(65536)
                to_port = packet[(packet[0] & 15) * 4 + 2:][:2]  # the end of a stream before may come late
                if packet[12:16] == socket.inet_aton(src) and to_port == struct.pack("!H", ODD_PORT):
                    out.append(packet)
        except TimeoutError:
            pass
    return out


def throw(packets, dst):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        for p in packets:
            s.sendto(p, (dst, 0))


def check_odd(lab, client):
    src = client.inner4()
    packets, ready = odd_packets(src, SRV4), threading.Event()
    catcher = NsThread(lab.srv, lambda: catch(ready, len(packets), src))
    assert ready.wait(5)
    NsThread(client.ns, lambda: throw(packets, SRV4)).result(10)
    got = [without_hop(p) for p in catcher.result(20)]
    want = [without_hop(p) for p in packets]
    assert sorted(got) == sorted(want)
    flow = lambda all_packets: [p for p in all_packets if p[20:22] == struct.pack("!H", 40500)]
    assert flow(got) == flow(want)  # order within a flow


def check_udp(lab, client):
    small = list(range(2, 1400, 9)) + [1404, 1405, 1406]
    for family, addr in ((socket.AF_INET, SRV4), (socket.AF_INET6, SRV6)):
        ready, stop = threading.Event(), threading.Event()
        server = NsThread(lab.srv, lambda ready=ready, stop=stop, family=family: echo_udp(ready, stop, family))
        assert ready.wait(5)
        try:
            NsThread(client.ns, lambda a=addr, f=family: udp_of_all_sizes(a, f, small)).result(60)
            NsThread(client.ns, lambda a=addr, f=family: udp_of_all_sizes(a, f, [1500, 3000, 9000, 40000])).result(60)  # fragments
            NsThread(client.ns, lambda a=addr, f=family: udp_trains(a, f)).result(60)
            if family == socket.AF_INET:
                NsThread(client.ns, lambda a=addr, f=family: udp_of_all_sizes(a, f, [20, 300, 1200], False)).result(60)
        finally:
            stop.set()
            server.result(10)


def check_streams(lab, client):
    for family, addr in ((socket.AF_INET, SRV4), (socket.AF_INET6, SRV6)):
        for is_urgent in (False, True):
            ready = threading.Event()
            server = NsThread(lab.srv, lambda ready=ready, family=family: take_stream(ready, family))
            assert ready.wait(5)
            NsThread(client.ns, lambda a=addr, f=family, u=is_urgent: send_stream(a, f, 3_000_000, u)).result(60)
            server.result(30)


@pytest.mark.parametrize("dtls", [True, False], ids=["dtls", "tls"])
@pytest.mark.parametrize("mode", MODES)
def test_same_bytes(lab, server, mode, dtls):
    gateway_without, client_without = MODES[mode]
    gateway = Culvertd(lab, arguments=refuse(gateway_without))
    client = Culvert(lab, gateway, dtls=dtls, options=refuse(client_without))
    if dtls:
        client.wait_dtls()
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV6)
    check_full_size(lab, client)
    check_udp(lab, client)
    check_streams(lab, client)
    check_odd(lab, client)
