"""Runs one command through Debian's python3-winrm; request and result are JSON on stdin and stdout.

The request has endpoint, transport (ntlm or basic), user, password, ca (a file or null), command,
stdin (text or null), operation_timeout (seconds) and encryption (auto, always or never).
"""
import base64
import json
import sys
import uuid

import xmltodict
from winrm.protocol import Protocol

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


def send_stdin(protocol, shell, command, text):
    """The library has no call for it, so the message is put together from its own header."""
    request = {
        "env:Envelope": protocol._get_soap_header(
            resource_uri=SHELL + "/cmd", action=SHELL + "/Send", shell_id=shell, message_id=uuid.uuid4()
        )
    }
    stream = {"@Name": "stdin", "@CommandId": command, "@End": "true"}
    stream["#text"] = base64.b64encode(text.encode()).decode()
    request["env:Envelope"]["env:Body"] = {"rsp:Send": {"rsp:Stream": stream}}
    protocol.send_message(xmltodict.unparse(request))


def run(asked):
    protocol = Protocol(
        endpoint=asked["endpoint"],
        transport=asked["transport"],
        username=asked["user"],
        password=asked["password"],
        ca_trust_path=asked["ca"],
        read_timeout_sec=8,
        operation_timeout_sec=asked["operation_timeout"],
        message_encryption=asked["encryption"],
    )
    shell = protocol.open_shell(codepage=65001)
    command = protocol.run_command(shell, asked["command"], console_mode_stdin=False)
    if asked["stdin"] is not None:
        send_stdin(protocol, shell, command, asked["stdin"])
    out, err, code = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    return {"stdout": out.decode(), "stderr": err.decode(), "exitCode": code}


try:
    print(json.dumps(run(json.load(sys.stdin))))
except Exception as problem:  # noqa: BLE001
    print(json.dumps({"error": type(problem).__name__, "message": str(problem)}))
