"""A security context behind lines of JSON on stdin and stdout; bytes are hex.

Begins with the mechanism and the binding as arguments. Requests: {"step": token}, {"unseal": [signature, ciphertext]},
{"seal": plain}, {"tell": true}. Every answer is one line; a refusal is {"error": text}.
"""
import json
import sys

from gss_acceptor import Acceptor


def answer(acceptor, request):
    if "step" in request:
        token = acceptor.step(bytes.fromhex(request["step"]))
        return {"token": token.hex() if token else None, "isComplete": acceptor.is_complete}
    if "unseal" in request:
        return {"plain": acceptor.unseal(*(bytes.fromhex(part) for part in request["unseal"])).hex()}
    if "seal" in request:
        signature, ciphertext = acceptor.seal(bytes.fromhex(request["seal"]))
        return {"signature": signature.hex(), "ciphertext": ciphertext.hex()}
    return {"initiator": acceptor.initiator, "isDelegated": acceptor.is_delegated}


def main():
    mechanism, binding = (sys.argv[1:] + [None])[:2]
    acceptor = Acceptor(mechanism, bytes.fromhex(binding) if binding else None)
    for line in sys.stdin:
        try:
            result = answer(acceptor, json.loads(line))
        except Exception as problem:  # noqa: BLE001
            result = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(result), flush=True)


main()
