"""Rules of a session in the client: alerts before its end, resume after a suspend."""
import shutil
import subprocess
import sys

import pytest

from checks import PingLog
from netns import HERE, SRV4, run, wait_for
from peers import Culvert, Culvertd

pytestmark = pytest.mark.culvert
FAST_DPD = "anyconnect dpd-interval client 5\nanyconnect dpd-interval gateway 3600"


def texts(client):
    return [e["text"] for e in client.event_log()]


def test_alert_before_the_session_timeout(lab):
    """One minute of session and one minute of alert: it comes at once, and once."""
    client = Culvert(lab, Culvertd(lab, policy="vpn-session-timeout 1"))
    line = client.proc.wait_line(r"^The VPN session will end in \d+ seconds: its maximum duration is reached\.$", 10)
    assert line
    ping = PingLog(client.ns, SRV4)
    ping.wait_answers(100)
    ping.stop()
    told = [t for t in texts(client) if "maximum duration" in t]
    assert len(told) == 1 and told[0].startswith("Message type information sent to the user: ")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_resume_after_a_suspend(lab):
    """The clock shim plays the suspend: the client makes the session anew at its next look, long before its DPD would."""
    shim, slept = lab.dir / "clock_shim.so", lab.dir / "slept"
    run("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim, HERE / "clock_shim.c", "-ldl")
    gateway = Culvertd(lab, policy_webvpn=FAST_DPD)
    client = Culvert(lab, gateway, env={
        "LD_PRELOAD": str(shim), "LAB_SLEPT": str(slept), "ASAN_OPTIONS": "verify_asan_link_order=0"}).wait_dtls()
    before = client.inner4(), client.ifindex()
    assert client.status()["reconnects"] == 0
    slept.write_text("3600\n")
    wait_for(lambda: client.status().get("reconnects") == 1, 15, lambda: f"the session made anew: {client.status()}")
    client.wait_dtls()
    assert (client.inner4(), client.ifindex()) == before
    assert "The computer has resumed after a suspend of 3600 s." in texts(client)
    ping = PingLog(client.ns, SRV4)
    ping.wait_answers(300)  # it is told and done once
    ping.stop()
    assert client.status()["reconnects"] == 1


HOLD = """
import socket, sys
held = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(20)]
for s in held:
    s.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_others_do_not_take_all_places_at_the_socket(lab):
    """Any user may ask for the status; one who holds connections open must not keep root from ending the session."""
    client = Culvert(lab, Culvertd(lab))
    lab.dir.chmod(0o711)
    hold = subprocess.Popen([sys.executable, "-c", HOLD, client.control], user=65534, group=65534,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert hold.stdout.readline() == "held\n"
        for _ in range(8):
            assert client.status()["state"] == "connected"
        client.disconnect()
        client.proc.wait_exit(10)
    finally:
        hold.stdin.close()
        hold.wait(10)
