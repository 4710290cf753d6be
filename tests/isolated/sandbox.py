"""A sandbox in a process of its own, until stdin ends. Prints its base URL and its key."""

import sys

from merge_link.sandbox import Sandbox

with Sandbox() as sandbox:
    print(sandbox.base_url, sandbox.api_key, flush=True)
    sys.stdin.read()
