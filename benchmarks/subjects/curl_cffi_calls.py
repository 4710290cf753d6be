"""One call after the other with a kept `curl_cffi.requests.Session`."""

from curl_cffi import requests

from measuring import BODY, HEADERS, TASK, TIMEOUT, measure

session = requests.Session(headers=HEADERS, verify=TASK["ca"] or True, timeout=TIMEOUT)


def make_calls(calls: int) -> None:
    for _ in range(calls):
        answer = session.post(TASK["url"], json=BODY)
        answer.raise_for_status()
        assert answer.json()["link_token"]


measure(make_calls)
