"""A WSGI application that uses a client made, and used, at import."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import merge_link
from samples import FIELDS, KEY

client = merge_link.Client(api_key=KEY)
client.create_link_token(**FIELDS)
imported_in = os.getpid()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    origin = environ["PATH_INFO"].strip("/")
    token = client.create_link_token(**{**FIELDS, "end_user_origin_id": origin})
    pid = os.getpid()
    answer = {"token": token.link_token, "pid": pid, "forked": pid != imported_in}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
