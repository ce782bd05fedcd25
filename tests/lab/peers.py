"""The programs under test and their stock counterparts, behind the same few methods.

A gateway has .pin and .port; a client has .ns .tun, inner4() inner6() mtu() active() tls() dtls() wait_up() wait_dtls().
"""
import json
import os
import pathlib
import re
import signal

from netns import GW4, HERE, INSIDE4, INSIDE6, LabError, ROOT, run, wait_for

BUILD = pathlib.Path(os.environ.get("CULVERT_BUILD", ROOT / "build"))
USER, PASSWORD = "tester", "secret"
UP_S = 20
DTLS_S = 15


def have_culvert(*names):
    return all((BUILD / n).exists() for n in names or ("culvertd", "culvert", "culvertctl"))


def children(pid):
    """Processes below pid, not pid itself."""
    out, todo = [], [pid]
    while todo:
        for task in pathlib.Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            kids = [int(w) for w in task.read_text(encoding="ascii").split()]
            out += kids
            todo += kids
    return out


# ---- gateways


def gateway_config(port=443, pool4="10.10.8.2-10.10.11.250 mask 255.255.252.0", pool6="fd10:8::2/64 1000", top="",
                   policy="", policy_webvpn="", webvpn="", users="", groups="", enable=True):
    """A running-config in the ASA dialect. The arguments are further lines for the places they name."""
    def block(text, indent):
        return "".join(" " * indent + line.strip() + "\n" for line in text.strip().splitlines())
    return (
        "hostname culvert-lab\n"
        "access-list SPLIT standard permit 10.10.2.0 255.255.255.0\n"
        f"ip local pool POOL4 {pool4}\n" + (f"ipv6 local pool POOL6 {pool6}\n" if pool6 else "") +
        "logging enable\nlogging trap informational\n" + block(top, 0) +
        f"webvpn\n port {port}\n" + (" enable outside\n" if enable else "") + f" dtls port {port}\n anyconnect enable\n" +
        block(webvpn, 1) +
        "group-policy GP1 internal\ngroup-policy GP1 attributes\n"
        " vpn-tunnel-protocol ssl-client\n vpn-simultaneous-logins 2000\n"
        " split-tunnel-policy tunnelspecified\n split-tunnel-network-list value SPLIT\n"
        " address-pools value POOL4\n" + (" ipv6-address-pools value POOL6\n" if pool6 else "") + block(policy, 1) +
        " webvpn\n  anyconnect ssl dtls enable\n" + block(policy_webvpn, 2) +
        "tunnel-group DefaultWEBVPNGroup general-attributes\n default-group-policy GP1\n" + groups.strip() + "\n" +
        f"username {USER} password {PASSWORD}\n" + users.strip() + "\n")


class Culvertd:
    """Our gateway."""

    kind = "culvertd"

    def __init__(self, lab, config=None, port=443, start=True, ns=None, arguments=(), **options):
        self.lab, self.port, self.ns, self.arguments = lab, port, ns or lab.gw, arguments
        self.state = lab.dir / f"culvertd-{port}"
        self.state.mkdir(exist_ok=True)
        self.state.chmod(0o755)
        self.file, self.control = self.state / "culvert.conf", self.state / "control.sock"
        self.file.write_text(config if config is not None else gateway_config(port, **options))
        self.proc = None
        if start:
            self.start()

    def argv(self):
        return [BUILD / "culvertd", "-c", self.file, "--foreground", "--state-dir", self.state / "state",
                "--control", self.control, "--log", "stderr", *self.arguments]

    def launch(self):
        (self.state / "state").mkdir(exist_ok=True)
        self.proc = self.lab.spawn(self.ns, self.argv(), "culvertd")
        return self.proc

    def start(self):
        self.launch().wait_line(r"^culvertd: ready", 15)
        return self

    @property
    def pin(self):
        found = re.findall(r"pin-sha256:[A-Za-z0-9+/=]+", "\n".join(p.text() for p in self.lab.procs if p.name.startswith("culvertd")))
        if not found:
            raise LabError("no pin-sha256: in the gateway's log")
        return found[-1]

    def pids(self):
        return [self.proc.pid, *children(self.proc.pid)]

    def worker_pids(self):
        """The processes that hold the clients' bytes."""
        out = []
        for pid in children(self.proc.pid):
            title = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{pid}/comm").read_bytes()
            if b"worker" in title:
                out.append(pid)
        if not out:
            raise LabError("no process of the gateway is called worker")
        return out

    def ctl(self, *command, as_json=True):
        argv = [BUILD / "culvertctl", "--control", self.control] + (["--json"] if as_json else []) + list(command)
        out = self.lab.exec(self.ns, *argv)
        return json.loads(out) if as_json else out

    def sessions(self):
        return self.ctl("show", "vpn-sessiondb", "detail", "anyconnect")

    def log(self):
        return self.proc.text()

    def wait_log(self, pattern, timeout_s=10):
        return self.proc.wait_line(pattern, timeout_s)

    def stop(self, sig=signal.SIGTERM):
        return self.proc.stop(sig)


class Ocserv:
    """The stock gateway. Keyword arguments replace or add lines: dtls_psk=False, tls_priorities=..."""

    kind = "ocserv"

    def __init__(self, lab, port=443, net4="10.10.12.0", net6="fd10:12::/64", **lines):
        self.lab, self.port = lab, port
        d = self.dir = lab.dir / f"ocserv-{port}"
        d.mkdir(exist_ok=True)
        d.chmod(0o755)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=gw.lab", "-keyout", d / "key.pem", "-out", d / "cert.pem")
        der = run("sh", "-c", f"openssl x509 -in {d}/cert.pem -pubkey -noout | openssl pkey -pubin -outform der |"
                              " openssl dgst -sha256 -binary | base64")
        self.pin = "pin-sha256:" + der.strip()
        run("ocpasswd", "-c", d / "passwd", USER, stdin=f"{PASSWORD}\n{PASSWORD}\n")
        conf = {
            "auth": f'"plain[passwd={d}/passwd]"', "tcp-port": port, "udp-port": port, "run-as-user": "ocserv",
            "run-as-group": "ocserv", "socket-file": d / "sock", "isolate-workers": "true", "max-clients": 0,
            "max-same-clients": 0, "rate-limit-ms": 0, "server-cert": d / "cert.pem", "server-key": d / "key.pem",
            "keepalive": 300, "dpd": 60, "mobile-dpd": 300, "switch-to-tcp-timeout": 25, "try-mtu-discovery": "false",
            "tls-priorities": '"NORMAL:%SERVER_PRECEDENCE:%COMPAT:-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1"',
            "auth-timeout": 60, "min-reauth-time": 0, "max-ban-score": 0, "cookie-timeout": 300, "deny-roaming": "false",
            "rekey-time": 172800, "rekey-method": "ssl", "use-occtl": "true", "occtl-socket-file": d / "occtl",
            "pid-file": d / "pid", "log-level": 2, "device": f"vpn{port % 1000}s", "predictable-ips": "true", "ping-leases": "false",
            "ipv4-network": net4, "ipv4-netmask": "255.255.252.0", "ipv6-network": net6, "ipv6-subnet-prefix": 128,
            "route": ["10.10.2.0/255.255.255.0", INSIDE6], "cisco-client-compat": "true", "dtls-legacy": "true"}
        for key, value in lines.items():
            conf[key.replace("_", "-")] = str(value).lower() if isinstance(value, bool) else value
        with open(d / "conf", "w", encoding="ascii") as f:
            for key, value in conf.items():
                for one in value if isinstance(value, list) else [value]:
                    f.write(f"{key} = {one}\n")
        self.start()

    def start(self):
        self.proc = self.lab.spawn(self.lab.gw, ["ocserv", "-f", "-c", self.dir / "conf"], "ocserv")
        wait_for(lambda: self.lab.exec(self.lab.gw, "ss", "-Hltn", f"sport = :{self.port}") or not self.proc.alive(), 10, "ocserv's port")
        if not self.proc.alive():
            raise LabError(f"ocserv:\n{self.proc.tail()}")

    def log(self):
        return self.proc.text()

    def pids(self):
        return [self.proc.pid, *children(self.proc.pid)]

    def stop(self, sig=signal.SIGTERM):
        return self.proc.stop(sig)


# ---- clients


def url_host(addr):
    return f"[{addr}]" if ":" in addr else addr


class Client:
    """What both clients share: the adapter, seen by the kernel."""

    def __init__(self, lab, gateway, ns, tun):
        self.lab, self.gateway, self.ns, self.tun = lab, gateway, ns or lab.cl, tun
        self.proc = None

    def _addr(self, family):
        out = json.loads(self.lab.exec(self.ns, "ip", "-j", "addr", "show", "dev", self.tun, check=False) or "[]")
        return next((a["local"] for link in out for a in link.get("addr_info", [])
                     if a["family"] == family and a["scope"] == "global"), None)

    def inner4(self):
        return self._addr("inet")

    def inner6(self):
        return self._addr("inet6")

    def mtu(self):
        out = json.loads(self.lab.exec(self.ns, "ip", "-j", "link", "show", "dev", self.tun))
        return out[0]["mtu"]

    def ifindex(self):
        out = json.loads(self.lab.exec(self.ns, "ip", "-j", "link", "show", "dev", self.tun, check=False) or "[{}]")
        return out[0].get("ifindex")

    def _has_adapter(self):
        if not self.proc.alive():
            raise LabError(f"{self.proc.name} ended with status {self.proc.popen.returncode}:\n{self.proc.tail()}")
        return self.inner4() or self.inner6()

    def wait_up(self, timeout_s=UP_S):
        wait_for(self._has_adapter, timeout_s, lambda: f"{self.tun} with an address:\n{self.proc.tail()}")
        self._wait_connected(timeout_s)
        return self

    def wait_dtls(self, timeout_s=DTLS_S):
        wait_for(lambda: self.active() == "dtls", timeout_s, lambda: f"data on DTLS:\n{self.proc.tail()}")
        return self

    def wait_tls(self, timeout_s=DTLS_S):
        wait_for(lambda: self.active() == "tls", timeout_s, lambda: f"data on TLS:\n{self.proc.tail()}")
        return self

    def stop(self, sig=signal.SIGINT):
        return self.proc.stop(sig)


class Culvert(Client):
    """Our client. tls_max: "TLSv1.2" limits it from outside, by the configuration file of its TLS library."""

    kind = "culvert"

    def __init__(self, lab, gateway, ns=None, host=GW4, tun="tun0", user=USER, password=PASSWORD, group=None, dtls=True,
                 tls_max=None, options=(), pin=None, up=True, env=None):
        super().__init__(lab, gateway, ns, tun)
        n = len(lab.procs)
        self.control, self.events = lab.dir / f"client-{n}.sock", lab.dir / f"client-{n}.events"
        target = f"{user}@{url_host(host)}:{gateway.port}" + (f"/{group}" if group else "")
        argv = [BUILD / "culvert", "connect", target, "--pin", pin or gateway.pin, "--interface", tun,
                "--control", self.control, "--events", self.events, *options]
        argv += ["--password-stdin"] if password is not None else []
        argv += [] if dtls else ["--no-dtls"]
        env = dict(env or {})
        if tls_max:
            conf = lab.dir / f"openssl-{tls_max}.cnf"
            conf.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n" f"MaxProtocol = {tls_max}\n")
            env["OPENSSL_CONF"] = str(conf)
        self.proc = lab.spawn(self.ns, argv, "culvert", env=env,
                              stdin=None if password is None else password + "\n")
        if up:
            self.wait_up()

    def status(self):
        out = self.lab.exec(self.ns, BUILD / "culvert", "status", "--json", "--control", self.control, check=False)
        try:
            return json.loads(out)
        except ValueError:
            return {}

    def _wait_connected(self, timeout_s):
        self.proc.wait_line(r"^Connected to ", timeout_s)

    def active(self):
        return self.status().get("active")

    def tls(self):
        return (self.status().get("tls") or {}).get("cipher") or "-"

    def tls_version(self):
        return (self.status().get("tls") or {}).get("protocol") or "-"

    def dtls(self):
        return (self.status().get("dtls") or {}).get("cipher") or "-"

    def disconnect(self):
        self.lab.exec(self.ns, BUILD / "culvert", "disconnect", "--control", self.control)

    def event_log(self):
        whole = self.events.read_text().rpartition("\n")[0]  # the last line may be on its way
        return [json.loads(line) for line in whole.splitlines() if line.strip()]


class OpenConnect(Client):
    """The stock client."""

    kind = "openconnect"

    def __init__(self, lab, gateway, ns=None, host=GW4, tun="tun0", user=USER, password=PASSWORD, group=None, dtls=True,
                 dtls12=False, tls_max=None, options=(), path="", routes=f"{INSIDE4} {INSIDE6}", pin=None, up=True):
        super().__init__(lab, gateway, ns, tun)
        self.env = lab.dir / f"openconnect-{len(lab.procs)}"
        self.use_dtls = dtls
        argv = ["openconnect", "--protocol=anyconnect", "-v", "--user", user, "--passwd-on-stdin", "--timestamp",
                "--servercert", pin or gateway.pin, "--interface", tun, "--script", HERE / "vpnc-script.sh", *options]
        argv += ["--authgroup", group] if group else []
        argv += [] if dtls else ["--no-dtls"]
        if dtls12:  # only names of the injected session: no PSK token
            argv += ["--dtls-ciphers=OC-DTLS1_2-AES256-GCM", "--dtls12-ciphers=AES256-GCM-SHA384"]
        if tls_max == "TLSv1.2":
            argv += ["--gnutls-priority=NORMAL:-VERS-TLS1.3"]
        argv.append(f"https://{url_host(host)}:{gateway.port}/{path}")
        self.proc = lab.spawn(self.ns, argv, "openconnect", stdin=password + "\n",
                              env={"LAB_ENV": str(self.env), "LAB_ROUTES": routes})
        if up:
            self.wait_up()

    def _wait_connected(self, timeout_s):
        wait_for(lambda: self.script_env("connect"), timeout_s, "the script's connect call")

    def script_env(self, reason):
        """The environment of the latest call of the script for that reason."""
        f = pathlib.Path(f"{self.env}.{reason}")
        return dict(line.split("=", 1) for line in f.read_text().splitlines() if "=" in line) if f.exists() else {}

    def script_calls(self):
        f = pathlib.Path(f"{self.env}.events")
        return f.read_text().splitlines() if f.exists() else []

    def active(self):
        """From its messages: which tunnel carries its data now."""
        now = "tls"
        for line in self.proc.text().splitlines():
            if "Established DTLS connection" in line:
                now = "dtls"
            elif re.search(r"DTLS (Dead Peer Detection detected dead|handshake failed|handshake timed out)|"
                           r"Failed to reconnect|Reconnect|SSL connection failure|Attempt to reconnect", line, re.I):
                now = "tls"
        return now

    def _cipher(self, pattern):
        found = re.findall(pattern, self.proc.text())
        return found[-1] if found else "-"

    def tls(self):
        return self._cipher(r"Connected to HTTPS on \S+ with ciphersuite (\S+)")

    def tls_version(self):
        m = re.match(r"\((TLS[\d.]+)\)", self.tls())
        return m.group(1).replace("TLS", "TLSv") if m else "-"

    def dtls(self):
        return self._cipher(r"Established DTLS connection .*?Ciphersuite ([^\s]*\))")
