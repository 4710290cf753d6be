"""The page at ``/``: how to point an app at the sandbox, what happens in it, and bad days.

Its files are the same for everyone. What it shows it asks of `control`.
"""

from werkzeug.wrappers import Response

from merge_link.sandbox.assets import asset, protect
from merge_link.sandbox.web import Request, find_method, not_found

PATH = "/"
PREFIX = "/__sandbox__/page/"

_NAMES = ("theme.css", "home.css", "home.js", "icon.svg")
_FILES = {PATH: "home.html"} | {PREFIX + name: name for name in _NAMES}


def home(request: Request) -> Response:
    """Answer a request for the page or one of its files. Raises `Refusal`."""
    name = _FILES.get(request.path)
    if name is None:
        raise not_found()
    find_method(request, {"GET": True, "HEAD": True})
    return protect(asset(name))
