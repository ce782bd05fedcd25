"""Cisco tech note 116881, replayed: the reconnect, its symptoms and each remedy, with our gateway and client in classic mode.

docs/technote-116881.md says which test shows which sentence. The give-up time is short here; ./quickstart takes the full minute.
"""
import re

import pytest

from checks import check_fetch, within
from faults import icmp_too_big_filtered
from netns import wait_for
from peers import Culvert, Culvertd, OpenConnect
from timeline import Browser, Timeline

pytestmark = pytest.mark.culvert

CLASSIC = "anyconnect mtu-policy classic"
GIVE_UP_S = 6
LOOK_S = 10  # where there is much to be seen before
TLS_ONLY_GROUP = """
group-policy TLSONLY internal
group-policy TLSONLY attributes
 vpn-tunnel-protocol ssl-client
 split-tunnel-policy tunnelspecified
 split-tunnel-network-list value SPLIT
 address-pools value POOL4
 webvpn
  anyconnect ssl dtls none
  anyconnect mtu-policy classic
tunnel-group TLS type remote-access
tunnel-group TLS general-attributes
 default-group-policy TLSONLY
tunnel-group TLS webvpn-attributes
 group-alias tls-users enable
 group-url https://10.10.1.1/tls enable
"""


def gateway(lab, policy_webvpn="", top="", groups=""):
    """An ASA 9.x as the note has it: two MTUs by the note's arithmetic. IPv4 inside, as there."""
    return Culvertd(lab, pool6=None, top="mtu-formula cisco\n" + top, policy_webvpn=CLASSIC + "\n" + policy_webvpn,
                    webvpn="tunnel-group-list enable", groups=groups)


def client(lab, gw, **options):
    options.setdefault("options", ["--mtu-policy", "classic", "--dtls-give-up", GIVE_UP_S])
    return Culvert(lab, gw, **options)


def codes(cl):
    return [e.get("code") for e in cl.event_log() if e.get("code")]


def wait_reconfigured(cl):
    wait_for(lambda: 16 in codes(cl), GIVE_UP_S + 10, lambda: f"reason code 16: {cl.event_log()[-5:]}")
    wait_for(lambda: cl.mtu() == 1347 and cl.status().get("state") == "connected", 10, "the adapter with the TLS MTU")


def announced(gw):
    mtu = gw.sessions()[0]["mtu"]
    return mtu["tls"], mtu["dtls"]


def drops(gw):
    return gw.ctl("show", "asp", "drop").get("mp-svc-no-fragment", 0)


def test_the_minute(lab, server):
    """UDP 443 blocked: adapter with the DTLS MTU; large packets are dropped, logged and answered; the sender adapts; then the
    reconnect with reason 16, once, with the same address, to the TLS MTU; after it nothing is dropped any more."""
    gw = gateway(lab)
    lab.block_udp()
    cl = client(lab, gw, options=["--mtu-policy", "classic", "--dtls-give-up", LOOK_S])
    assert announced(gw) == (1347, 1418)
    assert cl.mtu() == 1418
    address = cl.inner4()
    with Timeline(lab, cl, gw) as t:
        gw.wait_log(r"%ASA-6-722036: Group <GP1> User <tester> IP <10\.10\.1\.2> Transmitting large packet 1418 \(threshold 1347\)\.")
        gw.wait_log(rf"%ASA-6-602101: PMTU-D packet 1418 bytes greater than effective mtu 1347, dest_addr={re.escape(address)}, "
                    r"src_addr=10\.10\.2\.2, prot=TCP")
        wait_for(lambda: t.browser.n_objects >= 2, LOOK_S - 1, "objects before the reconnect: the sender heard ICMP")
        within(codes(cl).count(16), 0, "objects, but after the reconnect")
        before = drops(gw)
        assert before > 0
        wait_reconfigured(cl)
        n = t.browser.n_objects
        wait_for(lambda: t.browser.n_objects > n + 2, 10, "objects after the reconnect")
    assert t.bounces() == 1
    assert cl.inner4() == address
    assert [m for _, m in t.mtu if m] == [1418, 1347]
    assert cl.status()["reconnects"] == 1
    gw.wait_log(r"%ASA-5-722011: .*SVC Message: 17/WARNING: Reconnecting the VPN tunnel\.\.")
    gw.wait_log(r"%ASA-5-72203[24]: ")
    texts = " | ".join(e["text"] for e in cl.event_log())
    order = ["A complete VPN connection has been established", "Establishing the Primary DTLS connection",
             "The Primary DTLS connection is down", "Reconfigure reason code 16:", "Reconnecting to 10.10.1.1",
             "Disabling and re-enabling the Virtual Adapter"]
    for words in order:
        assert words in texts, words
    assert texts.index(order[1]) < texts.index(order[2]) < texts.index(order[3])
    assert "mp-svc-no-fragment" in gw.ctl("show", "asp", "drop", as_json=False)


def test_icmp_filtered(lab, server):
    """Where ICMP is filtered the user has a black hole until the reconnect."""
    gw = gateway(lab)
    lab.block_udp()
    cl = client(lab, gw)
    with icmp_too_big_filtered(lab):
        browser = Browser(cl.ns)
        wait_for(lambda: drops(gw) > 3, GIVE_UP_S, "drops")
        n_objects = []

        def has_reconnected():
            n_objects.append(browser.n_objects)  # first: the last one may be from after the reconnect, none before it
            return 16 in codes(cl)
        wait_for(has_reconnected, GIVE_UP_S + 5, "reason code 16")
        assert not any(n_objects[:-1])
        wait_for(lambda: browser.n_objects > 1, 30, "objects after the reconnect")
        browser.stop()


def no_stall(lab, gw, cl, mtu):
    """The remedy works: browser traffic flows past the give-up time without drop, stall or reconnect."""
    with Timeline(lab, cl, gw) as t:
        wait_for(lambda: t.now() > GIVE_UP_S + 3, GIVE_UP_S + 10, "the give-up time to pass")
    assert t.browser.n_given_up == 0 and t.browser.n_objects > 3
    assert (t.bounces(), cl.mtu(), 16 in codes(cl)) == (0, mtu, False)
    within(t.browser.longest_stall_ms(), 2000, "longest stall in ms")


def test_remedy_mtu_1300(lab, server):
    gw = gateway(lab, policy_webvpn="anyconnect mtu 1300")
    lab.block_udp()
    cl = client(lab, gw)
    assert announced(gw) == (1300, 1300)
    no_stall(lab, gw, cl, 1300)
    assert drops(gw) == 0


def test_remedy_tcpmss_1460(lab, server):
    gw = gateway(lab, top="sysopt conn tcpmss 1460")
    lab.block_udp()
    cl = client(lab, gw)
    assert announced(gw) == (1427, 1418)
    with Timeline(lab, cl, gw) as t:
        wait_for(lambda: t.now() > GIVE_UP_S + 3, GIVE_UP_S + 10, "the give-up time to pass")
    assert t.browser.n_given_up == 0 and t.browser.n_objects > 3
    assert t.bounces() == 0 and 16 not in codes(cl), cl.event_log()
    assert drops(gw) == 0
    within(t.browser.longest_stall_ms(), 2000, "longest stall in ms")


def test_remedy_df_bit_ignore(lab, server):
    """The gateway fragments in spite of DF: nothing stalls, although the reconnect itself still comes."""
    gw = gateway(lab, policy_webvpn="anyconnect ssl df-bit-ignore enable")
    lab.block_udp()
    cl = client(lab, gw)
    browser = Browser(cl.ns)
    wait_for(lambda: browser.n_objects > 2, GIVE_UP_S - 1, "objects over TLS with the DTLS MTU")
    within(codes(cl).count(16), 0, "objects, but after the reconnect")
    assert drops(gw) == 0
    browser.stop()


@pytest.mark.parametrize("way", ["alias", "url"])
def test_remedy_tls_only_group(lab, server, way):
    gw = gateway(lab, groups=TLS_ONLY_GROUP)
    lab.block_udp()
    cl = client(lab, gw, group="tls-users" if way == "alias" else "tls")
    no_stall(lab, gw, cl, 1347)
    assert gw.sessions()[0]["tunnel_group"] == "TLS"


def test_dtls_lost_later(lab, server):
    """The same when DTLS was up: dead peer detection finds out, then the adapter changes."""
    gw = gateway(lab, policy_webvpn="anyconnect dpd-interval client 5")
    cl = client(lab, gw).wait_dtls()
    assert cl.mtu() == 1418
    lab.block_udp()
    wait_for(lambda: 16 in codes(cl), 40, "reason code 16")
    wait_for(lambda: cl.mtu() == 1347 and cl.status().get("state") == "connected", 10, "the TLS MTU")
    check_fetch(cl.ns, server)


def test_no_event_when_udp_works(lab, server):
    gw = gateway(lab)
    cl = client(lab, gw).wait_dtls()
    with Timeline(lab, cl, gw) as t:
        wait_for(lambda: t.now() > GIVE_UP_S + 2, GIVE_UP_S + 8, "the give-up time to pass")
    assert (t.bounces(), drops(gw), 16 in codes(cl)) == (0, 0, False)
    check_fetch(cl.ns, server)


def test_stock_openconnect_at_the_classic_gateway(lab, server):
    """It takes the larger of both values, brings its adapter up late, and never reconfigures; the gateway treats it as the note says."""
    gw = gateway(lab)
    lab.block_udp()
    cl = OpenConnect(lab, gw)
    browser = Browser(cl.ns)
    wait_for(lambda: browser.n_objects > 1, 30, "objects")
    browser.stop()
    assert gw.proc.alive() and cl.proc.alive()
    assert cl.stop() == 0


def test_seamless_pair_in_the_same_situation(lab, server):
    """The same path with the default policy: nothing of it happens."""
    gw = Culvertd(lab, pool6=None)
    lab.block_udp()
    cl = Culvert(lab, gw)
    no_stall(lab, gw, cl, cl.mtu())
    assert drops(gw) == 0
    assert cl.status()["reconnects"] == 0
