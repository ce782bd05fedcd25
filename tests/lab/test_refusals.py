"""What the client refuses before it asks for a password."""
import pytest

from peers import Culvert, Culvertd

pytestmark = pytest.mark.culvert


def test_a_script_that_is_not_there(lab):
    gateway = Culvertd(lab)
    client = Culvert(lab, gateway, options=["--script", lab.dir / "none"], up=False)
    assert client.proc.wait_exit(30) == 1 and "No such file" in client.proc.text()
    assert gateway.sessions() == []
