"""The common models of linked accounts: made-up objects, the same each time they are asked for.

Nothing of them is kept. Object number *n* of a model has the same content in every account, and
an id that it has in this account alone. Where Merge's documents leave something open, this is the
sandbox's choice:

- The objects are there at once, even while `sync` says that they are still being fetched.
- Their times do not depend on the clock: the first was created at `BEGAN`, each further one six
  hours later, and changed a day after that.
- What an object of Merge's may have beside is null, empty or left out. There is no
  ``remote_data``, and nothing is ``expand``ed.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from merge_link.sandbox.clock import to_iso

BEGAN = 1_704_067_200.0  # 2024-01-01
_STEP = 6 * 3600.0
_DAY = 24 * 3600.0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


_FIRST_NAMES = _words(
    "Ada, Bela, Cleo, Dario, Edda, Farid, Gwen, Hiro, Inga, Jonas, Kaya, Luan, Mira, Nilo, Oona,"
    " Pavel, Quinn, Rosa, Sami, Tilda, Ugo, Vera, Wim, Xenia, Yuri"
)
_LAST_NAMES = _words(
    "Abbot, Bergman, Castell, Dorn, Ekholm, Farrow, Grove, Hallam, Ibsen, Juric, Keller, Lindqvist,"
    " Moss"
)
_COMPANIES = _words(
    "Amber Freight, Blue Harbour, Copperleaf, Dunmore Foods, Eastgate Energy, Foxglove Studio,"
    " Granite Works"
)
_TITLES = _words(
    "Software Engineer, Product Designer, Accountant, Recruiter, Data Analyst, Support Agent,"
    " Sales Manager, Office Manager, Site Reliability Engineer, Copywriter"
)
_CITIES = _words("Aarhus, Bologna, Cork, Denver, Eugene, Fribourg, Ghent, Halifax")
_TEAMS = _words("Engineering, Design, Finance, People, Sales, Support, Marketing, Operations")


@dataclass(frozen=True, slots=True)
class Row:
    """One object while it is made: whose it is, and which. Numbers begin at 1."""

    account_id: str
    category: str
    number: int

    def at(self, days: float = 0) -> str:
        """A time that many days after its creation."""
        return to_iso(self._created_at + days * _DAY)

    @property
    def _created_at(self) -> float:
        return BEGAN + (self.number - 1) * _STEP


Make: TypeAlias = Callable[[Row], Any]
"""Makes one field of an object."""


@dataclass(frozen=True, slots=True)
class Model:
    """A common model: where it is found, how many there are, and what an object is made of.

    ``path`` follows ``/{category}/v1/``. ``fields`` come on top of ``id``, ``remote_id``,
    ``created_at``, ``modified_at``, ``remote_was_deleted``, ``field_mappings`` and
    ``remote_data``. Of some models Merge can be told to ignore an object.
    """

    category: str
    path: str
    name: str
    count: int
    fields: Mapping[str, Make]
    can_be_ignored: bool = False

    @property
    def id(self) -> str:
        """What Merge calls it: ``ats.Candidate``."""
        return f"{self.category}.{self.name}"

    @property
    def numbers(self) -> range:
        """The numbers of its objects."""
        return range(1, self.count + 1)

    def make(self, account_id: str, number: int) -> dict[str, Any]:
        """The object of a number, for a linked account."""
        row = Row(account_id, self.category, number)
        return {
            "id": object_id(account_id, self.category, self.path, number),
            "remote_id": str(10_000 + number),
            "created_at": row.at(),
            "modified_at": row.at(days=1),
            **{name: make(row) for name, make in self.fields.items()},
            "remote_was_deleted": False,
            "field_mappings": {
                "organization_defined_targets": {},
                "linked_account_defined_targets": {},
            },
            "remote_data": None,
        }

    def find_number(self, account_id: str, id: str) -> int | None:
        """The number of the object with this id; None if the account has no such."""
        for number in self.numbers:
            if object_id(account_id, self.category, self.path, number) == id:
                return number
        return None


def object_id(account_id: str, category: str, path: str, number: int) -> str:
    """The id of an object: always the same, and no other account's."""
    return str(uuid.uuid5(uuid.UUID(account_id), f"{category}/{path}/{number}"))


def fits(found: Mapping[str, Any], filters: Iterable[tuple[str, Sequence[float]]]) -> bool:
    """Whether an object was made or changed within times such as ``("created_after", [0.0])``."""
    for name, (time,) in filters:
        field, _, side = name.rpartition("_")
        # As numbers, because a time that was asked for may lie where no text of a time can.
        at = datetime.fromisoformat(found[f"{field}_at"]).timestamp()
        if at <= time if side == "after" else at >= time:
            return False
    return True


def without(ignored: Collection[str], found: dict[str, Any]) -> dict[str, Any]:
    """An object as it is shown: one that is ignored, by its id, without all that it said."""
    if found["id"] not in ignored:
        return found
    kept = ("id", "created_at", "modified_at", "remote_was_deleted")
    return {name: value if name in kept else None for name, value in found.items()}


# ---- what fields are made of ----


def _one_of(*choices: Any, every: int = 1) -> Make:
    return lambda row: choices[(row.number - 1) // every % len(choices)]


def _always(value: Any) -> Make:
    return lambda row: value


def _text(pattern: str) -> Make:
    """Text in which ``{number}`` and ``{name}`` (in lower case, with a dot) are filled in."""

    def make(row: Row) -> str:
        name = f"{_first_name(row)}.{_last_name(row)}".lower()
        return pattern.format(number=row.number, name=name)

    return make


def _after(days: float) -> Make:
    return lambda row: row.at(days)


def _amount(step: int, share: float = 1.0) -> Make:
    return lambda row: round((row.number * step % 10_000 + step) * share, 2)


def _whole(step: int) -> Make:
    return lambda row: row.number * step % 9973 + 1


def _to(path: str, count: int, *, every: int = 1) -> Make:
    """The id of an object of another model of the category."""

    def make(row: Row) -> str:
        number = (row.number - 1) // every % count + 1
        return object_id(row.account_id, row.category, path, number)

    return make


def _list_of(*makes: Make) -> Make:
    return lambda row: [make(row) for make in makes]


def _parts(**makes: Make) -> Make:
    return lambda row: {name: make(row) for name, make in makes.items()}


_none = _always(None)


def _when(every: int, make: Make, otherwise: Make = _none) -> Make:
    """A field that every second, third … object has, and the others have otherwise."""
    return lambda row: otherwise(row) if row.number % every else make(row)


def _beyond(number: int, make: Make) -> Make:
    """A field that only the objects after the first so many have."""
    return lambda row: make(row) if row.number > number else None


_first_name = _one_of(*_FIRST_NAMES)
_last_name = _one_of(*_LAST_NAMES, every=3)


def _empty(row: Row) -> list[Any]:
    return []


def _full_name(row: Row) -> str:
    return f"{_first_name(row)} {_last_name(row)}"


# ---- the models ----

_ADDRESS = _text("{name}.{number}@people.example")
_PHONE = _text("+1 555 01{number:03d}")

_CANDIDATES = 200
_JOBS = 200
_CONTACTS = 100
_ACCOUNTS = 60
_TEAM_COUNT = len(_TEAMS)

MODELS = (
    Model(
        "ats",
        "candidates",
        "Candidate",
        _CANDIDATES,
        {
            "first_name": _first_name,
            "last_name": _last_name,
            "company": _one_of(*_COMPANIES),
            "title": _one_of(*_TITLES),
            "remote_created_at": _after(-2),
            "remote_updated_at": _after(-1),
            "last_interaction_at": _after(-1),
            "is_private": _always(False),
            "can_email": _always(True),
            "locations": _list_of(_one_of(*_CITIES)),
            "phone_numbers": _list_of(_parts(value=_PHONE, phone_number_type=_always("MOBILE"))),
            "email_addresses": _list_of(
                _parts(value=_ADDRESS, email_address_type=_always("PERSONAL"))
            ),
            "urls": _list_of(
                _parts(value=_text("https://{name}.example"), url_type=_always("PERSONAL"))
            ),
            "tags": _list_of(_one_of("referral", "inbound", "sourced")),
            "applications": _list_of(_to("applications", _CANDIDATES)),
            "attachments": _empty,
        },
        can_be_ignored=True,
    ),
    Model(
        "ats",
        "jobs",
        "Job",
        _JOBS,
        {
            "name": _one_of(*_TITLES),
            "description": _text("Opening number {number}, made up by the sandbox."),
            "code": _text("JOB-{number}"),
            "status": _one_of("OPEN", "OPEN", "OPEN", "CLOSED", "DRAFT"),
            "type": _always("REQUISITION"),
            "job_postings": _empty,
            "job_posting_urls": _list_of(
                _parts(
                    value=_text("https://jobs.example/{number}"), url_type=_always("JOB_POSTING")
                )
            ),
            "remote_created_at": _after(-2),
            "remote_updated_at": _after(-1),
            "confidential": _always(False),
            "departments": _empty,
            "offices": _empty,
            "hiring_managers": _empty,
            "recruiters": _empty,
        },
    ),
    Model(
        "ats",
        "applications",
        "Application",
        _CANDIDATES,
        {
            "candidate": _to("candidates", _CANDIDATES),
            "job": _to("jobs", _JOBS, every=4),
            "applied_at": _after(-1),
            "rejected_at": _when(5, _after(0.5)),
            "offers": _empty,
            "source": _one_of("Careers page", "Referral", "Job board"),
            "credited_to": _none,
            "screening_question_answers": _empty,
            "current_stage": _none,
            "reject_reason": _none,
        },
    ),
    Model(
        "hris",
        "employees",
        "Employee",
        120,
        {
            "employee_number": _text("{number}"),
            "company": _none,
            "first_name": _first_name,
            "last_name": _last_name,
            "preferred_name": _first_name,
            "display_full_name": _full_name,
            "username": _text("{name}.{number}"),
            "groups": _empty,
            "work_email": _text("{name}.{number}@work.example"),
            "personal_email": _ADDRESS,
            "mobile_phone_number": _PHONE,
            "employments": _empty,
            "manager": _beyond(8, _to("employees", 8)),
            "team": _to("teams", _TEAM_COUNT),
            "hire_date": _after(-400),
            "start_date": _after(-370),
            "remote_created_at": _after(-370),
            "employment_status": _one_of("ACTIVE", "ACTIVE", "ACTIVE", "PENDING", "INACTIVE"),
            "termination_date": _when(5, _after(-1)),
            "avatar": _none,
        },
        can_be_ignored=True,
    ),
    Model(
        "hris",
        "teams",
        "Team",
        _TEAM_COUNT,
        {"name": _one_of(*_TEAMS), "parent_team": _none},
    ),
    Model(
        "accounting",
        "invoices",
        "Invoice",
        150,
        {
            "type": _one_of("ACCOUNTS_RECEIVABLE", "ACCOUNTS_PAYABLE"),
            "contact": _to("contacts", _CONTACTS),
            "number": _text("INV-{number:05d}"),
            "issue_date": _after(0),
            "due_date": _after(30),
            "paid_on_date": _when(2, _after(21)),
            "memo": _text("Made-up invoice number {number}"),
            "company": _none,
            "currency": _one_of("USD", "EUR", "GBP"),
            "exchange_rate": _always("1.0"),
            "total_discount": _always(0.0),
            "sub_total": _amount(25),
            "status": _one_of("OPEN", "PAID"),
            "total_tax_amount": _amount(25, 0.2),
            "total_amount": _amount(25, 1.2),
            "balance": _when(2, _always(0.0), _amount(25, 1.2)),
            "remote_updated_at": _after(0.5),
            "tracking_categories": _empty,
            "payments": _empty,
            "line_items": _empty,
        },
    ),
    Model(
        "accounting",
        "contacts",
        "Contact",
        _CONTACTS,
        {
            "name": _full_name,
            "is_supplier": _one_of(False, True),
            "is_customer": _one_of(True, False),
            "email_address": _ADDRESS,
            "tax_number": _text("T-{number:06d}"),
            "status": _one_of("ACTIVE", "ACTIVE", "ARCHIVED"),
            "currency": _always("USD"),
            "remote_updated_at": _after(0.5),
            "company": _none,
            "addresses": _empty,
            "phone_numbers": _empty,
        },
    ),
    Model(
        "crm",
        "contacts",
        "Contact",
        _CONTACTS,
        {
            "first_name": _first_name,
            "last_name": _last_name,
            "account": _to("accounts", _ACCOUNTS),
            "owner": _none,
            "addresses": _empty,
            "email_addresses": _list_of(
                _parts(email_address=_ADDRESS, email_address_type=_always("Work"))
            ),
            "phone_numbers": _list_of(
                _parts(phone_number=_PHONE, phone_number_type=_always("Mobile"))
            ),
            "last_activity_at": _after(0.5),
            "remote_created_at": _after(-1),
        },
        can_be_ignored=True,
    ),
    Model(
        "crm",
        "accounts",
        "Account",
        _ACCOUNTS,
        {
            "owner": _none,
            "name": _one_of(*_COMPANIES),
            "description": _text("Made-up account number {number}"),
            "industry": _one_of("Logistics", "Food", "Energy", "Media"),
            "website": _text("https://account-{number}.example"),
            "number_of_employees": _whole(37),
            "addresses": _empty,
            "phone_numbers": _empty,
            "last_activity_at": _after(0.5),
            "remote_updated_at": _after(0.5),
            "remote_created_at": _after(-1),
        },
    ),
    Model(
        "ticketing",
        "tickets",
        "Ticket",
        150,
        {
            "name": _text("Made-up ticket number {number}"),
            "assignees": _list_of(_to("users", 40)),
            "creator": _to("users", 40, every=3),
            "due_date": _after(14),
            "status": _one_of("OPEN", "IN_PROGRESS", "ON_HOLD", "CLOSED"),
            "description": _text("It is about {name}."),
            "collections": _empty,
            "ticket_type": _one_of("bug", "question", "task"),
            "account": _none,
            "contact": _none,
            "parent_ticket": _none,
            "attachments": _empty,
            "tags": _list_of(_one_of("billing", "login", "export")),
            "ticket_url": _text("https://tickets.example/{number}"),
            "priority": _one_of("LOW", "NORMAL", "HIGH", "URGENT"),
            "remote_created_at": _after(-1),
            "remote_updated_at": _after(0.5),
            "completed_at": _when(4, _after(7)),
        },
    ),
    Model(
        "ticketing",
        "users",
        "User",
        40,
        {
            "name": _full_name,
            "email_address": _text("{name}.{number}@work.example"),
            "is_active": _always(True),
            "teams": _empty,
            "roles": _empty,
            "avatar": _none,
        },
    ),
    Model(
        "filestorage",
        "files",
        "File",
        150,
        {
            "name": _text("report-{number:03d}.pdf"),
            "file_url": _text("https://files.example/{number}"),
            "file_thumbnail_url": _none,
            "size": _whole(4096),
            "mime_type": _always("application/pdf"),
            "description": _text("Made-up file number {number}"),
            "folder": _to("folders", 20),
            "permissions": _empty,
            "drive": _none,
            "remote_created_at": _after(-1),
            "remote_updated_at": _after(0.5),
        },
    ),
    Model(
        "filestorage",
        "folders",
        "Folder",
        20,
        {
            "name": _text("Folder {number}"),
            "folder_url": _text("https://files.example/folders/{number}"),
            "size": _none,
            "description": _none,
            "parent_folder": _none,
            "drive": _none,
            "permissions": _empty,
            "remote_created_at": _after(-1),
            "remote_updated_at": _after(0.5),
        },
    ),
    Model(
        "knowledgebase",
        "articles",
        "Article",
        80,
        {
            "title": _text("How to do thing number {number}"),
            "description": _none,
            "author": _none,
            "last_edited_by": _none,
            "visibility": _one_of("PUBLIC", "INTERNAL"),
            "article_content_download_url": _none,
            "article_url": _text("https://articles.example/{number}"),
            "status": _one_of("PUBLISHED", "PUBLISHED", "DRAFT"),
            "type": _always("PAGE"),
            "remote_created_at": _after(-1),
            "remote_updated_at": _after(0.5),
            "parent_article": _none,
            "parent_container": _to("containers", 10),
            "root_container": _to("containers", 1),
            "permissions": _empty,
            "attachments": _empty,
        },
    ),
    Model(
        "knowledgebase",
        "containers",
        "Container",
        10,
        {
            "name": _text("Space {number}"),
            "description": _none,
            "status": _always("PUBLISHED"),
            "container_url": _text("https://articles.example/spaces/{number}"),
            "type": _always("SPACE"),
            "visibility": _always("INTERNAL"),
            "remote_created_at": _after(-1),
            "remote_updated_at": _after(0.5),
            "parent_article": _none,
            "parent_container": _none,
            "permissions": _empty,
        },
    ),
    Model(
        "mktg",
        "contacts",
        "Contact",
        _CONTACTS,
        {
            "first_name": _first_name,
            "last_name": _last_name,
            "email_address": _ADDRESS,
        },
    ),
    Model(
        "mktg",
        "campaigns",
        "Campaign",
        30,
        {"name": _text("Campaign {number}"), "status": _one_of("DRAFT", "SENT")},
    ),
)


def models_of(category: str) -> list[Model]:
    """The common models of a category."""
    return [model for model in MODELS if model.category == category]


_BY_PATH = {(model.category, model.path): model for model in MODELS}


def find_model(category: str, path: str) -> Model:
    """The common model behind a path, which must be one of `MODELS`."""
    return _BY_PATH[category, path]
