"""Link accounts through Merge (https://docs.merge.dev), a unified API.

::

    import merge_link

    token = merge_link.create_link_token(        # MERGE_API_KEY from the environment
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id="acme-42",
        categories=["ats"],
    )
    token.link_token                              # a credential: repr() masks it

What lives here, from the top down; a module imports only from those below it:

================  ===================================================================
``cli``           the command ``merge-link`` (extra ``cli``)
``sandbox``       an emulator of Merge's linking API (extra ``sandbox``)
``client``        `Client`
``errors``        what is raised; ``_hints`` makes its notes
``models``        what is returned, made of ``records``; ``response`` is its HTTP part
``_environment``  the environment variables that a client reads
``_attempts``     telling of attempts: logging and ``on_attempt``
``_core``         the C core: everything between keyword arguments and result
================  ===================================================================

Importing this package loads the C core and nothing else: results, errors and the rest are loaded
when something needs them.
"""

from merge_link._core import create_link_token
from merge_link._version import __version__
from merge_link.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from merge_link._attempts import Attempt
    from merge_link.errors import (
        APIError,
        AuthenticationError,
        BadRequestError,
        ClientClosedError,
        ConfigurationError,
        ErrorBudgetError,
        FieldProblem,
        MergeLinkError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        RequestTimeoutError,
        ResponseError,
        ServerError,
        TLSError,
        TransportError,
        ValidationError,
    )
    from merge_link.models import LinkToken
    from merge_link.response import Headers, Response, Timing

__all__ = [
    "APIError",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "ClientClosedError",
    "ConfigurationError",
    "ErrorBudgetError",
    "FieldProblem",
    "Headers",
    "LinkToken",
    "MergeLinkError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTimeoutError",
    "Response",
    "ResponseError",
    "ServerError",
    "TLSError",
    "Timing",
    "TransportError",
    "ValidationError",
    "__version__",
    "create_link_token",
]

_LAZY_MODULES = ("errors", "models", "response", "_attempts")


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _LAZY_MODULES:
        return import_module(f"{__name__}.{name}")
    if name in __all__:
        for module_name in _LAZY_MODULES:
            module = import_module(f"{__name__}.{module_name}")
            if hasattr(module, name):
                value: object = getattr(module, name)
                globals()[name] = value
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY_MODULES})
