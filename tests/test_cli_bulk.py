"""merge-link bulk: what goes into the output, what fails, how it ends, who can read it."""

import json
import os
import re
import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bulks import (
    HEADER,
    asked,
    bulk,
    by_row,
    check,
    csv_of,
    mode_of,
    numbers_of,
    refusing,
    rows_of,
)
from command_line import BIN, Terminal, advice, complaints, process, run
from merge_link import Client
from merge_link.cli import progress, sending
from merge_link.cli.progress import Progress
from merge_link.cli.sheets import guarded, unguarded
from samples import EVERY_FIELD, KEY, TOKEN
from scripted import Server, answer, hang_up, token_answer


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a directory of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- the output ----


def test_each_row_is_in_the_output_with_its_token() -> None:
    Path("people.csv").write_text(csv_of(3))
    result = bulk("people.csv", "-o", "tokens.csv", "--magic-link")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "tokens.csv: 3 rows, each with its token\n"
    rows = rows_of(Path("tokens.csv"))
    assert list(rows[0]) == [
        "input_row",
        *HEADER.split(","),
        "link_token",
        "magic_link_url",
        "integration_name",
        "expires_at",
    ]
    assert [row["end_user_origin_id"] for row in rows] == ["row-1", "row-2", "row-3"]
    assert [row["input_row"] for row in rows] == ["1", "2", "3"]
    assert len({row["link_token"] for row in rows}) == 3
    assert all(row["magic_link_url"].startswith("http://") for row in rows)
    assert all(datetime.fromisoformat(row["expires_at"]).utcoffset() is not None for row in rows)


def test_json_lines_come_out_with_their_values_and_types() -> None:
    wanted = {**EVERY_FIELD, "customer": {"id": 7, "tags": ["a"]}}
    Path("people.jsonl").write_text(json.dumps(wanted) + "\n")
    result = bulk("people.jsonl", "-o", "tokens.jsonl", "--keep-column", "customer")
    assert result.exit_code == 0
    (line,) = Path("tokens.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert {name: row[name] for name in wanted} == wanted
    assert row["input_row"] == 1
    assert len(row["link_token"]) == 40
    assert row["integration_name"] == "Greenhouse"


def test_json_lines_become_csv_and_csv_becomes_json_lines() -> None:
    Path("people.jsonl").write_text(json.dumps(EVERY_FIELD) + "\n")
    assert bulk("people.jsonl", "-o", "tokens.csv").exit_code == 0
    (row,) = rows_of(Path("tokens.csv"))
    assert json.loads(row["common_models"]) == EVERY_FIELD["common_models"]
    assert row["ekm_enabled"] == "true"
    assert row["link_expiry_mins"] == "10080"

    Path("people.csv").write_text(csv_of(1))
    assert bulk("people.csv", "-o", "other.ndjson").exit_code == 0
    assert json.loads(Path("other.ndjson").read_text())["categories"] == "ats"


def test_every_field_goes_from_its_column_into_the_request() -> None:
    cells = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in EVERY_FIELD.items()
    }
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells.values()]
    Path("people.csv").write_text(",".join(cells) + "\n" + ",".join(quoted) + "\n")
    with Server(token_answer()) as server:
        assert bulk("people.csv", "-o", "tokens.csv", server=server).exit_code == 0
        assert asked(server.requests[0]) == EVERY_FIELD


def test_a_flag_counts_where_a_row_is_empty() -> None:
    Path("people.csv").write_text(
        f"{HEADER},language,category\na@b.c,A,1,,,\na@b.c,A,2,crm,de,ats\n"
    )
    with Server(token_answer()) as server:
        result = bulk(
            "people.csv", "-o", "t.csv", "--category", "ats", "--language", "fr", server=server
        )
        assert result.exit_code == 0
        first, second = sorted(map(asked, server.requests), key=lambda b: b["end_user_origin_id"])
        assert (first["categories"], first["language"]) == (["ats"], "fr")
        assert (second["categories"], second["language"]) == (["crm"], "de")
        assert sorted(request.split()[1] for request in server.requests) == [
            b"/api/ats/v1/link-token",
            b"/api/ats/v1/link-token",
        ]


def test_columns_are_kept_or_left_out_of_the_output() -> None:
    Path("people.csv").write_text(f"Customer,{HEADER},note\nc-1,a@b.c,A,1,ats,x\n")
    result = bulk("people.csv", "-o", "t.csv", "--keep-column", "Customer", "--ignore-column", "*")
    assert result.exit_code == 0
    (row,) = rows_of(Path("t.csv"))
    assert row["Customer"] == "c-1"
    assert "note" not in row
    result = bulk("people.csv", "-o", "all.csv", "--keep-column", "*")
    assert rows_of(Path("all.csv"))[0]["note"] == "x"


def test_a_field_can_be_kept_without_being_sent() -> None:
    Path("people.csv").write_text(f"{HEADER},language\na@b.c,A,1,ats,Deutsch\n")
    with Server(token_answer()) as server:
        result = bulk("people.csv", "-o", "t.csv", "--keep-column", "language", server=server)
        assert result.exit_code == 0
        assert "language" not in asked(server.requests[0])
    assert rows_of(Path("t.csv"))[0]["language"] == "Deutsch"


def test_an_output_fed_in_again_brings_no_old_results() -> None:
    Path("people.csv").write_text(csv_of(2))
    assert bulk("people.csv", "-o", "one.csv").exit_code == 0
    result = bulk("one.csv", "-o", "two.csv")
    assert result.exit_code == 0
    assert result.stderr == (
        'merge-link: of an earlier output, and left out: "input_row", "link_token",'
        ' "magic_link_url", "integration_name", "expires_at"\n'
    )
    one, two = rows_of(Path("one.csv")), rows_of(Path("two.csv"))
    assert list(one[0]) == list(two[0])
    assert one[0]["link_token"] != two[0]["link_token"]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_output_is_written_as_the_input_is(bom: bytes, delimiter: str) -> None:
    text = csv_of(2).replace(",", delimiter).replace("\n", "\r\n").replace("Acme 1", "Größe")
    Path("people.csv").write_bytes(bom + text.encode())
    assert bulk("people.csv", "-o", "t.csv").exit_code == 0
    written = Path("t.csv").read_bytes()
    assert written.startswith(bom + b"input_row" + delimiter.encode())
    assert rows_of(Path("t.csv"), delimiter)[0]["end_user_organization_name"] == "Größe"


# ---- cells that Excel would run ----


def test_what_excel_would_run_is_shown_instead_but_numbers_and_tokens_stay() -> None:
    wild = ["=1+1", "@SUM(A1)", "-2+3", "+49 30", "\t=1", "'=1", "-12.5", "+7", "it's", "a=b"]
    Path("people.csv").write_text(
        f"note,{HEADER}\n" + "".join(f'"{cell}",a@b.c,A,1,ats\n' for cell in wild)
    )
    with Server(token_answer(link_token="-_" + TOKEN, integration_name="=cmd|x")) as server:
        assert bulk("people.csv", "-o", "t.csv", "--keep-column", "note", server=server)
    rows = rows_of(Path("t.csv"))
    assert [row["note"] for row in rows] == [
        "'=1+1",
        "'@SUM(A1)",
        "'-2+3",
        "'+49 30",
        "'\t=1",
        "''=1",
        "-12.5",
        "+7",
        "it's",
        "a=b",
    ]
    assert {row["link_token"] for row in rows} == {"-_" + TOKEN}
    assert {row["integration_name"] for row in rows} == {"'=cmd|x"}
    assert [unguarded(guarded(cell)) for cell in wild] == wild


def test_what_was_guarded_in_the_failed_rows_is_sent_as_it_was() -> None:
    Path("people.csv").write_text(f"{HEADER}\na@b.c,=Acme,1,ats\na@b.c,'-Acme,2,ats\n")
    with Server(refusing("1", "2")) as server:
        assert bulk("people.csv", "-o", "t.csv", server=server).exit_code == 6
    failed = rows_of(Path("t.failed.csv"))
    assert [row["end_user_organization_name"] for row in failed] == ["'=Acme", "''-Acme"]
    with Server(token_answer()) as server:
        assert bulk("t.failed.csv", "-o", "t2.csv", server=server).exit_code == 0
        names = [asked(request)["end_user_organization_name"] for request in server.requests]
    assert sorted(names) == ["'-Acme", "=Acme"]


# ---- rows that fail ----


def test_failed_rows_have_a_file_that_can_be_fed_in_again() -> None:
    Path("people.csv").write_text(
        csv_of(4).replace("end_user_email_address", "E-mail", 1).replace("\n", ",x\n")
    )
    Path("people.csv").write_text(Path("people.csv").read_text().replace(",x", ",Customer", 1))
    flags = ["--map", "E-mail=end_user_email_address", "--ignore-column", "Customer"]
    with Server(refusing("row-2", "row-4")) as server:
        result = bulk("people.csv", "-o", "tokens.csv", *flags, server=server)
    assert result.exit_code == 6
    assert complaints(result) == [
        "2 of 4 rows failed: tokens.failed.csv has them, with the reasons"
    ]
    assert advice(result) == [
        "To try them again as they are: --resume --retry-failed. Once it is corrected, the file can"
        " be fed in, with another -o."
    ]
    assert numbers_of(Path("tokens.csv")) == [1, 3]
    failed = rows_of(Path("tokens.failed.csv"))
    assert [row["input_row"] for row in failed] == ["2", "4"]
    assert [row["Customer"] for row in failed] == ["x", "x"]
    assert {row["error"] for row in failed} == {
        'Merge refuses column "E-mail": Enter a valid email address.'
    }
    with Server(token_answer()) as server:
        result = bulk("tokens.failed.csv", "-o", "more.csv", *flags, server=server)
        assert result.exit_code == 0
        asked_for = sorted(asked(request)["end_user_origin_id"] for request in server.requests)
        assert asked_for == ["row-2", "row-4"]


def test_failed_rows_are_left_alone_by_resume_and_tried_by_retry_failed() -> None:
    Path("people.csv").write_text(csv_of(5))
    with Server(refusing("row-2", "row-4")) as server:
        assert bulk("people.csv", "-o", "t.csv", server=server).exit_code == 6
    with Server(token_answer()) as server:
        result = bulk("people.csv", "-o", "t.csv", "--resume", server=server)
        assert result.exit_code == 2  # another server
        assert "begun with other values of the server" in result.stderr

    state = json.loads(Path("t.csv.state").read_text())
    with Server(refusing("row-4")) as server:
        Path("t.csv.state").write_text(json.dumps({**state, "the server": server.base_url}))
        result = bulk("people.csv", "-o", "t.csv", "--resume", server=server)
        assert (result.exit_code, server.requests) == (6, [])
        result = bulk("people.csv", "-o", "t.csv", "--retry-failed", server=server)
        assert result.exit_code == 6
        assert "going on: 3 of 5 rows done, 2 failed" in result.stderr
        assert len(server.requests) == 2
    assert numbers_of(Path("t.csv")) == [1, 2, 3, 5]
    assert numbers_of(Path("t.failed.csv")) == [4]

    with Server(token_answer()) as server:
        Path("t.csv.state").write_text(json.dumps({**state, "the server": server.base_url}))
        result = bulk("people.csv", "-o", "t.csv", "--resume", "--retry-failed", server=server)
        assert result.exit_code == 0
    assert numbers_of(Path("t.csv")) == [1, 2, 3, 4, 5]
    assert not Path("t.failed.csv").exists()


def test_failed_json_lines_are_json_lines() -> None:
    Path("people.jsonl").write_text(json.dumps({**EVERY_FIELD, "x": None}) + "\n")
    with Server(answer(400, {"detail": "No."})) as server:
        arguments = ["people.jsonl", "-o", "t.csv", "--keep-column", "x"]
        assert bulk(*arguments, server=server).exit_code == 6
    row = json.loads(Path("t.failed.jsonl").read_text())
    assert row.pop("input_row") == 1
    assert row.pop("error").startswith("Merge answered 400: No.")
    assert row == EVERY_FIELD


def test_a_wrong_key_stops_at_once_and_no_row_has_failed() -> None:
    Path("people.csv").write_text(csv_of(30))
    with Server(answer(401, {"detail": "Invalid token."})) as server:
        result = bulk("people.csv", "-o", "t.csv", server=server)
        assert result.exit_code == 3
        assert len(server.requests) == 1
    assert complaints(result) == [
        "Merge answered 401: Invalid token.",
        "stopped: 0 of 30 rows done",
    ]
    assert "The same command with --resume goes on from there." in advice(result)
    assert not Path("t.failed.csv").exists()


def test_a_server_that_fails_for_every_row_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_FAILURES_IN_A_ROW", 5)
    Path("people.csv").write_text(csv_of(30))
    with Server(answer(404, {"detail": "Not found."})) as server:
        result = bulk("people.csv", "-o", "t.csv", "--concurrency", 1, server=server)
        assert result.exit_code == 4
    first, second = complaints(result)
    assert first.startswith("stopped after 5 failures in a row, the last: Merge answered 404")
    assert second == "stopped: 0 of 30 rows done, 5 failed"
    assert advice(result)[-1] == (
        "The same command with --resume goes on from there. --retry-failed tries those that have"
        " failed again, too."
    )
    assert numbers_of(Path("t.failed.csv")) == [1, 2, 3, 4, 5]


def test_rows_that_merge_refuses_never_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_FAILURES_IN_A_ROW", 5)
    Path("people.csv").write_text(csv_of(8))
    with Server(answer(400, {"detail": "No."})) as server:
        result = bulk("people.csv", "-o", "t.csv", server=server)
    assert (result.exit_code, numbers_of(Path("t.failed.csv"))) == (6, list(range(1, 9)))


def test_no_server_is_told_in_each_row() -> None:
    Path("people.csv").write_text(csv_of(1))
    with Server(hang_up) as server:
        result = bulk("people.csv", "-o", "t.csv", server=server)
    assert result.exit_code == 6
    (row,) = rows_of(Path("t.failed.csv"))
    assert "3 attempts" in row["error"]


# ---- what is refused before anything is sent ----


def test_usage_that_makes_no_sense_is_told_at_once() -> None:
    Path("people.csv").write_text(csv_of(1))
    for arguments, told in [
        (["people.csv"], "-o FILE is required"),
        (["people.csv", "-o", "-"], "-o must be a file"),
        (["people.csv", "-o", "t.xlsx"], "-o writes CSV or JSON Lines, not .xlsx"),
        (["people.csv", "b", "-o", "t.csv"], "takes one file, and 1 was given beside it"),
        (["people.csv", "-o", "t.csv", "--rate", "fast"], "--rate must be "),
        (["people.csv", "-o", "t.csv", "--rate", "0/s"], "--rate must be "),
        (["people.csv", "-o", "t.csv", "--rate", "5000/m"], "(per s, min or h)"),
        (["people.csv", "-o", "../" + Path().absolute().name + "/people.csv"], "-o is the input"),
        (["-", "-o", "t.csv", "--env-file", "-"], "FILE - and --env-file - exclude each other"),
        (["none.csv", "-o", "t.csv"], "none.csv: No such file or directory"),
        (["people.csv", "-o", "none/t.csv"], "none/t.csv: there is no such directory"),
        (["people.csv", "-o", "t.csv", "--concurrency", "0"], "Invalid value for"),
    ]:
        stdin = "" if arguments[0] == "-" else None
        result = bulk(*arguments, stdin=stdin)
        assert result.exit_code in (2, 3), arguments
        assert told in complaints(result)[0]
    assert os.listdir() == ["people.csv"]


def test_a_key_that_is_missing_is_told_before_a_file_is_made() -> None:
    Path("people.csv").write_text(csv_of(1))
    result = run("bulk", "people.csv", "-o", "t.csv")
    assert result.exit_code == 3
    assert os.listdir() == ["people.csv"]


def test_check_sends_nothing_makes_nothing_and_needs_no_key() -> None:
    Path("people.csv").write_text(csv_of(1))
    result = check("people.csv")
    assert (result.exit_code, result.stdout) == (0, "people.csv: 1 row, nothing wrong\n")
    assert os.listdir() == ["people.csv"]


def test_one_bad_row_at_the_end_keeps_all_from_being_sent() -> None:
    Path("people.csv").write_text(csv_of(50) + "a@b.c,A,,ats\n")
    with Server(token_answer()) as server:
        result = bulk("people.csv", "-o", "t.csv", server=server)
        assert (result.exit_code, server.requests) == (2, [])
    assert complaints(result) == [
        'people.csv line 52: column "end_user_origin_id" is empty, and required'
    ]
    assert os.listdir() == ["people.csv"]


# ---- pipes, files, secrets ----


def test_a_pipe_is_read_whole_first() -> None:
    done = process(BIN / "merge-link", "bulk", "-", "--sandbox", "-o", "t.csv", input=csv_of(20))
    assert (done.returncode, done.stderr) == (0, "")
    assert numbers_of(Path("t.csv")) == list(range(1, 21))
    done = process(BIN / "merge-link", "bulk", "-", "--check", input=csv_of(3) + "x\n")
    assert done.returncode == 2
    assert done.stderr.startswith('merge-link: stdin line 5: column "end_user_organ')


def test_all_files_are_for_their_owner_alone() -> None:
    before = os.umask(0)
    try:
        Path("people.csv").write_text(csv_of(3))
        with Server(refusing("row-2")) as server:
            assert bulk("people.csv", "-o", "t.csv", server=server).exit_code == 6
            result = bulk("people.csv", "-o", "t.csv", "--retry-failed", server=server)
            assert result.exit_code == 6
    finally:
        os.umask(before)
    modes = {mode_of(path) for path in Path().iterdir() if path.name != "people.csv"}
    assert modes == {stat.S_IRUSR | stat.S_IWUSR}
    assert sorted(os.listdir()) == ["people.csv", "t.csv", "t.csv.state", "t.failed.csv"]


def test_the_copy_of_the_input_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = Path("copies")
    copies.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(copies.resolve()))
    Path("people.csv").write_text(csv_of(2))
    seen: list[list[str]] = []

    def look(origin_id: str) -> None:
        seen.append(os.listdir(copies))

    with Server(by_row(look)) as server:
        assert bulk("people.csv", "-o", "t.csv", server=server).exit_code == 0
    assert seen == [[], []]


def test_no_secret_is_told_and_none_is_in_the_state() -> None:
    Path("people.csv").write_text(csv_of(3))
    link = "https://link.merge.dev/asdfjkl12345jsndfgi2i83n"

    def answers(origin_id: str) -> bytes:
        if origin_id == "row-2":
            return answer(400, {"detail": f"The key {KEY} is odd, so is {TOKEN}."})
        return token_answer(magic_link_url=link)

    with Server(by_row(answers)) as server:
        result = bulk("people.csv", "-o", "t.csv", server=server)
    assert result.exit_code == 6
    told = result.stdout + result.stderr + Path("t.csv.state").read_text()
    for secret in (KEY, TOKEN, link):
        assert secret not in told
    assert KEY not in Path("t.failed.csv").read_text()
    assert KEY not in Path("t.csv").read_text()


def test_a_full_disk_is_told_and_the_rows_are_there_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("people.csv").write_text(csv_of(5))
    real, left = os.write, [500]

    def write(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        size = min(len(data), left[0])
        left[0] -= size
        return real(descriptor, data[:size])

    with Server(token_answer()) as server:
        with monkeypatch.context() as patch:
            patch.setattr("merge_link.cli.journal.os.write", write)
            result = bulk("people.csv", "-o", "t.csv", server=server)
        assert result.exit_code == 1
        assert complaints(result)[0] == "t.csv: No space left on device"
        assert not Path("t.csv").read_bytes().endswith(b"\n")
        assert bulk("people.csv", "-o", "t.csv", "--resume", server=server).exit_code == 0
    assert numbers_of(Path("t.csv")) == [1, 2, 3, 4, 5]


# ---- progress ----


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    Path("people.csv").write_text(csv_of(3))
    with Server(refusing("row-2")) as server:
        result = bulk("people.csv", "-o", "t.csv", "--concurrency", 1, server=server)
    lines = result.stderr.splitlines()
    assert re.fullmatch(r"merge-link: 1 of 3 rows, \S+ a second, \d:\d\d:\d\d left", lines[0])
    assert re.fullmatch(r"merge-link: 3 of 3 rows, 1 failed, .* 0:00:00 left", lines[2])


def test_progress_is_a_bar_on_a_terminal() -> None:
    pytest.importorskip("tqdm")
    Path("people.csv").write_text(csv_of(3))
    with Server(refusing("row-2")) as server:
        environment = {**os.environ, "MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url}
        terminal = Terminal([BIN / "merge-link", "bulk", "people.csv", "-o", "t.csv"], environment)
        assert terminal.end() == 6
    assert b"| 3/3 [" in terminal.said
    assert b"1 failed]" in terminal.said


def test_the_time_left_counts_what_this_run_has_done() -> None:
    with Progress(total=20_100, done=90, failed=10) as shown:
        for _ in range(100):
            shown.tell(failed=False)
        assert shown.line(10.0) == "200 of 20100 rows, 10 failed, 10.0 a second, 0:33:10 left"


def test_rate_and_concurrency_are_those_of_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("people.csv").write_text(csv_of(1))
    given: list[dict[str, object]] = []
    real = Client.create_link_tokens

    def note(client: Client, rows: Any, **options: Any) -> Any:
        given.append(options)
        return real(client, rows, **options)

    monkeypatch.setattr(Client, "create_link_tokens", note)
    assert bulk("people.csv", "-o", "a.csv", "--rate", "400/min", "--concurrency", 3).exit_code == 0
    assert bulk("people.csv", "-o", "b.csv").exit_code == 0
    first, second = {"rate": "400/min", "concurrency": 3}, {"rate": None, "concurrency": 64}
    assert given == [first, first, second, second]  # the first row goes alone
