-- What the server of a mailbox does wrong. Dates are seconds since 1970.
CREATE TABLE trouble (
  mailbox      INTEGER PRIMARY KEY REFERENCES mailbox ON DELETE CASCADE,
  odd_rows     INTEGER NOT NULL DEFAULT 0,           -- rows that named no message, and were left out
  inconsistent INTEGER NOT NULL DEFAULT 0,           -- when it last contradicted itself; 0: it does not
  unstable     INTEGER NOT NULL DEFAULT 0,           -- since when it is read-only, for it does not keep its numbers; 0: it does
  seen         INTEGER NOT NULL DEFAULT 0,           -- the UIDVALIDITY of the last look at an unstable one ...
  seen_since   INTEGER NOT NULL DEFAULT 0            -- ... and since when it has it
) STRICT;
-- When a mailbox was numbered anew.
CREATE TABLE renumbered (
  mailbox INTEGER NOT NULL REFERENCES mailbox ON DELETE CASCADE,
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX renumbered_mailbox ON renumbered (mailbox, at);
