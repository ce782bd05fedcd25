"""The interop matrix of the protocol notes, row by row: the test that covers it, or why there is none."""
import pathlib
import re

import pytest

HERE = pathlib.Path(__file__).parent
ROWS = [  # row, tests that cover it, what is not covered and why
    ("password, group list, wrong password x3", ["test_wrong_password_openconnect", "test_groups_openconnect",
                                                 "test_third_wrong_password_ends_the_dialogue"], None),
    ("openconnect 9.12 and 9.21", [], "Debian 12 has 9.01 only"),
    ("two forms / one form", ["test_real_traffic"], None),
    ("ocserv 1.3 and 1.4, one form", [], "Debian 12 has 1.1.6 only; the client's dialogue is unit-tested with both"),
    ("one-time password as second factor", [], "needs the one-time codes of a later version"),
    ("client certificate", [], "needs certificate authentication, which is in a later version"),
    ("legacy --no-xmlpost", ["test_authenticate_then_cookie"], None),
    ("--authenticate then -C", ["test_authenticate_then_cookie"], None),
    ("DTLS styles", ["test_real_traffic"], None),
    ("DTLS 0.9 (AES256-SHA)", [], "left out: every openconnect since 8.02 and Secure Client since 4.7 can do DTLS 1.2"),
    ("--no-dtls, UDP blocked, UDP blocked later", ["test_real_traffic", "test_udp_blocked_from_the_start",
                                                   "test_udp_blocked_later"], None),
    ("rekey with 30-60 s periods", [], "the shortest period in the ASA dialect is 4 minutes; simulated with a virtual clock in tests/sim"),
    ("SIGUSR2, TCP kill, gateway restart", ["test_openconnect_reconnects_by_signal", "test_tcp_reset_by_a_middlebox",
                                            "test_gateway_restart"], None),
    ("NAT rebinding of UDP", ["test_udp_source_port_changes"], None),
    ("two packets per record, split, bad length, unknown types, 16 KiB", [
        "test_record_boundaries", "test_bad_framing", "test_unknown_types_are_ignored_or_end_the_session"], None),
    ("MTU 1300, 1400, 9000", ["test_path_mtu"], None),
    ("IPv6 outer", ["test_real_traffic"], None),
    ("compression", [], "not offered in this version"),
    ("cookie replay", ["test_cookie_after_disconnect"], None),
    ("oversized cookie, headers, body, X-CSTP-Base-MTU", ["test_oversized_heads_are_refused", "test_oversized_body_is_refused",
                                                          "test_base_mtu_values"], None),
    ("Cisco Secure Client", [], "needs Cisco software and a licence; by hand"),
    ("Cisco ASA", [], "needs Cisco equipment; by hand"),
]


@pytest.mark.parametrize("row,tests,why_not", ROWS, ids=[r[0] for r in ROWS])
def test_row(row, tests, why_not):
    if why_not:
        pytest.skip(f"{row}: {why_not}")
    there = set(re.findall(r"^def (test_\w+)", "\n".join(f.read_text() for f in HERE.glob("test_*.py")), re.M))
    assert tests and set(tests) <= there
