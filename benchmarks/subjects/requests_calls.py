"""One call after the other with a kept `requests.Session`."""

import requests

from measuring import BODY, HEADERS, TASK, TIMEOUT, measure

session = requests.Session()
session.headers.update(HEADERS)
session.verify = TASK["ca"] or True


def make_calls(calls: int) -> None:
    for _ in range(calls):
        answer = session.post(TASK["url"], json=BODY, timeout=TIMEOUT)
        answer.raise_for_status()
        assert answer.json()["link_token"]


measure(make_calls)
