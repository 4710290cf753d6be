"""Where the sandbox keeps what it remembers: one SQLite database, in memory or in a file."""

import os
import sqlite3
import threading
import weakref

APPLICATION_ID = 0x4D4C5342  # "MLSB", which marks a file as a sandbox's
SCHEMA_VERSION = 2

_FIRST = f"""
CREATE TABLE api_keys (
    number INTEGER PRIMARY KEY,
    api_key TEXT NOT NULL UNIQUE
);
CREATE TABLE link_tokens (
    number INTEGER PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    magic_link_code TEXT UNIQUE,
    api_key TEXT NOT NULL,
    "order" TEXT NOT NULL,
    integration TEXT,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL
);
CREATE TABLE linked_accounts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    api_key TEXT NOT NULL,
    account_token TEXT NOT NULL UNIQUE,
    account_type TEXT NOT NULL,
    category TEXT NOT NULL,
    integration_slug TEXT NOT NULL,
    integration_name TEXT NOT NULL,
    end_user_origin_id TEXT NOT NULL,
    end_user_organization_name TEXT NOT NULL,
    end_user_email_address TEXT NOT NULL,
    status TEXT NOT NULL,
    completed_at REAL NOT NULL,
    UNIQUE (api_key, end_user_origin_id, category)
);
CREATE TABLE public_tokens (
    token TEXT PRIMARY KEY,
    account_number INTEGER NOT NULL REFERENCES linked_accounts (number) ON DELETE CASCADE,
    expires_at REAL NOT NULL
);
CREATE TABLE clock (
    seconds_ahead REAL NOT NULL
);
INSERT INTO clock VALUES (0);
PRAGMA application_id = {APPLICATION_ID};
"""

_SECOND = """
CREATE TABLE generated_keys (
    number INTEGER PRIMARY KEY,
    api_key TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    replaced INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE audit_events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    api_key TEXT NOT NULL,
    ip_address TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_description TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE syncs (
    account_number INTEGER NOT NULL REFERENCES linked_accounts (number) ON DELETE CASCADE,
    model TEXT NOT NULL,
    started_at REAL NOT NULL,
    finished_before REAL,
    paused_at REAL,
    disabled INTEGER NOT NULL,
    PRIMARY KEY (account_number, model)
);
CREATE TABLE syncs_told (
    account_number INTEGER PRIMARY KEY REFERENCES linked_accounts (number) ON DELETE CASCADE,
    told_at REAL NOT NULL
);
CREATE TABLE issues (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_number INTEGER NOT NULL REFERENCES linked_accounts (number) ON DELETE CASCADE,
    status TEXT NOT NULL,
    error_description TEXT NOT NULL,
    error_details TEXT NOT NULL,
    is_muted INTEGER NOT NULL,
    first_incident_time REAL NOT NULL,
    last_incident_time REAL NOT NULL
);
CREATE TABLE passthroughs (
    id TEXT PRIMARY KEY,
    account_number INTEGER NOT NULL REFERENCES linked_accounts (number) ON DELETE CASCADE,
    answer TEXT NOT NULL,
    ready_at REAL NOT NULL
);
CREATE TABLE scopes (
    account_number INTEGER PRIMARY KEY REFERENCES linked_accounts (number) ON DELETE CASCADE,
    common_models TEXT NOT NULL
);
CREATE TABLE webhook_receivers (
    number INTEGER PRIMARY KEY,
    account_number INTEGER NOT NULL REFERENCES linked_accounts (number) ON DELETE CASCADE,
    event TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    key TEXT
);
CREATE TABLE target_fields (
    number INTEGER PRIMARY KEY,
    api_key TEXT NOT NULL,
    category TEXT NOT NULL,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT
);
CREATE TABLE field_mappings (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    api_key TEXT NOT NULL,
    category TEXT NOT NULL,
    integration_slug TEXT NOT NULL,
    account_number INTEGER REFERENCES linked_accounts (number) ON DELETE CASCADE,
    model TEXT NOT NULL,
    mapping TEXT NOT NULL
);
CREATE TABLE ignored_objects (
    id TEXT PRIMARY KEY,
    account_number INTEGER NOT NULL REFERENCES linked_accounts (number) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    message TEXT
);
"""

_STEPS = (_FIRST, _SECOND)
"""What each version of the schema adds; a file of an older one is brought up to date."""


def _schema_after(version: int) -> str:
    """The script that makes the schema out of an older one, all of it or nothing."""
    steps = "".join(_STEPS[version:])
    return f"BEGIN;{steps}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"


class Transaction:
    """Makes several statements one: all of them count, or none if an exception leaves.

    ``with store.transaction as db`` gives the connection, and keeps every other thread out.
    Raises `RuntimeError` once the store is closed.
    """

    # No generator, as entering and leaving one would cost more than the statements.
    __slots__ = ("_db", "_lock")

    def __init__(self, db: sqlite3.Connection, lock: "threading.RLock") -> None:
        self._db = db
        self._lock = lock

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.ProgrammingError:
            self._lock.release()
            raise RuntimeError("this sandbox was closed") from None
        except BaseException:
            self._lock.release()
            raise
        return self._db

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        try:
            if exc_type is None:
                self._db.execute("COMMIT")
        finally:
            try:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            finally:
                self._lock.release()


class Store:
    """The database, for any number of threads, one at a time.

    ``transaction`` is there to be entered, again and again. ``lock`` keeps every other thread out
    for longer, around transactions.

    A file keeps what was committed when the process is killed. It belongs to one sandbox at a
    time, and only its owner may read it, for it holds keys and tokens.

    Raises `ValueError` for a file that is in use, or is something else than a sandbox's.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        if path is None or path == ":memory:":
            db = _connect(":memory:")
            db.executescript(_schema_after(0))
        else:
            db = _open_file(os.fspath(path))
        self.lock: threading.RLock = threading.RLock()
        self.transaction: Transaction = Transaction(db, self.lock)
        # Closed once nobody has the store, too. Not by a forked child: the file is its parent's.
        self._close = weakref.finalize(self, _close_in, os.getpid(), db)

    def close(self) -> None:
        """Give up the database. Without effect the second time."""
        with self.lock:
            self._close()


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _open_file(path: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = _connect(path)
    try:
        # Exclusive: a second sandbox is refused, and the log needs no shared memory.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        _make_or_check_schema(db, path)
        # Of a write-ahead log, a killed process loses nothing without a sync at each commit.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        db.close()
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise ValueError(f"db {path!r} is in use by another sandbox") from None
        raise ValueError(f"db {path!r} cannot be used: {error}") from None
    except ValueError:
        db.close()
        raise
    return db


def _make_or_check_schema(db: sqlite3.Connection, path: str) -> None:
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if (tables or application) and application != APPLICATION_ID:
        raise ValueError(f"db {path!r} is not a sandbox's database")
    if not 0 <= version <= SCHEMA_VERSION:
        raise ValueError(f"db {path!r} was made by another version of merge-link: name a new file")
    if version < SCHEMA_VERSION:
        db.executescript(_schema_after(version))


def _close_in(process: int, db: sqlite3.Connection) -> None:
    if os.getpid() == process:
        db.close()
