"""docs/networks.md is true: its Python runs behind a proxy, its messages are tested."""

import os
import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from merge_link._no_proxy import entry_for
from proxies import Proxy
from samples import KEY
from scripted import Server, answer
from test_certificate_files import write_files

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PASSWORD = "the key's password"


def lay_out(folder: Path, ca: trustme.CA) -> None:
    """Put the files where the page has them."""
    files = write_files(ca.issue_cert("client.example"), folder, PASSWORD)
    ca.cert_pem.write_to_path(folder / "company-root.pem")
    trustme.CA().cert_pem.write_to_path(folder / "machine-roots.pem")
    names = {"client.pem": files.both, "client.key": files.key, "locked.key": files.locked_key}
    for name, source in {**names, "locked.pem": files.locked_both}.items():
        (folder / name).write_bytes(source.read_bytes())


def demanding(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("merge.example").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@pytest.mark.parametrize("block", PYTHON, ids=[text.splitlines()[-1] for text in PYTHON])
def test_the_python_runs(lookup_shim: dict[str, str], tmp_path: Path, block: str) -> None:
    ca = trustme.CA()
    lay_out(tmp_path, ca)
    login = "CORP\\user:p@ss:word/1" if "quote(" in block else None
    with Server(answer(200, {"results": []}), tls=demanding(ca)) as server, Proxy(login) as proxy:
        environment = {
            **os.environ,
            **lookup_shim,
            "MERGE_API_KEY": KEY,
            "MERGE_BASE_URL": f"https://merge.example:{server.port}/api",
            "SSL_CERT_FILE": "company-root.pem",
        }
        script = "from merge_link import Client\n" + block.replace(":3128", f":{proxy.port}")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(server.requests) == block.count(".warm_up()")
        assert proxy.tunnels == (1 if "proxy=" in block and server.requests else 0)


def test_the_table_of_no_proxy_is_right() -> None:
    hosts = {
        "merge.dev": ["merge.dev", "api.merge.dev"],
        "10.1.2.3": ["10.1.2.3"],
        "2001:db8::5": ["[2001:db8::5]"],
        "10.0.0.0/8": ["10.1.2.3"],
        "2001:db8::/32": ["[2001:db8::5]"],
    }
    table = PAGE.partition("| entry | covers |")[2].partition("\n\n")[0]
    entries = [entry for row in table.splitlines() for entry in re.findall("`(.*?)`", row)]
    assert len(entries) > 10
    for entry in entries:
        bare = re.sub(r":443$", "", entry).strip("[]").removeprefix("*.").removeprefix(".")
        for host in hosts.get(bare, ["any.example"]):
            assert entry_for(entry, host, 443) == entry
            assert (entry_for(entry, host, 8443) is None) == entry.endswith(":443")
            assert (entry_for(entry, "other.example", 443) is None) == (bare != "*")
