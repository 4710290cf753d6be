"""The first token with Merge's own SDK (MergePythonClient)."""

import os

from first import BASE_URL, CA, FIELDS, KEY, tell

if CA:
    os.environ["SSL_CERT_FILE"] = CA

from merge.client import Merge

merge = Merge(api_key=KEY, base_url=BASE_URL)
tell(merge.ats.link_token.create(**FIELDS, link_expiry_mins=30).link_token)
