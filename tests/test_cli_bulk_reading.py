"""merge-link bulk --check: each kind of table, each problem in it with its line and column."""

import json
from pathlib import Path
from typing import Any

import pytest

from bulks import HEADER, asked, bulk, check, csv_of
from command_line import advice, complaints
from merge_link.cli.columns import MOST_SHOWN
from merge_link.cli.inputs import EXTRA
from merge_link.cli.options import rows
from samples import EVERY_FIELD
from scripted import Server, token_answer

ROW = "a@b.c,Größe,1,ats"
TABLE = f"{HEADER}\n{ROW}\n"


def sent(*arguments: object, stdin: str | bytes, directory: Path) -> list[dict[str, Any]]:
    """What the rows of a table ask for, by their origin ids."""
    with Server(token_answer()) as server:
        result = bulk("-", "-o", directory / "t.csv", *arguments, server=server, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, "")
        bodies = map(asked, server.requests)
        return sorted(bodies, key=lambda body: str(body["end_user_origin_id"]))


def problems(*arguments: object, stdin: str | bytes) -> list[str]:
    result = check("-", *arguments, stdin=stdin)
    assert result.exit_code == 2
    assert advice(result) == []
    return complaints(result)


# ---- dialects ----


DIALECTS = {
    "plain": TABLE.encode(),
    "crlf": TABLE.replace("\n", "\r\n").encode(),
    "old mac": TABLE.replace("\n", "\r").encode(),
    "no end of the last line": TABLE[:-1].encode(),
    "bom": TABLE.encode("utf-8-sig"),
    "semicolons": TABLE.replace(",", ";").encode(),
    "tabs": TABLE.replace(",", "\t").encode(),
    "sep": ("sep=;\r\n" + TABLE.replace(",", ";")).encode(),
    "quotes": ",".join(f'"{name}"' for name in HEADER.split(",")).encode()
    + b'\n"a@b.c","Gr\xc3\xb6\xc3\x9fe","1","ats"\n',
    "spaces in the header": TABLE.replace(",end", ", end").encode(),
    "utf-16 of Excel": TABLE.replace(",", "\t").encode("utf-16"),
    "utf-16 the other way": b"\xfe\xff" + TABLE.encode("utf-16-be"),
    "blank lines and cells": f"\n\n{HEADER},,\n\n,,,\n{ROW},,,,\n,,,,,,\n\n".encode(),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_csv_is_read_as_programs_and_excel_write_it(dialect: str, tmp_path: Path) -> None:
    (body,) = sent(stdin=DIALECTS[dialect], directory=tmp_path)
    assert body["end_user_organization_name"] == "Größe"
    assert body["categories"] == ["ats"]


def test_other_encodings_are_read_when_they_are_named(tmp_path: Path) -> None:
    data = TABLE.replace("Größe", "Größe €").encode("cp1252")
    (body,) = sent("--encoding", "cp1252", stdin=data, directory=tmp_path)
    assert body["end_user_organization_name"] == "Größe €"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "stdin has no rows"),
        (b"\xef\xbb\xbf\r\n\r\n", "stdin has no rows"),
        (HEADER.encode(), "stdin has no rows"),
        (TABLE.encode("cp1252"), "stdin line 2: not UTF-8: byte 9 of the line. Save it as"),
        (TABLE.encode("utf-16-le"), "stdin line 1: holds NUL. If it is UTF-16 without a byte"),
        (TABLE.encode("utf-16")[:-1], "stdin: not utf-16: truncated data"),
        (f'{HEADER}\na,"b\nc,1,ats\n'.encode(), "stdin line 2: not CSV: unexpected end of data"),
        (f'{HEADER}\n{ROW}\n"a"b,c,1,ats\n'.encode(), "stdin line 3: not CSV: ',' expected"),
        (b"PK\x03\x04\x14\0\x06\0", "stdin is a workbook, not CSV: save it as "),
        (b",,\na,b\n", "stdin line 2: column "),
        (b'[{"a": 1}]', "stdin is a JSON array: give one object a line"),
        (b'[\n{"a": 1}]', "stdin is a JSON array: give one object a line"),
        (b"language,language\nde,de\n", 'stdin line 1: the column "language" is there twice'),
    ],
)
def test_what_is_no_table_is_one_clear_line(data: bytes, told: str) -> None:
    first, *_ = problems(stdin=data)
    assert first.startswith(told)


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13"])
def test_an_encoding_that_is_none_is_refused(encoding: str) -> None:
    (line,) = problems("--encoding", encoding, stdin=TABLE)
    assert line.startswith("--encoding is none that Python knows")


def test_a_line_break_in_a_cell_moves_the_lines_of_what_follows() -> None:
    table = f'note,{HEADER}\n"two\r\nlines",a@b.c,A,1,ats\n\nx,a@b.c,A,,ats\n'
    told = problems("--ignore-column", "note", stdin=table)
    assert told == ['stdin line 5: column "end_user_origin_id" is empty, and required']


def test_rows_longer_than_the_header_are_told() -> None:
    table = f"{HEADER},\n{ROW},\n{ROW},,x\n{ROW},x\n{ROW},,,\n"
    assert problems(stdin=table) == [
        "stdin line 3: has 6 cells, the header only 5",
        "stdin line 4: has a value in a column without a name",
    ]


def test_short_rows_are_empty_at_the_end(tmp_path: Path) -> None:
    (body,) = sent(stdin=f"{HEADER},language,integration\n{ROW}\n", directory=tmp_path)
    assert "language" not in body


# ---- JSON Lines ----


def test_json_lines_are_read_with_their_types_and_null_is_empty(tmp_path: Path) -> None:
    second = {**EVERY_FIELD, "end_user_origin_id": "b", "language": None, "link_expiry_mins": None}
    lines = f"{json.dumps(EVERY_FIELD)}\n\n{json.dumps(second)}"
    first_body, second_body = sent(stdin=lines, directory=tmp_path)
    assert first_body == EVERY_FIELD
    assert "language" not in second_body
    assert second_body["link_expiry_mins"] == 30


def test_each_bad_json_line_is_told() -> None:
    good = json.dumps(EVERY_FIELD)
    half = json.dumps({**EVERY_FIELD, "integration": "\ud800"})
    lines = ["{", good, "[]", '{"a": NaN}', '{"a": 1, "a": 2}', half, "{}"]
    told = problems(stdin="\n".join(lines))
    assert [line.partition(": ")[2].partition(":")[0] for line in told[:5]] == [
        "not JSON",
        "must be one JSON object",
        "NaN is not JSON",
        '"a" is there twice',
        "holds half of a surrogate pair (\\ud800 to \\udfff)",
    ]
    assert [line.split()[2] for line in told] == ["1:", "3:", "4:", "5:", "6:", *["7:"] * 4]
    assert told[5] == 'stdin line 7: member "end_user_email_address" is empty, and required'


def test_unknown_members_are_told_with_the_line_of_the_first() -> None:
    good = json.dumps(EVERY_FIELD)
    odd = json.dumps({**EVERY_FIELD, "languag": "de"})
    (line,) = problems(stdin=f"{good}\n{odd}\n{odd}\n")
    assert line.startswith(
        'stdin line 2: member "languag" is not a field of the API; did you mean --map'
        ' "languag=language"? Else --keep-column "languag" has it in the output'
    )


# ---- columns ----


def test_a_column_of_another_name_is_mapped(tmp_path: Path) -> None:
    table = TABLE.replace("end_user_email_address", "E=mail ").replace("categories", "Kind")
    maps = ["--map", "E=mail=end_user_email_address", "--map", "Kind=categories"]
    (body,) = sent(*maps, stdin=table, directory=tmp_path)
    assert body["end_user_email_address"] == "a@b.c"


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("E-mail", "end_user_email_address"),
        ("Email Address", "end_user_email_address"),
        ("Company", "end_user_organization_name"),
        ("Organisation", "end_user_organization_name"),
        ("end_user_orgin_id", "end_user_origin_id"),
        ("endUserOriginId", "end_user_origin_id"),
        ("origin-id", "end_user_origin_id"),
        ("Categories", "categories"),
        ("magic_link", "should_create_magic_link_url"),
    ],
)
def test_a_column_that_is_nearly_a_field_is_told_which(header: str, meant: str) -> None:
    told = problems("--keep-column", "*", stdin=f"{HEADER},{header}\n{ROW},x\n")
    assert told == [
        f'stdin line 1: column "{header}" is not a field of the API; did you mean --map'
        f' "{header}={meant}"? Else --keep-column "{header}" has it in the output, --ignore-column'
        " leaves it out"
    ]


def test_a_column_that_is_no_field_must_be_dealt_with() -> None:
    (line,) = problems(stdin=f"{HEADER},Customer\n{ROW},1\n")
    assert line.startswith('stdin line 1: column "Customer" is not a field of the API; --keep')
    for flag in ("--keep-column", "--ignore-column"):
        for name in ("Customer", "*"):
            assert check("-", flag, name, stdin=f"{HEADER},Customer\n{ROW},1\n").exit_code == 0


def test_all_that_is_wrong_with_columns_is_told_at_once() -> None:
    told = problems(
        *("--map", "nothing", "--map", "x=lang", "--map", "y=language", "--map", "y=language"),
        *("--keep-column", "z", "--email", "a@b.c"),
        stdin="link_expiry_mins,language,L,category\n30,de,en,ats\n",
    )
    assert [line.partition(";")[0] for line in told] == [
        "--map takes COLUMN=FIELD, with the name of an API field",
        '--map: "lang" is not a field of the API',
        '--map: "y" is there twice',
        '--map: there is no column "y"',
        '--keep-column: there is no column "z"',
        'stdin line 1: column "L" is not a field of the API',
        "stdin: no column gives end_user_organization_name, which is required",
        "stdin: no column gives end_user_origin_id, which is required",
        "stdin: no column gives categories, which is required",
    ]
    assert told[-1].endswith('the column "category" is that of the path: --map category=categories')
    (line,) = problems("--map", "L=language", stdin=f"{HEADER},language,L\n{ROW},de,en\n")
    assert line == 'stdin: the columns "language" and "L" both give language'


# ---- cells ----


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("categories", "ats", ["ats"]),
        ("categories", "ats,hris", ["ats", "hris"]),
        ("categories", " ats; hris |crm ", ["ats", "hris", "crm"]),
        ("categories", "ats hris", ["ats", "hris"]),
        ("categories", '["ats", "hris"]', ["ats", "hris"]),
        ("link_expiry_mins", " 45 ", 45),
        ("ekm_enabled", "TRUE", True),
        ("ekm_enabled", "no", False),
        ("ekm_enabled", "1", True),
        ("integration_specific_config", '{"a": [1.0, null]}', {"a": [1.0, None]}),
        ("end_user_organization_name", " spaces stay ", " spaces stay "),
    ],
)
def test_cells_are_read_by_the_type_of_their_field(
    field: str, cell: str, value: object, tmp_path: Path
) -> None:
    columns = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {field: cell}
    quoted = ['"' + text.replace('"', '""') + '"' for text in columns.values()]
    (body,) = sent(stdin=f"{','.join(columns)}\n{','.join(quoted)}\n", directory=tmp_path)
    assert body[field] == value


def test_newer_fields_have_a_column_of_json(tmp_path: Path) -> None:
    (body,) = sent(stdin=f'{HEADER},{EXTRA}\n{ROW},"{{""newer"": 1}}"\n', directory=tmp_path)
    assert body["newer"] == 1


@pytest.mark.parametrize(
    ("field", "cell", "told"),
    [
        ("end_user_email_address", "x" * 101, "must have 1 to 100 characters, has 101"),
        ("categories", "ats,atss", 'no. 2 is not a known value; did you mean "ats"?'),
        ("categories", ";", "must "),
        ("categories", "[ats]", "must be JSON, […]: not JSON: "),
        ("link_expiry_mins", "30.0", "must be a whole number"),
        ("link_expiry_mins", "1e3", "must be a whole number"),
        ("link_expiry_mins", "9" * 5000, "must be a whole number"),
        ("link_expiry_mins", "5", "must be 30 to 720 (to 10080 with should_create_magic_link_url)"),
        ("ekm_enabled", "WAHR", "must be true or false (or yes, no, 1, 0)"),
        ("common_models", "{}", "must be JSON, […]"),
        ("common_models", "[" * 100_000, "must be JSON, […]: nested too deeply"),
        ("common_models", '[{"model_id": "x"}]', "[0].enabled_actions is empty, and required"),
        ("integration_specific_config", "x", "must be JSON, {…}: not JSON: "),
        (EXTRA, "5", "must be JSON, {…}"),
        (EXTRA, '{"language": "de"}', ""),
    ],
)
def test_what_is_wrong_with_a_cell_is_told_with_line_and_column(
    field: str, cell: str, told: str
) -> None:
    columns = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {field: cell}
    quoted = ['"' + text.replace('"', '""') + '"' for text in columns.values()]
    first, *_ = problems(stdin=f"{','.join(columns)}\n{','.join(quoted)}\n")
    assert first.startswith(f'stdin line 2: column "{field}"')
    assert first.partition('" ')[2].startswith(told) or first.partition(field + '"')[2].startswith(
        told
    )


def test_mapped_columns_are_called_by_their_own_names() -> None:
    table = TABLE.replace("categories", "Kind").replace(",ats", ",atss")
    (line,) = problems("--map", "Kind=categories", stdin=table)
    assert line == ('stdin line 2: column "Kind" no. 1 is not a known value; did you mean "ats"?')


def test_a_wrong_flag_is_told_once_by_its_name_and_other_rows_still() -> None:
    table = f"{HEADER},language\n" + "a@b.c,A,1,,\n" * 40 + "a@b.c,A,,,\n"
    assert problems("--category", "atss", stdin=table) == [
        'stdin line 2: --category is not a known value; did you mean "ats"?',
        'stdin line 42: column "end_user_origin_id" is empty, and required',
    ]


def test_so_many_problems_are_shown_and_the_rest_is_counted() -> None:
    table = f"{HEADER}\n" + "a@b.c,,,ats\n" * 5_000
    told = problems(stdin=table)
    assert len(told) == MOST_SHOWN + 1
    assert told[0].startswith("stdin line 2: ")
    assert told[-1] == f"… and {10_000 - MOST_SHOWN} more"


def test_every_type_of_field_can_be_read() -> None:
    known = {"string", "integer", "boolean", "array", "object"}
    assert {row["type"] for row in rows().values()} <= known


def test_many_rows_are_checked() -> None:
    assert check("-", stdin=csv_of(20_000)).stdout == "stdin: 20000 rows, nothing wrong\n"
