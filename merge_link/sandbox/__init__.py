"""A stand-in for Merge's linking API on this machine, for development and tests.

It speaks real HTTP on a loopback port, so the client under test is the real one::

    from merge_link.sandbox import Sandbox

    with Sandbox() as sandbox:
        token = sandbox.client().create_link_token(...)
        assert sandbox.requests[-1].json["categories"] == ["ats"]

What lives here, from the top down; a module imports only from those below it:

==================  ==========================================================
``sandbox``         `Sandbox`, which puts the rooms together
``control``         the commands over HTTP, at ``/__sandbox__/``
``home``            the page at ``/``
``overview``        what that page shows
``tls``             a certificate made on the spot
``server``          the listening socket and the threads; knows nothing of Merge
``connection``      one HTTP/1.1 connection, framed by h11; nothing of Merge either
``app``             hands each request to an area, by the path's beginning
``api``             the area ``/api/``: routes, authentication, order of refusals
``account_views``   its endpoints of one linked account: a checked call in, Merge's answer out
``key_views``       those of a key: keys, issues, audit trail, default scopes
``link_page``       the page where an end user links an account, and ``initialize.js``
``assets``          the files in ``pages/``, with the strictest rules for browsers
``commands``        what a test may ask for: faults, time, what end users do
``webhooks``        what happens, told to a URL, signed, again while it fails
``post``            one POST to any URL; nothing of Merge either
``views``           the endpoints of linking, and how linked accounts are described
``calls``           the call, its query and body, pages: what endpoints share
``faults``          faults that were asked for and have not happened yet
``limits``          throttling, and the shut-out of addresses that fail
``state``           what the sandbox remembers, and what may happen to it; atomic, no HTTP
``settings``        the same, of what callers set and send for one linked account
``tokens``          the tables of link tokens and public tokens
``keys``            the table of generated keys
``accounts``        the table of linked accounts: linking and relinking
``sync``            how far their syncs are, by the clock
``issues``          the table of issues
``passthrough``     passthrough, which echoes, and what is answered later
``scopes``          the tables of scopes, webhook receivers and ignored objects
``mappings``        the tables of field mappings and target fields
``audit``           the table of what was done under a key
``common_models``   made-up objects, by a description of each model
``listing``         pages of anything that is numbered, and their cursors
``store``           one SQLite database, in memory or in a file
``web``             request, refusal, JSON: what all areas share
``queries``         what Merge demands of a request's query, as tables
``bodies``          the same of its body
``rules``           the same of its path, and of a link token's order
``fields``          the field kinds of those tables, in Django REST Framework's words
``linking``         link token, linked account, public token, event: values
``integrations``    the integrations that it knows, by category
``report``          these requests as text for a person, without secrets
``hosts``           where it may listen, and by which names it may be called
``record``          the requests that came in, for assertions
``clock``           the time, which can be advanced
``arguments``       checks of what is asked for
``message``         what ``connection`` and ``app`` hand each other
==================  ==========================================================

An *area* (`web.Answerer`) answers a request or raises `web.Refusal`; `Sandbox._app` lists them, and
pages are areas beside ``/api/``. Who wants to hear of linked accounts, as webhooks do, appends to
`State.listeners`.

Nothing here imports the rest of `merge_link`, except `Sandbox.client`, when it is called.

Source of the behaviour: https://docs.merge.dev. Where Merge's documents leave something open,
the docstring of the place says that it is the sandbox's choice; ``docs/sandbox.md`` lists them all.
"""

from importlib.util import find_spec

_missing = [name for name in ("werkzeug", "h11") if find_spec(name) is None]
if _missing:
    raise ImportError(
        f'merge_link.sandbox needs {" and ".join(_missing)}: pip install "merge-link[sandbox]"'
    )

from merge_link.sandbox.linking import LinkRefused  # noqa: E402 (after the check above)
from merge_link.sandbox.record import RecordedRequest  # noqa: E402
from merge_link.sandbox.sandbox import Sandbox  # noqa: E402
from merge_link.sandbox.webhooks import WebhookDelivery  # noqa: E402

__all__ = ["LinkRefused", "RecordedRequest", "Sandbox", "WebhookDelivery"]
