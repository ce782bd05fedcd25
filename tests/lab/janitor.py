#!/usr/bin/python3
"""Removes what a lab made, when the lab says so or dies.

Started by netns.Lab before it makes anything, with the prefix of its namespaces and its folder. Waits for the
end of standard input, which comes when the lab closes the pipe or when its process ends in any way, also by
SIGKILL. Then: every process in a namespace of that prefix is ended, the namespaces and the folder are removed.
Only things with that prefix are touched; every wait is bounded.
"""
import os
import shutil
import signal
import subprocess
import sys
import time

TERM_WAIT_S = 3.0
NETNS_ETC = "/etc/netns"


def namespaces(prefix):
    out = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    names = [line.split()[0] for line in out.splitlines() if line.strip()]
    return [n for n in names if n.startswith(prefix + "-")]


def pids_in(names):
    pids = set()
    for name in names:
        out = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
        pids |= {int(word) for word in out.split()}
    return pids - {os.getpid(), os.getppid()}


def send(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def end_processes(names):
    send(pids_in(names), signal.SIGTERM)
    end = time.monotonic() + TERM_WAIT_S
    while time.monotonic() < end and pids_in(names):
        time.sleep(0.05)
    send(pids_in(names), signal.SIGKILL)


def clean(prefix, folder):
    names = namespaces(prefix)
    end_processes(names)
    for name in names:
        subprocess.run(["ip", "netns", "del", name], check=False)
        shutil.rmtree(os.path.join(NETNS_ETC, name), ignore_errors=True)
    try:
        os.rmdir(NETNS_ETC)  # only when empty: then it was ours
    except OSError:
        pass
    if folder != "-":
        shutil.rmtree(folder, ignore_errors=True)


def main():
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    prefix, folder = sys.argv[1:3]
    while os.read(0, 4096):
        pass
    clean(prefix, folder)


if __name__ == "__main__":
    main()
