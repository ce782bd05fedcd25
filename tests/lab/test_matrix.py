"""The matrix: every pair of programs over every tunnel, TLS version and outer family, with real traffic."""
import itertools

import pytest

from checks import check_fetch, check_full_size
from netns import GW4, GW6, SRV4, SRV6
from peers import Culvert, Culvertd, Ocserv, OpenConnect

PAIRS = {  # name: client, gateway
    "culvert-culvertd": (Culvert, Culvertd),
    "openconnect-culvertd": (OpenConnect, Culvertd),
    "culvert-ocserv": (Culvert, Ocserv),
    "openconnect-ocserv": (OpenConnect, Ocserv),  # proves the lab itself
}
NORMAL = "NORMAL:%SERVER_PRECEDENCE:%COMPAT:-VERS-ALL"


def rows():
    for pair, tunnel, tls, outer in itertools.product(PAIRS, ("psk", "dtls12", "tls"), ("TLSv1.2", "TLSv1.3"), (4, 6)):
        marks = [pytest.mark.culvert] if pair != "openconnect-ocserv" else []
        if pair == "culvert-culvertd" and tunnel == "dtls12":
            continue  # two own peers always agree on PSK-NEGOTIATE; each is tested with the stock peer
        yield pytest.param(pair, tunnel, tls, outer, id=f"{pair}-{tunnel}-{tls}-ipv{outer}", marks=marks)


def make_gateway(lab, kind, tunnel, tls):
    if kind is Culvertd:
        return Culvertd(lab, top="ssl server-version " + tls.lower())
    versions = f"{NORMAL}:+VERS-{tls.replace('TLSv', 'TLS')}:+VERS-DTLS1.2:+VERS-DTLS1.0:+VERS-DTLS0.9"
    return Ocserv(lab, tls_priorities=f'"{versions}"', dtls_psk=tunnel == "psk")


def make_client(lab, kind, gateway, tunnel, tls, outer):
    options = {"host": GW4 if outer == 4 else GW6, "dtls": tunnel != "tls", "tls_max": tls}
    if kind is OpenConnect and tunnel == "dtls12":
        options["dtls12"] = True
    return kind(lab, gateway, **options)


@pytest.mark.parametrize("pair,tunnel,tls,outer", rows())
def test_real_traffic(lab, server, pair, tunnel, tls, outer):
    client_kind, gateway_kind = PAIRS[pair]
    gateway = make_gateway(lab, gateway_kind, tunnel, tls)
    client = make_client(lab, client_kind, gateway, tunnel, tls, outer)
    if tunnel != "tls":
        client.wait_dtls()
        assert ("PSK" in client.dtls()) == (tunnel == "psk"), client.dtls()
    assert client.tls_version() == tls
    assert client.inner4() and client.inner6()
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV6)
    check_full_size(lab, client)
    assert client.active() == ("tls" if tunnel == "tls" else "dtls")
    assert client.stop() == 0
