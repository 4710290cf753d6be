"""The first token with merge-link."""

import merge_link
from first import BASE_URL, CA, FIELDS, KEY, tell

tell(
    merge_link.create_link_token(
        api_key=KEY, base_url=BASE_URL, ca_bundle=CA or None, **FIELDS
    ).link_token
)
