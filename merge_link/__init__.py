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

=======
=================  ===========================================================
``cli``            the command ``merge-link`` (extra ``cli``)
``pytest_plugin``  what pytest's fixtures do; ``merge_link_pytest`` names them (extra ``test``)
``sandbox``        an emulator of Merge's linking API (extra ``sandbox``)
``_cards``         what notebooks show of the following, which load it when one asks
``aio``            `AsyncClient`: what `Client` does, to be awaited
``client``         `Client`
``bulk``           many tokens: runs that take rows and give ``outcomes``; ``_tally`` counts
``webhooks``       whether a webhook is Merge's, and what it says; ``_signatures`` finds mistakes
``_patience``      waiting for what is not there yet
``types``          types of arguments, for wrappers; loaded only when something asks for it
``results``        answers as results, which ``_decoding`` reads; ``pages`` are lists of them
``errors``         what is raised; ``_hints`` makes its notes
``models``         what is returned: its own, and those of ``accounts`` and ``mappings``, made of
                   ``records``; ``choices`` are types of members; ``response`` is the HTTP part
``_environment``   the environment variables that a client reads; ``_no_proxy`` is one of them
``_attempts``      telling of attempts: logging and ``on_attempt``
``_gevent``        where a call runs when gevent is at work
``_core``          the C core: everything between keyword arguments and result
=================  ===========================================================

Importing this package loads the C core and nothing else: results, errors and the rest are loaded
when something needs them.

PYTEST_DONT_REWRITE: pytest would warn that it comes too late where this is imported before it.
"""

from merge_link._core import create_link_token
from merge_link._version import __version__
from merge_link.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from merge_link import bulk as bulk
    from merge_link import choices as choices
    from merge_link import errors as errors
    from merge_link import models as models
    from merge_link import pages as pages
    from merge_link import response as response
    from merge_link import results as results
    from merge_link import types as types
    from merge_link import webhooks as webhooks
    from merge_link._attempts import Attempt
    from merge_link.aio import AsyncClient
    from merge_link.bulk import (
        AsyncBulkRun,
        BulkRun,
        BulkSummary,
        Latency,
        Outcome,
        Outcomes,
        Progress,
    )
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
        WebhookSignatureError,
    )
    from merge_link.models import (
        AccountDetails,
        AccountToken,
        ActionScope,
        AsyncPassthroughReceipt,
        AuditEvent,
        AvailableActions,
        CommonModelScope,
        FieldMapping,
        FieldMappingResult,
        FieldMappings,
        FieldScope,
        Integration,
        Issue,
        LinkedAccount,
        LinkToken,
        MappingProblem,
        ModelOperation,
        PassthroughResponse,
        RegeneratedAccountToken,
        RemoteEndpoint,
        RemoteField,
        RemoteFields,
        RemoteKey,
        Scopes,
        SyncStatus,
        TargetField,
        TargetFields,
        WebhookReceiver,
    )
    from merge_link.pages import AsyncPage, AsyncPager, Page
    from merge_link.response import Headers, Response, Timing
    from merge_link.results import RawResponse

__all__ = [
    "APIError",
    "AccountDetails",
    "AccountToken",
    "ActionScope",
    "AsyncBulkRun",
    "AsyncClient",
    "AsyncPage",
    "AsyncPager",
    "AsyncPassthroughReceipt",
    "Attempt",
    "AuditEvent",
    "AuthenticationError",
    "AvailableActions",
    "BadRequestError",
    "BulkRun",
    "BulkSummary",
    "Client",
    "ClientClosedError",
    "CommonModelScope",
    "ConfigurationError",
    "ErrorBudgetError",
    "FieldMapping",
    "FieldMappingResult",
    "FieldMappings",
    "FieldProblem",
    "FieldScope",
    "Headers",
    "Integration",
    "Issue",
    "Latency",
    "LinkToken",
    "LinkedAccount",
    "MappingProblem",
    "MergeLinkError",
    "ModelOperation",
    "NotFoundError",
    "Outcome",
    "Outcomes",
    "Page",
    "PassthroughResponse",
    "PermissionDeniedError",
    "Progress",
    "RateLimitError",
    "RawResponse",
    "RegeneratedAccountToken",
    "RemoteEndpoint",
    "RemoteField",
    "RemoteFields",
    "RemoteKey",
    "RequestTimeoutError",
    "Response",
    "ResponseError",
    "Scopes",
    "ServerError",
    "SyncStatus",
    "TLSError",
    "TargetField",
    "TargetFields",
    "Timing",
    "TransportError",
    "ValidationError",
    "WebhookReceiver",
    "WebhookSignatureError",
    "__version__",
    "create_link_token",
]

# Where the public names come from that are loaded when something asks for them.
_SOURCES = ("errors", "models", "response", "_attempts", "results", "pages", "bulk", "aio")
_LAZY_MODULES = (*_SOURCES, "types", "choices", "webhooks")

# Type checkers must not see it: to them it would make every misspelt name a good one.
if not TYPE_CHECKING:

    def __getattr__(name):
        from importlib import import_module

        if name in _LAZY_MODULES:
            return import_module(f"{__name__}.{name}")
        if name in __all__:
            for source in _SOURCES:
                module = import_module(f"{__name__}.{source}")
                if hasattr(module, name):
                    value = globals()[name] = getattr(module, name)
                    return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY_MODULES})
