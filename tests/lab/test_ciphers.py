"""`ssl cipher`, `ssl server-version`, `ssl dh-group`, `ssl ecdh-group`: what the stock client then negotiates."""
import subprocess

import pytest

from checks import check_fetch, check_full_size
from netns import SRV4, SRV6, run, wait_for
from peers import BUILD, Culvertd, OpenConnect, gateway_config

pytestmark = pytest.mark.culvert

TLS12 = "--gnutls-priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"
# suites of all kinds, as an old client has them
OLD12 = TLS12 + ":+AES-256-CBC:+AES-128-CBC:+RSA:+DHE-RSA:+SHA1:+SHA256:+SHA384"


def rsa_trustpoint(lab):
    """The lines that give the gateway an RSA certificate: RSA key exchange and signatures need one."""
    key, cert = lab.dir / "rsa-key.pem", lab.dir / "rsa-cert.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=gw.lab", "-keyout", key,
        "-out", cert)
    return f"crypto ca trustpoint LAB\n certificate-file {cert}\n key-file {key}\nssl trust-point LAB\n"


def make_gateway(lab, *lines, start=True):
    return Culvertd(lab, gateway_config() + rsa_trustpoint(lab) + "\n".join(lines) + "\n", start=start)


def session(gateway):
    found = gateway.sessions()
    assert len(found) == 1
    return found[0]


def check_traffic(lab, server, client):
    check_fetch(client.ns, server, SRV4)
    check_fetch(client.ns, server, SRV6)
    check_full_size(lab, client)


TLS_ROWS = [  # lines of the gateway, priority of the client, (protocol, suite) as the gateway shows it
    ('ssl cipher tlsv1.2 custom "AES256-SHA"', OLD12, ("TLSv1.2", "AES256-SHA")),
    ('ssl cipher tlsv1.2 custom "AES128-SHA:AES256-SHA256"', OLD12, ("TLSv1.2", "AES128-SHA")),
    ('ssl cipher tlsv1.2 custom "DHE-RSA-AES256-SHA256"', OLD12, ("TLSv1.2", "DHE-RSA-AES256-SHA256")),
    ('ssl cipher tlsv1.2 custom "DHE-RSA-AES256-GCM-SHA384"\nssl dh-group group15', OLD12,
     ("TLSv1.2", "DHE-RSA-AES256-GCM-SHA384")),
    ('ssl cipher tlsv1.2 custom "ECDHE-RSA-AES256-SHA384"\nssl ecdh-group group21', OLD12,
     ("TLSv1.2", "ECDHE-RSA-AES256-SHA384")),
    ('ssl cipher tlsv1.2 custom "AES128-GCM-SHA256"', OLD12, ("TLSv1.2", "AES128-GCM-SHA256")),
    ('ssl cipher tlsv1.2 custom "ECDHE+AESGCM+AES128"', TLS12, ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")),
    ("ssl server-version tlsv1.3", "--gnutls-priority=NORMAL", ("TLSv1.3", "TLS_AES_256_GCM_SHA384")),
    ('ssl server-version tlsv1.3\nssl cipher tlsv1.3 custom "TLS_CHACHA20_POLY1305_SHA256"', "--gnutls-priority=NORMAL",
     ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256")),
    ("ssl server-version tlsv1", "--gnutls-priority=LEGACY:-VERS-ALL:+VERS-TLS1.0", ("TLSv1", "ECDHE-RSA-AES256-SHA")),
    ('ssl server-version tlsv1.1\nssl cipher tlsv1.1 custom "AES128-SHA"',
     "--gnutls-priority=LEGACY:-VERS-ALL:+VERS-TLS1.1", ("TLSv1.1", "AES128-SHA")),
]


@pytest.mark.parametrize("lines,priority,want", TLS_ROWS, ids=[f"{r[2][0]}-{r[2][1]}" for r in TLS_ROWS])
def test_tls(lab, server, lines, priority, want):
    gateway = make_gateway(lab, lines)
    client = OpenConnect(lab, gateway, dtls=False, options=[priority])
    tls = session(gateway)["tls"]
    assert (tls["protocol"], tls["cipher"]) == want
    check_traffic(lab, server, client)
    assert client.active() == "tls"
    assert client.stop() == 0


DTLS_ROWS = [  # the gateway's list, options of the client, suite; inner MTU: an outer packet of 1500, wire-protocol.md 5.3
    ("AES256-SHA", [], "AES256-SHA", 1418),
    ("DHE-RSA-AES128-SHA", [], "DHE-RSA-AES128-SHA", 1418),
    ("ECDHE-RSA-AES128-GCM-SHA256", [], "ECDHE-RSA-AES128-GCM-SHA256", 1434),
    ("PSK-CHACHA20-POLY1305", [], "PSK-CHACHA20-POLY1305", 1434),
    ("AES128-GCM-SHA256:AES256-GCM-SHA384", [], "AES128-GCM-SHA256", 1434),
    ("ALL", ["--dtls-ciphers=AES128-SHA", "--dtls12-ciphers=AES128-SHA"], "AES128-SHA", 1418),
]


@pytest.mark.parametrize("suites,options,want,mtu", DTLS_ROWS, ids=[r[2] for r in DTLS_ROWS])
def test_dtls12(lab, server, suites, options, want, mtu):
    gateway = make_gateway(lab, f'ssl cipher dtlsv1.2 custom "{suites}"')
    client = OpenConnect(lab, gateway, options=options).wait_dtls()
    dtls = wait_for(lambda: (d := session(gateway)["dtls"]) and d["cipher"] and d, 10, "the gateway's end of DTLS")
    assert (dtls["protocol"], dtls["cipher"]) == ("DTLSv1.2", want)
    assert client.mtu() == mtu
    check_traffic(lab, server, client)
    assert client.active() == "dtls"
    assert client.stop() == 0


def test_client_without_an_allowed_suite_stays_on_tls(lab, server):
    """The older header means DTLS 0.9 to it, which the gateway does not offer."""
    gateway = make_gateway(lab, 'ssl cipher dtlsv1.2 custom "AES256-GCM-SHA384"')
    client = OpenConnect(lab, gateway, options=["--dtls-ciphers=AES256-SHA", "--dtls12-ciphers=AES128-SHA"])
    check_traffic(lab, server, client)
    assert client.active() == "tls" and session(gateway)["dtls"] is None


def test_dtls09_is_named_in_the_log(lab, server):
    """Allowed DTLS 1.0, the stock client answers with its predecessor: data stays on TLS, the log says why."""
    gateway = make_gateway(lab, "ssl server-version tlsv1.2 dtlsv1")
    client = OpenConnect(lab, gateway, options=["--dtls-ciphers=AES256-SHA", "--dtls12-ciphers=DES-CBC3-SHA"], up=False)
    gateway.wait_log("the client speaks the DTLS of before RFC 4347", 20)
    client.wait_up(40)
    check_fetch(client.ns, server, SRV4)
    assert client.active() == "tls"


def test_reload_changes_new_connections_only(lab, server):
    gateway = make_gateway(lab, 'ssl cipher tlsv1.2 custom "AES256-SHA"')
    client = OpenConnect(lab, gateway, dtls=False, options=[OLD12])
    assert session(gateway)["tls"]["cipher"] == "AES256-SHA"
    gateway.file.write_text(gateway.file.read_text().replace('"AES256-SHA"', '"AES128-SHA256"'))
    gateway.ctl("reload", as_json=False)
    check_fetch(client.ns, server, SRV4)
    assert session(gateway)["tls"]["cipher"] == "AES256-SHA"
    assert client.stop() == 0
    wait_for(lambda: not gateway.sessions(), 10, "the end of the session")
    client = OpenConnect(lab, gateway, dtls=False, options=[OLD12])
    assert session(gateway)["tls"]["cipher"] == "AES128-SHA256"
    check_fetch(client.ns, server, SRV4)


def test_suites_that_do_not_fit_the_certificate_are_refused(lab):
    """The self-signed certificate has an EC key; at a reload the former configuration stays."""
    gateway = Culvertd(lab)
    was = gateway.file.read_text()
    gateway.file.write_text(was + 'ssl cipher tlsv1.2 custom "AES256-SHA"\n')
    out = lab.exec(gateway.ns, BUILD / "culvertctl", "--control", gateway.control, "reload", check=False)
    assert "none of the suites of TLS 1.2 works with the EC key of the certificate" in out + gateway.log()
    client = OpenConnect(lab, gateway, dtls=False, options=[TLS12])
    assert session(gateway)["tls"]["cipher"] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert client.stop() == 0


def test_mistakes_are_found_by_test(lab):
    bad = lab.dir / "bad.conf"
    bad.write_text('webvpn\n enable outside\nssl cipher tlsv1.2 custom "AES256-SHA:RC4-SHA"\nssl dh-group group5\n')
    done = subprocess.run([BUILD / "culvertd", "-c", bad, "--test"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f'{bad}:3:39: error: "RC4-SHA" is refused: RC4 is broken' in done.stderr
    assert f"{bad}:4:14: error: group5 is refused" in done.stderr
