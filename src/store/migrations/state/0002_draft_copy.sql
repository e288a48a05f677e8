-- Where the copy of a draft lies on its server, so that the next one replaces it and none is left behind.
CREATE TABLE draft_copy (
  draft      INTEGER PRIMARY KEY,
  account    TEXT NOT NULL,
  mailbox    TEXT NOT NULL,
  target     TEXT NOT NULL,                          -- JSON: mail::intent::Target
  op         INTEGER NOT NULL DEFAULT 0,             -- the append that made it, kept in the journal while it is named here
  message_id TEXT NOT NULL,                          -- of the copy; '' if it has none
  holds      TEXT NOT NULL DEFAULT ''                -- JSON of the draft that the copy holds; '': of another program's making
) STRICT;
