"""What is refused early, and what says why."""
import subprocess

import pytest

from netns import GW4
from peers import BUILD, Culvert, Culvertd, PASSWORD, USER

pytestmark = pytest.mark.culvert


def test_without_rights_no_password_is_sent(lab):
    gateway = Culvertd(lab)
    done = subprocess.run(["ip", "netns", "exec", lab.cl, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                           BUILD / "culvert", "connect", f"{USER}@{GW4}", "--pin", gateway.pin, "--password-stdin"],
                          input=PASSWORD + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 6 and "needs root" in done.stderr and not done.stdout
    assert gateway.sessions() == []


def test_group_of_other_servers_than_local(lab):
    """They are not asked yet: nobody gets in by the local users instead, --test says so, and the log why."""
    gateway = Culvertd(lab, top="aaa-server RAD protocol radius",
                       groups="tunnel-group DefaultWEBVPNGroup general-attributes\n authentication-server-group RAD")
    assert "nobody can log in through tunnel-group DefaultWEBVPNGroup" in gateway.log()
    assert Culvert(lab, gateway, up=False).proc.wait_exit(30) == 3
    gateway.wait_log(f"%ASA-6-113014: AAA authentication server not accessible : server = RAD : user = {USER}")


def test_a_script_that_is_not_there(lab):
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway, options=["--script", lab.dir / "none"], up=False)
    assert client.proc.wait_exit(30) == 1 and "No such file" in client.proc.text()
    assert gateway.sessions() == []
