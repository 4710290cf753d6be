"""`Client`: options and connections, for any number of threads."""

from merge_link import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Unpack

    from merge_link.bulk import BulkRun, Progress
    from merge_link.models import PassthroughResponse
    from merge_link.types import AccountReadOptions, LinkTokenDefaults


class Client(_core.Client):
    """A client of Merge's linking API. Keeps its connections and may be used by many threads.

    Every argument is keyword-only, and None means "not given" (but for ``error_budget``).

    Args:
        api_key: Merge's API key; else ``MERGE_API_KEY``. It cannot be read back. Or a callable
            that returns it, asked at each call in the caller's thread.
        account_token: of the linked account, for the operations that need one.
        region: ``us`` (default), ``eu`` or ``apac``; else ``MERGE_REGION``.
        base_url: what stands before ``/{category}``, such as ``https://api.merge.dev/api``; else
            ``MERGE_BASE_URL``. Wins over the region.
        category: of calls that name none.
        timeout: seconds for a whole call, retries and waits included (30.0).
        connect_timeout: seconds for name lookup, connect and TLS of one attempt (5.0).
        max_retries: retries at most (2).
        max_connections: connections at once at most (100); further calls wait in their timeout.
        idle_timeout: seconds after which an unused connection is not used again (110.0).
        max_response_bytes: size of an answer at most, after decompression (1 MiB for linking).
        error_budget: (failures, seconds) after which calls are held back, or None for off.
        ca_bundle: PEM file, hashed directory or PEM text (bytes); else ``SSL_CERT_FILE``,
            ``SSL_CERT_DIR``, the places of Linux distributions, certifi.
        client_cert: PEM file with a client certificate and its key, or (certificate, key), or
            (certificate, key, password); a key of None is in the certificate's file.
        proxy: http:// or https:// URL of a proxy, or "" for none, whatever the environment says;
            else ``HTTPS_PROXY`` or ``ALL_PROXY``, unless ``NO_PROXY`` covers the host.
        allow_http: send over plain ``http://`` to hosts that are not this machine; else
            ``MERGE_ALLOW_HTTP=1``.
        user_agent: instead of ``merge-link/<version> libcurl/<version> Python/<version>``.
        on_attempt: a callable that is told of each attempt.

    Raises:
        ConfigurationError: no or impossible API key, base URL or option.

    Use it in a ``with`` block, or call `close`. `for_account` and `with_options` return views of
    it, which share its connections. Merge's page: https://docs.merge.dev/basics/
    """

    def create_link_tokens(
        self,
        rows: "Iterable[Mapping[str, object]]",
        *,
        concurrency: int = 64,
        rate: float | str | None = None,
        ordered: bool = False,
        progress: "bool | Callable[[Progress], object] | None" = None,
        **defaults: "Unpack[LinkTokenDefaults]",
    ) -> "BulkRun":
        """Create many link tokens, one for each row: an iterator of `Outcome`, as they come.

        Rows are taken while it is iterated, no more than may be under way, so that neither their
        number nor a slow consumer costs memory. What goes wrong with a row is its outcome, and
        ends nothing; what the iterator of the rows raises comes out at the end. A ``Retry-After``
        holds all rows. The error budget and the rate make rows wait, and count in no timeout.

        Args:
            rows: an iterable of mappings with the fields of `create_link_token`, and its options.
            concurrency: requests under way at most, 1 to 10,000; the client's max_connections
                bounds them too.
            rate: requests at most: a number a second, or a text like ``400/min`` (s, min, h).
            ordered: outcomes in the order of the rows. Up to four times the concurrency are kept
                for it.
            progress: True for a bar of tqdm (extra ``bulk``); or a callable, which is told of a
                `Progress` about ten times a second, and at the end.
            **defaults: fields and options for all rows; a row's own count more.

        Returns:
            A `BulkRun`: use it in a ``for`` loop, or ``collect()`` a list; ``summary`` says what
            was done. The end of its ``with`` block, ``close()``, dropping it and Ctrl-C while it
            waits cancel what is under way.

        Raises:
            ConfigurationError: concurrency, rate, progress or an option among the defaults.
            TypeError: rows that are none, or an unknown keyword.
            ClientClosedError: the client is closed.
        """
        from merge_link.bulk import BulkRun

        options = {"concurrency": concurrency, "rate": rate, "ordered": ordered}
        try:
            return BulkRun(self, rows, defaults, **options, progress=progress)
        except Exception as error:
            del rows, defaults  # a traceback may show what they hold
            raise error.with_traceback(None) from None

    def async_passthrough_result(
        self, id: str, *, wait: float | None = None, **options: "Unpack[AccountReadOptions]"
    ) -> "PassthroughResponse":
        """Get what an asynchronous passthrough request was answered.

        Args:
            id: the receipt's async_passthrough_receipt_id.
            wait: seconds to wait at most until it is there, looking again after 0.5 s and then
                less and less often, up to every 5 s; None: one look.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A PassthroughResponse. As long as there is none: ResponseError.

        Merge's page: https://docs.merge.dev/ats/async-passthrough/
        """
        from time import sleep

        from merge_link._patience import NOT_THERE_YET, Patience

        fields: dict[str, Any] = options  # type: ignore[assignment]
        fields["id"] = id
        query = self._query("async_passthrough_result", fields)
        patience = Patience(wait)
        while True:
            try:
                answer: PassthroughResponse = query.call()
                return answer
            except NOT_THERE_YET as error:
                pause = patience.pause_after(error)
            sleep(pause)

    def _repr_html_(self) -> str:
        from merge_link._cards import of_client

        return of_client(self)
