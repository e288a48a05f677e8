-- What the person may do to a mailbox (RFC 4314): letters; NULL: not known, then everything is offered.
ALTER TABLE mailbox ADD COLUMN rights TEXT;
-- How much room an account has (RFC 9208), by quota root; -1: not limited.
CREATE TABLE quota (
  account        TEXT NOT NULL,
  root           TEXT NOT NULL,
  storage_used   INTEGER NOT NULL DEFAULT 0,
  storage_limit  INTEGER NOT NULL DEFAULT -1,
  messages_used  INTEGER NOT NULL DEFAULT 0,
  messages_limit INTEGER NOT NULL DEFAULT -1,
  PRIMARY KEY (account, root)
) STRICT, WITHOUT ROWID;
