"""What the scripts of the first token share. Nothing is imported: it would count.

Each is started with the endpoint's URL, the base URL, the key and a PEM file ("": plain), makes one
token, and tells it with one byte; then it tells its resident memory.
"""

import os
import sys

URL, BASE_URL, KEY, CA = sys.argv[1:]
FIELDS = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
}
BODY = {**FIELDS, "link_expiry_mins": 30}
HEADERS = {"Authorization": f"Bearer {KEY}", "Accept": "application/json"}


def tell(token: str) -> None:
    assert token
    os.write(1, b".")
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    os.write(1, b"%d\n" % (pages * os.sysconf("SC_PAGE_SIZE")))
