-- The cache: everything that a server can give again. Dates are seconds since 1970. STRICT everywhere; AUTOINCREMENT so
-- that a row id is never reused; NOT NULL DEFAULT unless absence means something.

CREATE TABLE mailbox (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  account       TEXT NOT NULL,
  path          TEXT NOT NULL,                       -- wire form, see mail::mailbox
  delimiter     TEXT NOT NULL DEFAULT '',
  role          TEXT NOT NULL DEFAULT '',
  selectable    INTEGER NOT NULL DEFAULT 1,
  subscribed    INTEGER NOT NULL DEFAULT 1,
  wished        INTEGER NOT NULL DEFAULT 0,          -- the operation that will create it; 0: the server has it
  -- The base: what was last known of the server, in the same transaction as the placements that it describes.
  uidvalidity   INTEGER NOT NULL DEFAULT 0,
  uidnext       INTEGER NOT NULL DEFAULT 0,
  highestmodseq INTEGER NOT NULL DEFAULT 0,
  synced_at     INTEGER NOT NULL DEFAULT 0,
  -- Visible placements, kept by placements.rs.
  total         INTEGER NOT NULL DEFAULT 0,
  unread        INTEGER NOT NULL DEFAULT 0,
  threads       INTEGER NOT NULL DEFAULT 0,          -- rows of thread_row
  -- What STATUS said: shown until the first sync is done.
  status_total  INTEGER NOT NULL DEFAULT 0,
  status_unread INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, path)
) STRICT;

-- One content, wherever it lies.
CREATE TABLE message (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  account     TEXT NOT NULL,
  sort        INTEGER NOT NULL UNIQUE,               -- received << 24 | n: the order of rows, and the rowid in message_fts
  thread      INTEGER NOT NULL,
  object_id   TEXT NOT NULL DEFAULT '',
  message_id  TEXT NOT NULL DEFAULT '',              -- never an identity; threading goes by thread_ref
  date        INTEGER NOT NULL DEFAULT 0,            -- the Date header
  received    INTEGER NOT NULL DEFAULT 0,
  size        INTEGER NOT NULL DEFAULT 0,
  from_name   TEXT NOT NULL DEFAULT '',
  from_addr   TEXT NOT NULL DEFAULT '',
  recipients  TEXT NOT NULL DEFAULT '[]',            -- JSON: the first three of To
  subject     TEXT NOT NULL DEFAULT '',
  preview     TEXT NOT NULL DEFAULT '',
  attachments INTEGER NOT NULL DEFAULT 0,
  files       TEXT NOT NULL DEFAULT '[]',            -- JSON: the attachments' names
  envelope    TEXT NOT NULL DEFAULT '{}',            -- JSON: the whole Envelope, for reader and reply
  blob        TEXT NOT NULL DEFAULT '',              -- SHA-256 of the raw bytes, hex, once they are here
  indexed     INTEGER NOT NULL DEFAULT 0             -- 0 not in message_fts, 1 by its headers, 2 with its text
) STRICT;
CREATE UNIQUE INDEX message_object ON message (account, object_id) WHERE object_id <> '';
CREATE INDEX message_thread        ON message (thread);
CREATE INDEX message_blob          ON message (blob) WHERE blob <> '';
CREATE INDEX message_kept          ON message (account, received, size) WHERE blob <> '';
CREATE INDEX message_unindexed     ON message (sort) WHERE indexed = 0;
CREATE INDEX message_bodyless      ON message (account, received) WHERE blob = '';

-- "Content M lies in mailbox B." Three states side by side: what the server confirmed (server_*), what the person
-- sees (flags, words, hidden), and in `wish` what the journal adds between the two.
CREATE TABLE placement (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  mailbox      INTEGER NOT NULL REFERENCES mailbox ON DELETE CASCADE,
  message      INTEGER NOT NULL REFERENCES message,
  thread       INTEGER NOT NULL,                     -- copied from message: thread rows and pages are index scans
  sort         INTEGER NOT NULL,                     -- copied from message
  uid          INTEGER,                              -- NULL: provisional, the server has not numbered it yet
  server_flags INTEGER NOT NULL DEFAULT 0,
  server_words TEXT NOT NULL DEFAULT '',             -- keywords, see keywords.rs
  flags        INTEGER NOT NULL DEFAULT 0,
  words        TEXT NOT NULL DEFAULT '',
  hidden       INTEGER NOT NULL DEFAULT 0,
  waiting      INTEGER NOT NULL DEFAULT 0            -- provisional, its operation settled, UID unknown: 1, then 2 after a base
) STRICT;
CREATE UNIQUE INDEX placement_uid  ON placement (mailbox, uid) WHERE uid IS NOT NULL;
CREATE INDEX placement_list        ON placement (mailbox, sort DESC) WHERE hidden = 0;
CREATE INDEX placement_thread      ON placement (mailbox, thread, sort DESC) WHERE hidden = 0;
CREATE INDEX placement_find        ON placement (sort DESC, mailbox, flags) WHERE hidden = 0;
CREATE INDEX placement_unread      ON placement (mailbox, sort DESC) WHERE hidden = 0 AND (flags & 1) = 0;
CREATE INDEX placement_message     ON placement (message);
CREATE INDEX placement_words       ON placement (sort DESC, mailbox, words) WHERE hidden = 0 AND words <> '';
CREATE INDEX placement_provisional ON placement (mailbox) WHERE uid IS NULL;

-- One row of a threaded list, kept by the writer (decisions 15).
CREATE TABLE thread_row (
  mailbox   INTEGER NOT NULL REFERENCES mailbox ON DELETE CASCADE,
  thread    INTEGER NOT NULL,
  latest    INTEGER NOT NULL,                        -- the newest visible placement's sort
  placement INTEGER NOT NULL,                        -- ... and its id
  total     INTEGER NOT NULL,
  unread    INTEGER NOT NULL,
  PRIMARY KEY (mailbox, thread)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_row_list   ON thread_row (mailbox, latest DESC);
CREATE INDEX thread_row_unread ON thread_row (mailbox, latest DESC) WHERE unread > 0;

-- Which thread a Message-ID belongs to; also of messages that are not here (ghosts).
CREATE TABLE thread_ref (
  account    TEXT NOT NULL,
  message_id TEXT NOT NULL,
  thread     INTEGER NOT NULL,
  PRIMARY KEY (account, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_ref_thread ON thread_ref (thread);

-- The overlay: pending operations by the placements that they touch. Derived from the journal, never the truth.
CREATE TABLE wish (
  op      INTEGER NOT NULL,                          -- the operation's number in the state: an order, not a reference
  idx     INTEGER NOT NULL,                          -- which of its targets
  mailbox INTEGER NOT NULL,                          -- where the target lies
  validity INTEGER NOT NULL DEFAULT 0,
  uid     INTEGER NOT NULL DEFAULT 0,                -- its UID under `validity`, if the server has numbered it
  src_op  INTEGER NOT NULL DEFAULT 0,                -- else the wish that makes it
  src_idx INTEGER NOT NULL DEFAULT 0,
  place   INTEGER NOT NULL DEFAULT 0,                -- the placement; 0: not here (yet)
  made    INTEGER NOT NULL DEFAULT 0,                -- the provisional placement that the operation makes
  target  INTEGER NOT NULL DEFAULT 0,                -- the mailbox in which it makes it
  delta   TEXT NOT NULL DEFAULT '',                  -- +\Seen -work, see mail::intent::delta_words
  hides   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (op, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX wish_place ON wish (place, op) WHERE place <> 0;
CREATE INDEX wish_uid   ON wish (mailbox, uid) WHERE uid <> 0;
CREATE INDEX wish_src   ON wish (src_op, src_idx) WHERE src_op <> 0;
CREATE INDEX wish_made  ON wish (made) WHERE made <> 0;

-- Full text (decisions 16): contentless, so text lies only in the blob; rowid = message.sort, so that "newest 50" is rowid
-- order. mail::words cuts and folds all text beforehand, so that index, query and reference evaluator agree;
-- the tokenizer only divides it at the spaces.
CREATE VIRTUAL TABLE message_fts USING fts5 (
  subject, sender, recipients, body, files,
  content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3');
-- Merging is done in idle moments (fts.rs), never while somebody waits for a commit.
INSERT INTO message_fts (message_fts, rank) VALUES ('automerge', 0), ('crisismerge', 500);
