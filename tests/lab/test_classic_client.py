"""The classic client at a gateway that announces two MTUs: the reconnect of Cisco tech note 116881, seen from the client."""
import json
import re

import pytest

from checks import PingLog, ping_size, within
from netns import HERE, INSIDE4, INSIDE6, SRV4, SRV6, wait_for
from peers import Culvert, Culvertd

pytestmark = pytest.mark.culvert
DPD_S = 5
FAST_DPD = f"anyconnect dpd-interval client {DPD_S}\nanyconnect dpd-interval gateway 3600"
GIVE_UP_S = 3

# The note's four events (cisco-facts.md 7.2) with their types and codes, and what is said around them, in order.
RECONFIGURE = [
    ("Warning", 16, r"Reconfigure reason code 16: New MTU configuration\."),
    ("Information", 0, r"The entire VPN connection is being reconfigured\."),
    ("Information", 0, r"Message type information sent to the user: Reconnecting to 10\.10\.1\.1\.\.\."),
    ("Warning", 0, r"A new MTU needs to be applied to the VPN network interface\. Disabling and re-enabling the Virtual Adapter\. "
                   r"Applications utilizing the private network may need to be restarted\."),
    ("Information", 0, r'The VPN client has sent a close message to the gateway: "Reconnecting the VPN tunnel\.", Severity 4, Type 17'),
    ("Information", 0, "Establishing the Primary SSL connection"),
    ("Information", 0, "The Primary SSL connection has been established"),
    ("Information", 0, r"Message type information sent to the user: Connected to 10\.10\.1\.1\."),
]


def classic_gateway(lab, policy_webvpn=""):
    """Announces a smaller MTU for TLS than for DTLS, unless one is configured."""
    return Culvertd(lab, top="mtu-formula cisco", policy_webvpn="anyconnect mtu-policy classic\n" + policy_webvpn)


class Links:
    """`ip monitor link` of the adapter: every change of its up flag."""

    def __init__(self, lab, client):
        self.proc = lab.spawn(client.ns, ["ip", "-o", "monitor", "link", "dev", client.tun], "monitor")
        wait_for(lambda: re.search(r"rtnl:ip/", lab.exec(client.ns, "ss", "-H", "-f", "netlink", "-p")), 5, "the monitor")
        self.tun = client.tun

    def states(self):
        """Runs of up and down, the first is what it was at the first change."""
        out = []
        for flags in re.findall(rf"{self.tun}: <([^>]*)>", self.proc.text()):
            up = "UP" in flags.split(",")
            if not out or out[-1] != up:
                out.append(up)
        return out


def classic(lab, gateway, give_up_s=GIVE_UP_S, **kw):
    return Culvert(lab, gateway, options=["--mtu-policy", "classic", "--dtls-give-up", str(give_up_s)], **kw)


def announced(client):
    s = client.status()
    return s["tls"]["mtu"], s["dtls"]["mtu"]


def texts(client):
    return [e["text"] for e in client.event_log()]


def check_in_order(client, wanted):
    events, at = client.event_log(), 0
    for kind, code, pattern in wanted:
        at = next((i for i in range(at, len(events)) if re.fullmatch(pattern, events[i]["text"])), None)
        assert at is not None, f"no {pattern!r} in its place:\n" + "\n".join(texts(client))
        assert (events[at]["type"], events[at]["code"]) == (kind, code), events[at]
        at += 1


class Note:
    """A client before the reconfiguration, with its pings and the kernel's news; check() is what must be true afterwards.
    New TCP connections are held up, so that the tear-down can be looked at."""

    def __init__(self, lab, client):
        self.lab, self.client = lab, client
        self.before = client.inner4(), client.inner6(), client.ifindex()
        self.links = Links(lab, client)
        self.pings = [PingLog(client.ns, SRV4), PingLog(client.ns, SRV6)]
        for p in self.pings:
            p.wait_answers(3)
        lab.nft(lab.gw, "add table inet held\nadd chain inet held in { type filter hook input priority 0; }\n"
                        "add rule inet held in tcp dport 443 tcp flags & (syn|ack) == syn drop\n")

    def _check_torn_down(self):
        wait_for(lambda: self.client.status().get("state") == "reconnecting", 40, "the tear-down")
        s = self.client.status()
        assert (s["adapter_bounces"], s["reconnects"], s["active"], s["dtls"]["state"]) == (1, 0, None, "off")
        assert "UP" not in json.loads(self.lab.exec(self.client.ns, "ip", "-j", "link", "show", "dev", self.client.tun))[0]["flags"]
        for p in self.pings:
            answers, sent = p.answers(), len(p.sent)
            wait_for(lambda p=p, sent=sent: len(p.sent) >= sent + 10, 5, "ten more pings")
            assert p.answers() == answers, "the adapter is disabled, yet pings are answered"

    def check(self):
        tls_mtu, dtls_mtu = announced(self.client)
        assert (tls_mtu, dtls_mtu) == (1347, 1418), "the numbers of the note"
        print(f"announced {tls_mtu} and {dtls_mtu}")
        self._check_torn_down()
        self.lab.nft(self.lab.gw, "delete table inet held\n")
        wait_for(lambda: self.client.status().get("state") == "connected", 40, lambda: f"the session:\n{self.client.proc.tail()}")
        for p in self.pings:
            p.wait_answers(10)
            p.stop()
            print(p.summary())
        assert self.client.mtu() == tls_mtu
        assert (self.client.inner4(), self.client.inner6(), self.client.ifindex()) == self.before
        assert ping_size(self.lab, self.client.ns, SRV4, tls_mtu)
        wait_for(lambda: self.links.states()[-1:] == [True], 5, "the monitor to see the adapter up")
        assert self.links.states() in ([True, False, True], [False, True]), self.links.states()
        s = self.client.status()
        assert (s["adapter_bounces"], s["reconnects"], s["active"], s["dtls"]["state"]) == (1, 1, "tls", "off")
        assert s["adapter_mtu"] == tls_mtu and s["mtu_policy"] == "classic"
        check_in_order(self.client, RECONFIGURE)


def test_dtls_never_comes_up(lab):
    lab.block_udp()
    gateway = classic_gateway(lab)
    client = classic(lab, gateway, give_up_s=8)  # long enough to look around before
    tls_mtu, dtls_mtu = announced(client)
    assert tls_mtu < dtls_mtu == client.mtu() == client.status()["adapter_mtu"]
    note = Note(lab, client)
    within(client.status()["adapter_bounces"], 0, "the machine was too slow to look before the give-up time")
    note.check()
    check_in_order(client, [("Information", 0, r"Initiating VPN connection to the secure gateway https://10\.10\.1\.1"),
                            ("Information", 0, "Establishing the Primary SSL connection"),
                            ("Information", 0, "The Primary SSL connection has been established"),
                            ("Information", 0, "Message type information sent to the user: Establishing VPN - .*|"
                                               r"A complete VPN connection has been established\."),
                            ("Information", 0, "Establishing the Primary DTLS connection"), *RECONFIGURE])
    out = client.proc.text()
    assert out.index("Reconnecting to 10.10.1.1...") < out.rindex("Connected to 10.10.1.1.")


def test_default_is_one_minute(lab):
    """Nothing happens early: with the default of 60 s the adapter still has the DTLS MTU after the short time above."""
    lab.block_udp()
    client = Culvert(lab, classic_gateway(lab), options=["--mtu-policy", "classic"])
    ping = PingLog(client.ns, SRV4)
    ping.wait_answers(int((GIVE_UP_S + 2) / 0.02), 30)
    ping.stop()
    s = client.status()
    assert s["adapter_bounces"] == 0 and s["active"] == "tls" and s["adapter_mtu"] == s["dtls"]["mtu"]


def test_dtls_lost_later(lab):
    gateway = classic_gateway(lab, FAST_DPD)
    client = classic(lab, gateway).wait_dtls()
    tls_mtu, dtls_mtu = announced(client)
    assert client.mtu() == dtls_mtu > tls_mtu
    note = Note(lab, client)
    assert "Reconfigure" not in "".join(texts(client)), "DTLS was up in time"
    lab.block_udp()
    note.check()
    check_in_order(client, [("Information", 0, "The Primary DTLS connection has been established"),
                            ("Warning", 0, "The Primary DTLS connection is down: no answer to DPD"), *RECONFIGURE])


def test_equal_mtus_change_nothing(lab):
    """Remedy 1 of the note."""
    gateway = classic_gateway(lab, FAST_DPD + "\nanyconnect mtu 1300")
    client = classic(lab, gateway).wait_dtls()
    assert announced(client) == (1300, 1300)
    links = Links(lab, client)
    ping = PingLog(client.ns, SRV4)
    lab.block_udp()
    client.wait_tls(40)
    ping.wait_answers(10, 40)
    ping.stop()
    s = client.status()
    assert (client.mtu(), s["adapter_bounces"], s["reconnects"], links.states()) == (1300, 0, 0, [])
    assert not [t for t in texts(client) if "Reconfigure" in t or "Virtual Adapter" in t]


def test_no_dtls_begins_with_the_tls_mtu(lab):
    client = classic(lab, classic_gateway(lab), dtls=False)
    assert client.mtu() == client.status()["tls"]["mtu"]


def test_script_is_called_again(lab):
    """With a script everything is its own: it sees a disconnect, and a connect with the new MTU."""
    lab.block_udp()
    env = lab.dir / "script"
    client = Culvert(lab, classic_gateway(lab), env={"LAB_ENV": str(env), "LAB_ROUTES": f"{INSIDE4} {INSIDE6}"},
                     options=["--mtu-policy", "classic", "--dtls-give-up", str(GIVE_UP_S), "--script", HERE / "vpnc-script.sh"])
    before = client.inner4(), client.inner6(), client.ifindex()
    wait_for(lambda: client.status().get("adapter_bounces") == 1 and client.status().get("state") == "connected", 20,
             lambda: f"the reconfiguration:\n{client.proc.tail()}")
    for addr in (SRV4, SRV6):
        assert ping_size(lab, client.ns, addr, 1347)
    assert (client.inner4(), client.inner6(), client.ifindex(), client.mtu()) == (*before, 1347)
    calls = [line.split()[0] for line in (lab.dir / "script.events").read_text().splitlines()]
    assert calls == ["pre-init", "connect", "disconnect", "connect"]
