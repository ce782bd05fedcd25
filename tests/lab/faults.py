"""What may happen to the path in mid-session, beyond the faults of netns.py. Each is a pair of functions, or a `with` block.

Packets are dropped on arrival, as a middlebox does it: a drop in an output chain would be an error for the sender.
"""
import contextlib

from netns import CL4, run

CL4_NEW = "10.10.1.77"


def _drop_on_arrival(lab, ns, device, table, rules):
    """Before anything else sees the packet, and before GRO could join it to others."""
    lab.nft(ns, f"add table netdev {table}\n"
                f"add chain netdev {table} in {{ type filter hook ingress device {device} priority 0; }}\n" +
                "".join(f"add rule netdev {table} in {rule} counter drop\n" for rule in rules))


def shrink_path(lab, path_bytes):
    """From now on IP packets of more than path_bytes vanish between client and gateway, and nobody is told: a router with a
    small MTU whose ICMP is filtered. Offloads go off, since a super-packet is not what a router sees."""
    grow_path(lab)
    for ns, device in ((lab.cl, "eth0"), (lab.gw, "out0")):
        lab.exec(ns, "ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off", "tx-udp-segmentation", "off", check=False)
        _drop_on_arrival(lab, ns, device, "hole", (f"meta protocol ip ip length > {path_bytes}",
                                                   f"meta protocol ip6 ip6 length > {path_bytes - 40}"))


def grow_path(lab):
    for ns in (lab.cl, lab.gw):
        lab.exec(ns, "nft", "delete", "table", "netdev", "hole", check=False)


def link_mtu(lab, mtu):
    """The link itself gets another MTU: the kernels of both ends know, and say so."""
    for ns, device in ((lab.gw, "out0"), (lab.cl, "eth0")):
        run("ip", "-n", ns, "link", "set", device, "mtu", mtu)


def block_udp_one_way(lab, towards, port=443):
    """towards: "gateway" or "client": only datagrams in that direction vanish."""
    ns, device, side = (lab.gw, "out0", "dport") if towards == "gateway" else (lab.cl, "eth0", "sport")
    _drop_on_arrival(lab, ns, device, "oneway", (f"udp {side} {port}",))


def unblock_udp_one_way(lab):
    for ns in (lab.cl, lab.gw):
        lab.exec(ns, "nft", "delete", "table", "netdev", "oneway", check=False)


@contextlib.contextmanager
def icmp_too_big_filtered(lab, ns=None):
    """The inside server (or ns) never hears "fragmentation needed" (a firewall that filters ICMP)."""
    ns = ns or lab.srv
    lab.nft(ns, "add table inet deaf\nadd chain inet deaf in { type filter hook prerouting priority -300; }\n"
                "add rule inet deaf in icmp type destination-unreachable counter drop\n"
                "add rule inet deaf in icmpv6 type packet-too-big counter drop\n")
    try:
        yield
    finally:
        lab.nft(ns, "delete table inet deaf\n")


def change_address(lab, ns=None, old=CL4, new=CL4_NEW, device="eth0"):
    """The client's machine gets another address; the old one is gone."""
    ns = ns or lab.cl
    run("ip", "-n", ns, "addr", "add", f"{new}/24", "dev", device)
    run("ip", "-n", ns, "addr", "del", f"{old}/24", "dev", device)
    run("ip", "-n", ns, "addr", "replace", f"{new}/24", "dev", device)


def nat_begin(lab, address=CL4, first_port=40000, protocols=("udp", "tcp"), port=443):
    """The client's namespace plays a NAT: its datagrams and connections get source ports of its choice. What arrives for a
    mapping that is forgotten is dropped in silence, as a NAT does."""
    lab.nft(lab.cl, "add table inet quiet\nadd chain inet quiet out { type filter hook output priority 0; }\n"
                    "add rule inet quiet out icmp type destination-unreachable counter drop\n"
                    "add rule inet quiet out tcp flags rst tcp dport != 0 ct state invalid counter drop\n")
    nat_change(lab, address, first_port, protocols, port)


def nat_change(lab, address=CL4, first_port=41000, protocols=("udp",), port=443):
    """The NAT forgot: from now on the same flows have other ports (and another address, if it is not CL4)."""
    lab.exec(lab.cl, "nft", "delete", "table", "ip", "nat", check=False)
    if address != CL4:
        lab.exec(lab.cl, "ip", "addr", "add", f"{address}/24", "dev", "eth0", check=False)
    lab.nft(lab.cl, "add table ip nat\nadd chain ip nat post { type nat hook postrouting priority 100; }\n" + "".join(
        f"add rule ip nat post {p} dport {port} snat to {address}:{first_port}-{first_port + 99}\n" for p in protocols))
    lab.exec(lab.cl, "conntrack", "-F", check=False)
