"""wireguard-go between client and gateway of the lab, as one more tunnel to compare with."""
import re
import shutil

from netns import GW4, INSIDE4, LabError, progress, run, wait_for

PROGRAM = "wireguard-go"
PORT = 51820
NET4 = "10.10.13"
MTU = 1420


def add_option(parser):
    parser.add_argument("--wireguard", nargs="?", const=PROGRAM, default="", metavar="PROGRAM,...",
                        help="wireguard-go as a further row (several of them: one each); without a value the one that is installed")


def tunnels(lab, rig, options):
    """A tunnel for each program that was asked for and is there."""
    found = []
    for program in filter(None, options.wireguard.split(",")):
        if all(shutil.which(n) for n in (program, "wg")):
            found.append(WireGuard(lab, program, rig.inside(), len(found)))
        else:
            progress(f"# --wireguard: {program} or wg is not installed, left out")
    return found


def version(program):
    found = re.search(r"v?0\.0\.(\d+)", run(program, "--version", check=False))
    return found[1] if found else "?"


class WireGuard:
    """Up when made. .gateway and .client are the processes; traffic for .inside takes the tunnel, traffic for .client_addr comes
    back through it. number: of the tunnels of this lab."""

    def __init__(self, lab, program, inside, number=0):
        self.lab, self.program, self.inside = lab, program, inside
        self.name = f"wireguard-go {version(program)}"
        gateway_addr, self.client_addr, port = f"{NET4}.{4 * number + 1}", f"{NET4}.{4 * number + 2}", PORT + number
        keys = [run("wg", "genkey").strip() for _ in range(2)]
        public = [run("wg", "pubkey", stdin=k + "\n").strip() for k in keys]
        # the control sockets are files that all namespaces share: two names, not used by anybody else
        names = [f"wg{lab.prefix[-8:]}{number}{end}" for end in "sc"]
        self.gateway = self._start(lab.gw, names[0], keys[0], port, public[1], f"{self.client_addr}/32", None)
        self.client = self._start(lab.cl, names[1], keys[1], 0, public[0], f"{INSIDE4},{gateway_addr}/32", f"{GW4}:{port}")  # what goes in, the route says
        self._address(lab.gw, names[0], gateway_addr, self.client_addr)
        self._address(lab.cl, names[1], self.client_addr, inside)
        wait_for(lambda: lab.exec(lab.cl, "ping", "-c", 1, "-W", 1, inside, check=False).find(" 1 received") >= 0, 10, f"traffic through {program}")

    def _start(self, ns, name, key, port, peer, allowed, endpoint):
        proc = self.lab.spawn(ns, [self.program, "-f", name], f"wireguard-{name}", env={"LOG_LEVEL": "error", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"})
        wait_for(lambda: self.lab.exec(ns, "wg", "show", name, check=False) or not proc.alive(), 5, "wireguard-go's control socket")
        if not proc.alive():
            raise LabError(f"{self.program}:\n{proc.tail()}")
        file = self.lab.dir / f"{name}.key"
        file.write_text(key + "\n")
        file.chmod(0o600)
        argv = ["wg", "set", name, "private-key", file] + (["listen-port", port] if port else []) + ["peer", peer, "allowed-ips", allowed]
        self.lab.exec(ns, *argv, *(["endpoint", endpoint] if endpoint else []))
        return proc

    @staticmethod
    def _address(ns, name, addr, route):
        run("ip", "-n", ns, "addr", "add", f"{addr}/32", "dev", name)
        run("ip", "-n", ns, "link", "set", name, "mtu", MTU, "up")
        run("ip", "-n", ns, "route", "add", f"{route}/32", "dev", name, "congctl", "cubic")
