#!/usr/bin/python3
"""The inside server: GET /NAME sends a file of the folder, over IPv4 and IPv6.   fileserver.py FOLDER PORT"""
import functools
import http.server
import os
import socket
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, outputfile):
        self.wfile.flush()
        self.connection.sendfile(source)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 64


def main():
    os.chdir(sys.argv[1])
    server = Server(("::", int(sys.argv[2])), functools.partial(Handler, directory=sys.argv[1]))
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
