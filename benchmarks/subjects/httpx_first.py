"""The first token with httpx."""

import os

from first import BODY, CA, HEADERS, URL, tell

if CA:
    os.environ["SSL_CERT_FILE"] = CA

import httpx

answer = httpx.post(URL, json=BODY, headers=HEADERS, timeout=30.0)
answer.raise_for_status()
tell(answer.json()["link_token"])
