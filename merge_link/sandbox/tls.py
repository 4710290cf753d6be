"""TLS for the sandbox: an authority and a certificate of its own, made on the spot."""

import os
import ssl
import tempfile
import weakref

HOSTS = ("127.0.0.1", "localhost", "::1")


class Tls:
    """What a server needs to speak TLS, and a file that lets clients trust it.

    ``ca_file`` holds the authority's certificate as PEM, without its key. It is temporary.
    Raises `ImportError` with what to install.
    """

    def __init__(self) -> None:
        try:
            import trustme
        except ImportError:
            raise ImportError(
                'Sandbox(tls=True) needs trustme: pip install "merge-link[tls]"'
            ) from None
        authority = trustme.CA(organization_name="merge-link sandbox")
        self.context: ssl.SSLContext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        authority.issue_cert(*HOSTS).configure_cert(self.context)
        descriptor, path = tempfile.mkstemp(prefix="merge-link-sandbox-", suffix=".pem")
        self.ca_file: str = path
        with open(descriptor, "wb") as file:
            file.write(authority.cert_pem.bytes())
        self._remove = weakref.finalize(self, _remove, os.getpid(), self.ca_file)

    def close(self) -> None:
        """Remove the file. Without effect the second time."""
        self._remove()


def _remove(process: int, path: str) -> None:
    if os.getpid() == process:
        os.unlink(path)
