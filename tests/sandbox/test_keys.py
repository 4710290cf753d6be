"""API keys that are generated: whose data they see, and until when."""

from pathlib import Path

import pytest

from linked import get, link, post
from merge_link.sandbox import Sandbox
from merge_link.sandbox.state import State
from plain_http import Answer, call

GENERATE = "/api/ats/v1/generate-key"
REGENERATE = "/api/ats/v1/regenerate-key"
LIST = "/api/ats/v1/linked-accounts"


def by(key: str, sandbox: Sandbox, path: str = LIST, body: object = b"") -> Answer:
    headers = {"Authorization": f"Bearer {key}"}
    return call(sandbox, body, method="GET" if body == b"" else "POST", path=path, headers=headers)


def test_a_generated_key_sees_the_data_of_the_key_that_asked(sandbox: Sandbox) -> None:
    account = link(sandbox)
    answer = post(sandbox, GENERATE, body={"name": "backend"})
    assert answer.status == 200
    assert set(answer.json) == {"name", "key"}
    key = answer.json["key"]
    assert answer.json["name"] == "backend"
    assert key.startswith("test_")
    assert [one["id"] for one in by(key, sandbox).json["results"]] == [account["id"]]
    # One that it makes itself belongs to the same data.
    second = by(key, sandbox, GENERATE, {"name": "worker"}).json["key"]
    assert by(second, sandbox).json == get(sandbox, LIST).json
    token = {"Authorization": f"Bearer {second}", "X-Account-Token": account["account_token"]}
    details = call(sandbox, b"", method="GET", path="/api/ats/v1/account-details", headers=token)
    assert details.json["id"] == account["id"]


def test_a_production_key_makes_production_keys(sandbox: Sandbox) -> None:
    sandbox.add_api_key("production_mine")
    made = by("production_mine", sandbox, GENERATE, {"name": "a"}).json["key"]
    assert made.startswith("production_")
    assert by(made, sandbox).status == 200


@pytest.mark.parametrize("strict", [True, False])
def test_a_regenerated_key_replaces_the_old(strict: bool) -> None:
    with Sandbox(strict_keys=strict) as sandbox:
        link(sandbox)
        first, old = (post(sandbox, GENERATE, body={"name": "a"}).json["key"] for _ in range(2))
        answer = post(sandbox, REGENERATE, body={"name": "a"})
        assert answer.status == 200
        new = answer.json["key"]
        assert len({first, old, new}) == 3
        assert [by(key, sandbox).status for key in (first, old, new)] == [200, 401, 200]
        assert len(by(new, sandbox).json["results"]) == 1
        again = by(new, sandbox, REGENERATE, {"name": "a"}).json["key"]
        assert [by(key, sandbox).status for key in (new, again)] == [401, 200]


def test_a_name_that_there_is_not_is_not_found(sandbox: Sandbox) -> None:
    post(sandbox, GENERATE, body={"name": "a"})
    sandbox.add_api_key("test_other")
    for key, name in [(sandbox.api_key, "b"), ("test_other", "a")]:
        answer = by(key, sandbox, REGENERATE, {"name": name})
        assert (answer.status, answer.json) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("path", [GENERATE, REGENERATE])
def test_a_name_is_required(sandbox: Sandbox, path: str) -> None:
    for body, problem in [({}, "This field is required."), ({"name": ""}, "This field may not be")]:
        answer = post(sandbox, path, body=body)
        assert answer.status == 400
        assert answer.json["name"][0].startswith(problem)
    assert post(sandbox, path, body=[]).status == 400


def test_generated_keys_are_kept_in_the_file_and_forgotten_by_a_reset(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    first = State("test_mine", path=path)
    old = first.generate_key("test_mine", "a", "")
    new = first.regenerate_key("test_mine", "a", "")
    assert new is not None
    first.close()
    second = State(path=path)
    owners = [second.owner(key) for key in (old, new, "test_mine")]
    assert owners == [None, "test_mine", "test_mine"]
    assert second.api_key == "test_mine"
    second.reset()
    assert [second.owner(key) for key in (new, "test_mine")] == [None, "test_mine"]
    second.close()
    third = State(path=path)
    assert third.owner(new) is None
    third.close()


def test_a_reset_in_the_middle_of_a_look_is_no_failure() -> None:
    state = State()

    class Forgetful(dict[str, str | None]):
        """In which a key is found right before all are forgotten."""

        def __contains__(self, key: object) -> bool:
            found = super().__contains__(key)
            state.reset()
            return found

    made = state.generate_key(state.api_key, "a", "")
    state._generated = Forgetful(state._generated)
    assert state.owner(made) == state.api_key
    assert state.owner(made) is None
    state.close()
