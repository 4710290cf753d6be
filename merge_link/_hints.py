"""What else may help, as notes of an error: ``error.__notes__``, which tracebacks show.

Loaded when the first error is made. A note says what to look at or to do next; it is true whatever
the cause, and holds nothing that `str()` of the error may not hold.
"""

from __future__ import annotations

from merge_link._environment import variable_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_KEYS = "https://app.merge.dev/keys"
_LIMITS = "https://docs.merge.dev/basics/rate-limits/"
_STATUS = "https://status.merge.dev"
_MOST_TITLE = 100


def notes_on(kind: str, error: Any, request: str) -> Iterator[str]:
    """Yield the notes on an error of that kind (the core's word), made of that request.

    ``request`` is like ``POST https://api.merge.dev/api/ats/v1/link-token``, or empty.
    """
    if kind == "configuration":
        yield from _on_configuration(error)
    elif kind == "budget":
        yield "The errors before this one say what fails. error_budget=None turns the budget off."
    elif kind == "api":
        yield from _on_answer(error, request)
    elif kind == "response":
        yield from _where(request)


def _on_configuration(error: Any) -> Iterator[str]:
    option: str | None = error.option
    variable = option and variable_of(option)
    if error._cause == "no_key":
        yield f"Keys are made at {_KEYS}. merge_link.sandbox answers as Merge does, without one."
    elif error._cause == "loopback_only":
        yield "A client that is made in the test, without base_url= or proxy=, calls the sandbox."
    elif option == "account_token" and "needs" in str(error):
        yield (
            "client.for_account(account_token) is a view of the client that sends it with each"
            " call; account_token= gives it to one call, or to a client."
        )
    elif variable:
        yield f"{variable} is set in the environment: it counts where {option}= is not given."


def _on_answer(error: Any, request: str) -> Iterator[str]:
    status: int = error.status_code
    if _is_html(error.body):
        yield from _title(error.body)
        yield from _where(request)
    elif status == 401:
        yield from _on_credentials(error.detail or "")
        yield from _where(request)
    elif status in (404, 405):
        yield from _where(request)
        if "{public_token}" in request:
            yield "A public token is good once, for about ten minutes. The user can link again."
        yield (
            "Is the category right, and base_url? That is what stands before /{category}, such as"
            " https://api.merge.dev/api"
        )
    elif status == 429:
        yield (
            "Merge limits the requests of a linked account (100 to 600 a minute, by plan) and the"
            f" failures of an IP address (20 in 10 seconds): {_LIMITS}"
        )
        if error.retry_after:
            yield "A call waits so long by itself where its timeout= and max_retries= leave room."
    elif status >= 500 and _is_merge(request):
        yield f"How Merge is doing: {_STATUS}. Its support finds a request by the request id."


def _on_credentials(detail: str) -> Iterator[str]:
    if "account token" not in detail.lower():
        yield f"Is the API key whole, still valid, and of this region? Merge's keys: {_KEYS}"
        return
    if "invalid" in detail.lower():
        yield (
            "Is the account token whole, and of this API key and this category? It ends when the"
            " account is deleted or its token regenerated."
        )
        return
    yield (
        "An account token is not the API key: it belongs to one linked account, and is given by"
        " client.for_account(account_token). Creating a link token needs none."
    )


def _host(request: str) -> str:
    return request.partition("://")[2].partition("/")[0].partition(":")[0]


def _is_merge(request: str) -> bool:
    return _host(request).endswith(".merge.dev")


def _where(request: str) -> Iterator[str]:
    """Yield what was asked of whom."""
    elsewhere = " (no host of Merge's: base_url= or MERGE_BASE_URL names it)"
    if request:
        yield f"The request was {request}{'' if _is_merge(request) else elsewhere}"


def _is_html(body: object) -> bool:
    return isinstance(body, str) and body.lstrip()[:1] == "<"


def _title(page: str) -> Iterator[str]:
    """Yield what the page calls itself: proxies and sign-in pages say who they are."""
    import re

    found = re.search(r"<title[^<>]*>([^<>]*)<", page[:4096], re.IGNORECASE)
    words = (
        " ".join("".join(c if c.isprintable() else " " for c in found[1]).split()) if found else ""
    )
    if words:
        yield f'The page is called "{words[:_MOST_TITLE]}".'
