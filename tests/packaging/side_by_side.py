"""Requests over merge_link's OpenSSL and over others, in turn, in threads and after a fork.

usage: side_by_side.py ORDER BASE_URL API_KEY CA_FILE; ORDER is "<whom to load> first".
"""

import importlib
import os
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec

order, base_url, api_key, ca_file = sys.argv[1:]
others = ["ssl", *(name for name in ("cryptography", "psycopg2") if find_spec(name))]
load = ["merge_link", *others] if order == "merge_link first" else [*others, "merge_link"]
for name in load:
    importlib.import_module(name)

import ssl  # noqa: E402
import urllib.error  # noqa: E402
import urllib.request  # noqa: E402

import merge_link  # noqa: E402

context = ssl.create_default_context(cafile=ca_file)


def over_ssl():
    request = urllib.request.Request(f"{base_url}/ats/v1/linked-accounts")
    request.add_header("Authorization", f"Bearer {api_key}")
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        assert answer.status == 200


def over_merge_link(client):
    token = client.create_link_token(
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id="acme-42",
        categories=["ats"],
    )
    assert len(token.link_token) == 40


def with_cryptography():
    if "cryptography" in others:
        from cryptography.hazmat.primitives.asymmetric import ec

        ec.generate_private_key(ec.SECP256R1())


def with_psycopg2():
    if "psycopg2" in others:
        import psycopg2

        port = base_url.split(":")[2].split("/")[0]
        # The server answers no PostgreSQL; libpq has its OpenSSL ready by then.
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(f"host=127.0.0.1 port={port} sslmode=require connect_timeout=10")


def in_turn(client):
    for _ in range(3):
        over_ssl()
        over_merge_link(client)
        with_cryptography()


def fail(args):
    threading.__excepthook__(args)
    os._exit(1)


threading.excepthook = fail
with merge_link.Client(base_url=base_url, api_key=api_key, ca_bundle=ca_file) as client:
    if order != "merge_link first":
        over_ssl()
    over_merge_link(client)
    with_psycopg2()
    threads = [threading.Thread(target=in_turn, args=(client,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child == 0:
        in_turn(client)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    in_turn(client)
print("ok")
