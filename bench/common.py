"""What the benchmarks share: both pairs up at the same time, each client with an inside address of its own; processor
time of a gateway or client; the load generator; tables, JSON and the order of rounds."""
import argparse
import json
import os
import pathlib
import platform
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lab"))

# pylint: disable=wrong-import-position
from netns import CONGESTION, GW4, Lab, LabError, SRV4, progress, run, stop_on_sigterm, wait_for  # noqa: E402
from peers import BUILD, Culvert, Culvertd, Ocserv, OpenConnect, USER, PASSWORD, children  # noqa: E402

PAIRS = ("culvert", "stock")
PORTS = {"culvert": 443, "stock": 4443}
TUNNELS = ("dtls", "tls")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
OFFLOADS = ("tso", "gso", "tx-udp-segmentation")


# ---- command line, results


def parser(doc, rounds=5):
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=rounds)
    p.add_argument("--only", choices=PAIRS)
    p.add_argument("--json", type=pathlib.Path, metavar="FILE")
    return p


def pairs_of(options):
    return [options.only] if options.only else list(PAIRS)


def in_turn(items, n):
    """Every second round in reverse, so that who comes after whom is no advantage."""
    return list(items) if n % 2 else list(reversed(list(items)))


def median(values):
    known = [v for v in values or () if v is not None]
    return statistics.median(known) if known else None


def ratio(a, b):
    return a / b if a and b else None


def number(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def table(head, rows):
    """Text, the first column to the left."""
    rows = [head] + [[str(c) for c in row] for row in rows]
    width = [max(len(r[i]) for r in rows) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, width))).rstrip() for r in rows)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def version(*argv):
    return run(*argv, check=False).splitlines()[:1]


def finish(name, options, out, text):
    """Prints the table; writes the results."""
    out = {"benchmark": name, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
           "stock": version("ocserv", "--version") + version("openconnect", "--version"), "rounds": options.rounds,
           "load": os.getloadavg()[0], **out, "text": text}
    print(text)
    if options.json:
        options.json.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


def main(measure):
    """Runs measure() and ends in an orderly way whatever happens."""
    stop_on_sigterm()
    try:
        measure()
    except LabError as e:
        progress(f"error: {e}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


# ---- processor time


def cpu_s(pids):
    """User and system seconds of these processes and of their children that ended."""
    ticks = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(int(f) for f in fields[11:15])
    return ticks / TICKS_PER_S


def tree(proc):
    return [proc.pid, *children(proc.pid)]


class Cpu:
    """`with Cpu(gateway.proc) as c:` ... c.seconds: of the process and everything below it."""

    def __init__(self, *procs):
        self._procs, self.seconds = procs, None

    def read(self):
        return sum(cpu_s(tree(p)) for p in self._procs)

    def __enter__(self):
        self._begin = self.read()
        return self

    def __exit__(self, *_):
        self.seconds = self.read() - self._begin


# ---- gateways and clients


def make_gateway(lab, pair, **options):
    return Culvertd(lab, port=PORTS[pair], **options) if pair == "culvert" else Ocserv(lab, port=PORTS[pair], **options)


class Lane:
    """A client and the inside address that only it uses."""

    def __init__(self, pair, tunnel, client, inside):
        self.pair, self.tunnel, self.client, self.inside = pair, tunnel, client, inside

    def used(self):
        c = self.client
        return {"active": c.active(), "cipher": c.dtls() if self.tunnel == "dtls" else c.tls(), "mtu": c.mtu()}


class Rig:
    """Both gateways, all clients, the path without a VPN."""

    def __init__(self, lab, pairs, tunnels=TUNNELS):
        self.lab, self.n = lab, 0
        self.gateways = {p: make_gateway(lab, p) for p in pairs}
        self.lanes = {(p, t): self._lane(p, t) for p in pairs for t in tunnels}

    def inside(self):
        """A further address of the inside server."""
        addr = f"10.10.2.{10 + self.n}"
        self.n += 1
        run("ip", "-n", self.lab.srv, "addr", "add", f"{addr}/24", "dev", "eth0")
        return addr

    def _lane(self, pair, tunnel):
        options = {"dtls": tunnel == "dtls", "tun": f"tun{self.n}"}
        inside = self.inside()
        if pair == "culvert":
            client = Culvert(self.lab, self.gateways[pair], options=["--script", "none"], **options)
        else:
            client = OpenConnect(self.lab, self.gateways[pair], routes=f"{inside}/32", **options)
        # iperf3 chooses cubic when its stream is up: one that begins with another (BBR) has its pacing for ever
        run("ip", "-n", self.lab.cl, "route", "replace", f"{inside}/32", "dev", client.tun, "congctl", CONGESTION)
        if tunnel == "dtls":
            client.wait_dtls()
        return Lane(pair, tunnel, client, inside)

    def raw(self):
        """An inside address that is reached without a VPN."""
        inside = self.inside()
        run("ip", "-n", self.lab.cl, "route", "add", f"{inside}/32", "via", GW4, "congctl", "cubic")
        return inside

    def used(self):
        return {f"{p} {t}": lane.used() for (p, t), lane in self.lanes.items()}

    def print_used(self):
        return "\n".join(f"# {name}: {u['active']}, {u['cipher']}, adapter MTU {u['mtu']}" for name, u in self.used().items())


def wire_mode(lab):
    """No packet larger than the MTU crosses a link, as on real wires: segmentation by the sender's own kernel, before the
    link; the receiver may join what arrives (GRO), as every network card's driver does."""
    for ns, dev in ((lab.cl, "eth0"), (lab.gw, "out0"), (lab.gw, "in0"), (lab.srv, "eth0")):
        for what in OFFLOADS:
            lab.exec(ns, "ethtool", "-K", dev, what, "off", check=False)
        lab.exec(ns, "ethtool", "-K", dev, "gro", "on")
        shown = lab.exec(ns, "ethtool", "-k", dev)
        for line in ("tcp-segmentation-offload: off", "generic-receive-offload: on"):
            if line not in shown:
                raise LabError(f"{dev}: ethtool did not bring '{line}'")


def ping_ms(lab, ns, addr, seconds, interval_s=0.01):
    """Round trip times of a ping that runs so long, and how many were lost."""
    n = max(1, round(seconds / interval_s))
    out = lab.exec(ns, "ping", "-n", "-c", n, "-i", interval_s, "-W", 1, addr, check=False, timeout_s=seconds * 3 + 20)
    times = [float(line.split("time=")[1].split()[0]) for line in out.splitlines() if "time=" in line]
    if not times:
        raise LabError(f"no answer to a ping to {addr}:\n{out[-500:]}")
    return sorted(times), n - len(times)


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * q))]


# ---- the load generator


class Load:
    """The load generator in the client's namespace."""

    def __init__(self, lab, gateway, sessions=1, parallel=1, dtls=0, users=0, user=USER, password=PASSWORD, sources=(), once=False, ns=None,
                 gateway_addr=GW4, timeout_s=60):
        program = BUILD / "bench" / "loadgen"
        if not program.exists():
            raise LabError(f"{program} is missing: ninja -C {BUILD}")
        argv = [program, "--gateway", gateway_addr, "--port", gateway.port, "--pin", gateway.pin, "--user", user, "--password", password,
                "--sessions", sessions, "--parallel", parallel, "--dtls", dtls, "--timeout", timeout_s]
        argv += ["--users", users] if users else []
        argv += ["--from", ",".join(sources)] if sources else []
        argv += ["--once"] if once else []
        self.sessions = sessions
        self.proc = lab.spawn(ns or lab.cl, argv, "loadgen")

    def _event(self, name):
        for line in self.proc.text().splitlines():
            if line.startswith("{") and line.endswith("}"):
                event = json.loads(line)
                if event["event"] == name:
                    return event
        return None

    def settled(self, timeout_s=300):
        """Waits until every session is up or has failed."""
        self.proc.wait_line(r'"event":"settled".*\}$', timeout_s)
        return self._event("settled")

    def stop(self):
        """Ends the sessions; returns the last counts."""
        self.proc.stop()
        return self._event("end")


def add_sources(lab, n, net="10.10.1", first=10):
    """Further addresses of the client's link."""
    out = [f"{net}.{first + i}" for i in range(n)]
    for addr in out:
        run("ip", "-n", lab.cl, "addr", "add", f"{addr}/24", "dev", "eth0")
    return out


def wait_s(seconds):
    """A time that is part of the measurement."""
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= until, seconds + 5, "the end of the measuring time")
