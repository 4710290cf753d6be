"""The first token with pycurl."""

import json
from io import BytesIO

import pycurl

from first import BODY, CA, HEADERS, URL, tell

curl = pycurl.Curl()
into = BytesIO()
curl.setopt(pycurl.URL, URL)
curl.setopt(
    pycurl.HTTPHEADER,
    [f"{name}: {value}" for name, value in HEADERS.items()] + ["Content-Type: application/json"],
)
curl.setopt(pycurl.WRITEDATA, into)
curl.setopt(pycurl.POSTFIELDS, json.dumps(BODY))
if CA:
    curl.setopt(pycurl.CAINFO, CA)
curl.perform()
assert curl.getinfo(pycurl.RESPONSE_CODE) == 200
tell(json.loads(into.getvalue())["link_token"])
