-- The state: what no server can give again. Nothing here names a row of the cache (decisions 2). Dates are seconds
-- since 1970.

-- One act of the person: what one undo takes back.
CREATE TABLE command (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  label    TEXT NOT NULL DEFAULT '',
  undoable INTEGER NOT NULL DEFAULT 1,               -- automatic \Seen is not on the undo stack (decisions 21)
  undoes   INTEGER NOT NULL DEFAULT 0,               -- the command that this one takes back
  redoes   INTEGER NOT NULL DEFAULT 0,               -- the taken back command that this one does again
  undone   INTEGER NOT NULL DEFAULT 0,               -- the command that took this one back
  redone   INTEGER NOT NULL DEFAULT 0,               -- the command that did this one again
  created  INTEGER NOT NULL
) STRICT;

-- The journal.
CREATE TABLE operation (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  command       INTEGER NOT NULL REFERENCES command,
  account       TEXT NOT NULL,
  mailbox       TEXT NOT NULL,
  kind          TEXT NOT NULL,                       -- JSON: mail::intent::OpKind
  targets       TEXT NOT NULL,                       -- JSON: [Target]
  state         TEXT NOT NULL DEFAULT 'queued',
  attempts      INTEGER NOT NULL DEFAULT 0,
  not_before    INTEGER NOT NULL DEFAULT 0,
  after         INTEGER NOT NULL DEFAULT 0,
  mark_validity INTEGER,                             -- NULL: no command was sent yet
  mark_uidnext  INTEGER,
  results       TEXT NOT NULL DEFAULT '[]',          -- JSON: [[uidvalidity, uid] or null]
  inverse       TEXT NOT NULL DEFAULT '[]',          -- JSON: ["+\\Seen"]
  fault         TEXT NOT NULL DEFAULT '',
  created       INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_pending ON operation (account, id) WHERE state NOT IN ('settled', 'moot', 'withdrawn');
CREATE INDEX operation_command ON operation (command);

-- A finished mail; its bytes lie in spool/.
CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account    TEXT NOT NULL,
  message_id TEXT NOT NULL,
  sender     TEXT NOT NULL,
  recipients TEXT NOT NULL,                          -- JSON: bare addresses
  subject    TEXT NOT NULL DEFAULT '',
  spool      TEXT NOT NULL,
  size       INTEGER NOT NULL,
  draft      INTEGER NOT NULL DEFAULT 0,             -- the draft that it came from and returns to
  file       INTEGER NOT NULL,                       -- a copy goes to Sent
  state      TEXT NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  due        INTEGER NOT NULL DEFAULT 0,
  fault      TEXT NOT NULL DEFAULT '',
  created    INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due, id) WHERE state IN ('held', 'queued', 'deferred');

-- An unfinished mail.
CREATE TABLE draft (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  body    TEXT NOT NULL,                             -- JSON: mail::draft::Draft
  saved   INTEGER NOT NULL
) STRICT;

-- The address history, for completion.
CREATE TABLE contact (
  address TEXT PRIMARY KEY COLLATE NOCASE,
  name    TEXT NOT NULL DEFAULT '',
  sent    INTEGER NOT NULL DEFAULT 0,                -- mails to it
  seen    INTEGER NOT NULL DEFAULT 0,                -- mails from it
  last    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
