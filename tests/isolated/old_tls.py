"""Call a server where OpenSSL's own settings allow old TLS. Arguments: its URL, the CA's file."""

import sys

import merge_link
from samples import FIELDS, KEY

URL, CA = sys.argv[1:]

with merge_link.Client(base_url=URL, api_key=KEY, ca_bundle=CA) as client:
    try:
        client.create_link_token(**FIELDS)
    except merge_link.TLSError as refusal:
        print(refusal.code)
