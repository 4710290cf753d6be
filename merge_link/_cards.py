"""Results, errors and clients as a notebook shows them: small cards of HTML.

A notebook file keeps what its cells have shown. A card therefore masks what repr() masks, and
names times that stay true; only `Revealed` holds credentials, and says so.

Cards take text and background from the page round them, so that they suit every theme, light or
dark, of Jupyter and of others. Where a page strips styles and scripts (an untrusted notebook),
plain tables are left.

The classes call up here from `_repr_html_`, and only then: nothing is loaded until a notebook asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape

from merge_link import _core
from merge_link.records import MASK, Part, Record
from merge_link.response import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, NoReturn

    from merge_link.errors import MergeLinkError
    from merge_link.outcomes import Outcome, Outcomes
    from merge_link.pages import _Pages

    Row = tuple[str, str]  # a name, and HTML

_MOST_CHARACTERS = 500
_MOST_ROWS = 50
_MOST_OUTCOMES = 10
_MOST_COLUMNS = 6

# What a table shows of a page's results; of others, the first few that are no objects.
_COLUMNS = {
    "LinkedAccount": (
        *("end_user_organization_name", "end_user_origin_id", "integration", "category", "status"),
        "id",
    ),
    "Issue": (
        *("status", "end_user", "error_description", "first_incident_time", "last_incident_time"),
        "is_muted",
    ),
    "SyncStatus": (
        *("model_name", "status", "last_sync_result", "last_sync_finished", "next_sync_start"),
    ),
    "AuditEvent": ("created_at", "event_type", "event_description", "user_email", "role"),
}
# Members of plain dicts whose names have one of these may be credentials.
_SECRETIVE = ("token", "key", "secret", "password", "webhook_listener_url", "magic_link")

# Graphical only, so that 3:1 against light and against dark is enough.
ACCENTS = {"result": "#3b82c4", "error": "#d9534f", "warning": "#c77700"}
CONTROL = "#808080"
# Of text that matters less; the rest has the page's own colour.
QUIET = 0.75

# `!important` where Jupyter's own rules for tables are more specific.
_STYLE = f"""
.merge-link-card {{
  box-sizing: border-box; max-width: 54em; margin: 4px 0; padding: 10px 16px; overflow: hidden;
  border: 1px solid rgba(128, 128, 128, .35); border-left: 4px solid {ACCENTS["result"]};
  border-radius: 4px; font-size: 13px; line-height: 1.5; color: inherit;
}}
.merge-link-card-error {{ border-left-color: {ACCENTS["error"]} }}
.merge-link-card-warning {{ border-left-color: {ACCENTS["warning"]} }}
.merge-link-card p {{ margin: 0 0 4px; white-space: pre-wrap; overflow-wrap: anywhere }}
.merge-link-card small {{ font-size: 12px; font-weight: normal; opacity: {QUIET} }}
.merge-link-card table {{
  margin: 0; border: none; border-collapse: collapse; table-layout: auto; font-size: inherit;
  color: inherit;
}}
.merge-link-card thead, .merge-link-card tr {{ background: none !important; border: none }}
.merge-link-card th, .merge-link-card td {{
  padding: 2px 0 !important; text-align: left !important; vertical-align: baseline;
  border: none; background: none; color: inherit; white-space: pre-wrap; overflow-wrap: anywhere;
}}
.merge-link-card th {{
  padding-right: 20px !important; max-width: 16em; font-weight: normal;
  overflow-wrap: break-word; opacity: {QUIET};
}}
.merge-link-card thead th {{
  padding-top: 6px !important; font-size: 12px; overflow-wrap: anywhere;
}}
.merge-link-card code {{
  padding: 1px 5px; border-radius: 3px; background: rgba(128, 128, 128, .12) !important;
  color: inherit; font-size: inherit; user-select: all; white-space: pre-wrap;
  overflow-wrap: anywhere;
}}
.merge-link-card a {{ color: inherit; text-decoration: underline !important }}
.merge-link-card button {{
  display: inline-block; margin: 0 10px 0 0; padding: 0 10px; font: inherit; font-size: 12px;
  color: inherit; background: rgba(128, 128, 128, .12); cursor: pointer;
  border: 1px solid {CONTROL}; border-radius: 4px;
}}
.merge-link-card button:hover {{ background: rgba(128, 128, 128, .25) }}
.merge-link-card button:focus-visible {{ outline: 2px solid currentColor; outline-offset: 1px }}
"""

# Without a clipboard (a page that is not https, a frame that may not), the text is left selected.
_COPY = """
const [code, said] = this.parentNode.querySelectorAll('code, [role=status]');
const done = () => { said.textContent = 'Copied'; setTimeout(() => said.textContent = '', 2000) };
const byHand = () => {
  window.getSelection().selectAllChildren(code);
  document.execCommand('copy') ? done() : said.textContent = 'Selected: press Ctrl+C or ⌘C';
};
navigator.clipboard ? navigator.clipboard.writeText(code.textContent).then(done, byHand) : byHand();
"""


def of_record(record: Record) -> str:
    """Return the card of a result or a part of one, its credentials masked."""
    masked = any(_is_secret(record, name) for name in record._shown())
    hint = "masked; reveal() shows it" if masked and hasattr(record, "reveal") else ""
    return _card("result", type(record).__name__, _table(_rows_of(record)), hint=hint)


def of_headers(headers: Headers) -> str:
    """Return the card of headers: the names only, as in repr()."""
    return _card("result", "Headers", f"<p>{_text(', '.join(headers))}</p>")


def of_error(error: MergeLinkError) -> str:
    """Return the card of an error: its problems as a table, else its message, and its facts."""
    problems = list(_problems_of(error))
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    # What was refused before it was sent has no other message than its problems.
    texts = notes if problems and not hasattr(error, "status_code") else [str(error), *notes]
    return _card(
        "error",
        type(error).__name__,
        *(f"<p>{_text(text)}</p>" for text in texts if text),
        _table(_facts_of(error)),
        _table(problems, heading=("field", "problem")),
    )


def of_client(client: _core.BaseClient) -> str:
    """Return the card of a client: where it calls and how long it tries."""
    kind = "Client" if isinstance(client, _core.Client) else "AsyncClient"
    shown = ("base_url", "region", "category", "timeout", "max_retries", "closed")
    return _card("result", kind, _table((name, _html(getattr(client, name))) for name in shown))


def of_outcome(outcome: Outcome) -> str:
    """Return the card of what came of a row: what may be seen of the row, and the outcome."""
    return _card(
        "result" if outcome.ok else "error",
        "Outcome",
        _table(
            (
                ("index", str(outcome.index)),
                ("request", _text(outcome._shown()["request"])),
                ("token" if outcome.ok else "error", _came_of(outcome)),
            )
        ),
    )


def of_outcomes(outcomes: Outcomes) -> str:
    """Return the card of a list of outcomes: counts, the first rows, and the first that failed."""
    from merge_link.outcomes import counted

    first, others = outcomes[:_MOST_OUTCOMES], outcomes[_MOST_OUTCOMES:]
    rest, errors = len(others), others.failed[:_MOST_OUTCOMES]
    return _card(
        "error" if outcomes.failed else "result",
        "Outcomes",
        f"<p>{_text(counted(outcomes))}</p>",
        _outcome_table(first),
        f"<p><small>… and {rest} more</small></p>" if rest else "",
        "<p>Errors further down</p>" if errors else "",
        _outcome_table(errors),
    )


def of_page(page: _Pages[Any]) -> str:
    """Return the card of a page: a table of its results, their credentials masked."""
    count = len(page.results)
    counted = f"{count} result{'' if count == 1 else 's'}"
    rest = count - _MOST_ROWS
    more = f"… and {rest} more of this page" if rest > 0 else ""
    return _card(
        "result",
        type(page).__name__,
        _result_table(page.results[:_MOST_ROWS]),
        f"<p><small>{more}</small></p>" if more else "",
        hint=f"{counted}; more pages follow" if page.next_cursor else counted,
    )


class Revealed:
    """Shows a result with its credentials, in a notebook. As text it is masked.

    What a notebook shows is saved with it.
    """

    __slots__ = ("_record",)

    def __init__(self, record: Record) -> None:
        self._record = record

    def __repr__(self) -> str:
        """Show none of it: the text of an output is saved and logged in many places."""
        return f"<{type(self._record).__name__} revealed, in notebooks only; masked in text>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"what reveal() returns is for a notebook to show, and can be neither pickled nor "
            f"copied: take the {type(self._record).__name__} itself"
        )

    def _repr_html_(self) -> str:
        return _card(
            "warning",
            f"{type(self._record).__name__}, revealed",
            "<p>These credentials are saved with the notebook: "
            "clear this output before you share it.</p>",
            _table(_rows_of(self._record, _credential)),
        )


# ---- what is shown of each ----


def _is_secret(record: Record, name: str) -> bool:
    return record._specs[name].secret and getattr(record, name) is not None


def _masked(_name: str, _value: object) -> str:
    return MASK


def _rows_of(
    record: Record, credential: Callable[[str, object], str] = _masked
) -> Iterator[tuple[str, str]]:
    for name in record._shown():
        value = getattr(record, name)
        if _is_secret(record, name):
            yield name, credential(name, value)
        elif name == "expires_at" and isinstance(value, datetime):
            yield name, _moment(value, datetime.now(UTC))
        elif isinstance(value, float) and isinstance(record, Part):
            yield name, _number(value)
        else:
            yield name, _html(value)


def _facts_of(error: MergeLinkError) -> Iterator[Row]:
    names = ("status_code", "code", "detail", "request_id", "attempts", "may_have_arrived")
    for name in (*names, "retry_after"):
        value = getattr(error, name, None)
        if value is not None and value != "":
            yield name, _html(value)


def _problems_of(error: MergeLinkError) -> Iterator[Row]:
    for problem in getattr(error, "errors", ()):
        yield problem.field, _text(problem.message)
    for field, messages in getattr(error, "field_errors", {}).items():
        for message in messages:
            yield field, _text(message)


def _credential(name: str, value: object) -> str:
    """Return a credential with a button that copies it, as a link where it is one."""
    text = str(value)
    html = f'<code dir="ltr">{_visible(text)}</code>'
    # Only what can be shown as it is can be copied from the page.
    if not text.isprintable():
        return html
    if text.lower().startswith("https://"):
        html = f'<a href="{escape(text)}" target="_blank" rel="noopener noreferrer">{html}</a>'
    # A page that strips scripts strips the style too, which alone shows the hidden button.
    return (
        f'<button type="button" hidden="hidden" aria-label="Copy {escape(name)}" '
        f'onclick="{escape(_COPY)}">Copy</button>{html} <small role="status"></small>'
    )


def _came_of(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{type(outcome.error).__name__}: {_text(str(outcome.error))}"
    return _html(outcome.token)


def _end_user(outcome: Outcome) -> str:
    """Return the caller's own id of the end user, if the row has one."""
    row = outcome.request
    return _html(row.get("end_user_origin_id")) if isinstance(row, Mapping) else ""


def _outcome_table(outcomes: Outcomes) -> str:
    if not outcomes:
        return ""
    names = ("row", "end_user_origin_id", "outcome")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{outcome.index}</th><td>{_end_user(outcome)}</td>'
        f"<td>{MASK if outcome.ok else _came_of(outcome)}</td></tr>"
        for outcome in outcomes
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _result_table(results: list[Any]) -> str:
    names = _columns_of(results)
    if not names:
        return ""
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in names)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(one, name)}</td>' for name in names)}</tr>" for one in results
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _columns_of(results: list[Any]) -> tuple[str, ...]:
    if not results:
        return ()
    first = results[0]
    known = _COLUMNS.get(type(first).__name__)
    if known is not None:
        return known
    members = first._shown() if isinstance(first, Record) else first
    if not isinstance(members, dict):
        return ("result",)
    flat = (n for n in members if not isinstance(_value_of(first, n), (dict, list, Record)))
    return tuple(flat)[:_MOST_COLUMNS]


def _value_of(one: Any, name: str) -> Any:
    return one.get(name) if isinstance(one, dict) else getattr(one, name, None)


def _cell(one: Any, name: str) -> str:
    """Return the HTML of one member of a result; of an object, what names it."""
    if not isinstance(one, (dict, Record)):
        return _number(one) if isinstance(one, float) else _html(one)
    value = _value_of(one, name)
    if value is None:
        return _html(None)
    if isinstance(value, float):
        return _number(value)
    if isinstance(one, Record) and name in one._specs and _is_secret(one, name):
        return MASK
    if isinstance(one, dict) and any(part in name.lower() for part in _SECRETIVE):
        return MASK
    for inner in ("organization_name", "name"):
        if isinstance(value, (dict, Record)) and isinstance(_value_of(value, inner), str):
            return _html(_value_of(value, inner))
    # What else is in an object of an endpoint that is not known here may be a credential.
    is_hidden = isinstance(one, dict) and isinstance(value, (dict, list))
    return "<small>…</small>" if is_hidden else _html(value)


# ---- values ----


def _html(value: Any) -> str:
    """Return the HTML of a value. Floats are seconds, but for those that Merge answers."""
    match value:
        case None | "":
            return f"<small>{value!r}</small>"
        case str():
            return _text(value)
        case float():
            return _text(_seconds(value))
        case bytes():
            return _text(f"{len(value)} bytes")
        case datetime():
            return _time(value)
        case dict():
            return ", ".join(f"{_text(name)} {_html(one)}" for name, one in value.items()) or "none"
        case list():
            return ", ".join(_html(one) for one in value) or "none"
        case Headers():
            return _text(", ".join(value))
        case Record():
            name = getattr(value, "name", None)
            if isinstance(name, str):
                return _text(name)
            return ", ".join(f"{name} {html}" for name, html in _rows_of(value))
        case _:
            return _text(repr(value))


def _text(text: str) -> str:
    """Return text of others: it cannot change the page, nor what stands beside it."""
    rest = len(text) - _MOST_CHARACTERS
    cut = f"<small> … and {rest} characters more</small>" if rest > 0 else ""
    return f"<bdi>{_visible(text[:_MOST_CHARACTERS])}</bdi>{cut}"


def _visible(text: str) -> str:
    """Return text with what cannot be seen (controls, marks of direction) written as escapes."""
    seen = (c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    return escape("".join(seen))


def _number(number: float) -> str:
    return _text(repr(number))


def _seconds(seconds: float) -> str:
    number, unit = (seconds, "s") if seconds >= 1 else (seconds * 1000, "ms")
    return f"{number:.2f}".rstrip("0").rstrip(".") + f" {unit}"


def _time(time: datetime) -> str:
    try:
        time = time.astimezone(UTC)
    except OverflowError:  # 9999-12-31T23:59-05:00: some have it for "never"
        return _text(str(time))
    return f'<time datetime="{time.isoformat()}">{time:%Y-%m-%d %H:%M UTC}</time>'


def _moment(expires_at: datetime, now: datetime) -> str:
    """Return when it is, and how long until then, in words that stay true in a saved notebook."""
    expires_at = expires_at.astimezone(UTC)
    form = "%H:%M UTC" if expires_at.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    left = f"{_duration(expires_at - now)} left" if expires_at > now else "expired"
    return f"{_time(expires_at)} <small>{left} when shown, at {now:{form}}</small>"


def _duration(left: timedelta) -> str:
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else "less than a minute"


# ---- HTML ----


def _card(kind: str, title: str, *parts: str, hint: str = "") -> str:
    # Jupyter's shortcuts would take Enter from the buttons.
    return (
        f'<div class="merge-link-card merge-link-card-{kind}" data-lm-suppress-shortcuts="true">'
        f"<style>{_STYLE}</style><p><strong>{escape(title)}</strong> <small>{hint}</small></p>"
        f"{''.join(parts)}</div>"
    )


def _table(rows: Iterable[Row], heading: tuple[str, str] | None = None) -> str:
    every = list(rows)
    if not every:
        return ""
    shown = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td>{html}</td></tr>'
        for name, html in every[:_MOST_ROWS]
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heading or ())
    rest = len(every) - _MOST_ROWS
    return (
        f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{shown}</tbody></table>"
        f"{f'<p><small>… and {rest} more</small></p>' if rest > 0 else ''}"
    )
