"""Requests to the sandbox by plain sockets and `http.client`, as any program may send them."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from merge_link.sandbox import Sandbox

PATH = "/api/ats/v1/link-token"
MIB = 1 << 20
PATIENCE = 10.0  # seconds until a socket that should have something gives up

GOOD = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
}


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


def connect(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=PATIENCE)


def read_answer(sock: socket.socket, method: str = "POST") -> Answer:
    response = http.client.HTTPResponse(sock, method=method)
    with response:
        response.begin()
        return Answer(response.status, response.headers, response.read())


def call(
    sandbox: Sandbox,
    body: object = GOOD,
    *,
    method: str = "POST",
    path: str = PATH,
    headers: Mapping[str, str | None] | None = None,
) -> Answer:
    """One request on a connection of its own; a header of None is left out."""
    sent: dict[str, str | None] = {
        "Authorization": f"Bearer {sandbox.api_key}",
        "Content-Type": "application/json",
        **(headers or {}),
    }
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port_of(sandbox), timeout=PATIENCE)
    try:
        kept = {name: value for name, value in sent.items() if value is not None}
        connection.request(method, path, data, kept)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def raw_request(sandbox: Sandbox, body: bytes | None = None, *more: str) -> bytes:
    data = json.dumps(GOOD).encode() if body is None else body
    return raw_head(sandbox, f"Content-Length: {len(data)}", *more) + data


def raw_head(sandbox: Sandbox, *more: str) -> bytes:
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {sandbox.api_key}",
        "Content-Type: application/json",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_from(stream: Any) -> Answer:
    """One answer, and not a byte of the next."""
    status = int(stream.readline().split()[1])
    headers = http.client.parse_headers(stream)
    return Answer(status, headers, stream.read(int(headers["Content-Length"])))
