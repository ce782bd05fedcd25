"""What a user would see, over time: a browser's downloads, a 20 ms ping, the adapter, the tunnel in use.

    with Timeline(lab, client) as t:
        ...; t.mark("UDP blocked"); ...
    t.result()   # a dict: JSON of the lab report
"""
import fcntl
import socket
import struct
import threading
import time

from checks import HTTP_PORT, PingLog
from netns import NsThread, SRV4

BIN_MS = 100
SAMPLE_S = 0.05
STATUS_S = 0.25
SIOCGIFFLAGS, SIOCGIFMTU = 0x8913, 0x8921
IFF_UP, RTMGRP_LINK, RTM_NEWLINK, IFLA_IFNAME, IFLA_MTU = 1, 1, 16, 3, 4
OBJECT_PATIENCE_S = 8
PROGRESS_BYTES = 16_384


def messages(data):
    """(type, body) of each netlink message."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("IH", data)
        yield kind, data[16:length]
        data = data[(max(length, 16) + 3) & ~3:]


def attributes(data):
    """(type, value) of each route attribute."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        yield kind, data[4:length]
        data = data[(max(length, 4) + 3) & ~3:]


class Browser:
    """Fetches objects one after the other, each on a connection of its own, as a browser does with a page; one that gives
    nothing for OBJECT_PATIENCE_S is given up and asked for again."""

    def __init__(self, ns, name="object", addr=SRV4, rate_bytes_s=4_000_000):
        self.arrivals, self.n_objects, self.n_given_up = [], 0, 0
        self._addr, self._name, self._rate = addr, name, rate_bytes_s
        self._stop = threading.Event()
        self.begin, self.end = time.monotonic(), None
        self._thread = NsThread(ns, self._run)

    def _connect(self, end):
        """A new attempt every moment, so that an outage is not followed by the pause of a connection's own attempts."""
        while not self._stop.is_set() and time.monotonic() < end:
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            s.settimeout(0.2)
            try:
                s.connect((self._addr, HTTP_PORT))
                return s
            except OSError:
                s.close()
                self._stop.wait(0.1)
        return None

    def _get(self):
        end = time.monotonic() + OBJECT_PATIENCE_S
        s = self._connect(end)
        if s is None:
            return False
        with s:
            try:
                s.sendall(f"GET /{self._name} HTTP/1.0\r\n\r\n".encode())
            except OSError:
                return False
            while not self._stop.is_set() and time.monotonic() < end:
                try:
                    part = s.recv(1 << 16)
                except TimeoutError:
                    continue
                except OSError:
                    return False
                if not part:
                    return True
                now = time.monotonic()
                end = now + OBJECT_PATIENCE_S
                self.arrivals.append((now, len(part)))
                self._stop.wait(len(part) / self._rate)  # a page has pauses; the other tests want room on this machine
            return False

    def _run(self):
        while not self._stop.is_set():
            if self._get():
                self.n_objects += 1
            elif not self._stop.is_set():
                self.n_given_up += 1

    def stop(self):
        self._stop.set()
        self._thread.result(20)
        self.end = time.monotonic()
        return self

    def longest_stall_ms(self):
        """The longest time in which no PROGRESS_BYTES came: the few bytes of an answer's head are no progress."""
        last, gap, got = self.begin, 0, 0
        for at, n in self.arrivals:
            got += n
            if got >= PROGRESS_BYTES:
                last, gap, got = at, max(gap, at - last), 0
        return max(gap, self.end - last) * 1000 if self.end else gap * 1000


class Timeline:
    """Records until the end of the `with` block."""

    def __init__(self, lab, client, gateway=None, ping_ms=20):
        self.lab, self.client, self.gateway, self._ping_ms = lab, client, gateway, ping_ms
        self.marks, self.mtu, self.active, self.up = [], [], [], []
        self._stop = threading.Event()

    def __enter__(self):
        self.begin = time.monotonic()
        self.browser = Browser(self.client.ns)
        self.ping = PingLog(self.client.ns, SRV4, self._ping_ms)
        self._adapter = NsThread(self.client.ns, self._watch_adapter)
        self._status = threading.Thread(target=self._watch_status, daemon=True)
        self._status.start()
        return self

    def __exit__(self, *_):
        self.end = time.monotonic()
        self._stop.set()
        self.ping.stop(0.3)
        self.browser.stop()
        self._adapter.result(30)
        self._status.join(30)

    def now(self):
        return time.monotonic() - self.begin

    def mark(self, text):
        self.marks.append((self.now(), text))

    def _note(self, series, value):
        if not series or series[-1][1] != value:
            series.append((self.now(), value))

    def _adapter_now(self):
        """MTU and flags as they are before the first notification."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            ask = struct.pack("16s16x", self.client.tun.encode())
            mtu = struct.unpack("16xi12x", fcntl.ioctl(s, SIOCGIFMTU, ask))[0]
            return mtu, struct.unpack("16xh14x", fcntl.ioctl(s, SIOCGIFFLAGS, ask))[0]

    def _watch_adapter(self):
        """By netlink: the adapter may be down for no more than a few milliseconds."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as s:
            s.bind((0, RTMGRP_LINK))
            s.settimeout(SAMPLE_S)
            self._note_adapter(*self._adapter_now())
            while not self._stop.is_set():
                try:
                    data = s.recv(1 << 16)
                except TimeoutError:
                    continue
                for kind, body in messages(data):
                    if kind != RTM_NEWLINK:
                        continue
                    found = dict(attributes(body[16:]))
                    if found.get(IFLA_IFNAME, b"").rstrip(b"\0").decode() == self.client.tun:
                        self._note_adapter(struct.unpack("I", found[IFLA_MTU])[0], struct.unpack_from("I", body, 8)[0])

    def _note_adapter(self, mtu, flags):
        self._note(self.mtu, mtu)
        self._note(self.up, bool(flags & IFF_UP))

    def _watch_status(self):
        if not hasattr(self.client, "status"):
            return
        while not self._stop.wait(STATUS_S):
            self._note(self.active, self.client.status().get("active") or "none")

    def bounces(self):
        """How often the adapter went down and came up again."""
        ups = [v for _, v in self.up]
        return sum(1 for a, b in zip(ups, ups[1:]) if a and not b)

    def throughput(self):
        """(seconds, Mbit/s) of each bin."""
        n = int((self.end - self.begin) * 1000 / BIN_MS) + 1
        bins = [0] * n
        for at, got in list(self.browser.arrivals):
            i = int((at - self.begin) * 1000 / BIN_MS)
            if 0 <= i < n:
                bins[i] += got
        return [(i * BIN_MS / 1000, b * 8 / (BIN_MS * 1000)) for i, b in enumerate(bins)]

    def lost_for_size(self):
        """Inner packets that the gateway dropped because they did not fit."""
        return self.gateway.ctl("show", "asp", "drop").get("mp-svc-no-fragment", 0) if self.gateway else None

    def result(self, name, reconnects=None):
        times = sorted(self.ping.answered_at.items(), key=lambda kv: kv[1])
        sent = self.ping.sent
        return {
            "name": name, "seconds": round(self.end - self.begin, 1),
            "adapter_bounces": self.bounces(),
            "reconnects": reconnects if reconnects is not None else
            self.client.status().get("reconnects") if hasattr(self.client, "status") else None,
            "longest_ping_gap_ms": round(self.ping.longest_gap_ms()),
            "longest_download_gap_ms": round(self.browser.longest_stall_ms()),
            "pings_lost": self.ping.lost(), "packets_lost_for_size": self.lost_for_size(),
            "objects": self.browser.n_objects, "objects_given_up": self.browser.n_given_up,
            "adapter_mtu": [(round(t, 2), m) for t, m in self.mtu], "adapter_up": [(round(t, 2), u) for t, u in self.up],
            "active": [(round(t, 2), a) for t, a in self.active], "marks": [(round(t, 2), m) for t, m in self.marks],
            "throughput_mbit": [(round(t, 1), round(m, 2)) for t, m in self.throughput()],
            "ping_ms": [(round(sent[s] - self.begin, 2), round((at - sent[s]) * 1000, 2)) for s, at in times if s in sent],
        }
