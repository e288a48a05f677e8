-- How far the numbers of a mailbox were looked at by passes that a broken line ended, and the fingerprints behind them where it was
-- numbered anew (store/partly.rs).
ALTER TABLE partly ADD COLUMN looked TEXT NOT NULL DEFAULT '';     -- numbers of which is known whether a message has them
ALTER TABLE partly ADD COLUMN there TEXT NOT NULL DEFAULT '';      -- those of them that one has
ALTER TABLE partly ADD COLUMN span INTEGER NOT NULL DEFAULT 0;     -- so many are asked for at a time; 0: all
CREATE TABLE identified (
  mailbox     INTEGER NOT NULL REFERENCES mailbox ON DELETE CASCADE,
  uidvalidity INTEGER NOT NULL,                      -- the new one
  uid         INTEGER NOT NULL,
  message_id  TEXT NOT NULL,                         -- '' without
  size        INTEGER NOT NULL,
  received    INTEGER NOT NULL,                      -- seconds since 1970
  object_id   TEXT NOT NULL,                         -- '' without
  PRIMARY KEY (mailbox, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
