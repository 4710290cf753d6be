"""The files of the sandbox's own pages, as answers that a browser takes with the strictest rules.

The files are whole as they lie in ``pages/``: what comes from outside is never put into one.
A page's script asks for it as JSON, and shows it as text.
"""

from functools import cache
from pathlib import Path

from werkzeug.wrappers import Response

_FOLDER = Path(__file__).with_name("pages")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def asset(name: str, status: int = 200) -> Response:
    """The file of this name as an answer. It is read when it is first asked for."""
    return Response(read_asset(name), status, content_type=_TYPES[Path(name).suffix])


@cache
def read_asset(name: str) -> bytes:
    """The bytes of the file of this name."""
    return (_FOLDER / name).read_bytes()


def protect(response: Response, *, frame_ancestors: str = "'none'") -> Response:
    """Have the browser load nothing from elsewhere, run nothing inline, tell and keep nothing.

    ``frame_ancestors`` says, in the words of Content-Security-Policy, which pages may frame it.
    """
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": frame_ancestors,
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    policy = "; ".join(f"{name} {value}" for name, value in rules.items())
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
