"""One call after the other with a kept client of Merge's own SDK (MergePythonClient)."""

import os

from measuring import FIELDS, TASK, TIMEOUT, measure

if TASK["ca"]:
    os.environ["SSL_CERT_FILE"] = TASK["ca"]

from merge.client import Merge

merge = Merge(api_key=TASK["key"], base_url=TASK["base_url"], timeout=TIMEOUT)


def make_calls(calls: int) -> None:
    for _ in range(calls):
        token = merge.ats.link_token.create(**FIELDS, link_expiry_mins=30).link_token
        assert token


measure(make_calls)
