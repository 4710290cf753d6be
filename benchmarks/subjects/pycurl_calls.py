"""One call after the other on a kept `pycurl.Curl`, with the json module."""

import json
from io import BytesIO

import pycurl

from measuring import BODY, HEADERS, TASK, TIMEOUT, measure

curl = pycurl.Curl()
curl.setopt(pycurl.URL, TASK["url"])
curl.setopt(
    pycurl.HTTPHEADER,
    [f"{name}: {value}" for name, value in HEADERS.items()] + ["Content-Type: application/json"],
)
curl.setopt(pycurl.TIMEOUT_MS, int(TIMEOUT * 1000))
if TASK["ca"]:
    curl.setopt(pycurl.CAINFO, TASK["ca"])


def make_calls(calls: int) -> None:
    for _ in range(calls):
        into = BytesIO()
        curl.setopt(pycurl.WRITEDATA, into)
        curl.setopt(pycurl.POSTFIELDS, json.dumps(BODY))
        curl.perform()
        assert curl.getinfo(pycurl.RESPONSE_CODE) == 200
        assert json.loads(into.getvalue())["link_token"]


measure(make_calls)
