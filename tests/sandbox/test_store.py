"""The sandbox's file: what is kept in it stays, and what is not a sandbox's is left alone."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from merge_link.sandbox import store
from merge_link.sandbox.linking import AccountGone, Event
from merge_link.sandbox.state import State

ORDER = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
    "link_expiry_mins": 30,
}

# Links accounts without end, and prints the id of each one only when it is kept.
LINKING = """
import sys
from merge_link.sandbox.state import State
state = State(path=sys.argv[1])
state.advance(600)
print(state.api_key, flush=True)
for number in range(10**9):
    order = {**%r, "end_user_origin_id": str(number)}
    link = state.create_link_token(state.api_key, order)
    public = state.complete_link(link.token, "lever")
    print(public.token, public.account.id, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


def test_what_was_told_survives_kill_9(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LINKING % ORDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        key = process.stdout.readline().strip()
        told = [process.stdout.readline().split() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        told += [words for line in process.stdout if len(words := line.split()) == 2]
    state = State(path=path)
    assert state.api_key == key
    for public_token, account_id in told[:-1]:
        account = state.exchange(key, public_token, "ats")
        assert account is not None
        assert account.id == account_id
    state.close()


def test_the_time_that_passed_is_kept(path: Path) -> None:
    first = State(path=path)
    first.advance(3600)
    link = first.create_link_token(first.api_key, ORDER)
    first.close()
    second = State(path=path)
    assert second.find_link_token(link.token) == link
    second.advance(1801)
    found = second.find_link_token(link.token)
    assert found is not None
    assert found.state == "expired"
    second.close()


def test_another_key_is_added_to_those_of_the_file(path: Path) -> None:
    first = State("test_first", path=path)
    first.add_api_key("test_second")
    first.close()
    third = State("test_third", path=path)
    assert third.api_key == "test_third"
    assert all(third.accepts(key) for key in ("test_first", "test_second", "test_third"))
    third.close()
    again = State(path=path)
    assert again.api_key == "test_first"
    again.close()


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    state = State(path=path)
    state.create_link_token(state.api_key, ORDER)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    state.close()


def test_a_file_in_use_is_refused_and_free_after_close(path: Path) -> None:
    first = State(path=path)
    first.create_link_token(first.api_key, ORDER)
    script = "import sys\nfrom merge_link.sandbox.state import State\nState(path=sys.argv[1])"
    command = [sys.executable, "-c", script, str(path)]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "in use by another sandbox" in other.stderr
    with pytest.raises(ValueError, match="in use by another sandbox"):
        State(path=path)
    first.close()
    State(path=path).close()
    assert os.listdir(path.parent) == [path.name]


def test_what_is_no_database_of_a_sandbox_is_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"my diary " * 1000)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not a database"):
        State(path=path)
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE diary (day TEXT)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not a sandbox's database"):
        State(path=path)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    State(path=path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ValueError, match="another version"):
        State(path=path)


def test_a_file_of_the_version_before_is_brought_up_to_date(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript(f"BEGIN;{store._FIRST}PRAGMA user_version = 1;COMMIT;")
    db.execute("INSERT INTO api_keys (api_key) VALUES ('test_old')")
    columns = ", ".join(f"'{name}'" for name in ("Lever", "acme-42", "Acme", "hr@acme.example"))
    db.execute(
        "INSERT INTO linked_accounts VALUES (1, '4b6e1c40-0000-4000-8000-000000000000', 'test_old',"
        f" 'token', 'TEST', 'ats', 'lever', {columns}, 'COMPLETE', 1700000000)"
    )
    db.commit()
    db.close()
    for _ in range(2):
        state = State(path=path)
        assert state.api_key == "test_old"
        account = state.find_account("test_old", "token")
        assert account is not None
        assert {one["status"] for one in state.read_syncs(account)} <= {"DONE", "SYNCING"}
        state.settings.add_receiver(account, {"event": "a", "is_active": True})
        state.close()
    last = State(path=path)
    assert len(last.settings.read_receivers(account)) == 2
    last.close()


def test_everything_about_an_account_is_kept(path: Path) -> None:
    first = State(path=path)
    link = first.create_link_token(first.api_key, ORDER)
    account = first.complete_link(link.token, "lever").account
    receipt = first.settings.pass_through_later(account, {"method": "GET", "path": "/x"})
    first.advance(400)
    issue = first.raise_issue(account.id, "a", ["b"], is_muted=True)
    first.settings.ignore(account, "c1", "GDPR", None)
    kept = [
        (lambda state: state.read_syncs(account), first.read_syncs(account)),
        (lambda state: state.settings.read_scopes(account), first.settings.read_scopes(account)),
        (lambda state: state.read_issues(state.api_key).results, [issue]),
        (lambda state: state.settings.ignored_ids(account), {"c1"}),
        (
            lambda state: state.settings.find_passthrough(account, receipt)["path"],
            "/x",
        ),
    ]
    # The first sync was told already, and is no news to the next process.
    first.close()
    second = State(path=path)
    events: list[Event] = []
    second.listeners.append(events.append)
    for read, expected in kept:
        assert read(second) == expected
    assert events == []
    second.delete_account(account)
    with pytest.raises(AccountGone):
        second.settings.read_scopes(account)
    with pytest.raises(AccountGone):
        second.read_syncs(account)
    second.close()


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        State(path=tmp_path / "nowhere" / "sandbox.db")


def test_sqlites_own_name_for_memory_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state = State(path=":memory:")
    state.create_link_token(state.api_key, ORDER)
    state.close()
    assert list(tmp_path.iterdir()) == []
