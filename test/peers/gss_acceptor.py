"""The accepting end of one security context, by the system's GSSAPI: NTLM (gss-ntlmssp) or Kerberos (MIT).

Nothing in here knows how NTLM or Kerberos messages look: the library opens, checks and makes them.
"""
import struct

import gssapi
import gssapi.raw as raw

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
MECHANISMS = {
    "ntlm": [gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")],
    "kerberos": [gssapi.OID.from_int_seq("1.2.840.113554.1.2.2"), SPNEGO],
}

# A wrapped message is the signature and then the ciphertext; this mechanism has no wrap_iov.
NTLM_SIGNATURE = 16


class Acceptor:
    def __init__(self, mechanism, binding=None):
        """`binding`: hash of the certificate that a client's channel binding has to name, or None."""
        self.mechanism = mechanism
        credentials = gssapi.Credentials(usage="accept", mechs=MECHANISMS[mechanism])
        options = {}
        if binding is not None:
            data = b"tls-server-end-point:" + binding
            options["channel_bindings"] = raw.ChannelBindings(application_data=data)
        self.context = gssapi.SecurityContext(creds=credentials, usage="accept", **options)

    def step(self, token):
        answer = self.context.step(token)
        # A step that fails with a token for the other end tells so only when the context is asked again.
        bool(self.context.complete)
        return answer

    @property
    def is_complete(self):
        return self.context.complete

    @property
    def initiator(self):
        return str(self.context.initiator_name).rstrip("\0")

    @property
    def is_delegated(self):
        return bool(self.context.actual_flags & gssapi.RequirementFlag.delegate_to_peer)

    def seal(self, plain):
        """Signature (or header) and ciphertext."""
        if self.mechanism == "ntlm":
            token = raw.wrap(self.context, plain, confidential=True).message
            return token[:NTLM_SIGNATURE], token[NTLM_SIGNATURE:]
        buffers = raw.IOV(raw.IOVBufferType.header, plain, std_layout=False)
        raw.wrap_iov(self.context, buffers, confidential=True)
        return buffers[0].value, buffers[1].value

    def unseal(self, signature, ciphertext):
        if self.mechanism == "ntlm":
            result = raw.unwrap(self.context, signature + ciphertext)
            plain = result.message
        else:
            buffers = raw.IOV((raw.IOVBufferType.header, False, signature), ciphertext, std_layout=False)
            result = raw.unwrap_iov(self.context, buffers)
            plain = buffers[1].value
        if not result.encrypted:
            raise ValueError("the message was signed but not sealed")
        return plain


def prefixed(signature):
    return struct.pack("<I", len(signature)) + signature
