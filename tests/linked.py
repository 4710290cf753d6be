"""Linking in the sandbox, for tests that need linked accounts or speak to its other endpoints."""

from typing import Any

from merge_link.sandbox import Sandbox
from plain_http import GOOD, Answer, call


def order(origin_id: str = "acme-42", *categories: str, **more: Any) -> dict[str, Any]:
    chosen = list(categories) or ["ats"]
    return {**GOOD, "end_user_origin_id": origin_id, "categories": chosen, **more}


def make_link_token(sandbox: Sandbox, *of: str, **more: Any) -> str:
    answer = call(sandbox, order(*of, **more))
    assert answer.status == 200, answer.body
    token: str = answer.json["link_token"]
    return token


def make_public_token(sandbox: Sandbox, *of: str, integration: str = "bamboohr") -> str:
    return sandbox.complete_link(make_link_token(sandbox, *of), integration)


def link(sandbox: Sandbox, *of: str, integration: str = "bamboohr") -> dict[str, Any]:
    """Link an account, and return what its public token is exchanged for."""
    token = make_public_token(sandbox, *of, integration=integration)
    exchanged = get(sandbox, f"/api/integrations/account-token/{token}")
    assert exchanged.status == 200, exchanged.body
    account: dict[str, Any] = exchanged.json
    return account


def get(sandbox: Sandbox, path: str, account_token: str | None = None) -> Answer:
    headers = {"Content-Type": None, "X-Account-Token": account_token}
    return call(sandbox, b"", method="GET", path=path, headers=headers)


def post(sandbox: Sandbox, path: str, account_token: str | None = None, body: Any = b"") -> Answer:
    return call(sandbox, body, path=path, headers={"X-Account-Token": account_token})


def command(sandbox: Sandbox, name: str, body: object, **headers: str | None) -> Answer:
    """Ask something of the sandbox over HTTP."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return call(
        sandbox, body, path=f"/__sandbox__/{name}", headers={"Authorization": None, **named}
    )
