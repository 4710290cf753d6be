"""How many link tokens a second the sandbox hands out on one core.

    python benchmarks/sandbox_rate.py [--seconds 5] [--connections 4]

The sandbox runs in a process of its own, pinned to one core where the system allows it, and this
process drives it from the others over kept-alive connections with prepared bytes. Every answer
is checked: status 200 and a token that no other answer held.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time

BODY = json.dumps(
    {
        "end_user_email_address": "hr@acme.example",
        "end_user_organization_name": "Acme",
        "end_user_origin_id": "acme-42",
        "categories": ["ats", "hris"],
        "link_expiry_mins": 30,
    },
    separators=(",", ":"),
).encode()


def main() -> None:
    arguments = parse_arguments()
    if arguments.serve:
        serve()
        return
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdin is not None
        assert server.stdout is not None
        port, key = server.stdout.readline().split()
        if cores:
            pin(server.pid, cores[:1])
            pin(0, cores[1:] or cores)
        with server.stdin:  # closed at the end, which ends the server
            rate = measure(int(port), key, arguments.seconds, arguments.connections)
    where = "one core" if cores else "cores as the system chose"
    print(f"{rate:,.0f} tokens a second ({where}, {arguments.connections} connections)")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the sandbox's tokens a second.")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to measure")
    parser.add_argument("--connections", type=int, default=4, help="kept-alive connections")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def pin(pid: int, cores: list[int]) -> None:
    """Pin a process with all its threads: those that are there do not follow the first."""
    for thread in os.listdir(f"/proc/{pid or 'self'}/task"):
        os.sched_setaffinity(int(thread), cores)


def serve() -> None:
    from merge_link.sandbox import Sandbox

    with Sandbox() as sandbox:
        print(sandbox.url.rpartition(":")[2], sandbox.api_key, flush=True)
        sys.stdin.read()


def measure(port: int, key: str, seconds: float, connections: int) -> float:
    head = (
        f"POST /api/ats/v1/link-token HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    request = head.encode() + BODY
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    tokens: set[str] = set()
    answers = 0
    round_trips(sockets, request, 0.5)  # warm-up
    begin = time.perf_counter()
    for token in round_trips(sockets, request, seconds):
        tokens.add(token)
        answers += 1
    elapsed = time.perf_counter() - begin
    for sock in sockets:
        sock.close()
    if len(tokens) != answers:
        raise SystemExit(f"{answers - len(tokens)} tokens came twice")
    return answers / elapsed


def round_trips(sockets: list[socket.socket], request: bytes, seconds: float) -> list[str]:
    """Keep one request under way on each connection, so that the server never waits for us."""
    tokens = []
    end = time.perf_counter() + seconds
    for sock in sockets:
        sock.sendall(request)
    while time.perf_counter() < end:
        for sock in sockets:
            tokens.append(read_token(sock))
            sock.sendall(request)
    tokens.extend(read_token(sock) for sock in sockets)
    return tokens


def read_token(sock: socket.socket) -> str:
    # Head and body come in one send, and are small: a part of it would not parse.
    head, _, body = sock.recv(65536).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"not a 200: {head[:80]!r}")
    token: str = json.loads(body)["link_token"]
    return token


if __name__ == "__main__":
    main()
