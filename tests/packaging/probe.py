"""Makes a token, and says as JSON what it was made with. Needs the package alone.

usage: probe.py BASE_URL API_KEY [CA_FILE]
"""

import json
import re
import sys


def mapped():
    with open("/proc/self/maps") as maps:
        return {match[0] for match in re.findall(r"(/\S+\.so(\.\S+)?)", maps.read())}


python_has = mapped()  # some Pythons are linked with zlib

import merge_link  # noqa: E402
from merge_link import _core  # noqa: E402

base_url, api_key, *ca_file = sys.argv[1:]
with merge_link.Client(
    base_url=base_url, api_key=api_key, ca_bundle=ca_file[0] if ca_file else None
) as client:
    token = client.create_link_token(
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id="acme-42",
        categories=["ats"],
    )
    said = {
        "length": len(token.link_token),
        "ca_bundle": client.ca_bundle,
        "core": _core.__file__,
        "mapped": sorted(mapped() - python_has),
        "tls": token.response.timing.tls,
    }
print(json.dumps(said))
