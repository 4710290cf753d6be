"""The sandbox as an application: a request in, a response out; no socket, no WSGI."""

from collections.abc import Mapping

from merge_link.sandbox.message import Incoming, Outgoing
from merge_link.sandbox.web import Answerer, Refusal, Request, not_found


class App:
    """Hands each request to the area whose path it begins with, the longest if several do.

    Thread-safe, as its areas are. What lies in no area is not found.
    """

    def __init__(self, areas: Mapping[str, Answerer]) -> None:
        self._areas = sorted(areas.items(), key=lambda area: len(area[0]), reverse=True)

    def __call__(self, incoming: Incoming) -> Outgoing:
        """Answer a request."""
        request = Request(incoming)
        try:
            response = self._area(request.path)(request)
        except Refusal as refusal:
            response = refusal.response
        return Outgoing(
            response.status_code, list(response.headers), response.get_data(), request.delivery
        )

    def _area(self, path: str) -> Answerer:
        for prefix, area in self._areas:
            if path.startswith(prefix):
                return area
        raise not_found()
