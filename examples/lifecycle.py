"""The life of a linked account, from the first link token to its end, in the order it happens.

Run it as it is: it needs neither an API key nor the internet. A sandbox plays Merge, and the end
users too: lines that begin with ``sandbox.`` are what happens outside of your backend. With a key
in MERGE_API_KEY and ``merge_link.Client()`` for a client, the others are the same in production.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

from merge_link import AuthenticationError, Client, LinkToken, WebhookSignatureError, webhooks
from merge_link.sandbox import Sandbox

WEBHOOK_KEY = "signature-key-of-the-webhook"  # Merge's dashboard shows yours


def main() -> None:
    with (
        webhook_endpoint() as (url, events),
        Sandbox(webhook_url=url, webhook_key=WEBHOOK_KEY) as sandbox,
        sandbox.client() as client,
    ):
        # An end user wants to connect the system that Acme hires with.
        link = link_token_for_acme(client)
        print("A link token for Merge Link:", link)

        # Merge Link opens in the browser. There the end user chooses a system and signs in, and
        # your page gets a public token, which it sends to your backend.
        public_token = sandbox.complete_link(link.link_token, "greenhouse")

        # The backend has ten minutes to exchange it, once. The account token lasts: keep it.
        linked = client.retrieve_account_token(public_token)
        print(f"{linked.integration.name} is linked, as account {linked.id}")

        # Merge tells your backend as well, by a webhook.
        event = events.get(timeout=10)
        print("A webhook with a good signature:", event.event)
        assert event.account_token == linked.account_token

        # From here on, all is asked on behalf of this account.
        account = client.for_account(linked.account_token)
        details = account.account_details()
        print(f"{details.end_user_organization_name}: {details.integration}, {details.status}")

        # Merge fetches what is there. That takes a while; here the sandbox's clock is turned.
        while not is_synced(account):
            sandbox.advance(minutes=2)
        candidates = [
            candidate["first_name"] for candidate in account.paginate("/ats/v1/candidates")
        ]
        print(f"{len(candidates)} candidates, the first is {candidates[0]}")

        # Months later, somebody at Acme changes a password.
        sandbox.relink_needed(linked.id)
        (broken,) = client.linked_accounts(status="RELINK_NEEDED")
        print(f"{broken.end_user_organization_name} has to sign in again: {broken.status}")

        # It is linked again like the first time. What decides is end_user_origin_id: with the
        # same, the account and its token stay as they are.
        link = link_token_for_acme(client)
        print("Merge Link opens with", link.integration_name)
        public_token = sandbox.complete_link(link.link_token)
        again = client.retrieve_account_token(public_token)
        assert (again.id, again.account_token) == (linked.id, linked.account_token)
        print("Linked again, with the same account token:", account.account_details().status)

        # Acme leaves. So does its data.
        account.delete_account()
        try:
            account.account_details()
        except AuthenticationError:
            print("The account is deleted, and its token is good for nothing")


def link_token_for_acme(client: Client) -> LinkToken:
    """Make a link token, for the first time and for each time after it."""
    return client.create_link_token(
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id="acme-42",  # your own id of the end user
        categories=["ats"],
    )


def is_synced(account: Client) -> bool:
    """Say how far the syncs are, and whether all are done."""
    statuses = list(account.sync_status())
    done = sum(status.status == "DONE" for status in statuses)
    print(f"{done} of {len(statuses)} models are synced")
    return done == len(statuses)


@contextmanager
def webhook_endpoint() -> "Iterator[tuple[str, SimpleQueue[webhooks.Event]]]":
    """A backend's endpoint for webhooks: its URL, and the events that came, each verified."""
    events: SimpleQueue[webhooks.Event] = SimpleQueue()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))  # the bytes as they came
            try:
                events.put(webhooks.parse(body, self.headers[webhooks.HEADER], WEBHOOK_KEY))
            except WebhookSignatureError:
                self.send_error(401)
            else:
                self.send_response(204)
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/webhooks/merge", events
        finally:
            server.shutdown()


if __name__ == "__main__":
    main()
