-- How far a pass came that a broken line ended: the next one goes on from there.
CREATE TABLE partly (
  mailbox     INTEGER PRIMARY KEY REFERENCES mailbox ON DELETE CASCADE,
  uidvalidity INTEGER NOT NULL,
  since       INTEGER NOT NULL,                      -- every change of these messages up to this is recorded
  at          INTEGER NOT NULL,                      -- when the first of these passes broke off, seconds since 1970
  uids        TEXT NOT NULL,                         -- the messages
  at_once     INTEGER NOT NULL                       -- so many are asked for at first; 0: as usual
) STRICT;
ALTER TABLE mailbox ADD COLUMN untold_at_once INTEGER NOT NULL DEFAULT 0;  -- of so many is asked what rows came without; 0: as usual
