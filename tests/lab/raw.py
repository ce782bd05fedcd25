"""A peer that speaks the protocol by hand, over one TLS socket: for hostile input and for many cheap sessions."""
import re
import socket
import ssl
import struct
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from netns import GW4, LabError, NsThread
from peers import PASSWORD, USER

MAGIC = b"STF\x01"
DATA, DPD_REQ, DPD_RESP, DISCONNECT, KEEPALIVE, COMPRESSED, TERMINATE = 0, 3, 4, 5, 7, 8, 9
MAX_HEAD_BYTES = 65536
PATIENCE_S = 20  # for an answer; the machine may be busy
AGENT = "Open AnyConnect VPN Agent v9.01"
DTLS_OFFER = {"X-DTLS-Master-Secret": "AB" * 48, "X-DTLS-CipherSuite": "PSK-NEGOTIATE",
              "X-DTLS12-CipherSuite": "AES256-GCM-SHA384"}


def packet(kind, payload=b""):
    return MAGIC + struct.pack("!HBB", len(payload), kind, 0) + payload


class Reply:
    def __init__(self, head, body):
        lines = head.decode("latin1").split("\r\n")
        self.line, self.body = lines[0], body
        self.status = int(self.line.split()[1])
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]

    def get(self, name, default=None):
        """The first header of exactly that name: stock clients compare letter case."""
        return next((v for k, v in self.headers if k == name), default)


class RawClient:
    """TLS connection to a gateway. Certificates are not looked at."""

    def __init__(self, ns, host=GW4, port=443, timeout_s=PATIENCE_S):
        self.host, self.port = host, port
        self.cookies, self.buf, self.cookie = {}, b"", None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def dial():
            s = socket.create_connection((host, port), timeout_s)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return context.wrap_socket(s)
        self.sock = NsThread(ns, dial).result(timeout_s * 2) if ns else dial()
        self.sock.settimeout(timeout_s)

    def close(self):
        """Closes TCP without a DISCONNECT packet: the session stays."""
        self.sock.close()

    # -- HTTP

    def send(self, data):
        """One write: up to 16 KiB become one TLS record."""
        self.sock.sendall(data)

    def read_reply(self):
        while b"\r\n\r\n" not in self.buf:
            if len(self.buf) > MAX_HEAD_BYTES:
                raise LabError("endless head")
            part = self.sock.recv(65536)
            if not part:
                raise EOFError("closed by the gateway")
            self.buf += part
        head, self.buf = self.buf.split(b"\r\n\r\n", 1)
        m = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
        n = int(m.group(1)) if m else 0
        while len(self.buf) < n:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError("closed by the gateway")
            self.buf += part
        body, self.buf = self.buf[:n], self.buf[n:]
        reply = Reply(head, body)
        for name, value in reply.headers:
            if name.lower() == "set-cookie":
                k, v = value.split(";")[0].split("=", 1)
                self.cookies[k.strip()] = v.strip()
        return reply

    def request(self, method, path, headers=None, body=b""):
        all_headers = {"Host": self.host, "User-Agent": AGENT, **(headers or {})}
        if self.cookies and "Cookie" not in all_headers:
            all_headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items() if v)
        if body:
            all_headers["Content-Length"] = len(body)
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in all_headers.items()) + "\r\n"
        self.send(head.encode("latin1") + body)
        return self.read_reply()

    def post(self, path, kind, inner):
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<config-auth client="vpn" type="{kind}" aggregate-auth-version="2">'
                f'<version who="vpn">v9.01</version><device-id>linux-64</device-id>{inner}</config-auth>').encode()
        return self.request("POST", path, {"X-Transcend-Version": "1", "X-Aggregate-Auth": "1",
                                           "Content-Type": "application/xml; charset=utf-8"}, body)

    # -- login

    def start(self, path="/", group=None):
        select = f"<group-select>{escape(group)}</group-select>" if group else ""
        return self.post(path, "init", f"{select}<group-access>https://{self.host}{path}</group-access>")

    def answer(self, reply, fields):
        """Fills in the form of reply."""
        root = ET.fromstring(reply.body)
        form = root.find(".//form")
        if form is None:
            raise LabError(f"no form: {reply.line} {reply.body[:300]!r}")
        opaque = root.find("opaque")
        names = [i.get("name") for i in form.iter() if i.tag in ("input", "select")]
        text = "".join(f"<{n}>{escape(fields[n])}</{n}>" for n in names if n in fields and n != "group_list")
        if "group_list" in fields:
            text += f"<group-select>{escape(fields['group_list'])}</group-select>"
        inner = (ET.tostring(opaque, encoding="unicode") if opaque is not None else "") + f"<auth>{text}</auth>"
        return self.post(form.get("action") or "/", "auth-reply", inner)

    def login(self, user=USER, password=PASSWORD, path="/", group=None):
        """The whole dialogue; the cookie, or LabError when refused."""
        reply = self.start(path, group)
        fields = {"username": user, "password": password, **({"group_list": group} if group else {})}
        for _ in range(3):
            reply = self.answer(reply, fields)
            if self.cookies.get("webvpn"):
                self.cookie = self.cookies["webvpn"]
                return self.cookie
            if reply.status != 200:
                break
        raise LabError(f"login refused: {reply.line} {reply.body[:300]!r}")

    # -- tunnel

    def connect(self, cookie=None, headers=None, dtls=False):
        """CONNECT; returns the reply."""
        self.cookie = cookie or self.cookie
        offer = {"Cookie": f"webvpn={self.cookie}", "X-CSTP-Version": "1", "X-CSTP-Hostname": "raw", "X-CSTP-Base-MTU": "1500",
                 "X-CSTP-MTU": "1400", "X-CSTP-Address-Type": "IPv6,IPv4", "X-CSTP-Full-IPv6-Capability": "true",
                 **(DTLS_OFFER if dtls else {}), **(headers or {})}
        reply = self.request("CONNECT", "/CSCOSSLC/tunnel", offer)
        return reply

    def tunnel(self, **kw):
        """Login and CONNECT. Returns self."""
        self.login(**kw)
        reply = self.connect()
        if reply.status != 200:
            raise LabError(f"CONNECT: {reply.line}")
        self.address = reply.get("X-CSTP-Address")
        return self

    def recv_record(self, timeout_s=PATIENCE_S):
        """The content of the next TLS record, b"" at the end."""
        if self.buf:
            data, self.buf = self.buf, b""
            return data
        self.sock.settimeout(timeout_s)
        return self.sock.recv(20000)

    def recv_packet(self, kind, timeout_s=PATIENCE_S):
        """Payload of the next packet of that kind; every record must hold exactly one packet. EOFError at the end."""
        for _ in range(100):
            data = self.recv_record(timeout_s)
            if not data:
                raise EOFError("closed by the gateway")
            assert data[:4] == MAGIC and data[7] == 0, f"bad packet {data[:16]!r}"
            length, got = struct.unpack("!HB", data[4:7])
            assert len(data) == 8 + length, f"a record of {len(data)} bytes with a packet of {8 + length}"
            if got == kind:
                return data[8:]
        raise LabError(f"100 packets, none of kind {kind}")

    def dpd(self, payload=b"", timeout_s=PATIENCE_S):
        """DPD request; the answer's payload."""
        self.send(packet(DPD_REQ, payload))
        return self.recv_packet(DPD_RESP, timeout_s)

    def alive(self):
        try:
            return self.dpd(b"alive?") == b"alive?"
        except (EOFError, OSError):
            return False

    def ended(self, timeout_s=PATIENCE_S):
        """True when the gateway ends the session or the connection within that time."""
        try:
            self.recv_packet(DISCONNECT, timeout_s)
            return True
        except (EOFError, ConnectionError, ssl.SSLError) as e:
            return not isinstance(e, TimeoutError)
        except TimeoutError:
            return False


def open_sessions(ns, count, parallel=8, host=GW4, port=443, **login):
    """count idle sessions; returns the RawClients."""
    def some(n):
        return [RawClient(None, host, port, 30).tunnel(**login) for _ in range(n)]
    shares = [count // parallel + (i < count % parallel) for i in range(parallel)]
    threads = [NsThread(ns, lambda n=n: some(n)) for n in shares]
    return [c for t in threads for c in t.result(300)]
