"""Namespaces, links, processes and faults of the lab. Linux, root, iproute2, nftables.

    cl 10.10.1.2 ----- 10.10.1.1 gw 10.10.2.1 ----- 10.10.2.2 srv
       fd10:1::2       fd10:1::1    fd10:2::1       fd10:2::2
    c1 10.10.101.2 --- 10.10.101.1 (further clients, each on a link of its own)

Everything lives in namespaces whose names begin with the lab's prefix; janitor.py removes them whatever happens.
"""
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"

GW4, CL4 = "10.10.1.1", "10.10.1.2"
GW6, CL6 = "fd10:1::1", "fd10:1::2"
SRV4, SRV6 = "10.10.2.2", "fd10:2::2"
INSIDE4, INSIDE6 = "10.10.2.0/24", "fd10:2::/64"
CONGESTION = "cubic"

CLONE_NEWNET = 0x40000000
STOP_WAIT_S = 20.0
CLEAN_WAIT_S = 120
POLL_S = 0.02
# What must come may take so many times longer than on a machine that has time: waiting costs nothing where it comes. What
# has to be fast is measured by its test, not by the end of a wait.
PATIENCE = float(os.environ.get("LAB_PATIENCE", "3" if "asan" in os.environ.get("CULVERT_BUILD", "") else "2"))

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(AssertionError):
    """A condition did not become true, or a program did not do its part."""


def wait_for(condition, timeout_s, what):
    """Polls until condition() is true and returns its value; LabError with `what` after PATIENCE times timeout_s."""
    end = time.monotonic() + timeout_s * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise LabError(f"not within {timeout_s * PATIENCE:g} s: {what() if callable(what) else what}")
        time.sleep(POLL_S)


def run(*argv, check=True, timeout_s=60, stdin=None):
    """A short command of this machine; returns its standard output."""
    p = subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
    if check and p.returncode:
        raise LabError(f"{' '.join(map(str, argv))}: status {p.returncode}: {p.stderr.strip() or p.stdout.strip()}")
    return p.stdout


def is_running(pid):
    """False also for a process that ended and was not waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class NsThread(threading.Thread):
    """Runs fn() in a thread of this process that has entered a namespace: its sockets belong there."""

    def __init__(self, ns, fn):
        super().__init__(daemon=True)
        self._ns, self._fn = ns, fn
        self._value = self._error = None
        self.start()

    def run(self):
        try:
            fd = os.open(f"/run/netns/{self._ns}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                if _libc.setns(fd, CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(fd)
            self._value = self._fn()
        except BaseException as e:  # pylint: disable=broad-except  # handed to result()
            self._error = e

    def result(self, timeout_s=120):
        self.join(timeout_s * PATIENCE)
        if self.is_alive():
            raise LabError(f"a step in {self._ns} did not end within {timeout_s * PATIENCE:g} s")
        if self._error:
            raise self._error
        return self._value


class Proc:
    """A program in a namespace, with its output in a file."""

    def __init__(self, lab, ns, argv, name, env=None, stdin=None):
        self.name, self.ns = name, ns
        self.log = lab.dir / f"{name}.log"
        self.argv = [str(a) for a in argv]
        with open(self.log, "wb") as out:
            self.started_at = time.monotonic()
            self.popen = subprocess.Popen(
                ["ip", "netns", "exec", ns, *self.argv], stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                env={**os.environ, **(env or {})})
        if stdin is not None:
            try:
                self.popen.stdin.write(stdin.encode())
                self.popen.stdin.close()
            except BrokenPipeError:
                pass

    @property
    def pid(self):
        return self.popen.pid

    def text(self):
        return self.log.read_text(errors="replace")

    def tail(self, lines=25):
        return "\n".join(self.text().splitlines()[-lines:])

    def alive(self):
        return self.popen.poll() is None

    def wait_line(self, pattern, timeout_s=10):
        """Waits for a line of output; an early end of the program is an error at once."""
        def look():
            ended = not self.alive()  # asked first: its last words may come between the two
            m = re.search(pattern, self.text(), re.M)
            if not m and ended:
                raise LabError(f"{self.name} ended with status {self.popen.returncode} before /{pattern}/:\n{self.tail()}")
            return m
        return wait_for(look, timeout_s, lambda: f"/{pattern}/ in the output of {self.name}:\n{self.tail()}")

    def wait_exit(self, timeout_s=15):
        try:
            return self.popen.wait(timeout_s * PATIENCE)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not end within {timeout_s * PATIENCE:g} s:\n{self.tail()}") from None

    def send(self, sig):
        if self.alive():
            self.popen.send_signal(sig)

    def stop(self, sig=signal.SIGTERM):
        """Ends it, in a bounded time. Returns its exit status."""
        self.send(sig)
        try:
            return self.popen.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait(STOP_WAIT_S)


class Lab:
    """The three namespaces, further client namespaces on request, and everything started in them."""

    _count = 0

    def __init__(self, keep_logs=False):
        if os.geteuid():
            raise LabError("the lab needs root: it makes network namespaces")
        self.prefix = self._free_prefix()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.prefix}-"))
        self.dir.chmod(0o755)
        self.procs, self._names, self._clients = [], {}, 0
        # pylint: disable-next=consider-using-with  # ended by close()
        self._janitor = subprocess.Popen(
            [PYTHON, HERE / "janitor.py", self.prefix, "-" if keep_logs else str(self.dir)],
            stdin=subprocess.PIPE, start_new_session=True)
        self.cl, self.gw, self.srv = (f"{self.prefix}-{role}" for role in ("cl", "gw", "srv"))
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    @classmethod
    def _free_prefix(cls):
        """One that no lab has, nor left behind: process numbers come again."""
        base = re.sub(r"[^a-z0-9]", "", os.environ.get("LAB_PREFIX", ROOT.name).lower())[:12] or "lab"
        while True:
            cls._count += 1
            prefix = f"{base}{os.getpid()}n{cls._count}"
            if not any(list(pathlib.Path(folder).glob(f"{prefix}-*")) for folder in ("/run/netns", "/etc/netns")):
                return prefix

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def end_programs(self):
        """Ends everything that was started, newest first."""
        for proc in reversed(self.procs):
            proc.send(signal.SIGTERM)
        for proc in reversed(self.procs):
            proc.stop()

    def check_sanitizers(self):
        """No program built with sanitizers may have complained."""
        for proc in self.procs:
            m = re.search(r"^.*(?:(?:ERROR|WARNING): \w+Sanitizer|runtime error:).*$", proc.text(), re.M)
            if m:
                raise LabError(f"{proc.name}: {proc.text()[m.start():m.start() + 4000]}")

    def close(self):
        """Ends everything that was started, and lets the janitor remove the rest."""
        self.end_programs()
        self.procs.clear()
        if self._janitor:
            self._janitor.stdin.close()
            self._janitor.wait(CLEAN_WAIT_S)
            self._janitor = None

    # -- links

    def _namespace(self, name):
        etc = pathlib.Path("/etc/netns") / name  # what `ip netns exec` puts over /etc: a client may write resolv.conf
        etc.mkdir(parents=True)
        (etc / "resolv.conf").write_text("nameserver 192.0.2.53\n")
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        self.sysctl(name, "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                    "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                    "net.ipv6.conf.default.accept_ra=0", "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000",
                    "net.ipv6.icmp.ratelimit=0")

    def _link(self, ns_a, dev_a, ns_b, dev_b, net4, net6):
        """A veth pair; a gets address 1 and b address 2 of both networks."""
        run("ip", "link", "add", dev_a, "netns", ns_a, "type", "veth", "peer", "name", dev_b, "netns", ns_b)
        for ns, dev, n in ((ns_a, dev_a, 1), (ns_b, dev_b, 2)):
            run("ip", "-n", ns, "addr", "add", f"{net4}.{n}/24", "dev", dev)
            run("ip", "-n", ns, "-6", "addr", "add", f"{net6}::{n}/64", "dev", dev, "nodad")
            run("ip", "-n", ns, "link", "set", dev, "up")
            # the machine's default congestion control must not decide what is measured; by route, because
            # the list of those allowed in namespaces is a setting of the whole machine
            run("ip", "-n", ns, "route", "change", f"{net4}.0/24", "dev", dev, "proto", "kernel", "scope", "link",
                "src", f"{net4}.{n}", "congctl", CONGESTION)
            run("ip", "-n", ns, "-6", "route", "replace", f"{net6}::/64", "dev", dev, "proto", "kernel", "metric", "256",
                "congctl", CONGESTION)

    def _build(self):
        for name in (self.cl, self.gw, self.srv):
            self._namespace(name)
        self._link(self.gw, "out0", self.cl, "eth0", "10.10.1", "fd10:1")
        self._link(self.gw, "in0", self.srv, "eth0", "10.10.2", "fd10:2")
        self.sysctl(self.gw, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        run("ip", "-n", self.srv, "route", "add", "default", "via", "10.10.2.1", "congctl", CONGESTION)
        run("ip", "-n", self.srv, "-6", "route", "add", "default", "via", "fd10:2::1", "congctl", CONGESTION)

    def add_client(self):
        """One more client namespace; returns (name, IPv4 address of the gateway on its link)."""
        self._clients += 1
        n = 100 + self._clients
        name = f"{self.prefix}-c{self._clients}"
        self._namespace(name)
        self._link(self.gw, f"out{self._clients}", name, "eth0", f"10.10.{n}", f"fd10:{n:x}")
        return name, f"10.10.{n}.1"

    def sysctl(self, ns, *settings):
        run("ip", "netns", "exec", ns, "sysctl", "-qw", *settings)

    # -- processes

    def spawn(self, ns, argv, name, **kw):
        n = self._names[name] = self._names.get(name, 0) + 1
        proc = Proc(self, ns, argv, f"{name}-{n}", **kw)
        self.procs.append(proc)
        return proc

    def exec(self, ns, *argv, **kw):
        return run("ip", "netns", "exec", ns, *argv, **kw)

    @staticmethod
    def call(ns, fn, timeout_s=120):
        return NsThread(ns, fn).result(timeout_s)

    # -- faults

    def nft(self, ns, text):
        run("ip", "netns", "exec", ns, "nft", "-f", "-", stdin=text)

    def block_udp(self, port=443, ns=None):
        """From now on no datagram of that port arrives, in either direction. Dropped on arrival: a drop on the way
        out would be an error for the sender, which a firewall on the path never is."""
        for name in {ns or self.cl, self.gw}:
            self.nft(name, f"add table inet blockudp\nadd chain inet blockudp in "
                           f"{{ type filter hook prerouting priority -300; }}\n"
                           f"add rule inet blockudp in udp dport {port} counter drop\n"
                           f"add rule inet blockudp in udp sport {port} counter drop\n")

    def unblock_udp(self, ns=None):
        for name in {ns or self.cl, self.gw}:
            self.nft(name, "delete table inet blockudp\n")

    def reset_tcp(self, port=443):
        """What a middlebox does that forgot the connection: the next segment of either side is answered by a reset.
        Waits until at least one was, then lets connections pass again. Needs traffic on the connection."""
        rules = f"add table inet rst\nadd chain inet rst in {{ type filter hook input priority 0; }}\n" \
                f"add rule inet rst in tcp flags & (syn|ack) == ack tcp %s {port} counter reject with tcp reset\n"
        self.nft(self.gw, rules % "dport")
        self.nft(self.cl, rules % "sport")
        count = lambda ns: sum(map(int, re.findall(r"counter packets (\d+)", self.exec(ns, "nft", "list", "table", "inet", "rst"))))
        try:
            wait_for(lambda: count(self.gw) + count(self.cl), 10, "a TCP segment to reset")
        finally:
            for ns in (self.gw, self.cl):
                self.nft(ns, "delete table inet rst\n")

    def rebind_udp(self, port=443, new_port=40404):
        """From now on datagrams of the client arrive from another source port, as after a NAT that forgot. Connection
        tracking begins with the first rule that needs it, so a flow that is already there is translated too."""
        self.nft(self.cl, f"add table ip rebind\n"
                          f"add chain ip rebind out {{ type nat hook postrouting priority 100; }}\n"
                          f"add rule ip rebind out udp dport {port} counter snat to {CL4}:{new_port}-{new_port + 40}\n")

    def kill_tcp(self, ns, port=443):
        """Resets idle connections too: the kernel of ns aborts them and tells the peer."""
        self.exec(ns, "ss", "-K", "-t", "state", "established", f"( sport = :{port} or dport = :{port} )")


def stop_on_sigterm():
    """SIGTERM ends like an interrupt, so that every `with` and fixture cleans up; an interrupt does so as well where a shell
    started the program in the background, with SIGINT ignored."""
    def handler(_sig, _frame):
        raise KeyboardInterrupt
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, handler)


def progress(text):
    print(text, file=sys.stderr, flush=True)
