#!/usr/bin/python3
"""The main job, shown: see ./quickstart. With --stock the gateway is ocserv and the client openconnect."""
import sys

from checks import FileServer, PingLog, check_fetch
from netns import Lab, LabError, SRV4, progress, stop_on_sigterm
from peers import Culvert, Culvertd, Ocserv, OpenConnect

FILE_BYTES = 100_000_000
COLUMNS = ("client", "tunnel", "cipher", "adapter MTU", "Mbit/s", "first ping ms")


def measure(lab, server, gateway, kind, dtls):
    """One client from start to end; a row of the table."""
    progress(f"# {kind.kind} -> {gateway.kind}, {'DTLS' if dtls else 'TLS only'}")
    ping = PingLog(lab.cl, SRV4, interval_ms=10)  # begins before the client does: what the user waits
    client = kind(lab, gateway, dtls=dtls)
    first_ms = ping.first_answer_s() * 1000
    ping.stop(0)
    if dtls:
        client.wait_dtls()
    rate = max(check_fetch(client.ns, server) for _ in range(2))
    tunnel = client.active()
    row = (kind.kind, tunnel, client.dtls() if tunnel == "dtls" else client.tls(), client.mtu(), f"{rate:.0f}", f"{first_ms:.0f}")
    client.stop()
    return row


def table(rows):
    width = [max(len(str(r[i])) for r in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    for r in [COLUMNS, tuple("-" * w for w in width), *rows]:
        print("  ".join(str(c).ljust(w) if i < 3 else str(c).rjust(w) for i, (c, w) in enumerate(zip(r, width))).rstrip())


def main():
    stop_on_sigterm()
    stock = "--stock" in sys.argv
    try:
        with Lab() as lab:
            progress(f"# namespaces {lab.cl}, {lab.gw}, {lab.srv}; everything below happens inside them")
            server = FileServer(lab, FILE_BYTES)
            gateway = Ocserv(lab) if stock else Culvertd(lab)
            progress(f"# {gateway.kind} is up; each client downloads {FILE_BYTES // 1_000_000} MB from the inside server, compared by hash")
            kinds = [OpenConnect] if stock else [Culvert, OpenConnect]
            rows = [measure(lab, server, gateway, kind, dtls) for kind in kinds for dtls in (True, False)]
        print()
        table(rows)
        print("\nfirst ping: from the start of the client program to the first answer through the tunnel, login included")
    except LabError as e:
        progress(f"error: {e}")
        return 1
    except KeyboardInterrupt:
        progress("# interrupted; everything was removed")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
