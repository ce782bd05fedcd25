#!/usr/bin/python3
"""The main job, shown (see ./quickstart): the tech note's situation, once classic, once seamless, with real traffic.

UDP 443 is blocked before the client starts, let through later, and blocked again under traffic; the inside server sits
behind a firewall that filters ICMP, as so many do. Ends in a table; the same as a picture in lab-report.svg, the numbers in lab-report.json. --fast: a give-up time of 15 s instead of a minute.
--stock: ocserv and openconnect in that situation.
"""
import pathlib
import sys

from checks import FileServer
from faults import icmp_too_big_filtered
from netns import Lab, LabError, progress, stop_on_sigterm, wait_for
from peers import Culvert, Culvertd, Ocserv, OpenConnect
from report import table, write
from timeline import Timeline

CLASSIC = {"top": "mtu-formula cisco", "policy_webvpn": "anyconnect mtu-policy classic\nanyconnect dpd-interval client 5"}
SEAMLESS = {"policy_webvpn": "anyconnect dpd-interval client 5"}


def wait_until(timeline, seconds, what):
    progress(f"#   {timeline.now():5.1f} s  {what}, until {seconds:.0f} s")
    wait_for(lambda: timeline.now() >= seconds, seconds + 5, what)


def scene(lab, client, gateway, give_up_s):
    """The timeline of one run; the client has just connected, with UDP blocked."""
    with Timeline(lab, client, gateway) as t:
        t.mark("UDP 443 blocked")
        wait_until(t, give_up_s + 12, "UDP is blocked")
        lab.unblock_udp()
        t.mark("UDP let through")
        wait_until(t, give_up_s + 27, "UDP works")
        lab.block_udp()
        t.mark("UDP blocked again")
        wait_until(t, give_up_s + 42, "UDP is blocked again")
    return t


def run_pair(name, make_gateway, make_client, give_up_s):
    with Lab() as lab:
        progress(f"# {name}: namespaces {lab.cl}, {lab.gw}, {lab.srv}")
        FileServer(lab, 1_000_000)
        gateway = make_gateway(lab)
        lab.block_udp()
        client = make_client(lab, gateway)
        with icmp_too_big_filtered(lab):
            t = scene(lab, client, gateway if isinstance(gateway, Culvertd) else None, give_up_s)
        result = t.result(name)
        for event in client.event_log() if hasattr(client, "event_log") else ():
            if event.get("code") or event["type"] == "Warning":
                progress(f"#   {event['t']}  {event['text']}")
        client.stop()
    return result


def main():
    stop_on_sigterm()
    give_up_s = 15 if "--fast" in sys.argv else 60
    classic = ["--mtu-policy", "classic", "--dtls-give-up", give_up_s]
    runs = [
        ("classic", lambda lab: Culvertd(lab, pool6=None, **CLASSIC), lambda lab, gw: Culvert(lab, gw, options=classic)),
        ("seamless", lambda lab: Culvertd(lab, pool6=None, **SEAMLESS), Culvert),
    ]
    if "--stock" in sys.argv:
        runs = [("stock", Ocserv, OpenConnect)]
    folder = pathlib.Path.cwd()
    try:
        results = [run_pair(*r, give_up_s) for r in runs]
        print("\n" + table(results) + "\n")
        write(results, folder)
        print("The same as a picture: lab-report.svg; the numbers: lab-report.json")
    except LabError as e:
        progress(f"error: {e}")
        return 1
    except KeyboardInterrupt:
        progress("# interrupted; everything was removed")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
