"""Make one call and print what comes of it: the token, or the error's class, code and message.

Arguments: the base URL, then options of the client as ``name=value``.
"""

import sys

import merge_link
from samples import FIELDS, KEY

sys.modules["certifi"] = None  # type: ignore[assignment]  # as if it were not installed
OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[2:])
SECONDS = {
    name: float(OPTIONS.pop(name)) for name in ("timeout", "connect_timeout") & OPTIONS.keys()
}

with merge_link.Client(
    base_url=sys.argv[1], api_key=KEY, allow_http=True, max_retries=0, **OPTIONS, **SECONDS
) as client:
    try:
        print(client.create_link_token(**FIELDS).link_token)
    except merge_link.TransportError as error:
        print(type(error).__name__, error.code, error, sep="\n")
