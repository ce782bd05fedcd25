"""What the lab checks with real traffic: downloads, pings of full size, the first answer, gaps, throughput."""
import hashlib
import json
import os
import pathlib
import select
import socket
import struct
import threading
import time

from netns import LabError, NsThread, SRV4, SRV6, PYTHON, HERE, wait_for

HTTP_PORT = 8080
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_PROBE = 10, 23, 3  # linux/in.h, linux/in6.h
ICMP_BYTES = {4: 28, 6: 48}  # IP header and ICMP header


class TooSlow(AssertionError):
    """A bound that a busy machine may miss without any fault of the programs: conftest.py lets the test try again."""


def within(value, bound, what):
    """For bounds of time, and of what a late answer leads to. All else is asserted."""
    if value > bound:
        raise TooSlow(f"{what}: {value} is more than {bound}")


def family_of(addr):
    return 6 if ":" in addr else 4


class FileServer:
    """The inside server with one random file, and a small one as a page's object."""

    def __init__(self, lab, size_bytes=20_000_000):
        folder = lab.dir / "www"
        folder.mkdir()
        data = os.urandom(size_bytes)
        (folder / "file").write_bytes(data)
        (folder / "object").write_bytes(data[:300_000])
        self.sha256, self.size_bytes = hashlib.sha256(data).hexdigest(), size_bytes
        self.proc = lab.spawn(lab.srv, [PYTHON, HERE / "fileserver.py", folder, HTTP_PORT], "fileserver")
        self.proc.wait_line("^ready")


def fetch(ns, addr, name="file", timeout_s=60):
    """GET from inside ns. Returns (sha256, bytes, seconds)."""
    def get():
        begin = time.monotonic()
        with socket.create_connection((addr, HTTP_PORT), timeout_s) as s:
            s.settimeout(timeout_s)
            s.sendall(f"GET /{name} HTTP/1.0\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                part = s.recv(65536)
                if not part:
                    raise LabError("the inside server closed the connection early")
                head += part
            head, body = head.split(b"\r\n\r\n", 1)
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise LabError(f"inside server: {head[:80]!r}")
            digest, n = hashlib.sha256(body), len(body)
            buf = memoryview(bytearray(1 << 18))
            while got := s.recv_into(buf):
                digest.update(buf[:got])
                n += got
        return digest.hexdigest(), n, time.monotonic() - begin
    return NsThread(ns, get).result(timeout_s + 30)


def check_fetch(ns, server, addr=SRV4):
    sha, n, seconds = fetch(ns, addr)
    assert (n, sha) == (server.size_bytes, server.sha256), f"{addr}: {n} bytes of {server.size_bytes}, or changed"
    return n * 8 / seconds / 1e6


def _ping_df(addr, packet_bytes, wait_s):
    """One DF echo request of that IP packet size, whatever the kernel believes of the path; True when it was answered in time.
    "Too big" does not end the wait: a tunnel says so and carries the packet all the same, in pieces or by TLS."""
    v, ident = family_of(addr), int.from_bytes(os.urandom(2), "big")
    data = bytes(packet_bytes - ICMP_BYTES[v])
    head = struct.pack("!BBHHH", 8 if v == 4 else 128, 0, 0, ident, 1)
    if v == 4:  # the kernel fills in the checksum of ICMPv6
        head = struct.pack("!BBHHH", 8, 0, _checksum(head + data + bytes(len(data) % 2)), ident, 1)
    family, proto = (socket.AF_INET, socket.IPPROTO_ICMP) if v == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
    with socket.socket(family, socket.SOCK_RAW, proto) as sock:
        sock.setsockopt(*((socket.IPPROTO_IP, IP_MTU_DISCOVER) if v == 4 else (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)), PMTUDISC_PROBE)
        end = time.monotonic() + wait_s
        try:
            sock.sendto(head + data, (addr, 0))
        except OSError:
            return False
        while (left := end - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                return False
            try:
                packet = sock.recv(1 << 16)
            except OSError:
                continue
            packet = packet[(packet[0] & 15) * 4:] if v == 4 else packet
            if packet[0] == (0 if v == 4 else 129) and struct.unpack_from("!H", packet, 4)[0] == ident:
                return True
    return False


def ping_size(_lab, ns, addr, packet_bytes, tries=3, wait_s=1):
    """DF pings of that IP packet size; True when one was answered. A few tries: the first may meet a queue. With one try and a
    long wait: True when the packet was not lost."""
    return any(NsThread(ns, lambda: _ping_df(addr, packet_bytes, wait_s)).result(wait_s + 20) for _ in range(tries))


def check_full_size(lab, client):
    """DF packets of exactly the adapter's MTU cross in both directions, over both families inside."""
    mtu = client.mtu()
    for server, inner in ((SRV4, client.inner4()), (SRV6, client.inner6())):
        for ns, addr in ((client.ns, server), (lab.srv, inner)) if inner else ():
            assert ping_size(lab, ns, addr, mtu), f"no answer to a DF ping of {mtu} bytes from {ns} to {addr}"


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


class PingLog:
    """An echo request every interval_ms to addr from inside ns, until stop(). Nothing is waited for: each request that
    cannot be sent or is not answered counts as lost, and the time between two answers is a gap."""

    def __init__(self, ns, addr, interval_ms=20, data_bytes=32):
        self.addr, self._v, self._interval_s = addr, family_of(addr), interval_ms / 1000
        self._data = bytes(data_bytes)
        self._stop, self._is_enough, self._is_silent = threading.Event(), threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self.sent, self.answered_at = {}, {}
        self.begin = time.monotonic()
        self._thread = NsThread(ns, self._run)

    def _request(self, seq):
        kind = 8 if self._v == 4 else 128
        head = struct.pack("!BBHHH", kind, 0, 0, self._ident, seq & 0xffff)
        if self._v == 4:  # the kernel fills in the checksum of ICMPv6
            head = struct.pack("!BBHHH", kind, 0, _checksum(head + self._data), self._ident, seq & 0xffff)
        return head + self._data

    def _take(self, sock):
        packet = sock.recv(4096)
        if self._v == 4:
            packet = packet[(packet[0] & 15) * 4:]
        kind, _, _, ident, seq = struct.unpack("!BBHHH", packet[:8])
        if kind == (0 if self._v == 4 else 129) and ident == self._ident:
            with self._lock:
                self.answered_at.setdefault(seq, time.monotonic())

    def _run(self):
        self._ident = int.from_bytes(os.urandom(2), "big")
        family, proto = (socket.AF_INET, socket.IPPROTO_ICMP) if self._v == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
        with socket.socket(family, socket.SOCK_RAW, proto) as sock:
            seq, due = 0, time.monotonic()
            while not self._stop.is_set():
                now = time.monotonic()
                if self._is_enough.is_set() or seq > 0xffff:
                    self._is_silent.set()
                    due = now + 0.01  # the next look at _stop
                elif now >= due:
                    try:
                        sock.sendto(self._request(seq), (self.addr, 0))
                    except OSError:
                        pass  # no route yet, or the adapter is down: lost
                    with self._lock:
                        self.sent[seq] = now
                    seq, due = seq + 1, due + self._interval_s
                if select.select([sock], [], [], max(0, due - time.monotonic()))[0]:
                    self._take(sock)

    def answers(self):
        with self._lock:
            return len(self.answered_at)

    def wait_answers(self, more=5, timeout_s=10):
        """Waits until `more` further answers have come. Returns when the last one came."""
        want = self.answers() + more
        wait_for(lambda: self.answers() >= want, timeout_s, f"{more} ping answers from {self.addr}")

    def first_answer_s(self, timeout_s=15):
        """Seconds from begin to the first answer."""
        wait_for(self.answers, timeout_s, f"a ping answer from {self.addr}")
        with self._lock:
            return min(self.answered_at.values()) - self.begin

    def stop(self, linger_s=0.5):
        """Sends nothing more, waits for the answers that are still out, at most linger_s, and ends."""
        self._is_enough.set()
        self._is_silent.wait(30)
        end = time.monotonic() + linger_s
        while time.monotonic() < end and len(self.answered_at) < len(self.sent):
            time.sleep(0.01)
        self._stop.set()
        self._thread.result(30)
        return self

    def lost(self):
        return len(self.sent) - len(self.answered_at)

    def longest_gap_ms(self):
        times = sorted(self.answered_at.values())
        return max((b - a for a, b in zip(times, times[1:])), default=0) * 1000

    def summary(self):
        return f"{len(self.sent)} sent, {self.lost()} lost, longest gap {self.longest_gap_ms():.0f} ms"


class Iperf:
    """iperf3 between a client namespace and the inside server."""

    def __init__(self, lab):
        self.lab = lab
        self.proc = lab.spawn(lab.srv, ["iperf3", "-s", "--forceflush"], "iperf3-server")
        self.proc.wait_line("Server listening")

    def measure(self, ns, addr, seconds=5, reverse=False, streams=1):
        """Mbit/s that arrived. reverse: from the inside server to the client."""
        argv = ["iperf3", "-c", addr, "-t", seconds, "-O", "1", "-J", "-P", streams, "-C", "cubic"] + (["-R"] if reverse else [])
        out = {}

        def has_run():  # the server may still be busy with the end of the test before
            nonlocal out
            out = json.loads(self.lab.exec(ns, *argv, timeout_s=seconds + 30, check=False) or "{}")
            return "server is busy" not in out.get("error", "")
        wait_for(has_run, 10, "iperf3's server")
        if "error" in out or "end" not in out:
            raise LabError(f"iperf3: {out.get('error', 'no result')}")
        return out["end"]["sum_received"]["bits_per_second"] / 1e6


def memory_kib(pids):
    """Proportional set size of these processes, in KiB."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total
