"""The server of soak.py: does to each request what the request asks for, and counts it.

The plan stands in ``end_user_origin_id``: "reset.ok/7/123" has its first request reset and the
second one answered. A line on stdin prints the counts as JSON in a line; its end ends the server.
"""

import asyncio
import collections
import json
import socket
import struct
import sys

STALL = 30.0  # seconds: longer than any timeout of soak.py


class Server:
    """Counts what it did, by kind, and remembers how often each request came."""

    def __init__(self):
        self.done = collections.Counter()
        self.connections = self.open = 0
        self._seen = collections.OrderedDict()

    async def serve(self, reader, writer):
        self.connections += 1
        self.open += 1
        try:
            while body := await read_request(reader):
                kind, origin = self._choose(json.loads(body)["end_user_origin_id"])
                self.done[kind] += 1
                if not await DEEDS[kind](writer, origin):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    def _choose(self, origin):
        plan = origin.partition("/")[0].split(".")
        times = self._seen.get(origin, 0)
        self._seen[origin] = times + 1
        if len(self._seen) > 10_000:
            self._seen.popitem(last=False)
        return plan[min(times, len(plan) - 1)], origin

    def counts(self):
        return {"done": self.done, "connections": self.connections, "open": self.open}


async def read_request(reader):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return await reader.readexactly(int(rest.split(b"\r\n")[0]))


# ---- deeds: true when the connection stays ----


def message(status, body, *headers, length=None):
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} Soaked", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def say(data, stays=False):
    async def deed(writer, origin):
        writer.write(data)
        await writer.drain()
        return stays

    return deed


def answer(status, *headers):
    return say(message(status, b'{"detail": "soaked"}', *headers), stays=True)


async def give_token(writer, origin):
    writer.write(message(200, json.dumps({"link_token": f"token of {origin}"}).encode()))
    await writer.drain()
    return True


async def reset(writer, origin):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


async def close(writer, origin):
    return False


def stall_after(data):
    async def deed(writer, origin):
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(STALL)
        return False

    return deed


TOKEN = b'{"link_token": "never whole"}'
DEEDS = {
    "ok": give_token,
    **{f"s{status}": answer(status) for status in (400, 401, 403, 404, 418)},
    **{f"s{status}": answer(status, "Retry-After: 0") for status in (408, 429, 500, 502, 503, 504)},
    "reset": reset,
    "close": close,
    "cut-header": say(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "cut-body": say(message(200, TOKEN, length=100)),
    "cut-chunk": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"),
    "stall": stall_after(b""),
    "stall-header": stall_after(b"HTTP/1.1 200 OK\r\n"),
    "stall-body": stall_after(message(200, TOKEN, length=100)),
    "garbage": say(b"\x00\xff\x16 what is this\r\n\r\n" * 20),
    "http09": say(b"<html>hello</html>"),
    "two-lengths": say(message(200, TOKEN, "Content-Length: 5")),
    "length-and-chunks": say(message(200, TOKEN, "Transfer-Encoding: chunked")),
    "bad-chunk": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
    "bad-gzip": say(message(200, b"not gzip", "Content-Encoding: gzip")),
    "long-header": say(b"HTTP/1.1 200 OK\r\n" + b"X-Long: %s\r\n" % (b"x" * 1000) * 80),
    "html": say(message(200, b"<html>hello</html>"), stays=True),
    "not-json": say(message(200, b'{"link_token": "a"} x'), stays=True),
    "wrong-type": say(message(200, b'{"link_token": 5}'), stays=True),
    "too-big": say(message(200, b'{"link_token": "' + b"x" * 100_000 + b'"}')),
    "redirect": say(message(307, b"", "Location: http://127.0.0.1:1/"), stays=True),
}


async def main():
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=1024)
    print(listening.sockets[0].getsockname()[1], flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while await commands.readline():
        print(json.dumps(server.counts()), flush=True)


asyncio.run(main())
