"""The gateway with `anyconnect mtu-policy classic`: the tech note's numbers, drops, answers, log lines and remedies; and
`sysopt connection tcpmss`. Clients: one written by hand on TLS alone, and stock openconnect."""
import re
import socket
import struct

import pytest

from checks import check_fetch, fetch
from netns import SRV4, SRV6, LabError, NsThread, wait_for
from peers import Culvertd, OpenConnect
from raw import DATA, DPD_REQ, DPD_RESP, MAGIC, RawClient, packet

pytestmark = pytest.mark.culvert

TLS_MTU, DTLS_MTU = 1347, 1418  # tech note 116881
GATEWAY_INNER4, GATEWAY_INNER6 = "10.10.8.1", "fd10:8::1"
PORT = 4000
DO, DONT = 2, 0  # IP_PMTUDISC_*, the same for IPv6
IP_MTU_DISCOVER, IP_MTU, IPV6_MTU_DISCOVER, IPV6_MTU = 10, 14, 23, 24
UDP_OVER = {4: 28, 6: 48}  # IP and UDP header
TLS_ONLY = """
group-policy TLSONLY internal
group-policy TLSONLY attributes
 vpn-tunnel-protocol ssl-client
 vpn-simultaneous-logins 2000
 address-pools value POOL4
 webvpn
  anyconnect mtu-policy classic
  anyconnect ssl dtls none
tunnel-group TLSONLY type remote-access
tunnel-group TLSONLY general-attributes
 default-group-policy TLSONLY
tunnel-group TLSONLY webvpn-attributes
 group-alias tlsonly enable
 group-url https://10.10.1.1/notunnel enable
"""


def classic(lab, *lines, top="", **more):
    return Culvertd(lab, policy_webvpn="\n".join(["anyconnect mtu-policy classic", *lines]), top="mtu-formula cisco\n" + top, **more)


def on_tls(lab, **login):
    """A client by hand that was offered DTLS and does not use it. `.address6` is its inner IPv6 address."""
    raw = RawClient(lab.cl)
    raw.login(**login)
    reply = raw.connect(dtls=True)
    assert reply.status == 200, reply.line
    raw.address = reply.get("X-CSTP-Address")
    raw.address6 = (reply.get("X-CSTP-Address-IP6") or "/").split("/")[0]
    raw.mtus = reply.get("X-CSTP-MTU"), reply.get("X-DTLS-MTU")
    return raw


def received(raw):
    """The data packets that had been sent to the client up to now."""
    raw.send(packet(DPD_REQ, b"mark"))
    out = []
    while True:
        record = raw.recv_record()
        assert record[:4] == MAGIC
        if record[6] == DPD_RESP and record[8:] == b"mark":
            return out
        if record[6] == DATA:
            out.append(record[8:])


def udp_socket(ns, addr, discover):
    """A UDP socket in ns, connected to addr, that sets DF (DO) or does not (DONT)."""
    v = 6 if ":" in addr else 4

    def make():
        s = socket.socket(socket.AF_INET6 if v == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        level, option = (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if v == 6 else (socket.IPPROTO_IP, IP_MTU_DISCOVER)
        s.setsockopt(level, option, discover)
        s.connect((addr, PORT))
        return s
    return NsThread(ns, make).result()


def path_mtu(sock):
    v6 = sock.family == socket.AF_INET6
    return sock.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU) if v6 else sock.getsockopt(socket.IPPROTO_IP, IP_MTU)


def icmp_listener(ns, v):
    def make():
        s = socket.socket(socket.AF_INET6 if v == 6 else socket.AF_INET, socket.SOCK_RAW,
                          socket.IPPROTO_ICMPV6 if v == 6 else socket.IPPROTO_ICMP)
        s.settimeout(5)
        return s
    return NsThread(ns, make).result()


def next_too_big(sock):
    """(source, mtu, quoted packet) of the next "too big" that comes."""
    v6 = sock.family == socket.AF_INET6
    for _ in range(50):
        data, (source, *_) = sock.recvfrom(4096)
        if not v6:
            data = data[(data[0] & 15) * 4:]
        if data[:2] == (b"\x02\x00" if v6 else b"\x03\x04"):
            return source, struct.unpack("!I", data[4:8])[0], data[8:]
    raise LabError("50 ICMP messages, none of them says too big")


def drops(gateway):
    return gateway.ctl("show", "asp", "drop").get("mp-svc-no-fragment")


# ---- to the client


@pytest.mark.parametrize("v", [4, 6], ids=["ipv4", "ipv6"])
def test_large_packet_with_df(lab, v):
    """Dropped and counted, 722036, ICMP to the server with the TLS MTU, 602101; the server's next packets are smaller."""
    lab.block_udp()
    gateway = classic(lab)
    raw = on_tls(lab)
    assert raw.mtus == (str(TLS_MTU), str(DTLS_MTU))
    inner, server, own = (raw.address, SRV4, GATEWAY_INNER4) if v == 4 else (raw.address6, SRV6, GATEWAY_INNER6)
    listener = icmp_listener(lab.srv, v)
    with udp_socket(lab.srv, inner, DO) as sock:
        sock.send(bytes(TLS_MTU - UDP_OVER[v]))
        assert [len(p) for p in received(raw)] == [TLS_MTU]
        assert drops(gateway) == 0
        sock.send(bytes(DTLS_MTU - UDP_OVER[v]))
        source, mtu, quoted = next_too_big(listener)
        assert (source, mtu) == (own, TLS_MTU)
        at, length = (2, DTLS_MTU) if v == 4 else (4, DTLS_MTU - 40)
        assert quoted[0] >> 4 == v and struct.unpack("!H", quoted[at:at + 2])[0] == length
        wait_for(lambda: path_mtu(sock) == TLS_MTU, 5, "the server's kernel to believe it")
    assert received(raw) == []
    assert drops(gateway) == 1
    gateway.wait_log(rf"%ASA-6-722036: Group <GP1> User <tester> IP <10\.10\.1\.2> Transmitting large packet {DTLS_MTU} "
                     rf"\(threshold {TLS_MTU}\)\.$")
    gateway.wait_log(rf"%ASA-6-602101: PMTU-D packet {DTLS_MTU} bytes greater than effective mtu {TLS_MTU}, "
                     rf"dest_addr={inner}, src_addr={server}, prot=UDP$")
    text = gateway.ctl("show", "asp", "drop", as_json=False)
    assert re.search(r"^  SVC Module unable to fragment packet \(mp-svc-no-fragment\) +1$", text, re.M), text
    raw.close()


def joined(pieces):
    """The datagram that IPv4 fragments come to."""
    out, end = {}, None
    for p in pieces:
        header, fragment = (p[0] & 15) * 4, struct.unpack("!H", p[6:8])[0]
        assert len(p) <= TLS_MTU and struct.unpack("!H", p[2:4])[0] == len(p) and not fragment & 0x4000
        assert sum(struct.unpack(f"!{header // 2}H", p[:header])) % 0xffff == 0
        out[(fragment & 0x1fff) * 8] = p[header:]
        if not fragment & 0x2000:
            end = (fragment & 0x1fff) * 8 + len(p) - header
    data = b"".join(out[at] for at in sorted(out))
    assert len(data) == end and len({p[4:6] for p in pieces}) == 1
    return data


@pytest.mark.parametrize("discover,lines", [(DONT, []), (DO, ["anyconnect ssl df-bit-ignore enable"])], ids=["no-df", "df-bit-ignore"])
def test_large_packet_arrives_in_fragments(lab, discover, lines):
    gateway = classic(lab, *lines)
    raw = on_tls(lab)
    body = bytes(i * 7 & 255 for i in range(DTLS_MTU - UDP_OVER[4]))
    with udp_socket(lab.srv, raw.address, discover) as sock:
        sock.send(body)
        pieces = []
        wait_for(lambda: pieces.extend(received(raw)) or len(pieces) == 2, 5, lambda: f"two fragments, came: {pieces}")
        assert joined(pieces)[8:] == body
        assert path_mtu(sock) == 1500
    assert drops(gateway) == 0 and "722036" not in gateway.log()
    raw.close()


def test_ip6_is_dropped_in_spite_of_df_bit_ignore(lab):
    gateway = classic(lab, "anyconnect ssl df-bit-ignore enable")
    raw = on_tls(lab)
    listener = icmp_listener(lab.srv, 6)
    with udp_socket(lab.srv, raw.address6, DO) as sock:
        sock.send(bytes(DTLS_MTU - UDP_OVER[6]))
        assert next_too_big(listener)[:2] == (GATEWAY_INNER6, TLS_MTU)
    assert received(raw) == [] and drops(gateway) == 1
    raw.close()


# ---- from the client


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff


def udp_packet(src, dst, body, df):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(body), 77, 0x4000 if df else 0, 64, 17, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + struct.pack("!HHHH", PORT, PORT, 8 + len(body), 0) + body  # no UDP checksum


def test_large_packets_from_the_client(lab):
    """722035. Without DF they arrive, in fragments; with DF the client is told."""
    gateway = classic(lab)
    raw = on_tls(lab)
    body = bytes(i * 5 & 255 for i in range(DTLS_MTU - UDP_OVER[4]))

    def listen():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((SRV4, PORT))
        s.settimeout(5)
        return s
    with NsThread(lab.srv, listen).result() as sock:
        raw.send(packet(DATA, udp_packet(raw.address, SRV4, body, df=False)))
        assert sock.recv(4096) == body
    assert drops(gateway) == 0
    raw.send(packet(DATA, udp_packet(raw.address, SRV4, body, df=True)))
    icmp, = [p for p in received(raw) if p[9] == 1]
    assert socket.inet_ntoa(icmp[12:16]) == GATEWAY_INNER4 and socket.inet_ntoa(icmp[16:20]) == raw.address
    assert icmp[20:22] == b"\x03\x04" and struct.unpack("!H", icmp[26:28])[0] == TLS_MTU
    assert drops(gateway) == 1
    gateway.wait_log(rf"%ASA-3-722035: Group <GP1> User <tester> IP <10\.10\.1\.2> Received large packet {DTLS_MTU} \(threshold {TLS_MTU}\)\.$")
    gateway.wait_log(rf"%ASA-6-602101: .* dest_addr={SRV4}, src_addr={raw.address}, prot=UDP$")
    raw.close()


# ---- MSS


def tcp_pair(lab, host, client_mss=None):
    """A TCP connection from the client to the inside server: both sockets."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    def listen():
        s = socket.socket(family, socket.SOCK_STREAM)
        s.bind((host, PORT))
        s.listen()
        s.settimeout(10)
        return s

    def dial():
        s = socket.socket(family, socket.SOCK_STREAM)
        if client_mss:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, client_mss)
        s.settimeout(10)
        s.connect((host, PORT))
        return s
    with NsThread(lab.srv, listen).result() as listener:
        client = NsThread(lab.cl, dial).result()
        return client, listener.accept()[0]


def mss(sock):
    """What it sends at most in a segment, by what the peer's SYN said: without the 12 bytes of timestamps."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


@pytest.mark.parametrize("policy", ["classic", "seamless"])
def test_mss_is_lowered_in_both_directions(lab, policy):
    gateway = Culvertd(lab, policy_webvpn=f"anyconnect mtu-policy {policy}", top="sysopt connection tcpmss 1200")
    OpenConnect(lab, gateway, dtls=False)
    for host in (SRV4, SRV6):
        for sock in tcp_pair(lab, host):
            with sock:
                assert mss(sock) == 1200 - 12, host


def test_mss_is_raised_to_the_minimum(lab):
    gateway = Culvertd(lab, top="sysopt connection tcpmss minimum 900")
    OpenConnect(lab, gateway, dtls=False)
    client, server = tcp_pair(lab, SRV4, client_mss=500)
    with client, server:
        assert mss(server) == 900 - 12 and mss(client) <= 500


def test_mss_is_left_alone_when_off(lab):
    gateway = Culvertd(lab, top="sysopt connection tcpmss 0")
    client = OpenConnect(lab, gateway, dtls=False)
    first, second = tcp_pair(lab, SRV4)
    with first, second:
        assert mss(second) == client.mtu() - 40 - 12


# ---- stock openconnect


def no_icmp(lab):
    """The firewall of the tech note: the server never hears of the MTU."""
    lab.nft(lab.srv, "add table inet deaf\nadd chain inet deaf in { type filter hook input priority 0; }\n"
                     "add rule inet deaf in icmp type destination-unreachable drop\n"
                     "add rule inet deaf in icmpv6 type packet-too-big drop\n")


def check_healthy(gateway):
    assert not re.search(r"worker.*(died|ended|restart)|signal 11", gateway.log()), gateway.proc.tail()


def test_openconnect_without_udp(lab, server):
    """Both MTUs differ; the answer of the gateway makes the server's packets fit, after some drops."""
    lab.block_udp()
    gateway = classic(lab)
    client = OpenConnect(lab, gateway)
    assert client.mtu() == DTLS_MTU and client.active() == "tls"
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV6)
    assert drops(gateway) >= 2
    gateway.wait_log(r"722036.*\(threshold 1347\)\.$")
    gateway.wait_log(r"602101.*prot=TCP$")
    check_healthy(gateway)
    assert client.stop() == 0


def test_openconnect_with_udp(lab, server):
    gateway = classic(lab)
    client = OpenConnect(lab, gateway).wait_dtls()
    assert client.mtu() == DTLS_MTU
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV6)
    assert drops(gateway) == 0 and "722036" not in gateway.log()
    check_healthy(gateway)


def test_black_hole(lab, server):
    """UDP blocked and ICMP filtered: the download stalls, as in the tech note."""
    lab.block_udp()
    no_icmp(lab)
    gateway = classic(lab)
    client = OpenConnect(lab, gateway)
    with pytest.raises((LabError, OSError)):
        fetch(client.ns, SRV4, timeout_s=4)
    assert drops(gateway) >= 2


@pytest.mark.parametrize("lines,top", [
    (["anyconnect mtu 1300"], ""), (["anyconnect ssl df-bit-ignore enable"], ""), ([], "sysopt connection tcpmss 1460")],
    ids=["mtu-1300", "df-bit-ignore", "tcpmss-1460"])
def test_remedies(lab, server, lines, top):
    """Under the conditions of test_black_hole nothing stalls."""
    lab.block_udp()
    no_icmp(lab)
    gateway = classic(lab, *lines, top=top)
    client = OpenConnect(lab, gateway)
    check_fetch(client.ns, server, SRV4)
    assert drops(gateway) == 0
    check_healthy(gateway)


@pytest.mark.parametrize("way", [{"group": "tlsonly"}, {"path": "notunnel"}], ids=["alias", "url"])
def test_tls_only_group(lab, server, way):
    """The fourth remedy: a group without DTLS, although UDP would work."""
    no_icmp(lab)
    gateway = classic(lab, webvpn="tunnel-group-list enable", groups=TLS_ONLY)
    client = OpenConnect(lab, gateway, **way)
    assert client.mtu() == TLS_MTU
    check_fetch(client.ns, server, SRV4)
    assert client.active() == "tls" and drops(gateway) == 0
    session, = gateway.sessions()
    assert session["tunnel_group"] == "TLSONLY" and session["mtu"]["tls"] == TLS_MTU and session["mtu"]["dtls"] is None
