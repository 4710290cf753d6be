"""The first token with requests."""

import requests

from first import BODY, CA, HEADERS, URL, tell

answer = requests.post(URL, json=BODY, headers=HEADERS, verify=CA or True, timeout=30.0)
answer.raise_for_status()
tell(answer.json()["link_token"])
