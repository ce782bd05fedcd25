"""wireguard-go between client and gateway of the lab, as one more tunnel to compare with."""
from netns import GW4, LabError, run, wait_for

PORT = 51820
GATEWAY4, CLIENT4 = "10.10.13.1", "10.10.13.2"
MTU = 1420


class WireGuard:
    """Up when made. .gateway and .client are the processes; traffic for `inside` takes the tunnel."""

    def __init__(self, lab, inside):
        self.lab = lab
        keys = [run("wg", "genkey").strip() for _ in range(2)]
        public = [run("wg", "pubkey", stdin=k + "\n").strip() for k in keys]
        # the control sockets are files that all namespaces share: two names, not used by anybody else
        names = [f"wg{lab.prefix[-8:]}{end}" for end in "sc"]
        self.gateway = self._start(lab.gw, names[0], keys[0], PORT, public[1], f"{CLIENT4}/32", None)
        self.client = self._start(lab.cl, names[1], keys[1], 0, public[0], f"{inside}/32,{GATEWAY4}/32", f"{GW4}:{PORT}")
        self._address(lab.gw, names[0], GATEWAY4, CLIENT4)
        self._address(lab.cl, names[1], CLIENT4, inside)
        wait_for(lambda: lab.exec(lab.cl, "ping", "-c", 1, "-W", 1, inside, check=False).find(" 1 received") >= 0, 10, "traffic through wireguard-go")

    def _start(self, ns, name, key, port, peer, allowed, endpoint):
        proc = self.lab.spawn(ns, ["wireguard-go", "-f", name], f"wireguard-{name}", env={"LOG_LEVEL": "error", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"})
        wait_for(lambda: self.lab.exec(ns, "wg", "show", name, check=False) or not proc.alive(), 5, "wireguard-go's control socket")
        if not proc.alive():
            raise LabError(f"wireguard-go:\n{proc.tail()}")
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
