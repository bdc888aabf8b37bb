"""A WinRM service whose security is the system's GSSAPI; every command runs in /bin/sh.

Argument: JSON with mechanism, and for HTTPS certificate, key (files) and binding (hex of the certificate's hash).
Prints the port it listens on, then what it noticed, a line each. Repeats what comes on stdin, and ends with it.
"""
import base64
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import uuid
import xml.etree.ElementTree as ElementTree

from gss_acceptor import Acceptor, prefixed

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
R = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
PROTOCOLS = {
    "Negotiate": "application/HTTP-SPNEGO-session-encrypted",
    "Kerberos": "application/HTTP-Kerberos-session-encrypted",
}
OPTIONS = json.loads(sys.argv[1])
COMMANDS = {}


def notice(**what):
    # In one piece: connections have threads of their own.
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Fault(Exception):
    def __init__(self, code):
        super().__init__(str(code))
        self.code = code


class Command:
    def __init__(self, line):
        self.stdin = b""
        self.result = None
        self.line = line

    def send(self, data, is_end):
        self.stdin += data
        if is_end:
            self.run()

    def run(self):
        if self.result is None:
            self.result = subprocess.run(["/bin/sh", "-c", self.line], input=self.stdin, capture_output=True, timeout=20)


def operate(action, shell, body):
    name = action.rsplit("/", 1)[-1]
    if name == "Create":
        ident = str(uuid.uuid4()).upper()
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{ident}</w:Selector></w:SelectorSet>'
        return f"<x:ResourceCreated xmlns:x='http://schemas.xmlsoap.org/ws/2004/09/transfer'><a:ReferenceParameters>{selector}</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{ident}</rsp:ShellId></rsp:Shell>"
    if shell is None:
        raise Fault(2150858843)
    if name == "Delete":
        return ""
    if name == "Command":
        ident = body.get("CommandId") or str(uuid.uuid4()).upper()
        words = [body.findtext(f"{{{R}}}Command")] + [one.text or "" for one in body.findall(f"{{{R}}}Arguments")]
        COMMANDS[ident] = Command(" ".join(words))
        return f"<rsp:CommandResponse><rsp:CommandId>{ident}</rsp:CommandId></rsp:CommandResponse>"
    if name == "Signal":
        COMMANDS.pop(body.get("CommandId"), None)
        return "<rsp:SignalResponse/>"
    part = body[0]
    command = COMMANDS.get(part.get("CommandId"))
    if command is None:
        raise Fault(2150858843)
    if name == "Send":
        command.send(base64.b64decode(part.text or ""), (part.get("End") or "").lower() == "true")
        return "<rsp:SendResponse/>"
    command.run()
    return received(part.get("CommandId"), command.result)


def received(ident, result):
    def stream(name, data):
        data = base64.b64encode(data).decode()
        return f'<rsp:Stream Name="{name}" CommandId="{ident}">{data}</rsp:Stream><rsp:Stream Name="{name}" CommandId="{ident}" End="true"/>'

    state = f'<rsp:CommandState CommandId="{ident}" State="{R}/CommandState/Done"><rsp:ExitCode>{result.returncode}</rsp:ExitCode></rsp:CommandState>'
    return f"<rsp:ReceiveResponse>{stream('stdout', result.stdout)}{stream('stderr', result.stderr)}{state}</rsp:ReceiveResponse>"


def handle(text):
    """Status and envelope of the answer to an envelope."""
    envelope = ElementTree.fromstring(text)
    header, body = envelope.find(f"{{{S}}}Header"), envelope.find(f"{{{S}}}Body")
    action = header.findtext(f"{{{A}}}Action") or "" if header is not None else ""
    message = header.findtext(f"{{{A}}}MessageID") or "" if header is not None else ""
    shell = header.findtext(f"{{{W}}}SelectorSet/{{{W}}}Selector") if header is not None else None
    try:
        status, inner = 200, operate(action, shell, body[0] if len(body) else None)
    except Fault as fault:
        detail = f'<f:WSManFault xmlns:f="{FAULT}" Code="{fault.code}" Machine="peer"><f:Message>refused</f:Message></f:WSManFault>'
        code = "<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:InvalidSelectors</s:Value></s:Subcode></s:Code>"
        reason = '<s:Reason><s:Text xml:lang="en-US">refused</s:Text></s:Reason>'
        status, inner = 500, f"<s:Fault>{code}{reason}<s:Detail>{detail}</s:Detail></s:Fault>"
    head = f"<a:Action>{action}Response</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:RelatesTo>{message}</a:RelatesTo>"
    spaces = f'xmlns:s="{S}" xmlns:a="{A}" xmlns:w="{W}" xmlns:rsp="{R}"'
    return status, f"<s:Envelope {spaces}><s:Header>{head}</s:Header><s:Body>{inner}</s:Body></s:Envelope>".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    acceptor = None
    protocol = None

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if scheme in ("Negotiate", "Kerberos"):
            return self.login(scheme, base64.b64decode(token), data)
        if self.acceptor is None or not self.acceptor.is_complete:
            return self.reply(401, [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "Kerberos")])
        if self.protocol not in self.headers.get("Content-Type", ""):
            notice(cleartext=len(data))
            if not OPTIONS.get("certificate"):
                return self.reply(500)
            status, text = handle(data)
            return self.reply(status, [("Content-Type", "application/soap+xml;charset=UTF-8")], text)
        status, text = handle(self.open(data))
        kind = f'multipart/encrypted;protocol="{self.protocol}";boundary="Encrypted Boundary"'
        return self.reply(status, [("Content-Type", kind)], self.close_up(text))

    def login(self, scheme, token, data):
        try:
            if self.acceptor is None or self.acceptor.is_complete:
                binding = OPTIONS.get("binding")
                self.acceptor = Acceptor(OPTIONS["mechanism"], bytes.fromhex(binding) if binding else None)
            self.protocol = PROTOCOLS[scheme]
            answer = self.acceptor.step(token)
        except Exception as problem:  # noqa: BLE001
            self.acceptor = None
            notice(refused=str(problem))
            return self.reply(401, [("WWW-Authenticate", scheme)])
        value = scheme + (" " + base64.b64encode(answer).decode() if answer else "")
        if not self.acceptor.is_complete:
            return self.reply(401, [("WWW-Authenticate", value)])
        notice(login=self.acceptor.initiator, isDelegated=self.acceptor.is_delegated)
        status, text = handle(data) if data and OPTIONS.get("certificate") else (200, b"")
        kind = [("Content-Type", "application/soap+xml;charset=UTF-8")] if text else []
        return self.reply(status, kind + ([("WWW-Authenticate", value)] if answer else []), text)

    def open(self, data):
        length = int(re.search(rb"Length=(\d+)", data).group(1))
        mark = b"Content-Type: application/octet-stream\r\n"
        rest = data[data.index(mark) + len(mark):]
        size = int.from_bytes(rest[:4], "little")
        plain = self.acceptor.unseal(rest[4:4 + size], rest[4 + size:-len(b"--Encrypted Boundary--\r\n")])
        if len(plain) != length:
            raise ValueError(f"{len(plain)} bytes, {length} were told")
        notice(sealed=length)
        return plain

    def close_up(self, text):
        signature, ciphertext = self.acceptor.seal(text)
        head = f"--Encrypted Boundary\r\n\tContent-Type: {self.protocol}\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(text)}\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        return head.encode() + prefixed(signature) + ciphertext + b"--Encrypted Boundary--\r\n"

    def reply(self, status, headers=(), data=b""):
        lines = [f"HTTP/1.1 {status} X"] + [f"{name}: {value}" for name, value in headers] + [f"Content-Length: {len(data)}"]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        notice(broken=str(sys.exc_info()[1]))


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if OPTIONS.get("certificate"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(OPTIONS["certificate"], OPTIONS["key"])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for line in sys.stdin:
        print(line, end="", flush=True)
    os._exit(0)


main()
