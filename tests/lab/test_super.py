"""Super-packets that go by TLS whole: between our own programs when both agree, and never with anybody else. That the bytes are the
same with and without is also tried by test_fastpath, with odd packets."""
import pytest

from checks import FileServer, check_fetch, check_full_size, within
from netns import SRV4, SRV6, wait_for
from peers import Culvert, Culvertd, Ocserv, OpenConnect
from test_fastpath import check_odd, check_streams, check_udp

pytestmark = pytest.mark.culvert

CLASSIC = "anyconnect mtu-policy classic"
TRIES = 5  # the speed of the path is not known at the begin: a short stream may be over before


def used(gateway, client):
    """How many went up and down, as both ends say; None in place of what an end does not count."""
    tls = gateway.sessions()[0]["tls"] if isinstance(gateway, Culvertd) else {}
    status = client.status() if isinstance(client, Culvert) else {}
    return {"up": (status.get("super_sent"), tls.get("super_rx")), "down": (tls.get("super_tx"), status.get("super_received"))}


def traffic(lab, server, client):
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV6)
    check_streams(lab, client)


def check_used(lab, server, gateway, client, directions=("up", "down")):
    for _ in range(TRIES):
        traffic(lab, server, client)
        counts = used(gateway, client)
        if all(counts[d][0] for d in directions):
            break
    same = lambda: all(sent == received for sent, received in used(gateway, client).values())
    wait_for(same, 5, lambda: f"what is under way to arrive: {used(gateway, client)}")
    for d, (sent, _) in used(gateway, client).items():
        assert bool(sent) == (d in directions), used(gateway, client)


def packets_of(gateway, client):
    """As the tunnels count them and as the adapter does; what is small is on both sides."""
    tls, status = gateway.sessions()[0]["tls"], client.status()["tls"]
    return tls["tx_packets"], status["rx_packets"], tls["rx_packets"], status["tx_packets"]


@pytest.mark.parametrize("tls", ["TLSv1.3", "TLSv1.2"])
def test_used_between_own_peers(lab, server, tls):
    """TLS 1.3 by the own record layer, 1.2 by the library's."""
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway, dtls=False, tls_max=tls if tls == "TLSv1.2" else None)
    assert client.status()["tls"]["protocol"] == tls
    check_used(lab, server, gateway, client)
    check_full_size(lab, client)
    check_udp(lab, client)
    check_odd(lab, client)
    def same():  # packets, not super-packets
        down_sent, down_received, up_received, up_sent = packets_of(gateway, client)
        return down_sent if down_sent == down_received and up_sent == up_received else None
    down_sent = wait_for(same, 5, lambda: f"the same counts: {packets_of(gateway, client)}")
    assert down_sent > 10 * used(gateway, client)["down"][0] > 0


@pytest.mark.parametrize("without", ["gateway", "client"])
def test_an_end_without_tun_offloads_cuts(lab, server, without):
    """It can send none, but takes those that come."""
    refused = ("--no-offload", "tun")
    gateway = Culvertd(lab, arguments=refused if without == "gateway" else ())
    client = Culvert(lab, gateway, dtls=False, options=refused if without == "client" else ())
    check_used(lab, server, gateway, client, ["up"] if without == "gateway" else ["down"])
    check_udp(lab, client)
    check_odd(lab, client)


@pytest.mark.parametrize("how", ["gateway", "client", "gateway classic", "client classic"])
def test_off(lab, server, how):
    refused = ("--no-offload", "super")
    gateway = Culvertd(lab, arguments=refused if how == "gateway" else (), policy_webvpn=CLASSIC if how == "gateway classic" else "")
    options = refused if how == "client" else ("--mtu-policy", "classic") if how == "client classic" else ()
    client = Culvert(lab, gateway, dtls=False, options=options)
    check_used(lab, server, gateway, client, ())


def test_stock_client_never_sees_it(lab, server):
    gateway = Culvertd(lab)
    client = OpenConnect(lab, gateway, dtls=False)
    traffic(lab, server, client)
    assert gateway.sessions()[0]["tls"]["super_tx"] == 0
    assert gateway.sessions()[0]["tls"]["super_rx"] == 0
    assert "Unknown packet" not in client.proc.text()


def test_stock_gateway_never_sees_it(lab, server):
    gateway = Ocserv(lab)
    client = Culvert(lab, gateway, dtls=False)
    traffic(lab, server, client)
    assert (client.status()["super_sent"], client.status()["super_received"]) == (0, 0)
    assert client.proc.alive()


def test_not_on_a_slow_path(lab):
    """20 Mbit/s: there single packets arrive earlier. What the kernel measures after a pause may be several times that."""
    server = FileServer(lab, 8_000_000)
    for ns, device in ((lab.gw, "out0"), (lab.cl, "eth0")):
        lab.exec(ns, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", "20mbit", "burst", "20kb", "latency", "20ms")
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway, dtls=False)
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV4)
    n_possible = 2 * server.size_bytes / 65536
    within(used(gateway, client)["down"][0], n_possible / 10, "super-packets")  # a burst at the begin passes at the speed of the link


def test_not_on_dtls(lab, server):
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway).wait_dtls()
    wait_for(lambda: gateway.sessions()[0]["active"] == "dtls", 10, "the gateway's data on DTLS")
    before = used(gateway, client)
    traffic(lab, server, client)
    assert used(gateway, client) == before
