-- What the person asked for of messages and is on a server only: a file, or all of a message. It comes with the next connection.
CREATE TABLE asked (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  account  TEXT NOT NULL,
  mailbox  TEXT NOT NULL,
  target   TEXT NOT NULL,                            -- JSON: mail::intent::Target
  section  TEXT NOT NULL,                            -- as IMAP names it: 2.1; '': all of it
  what     TEXT NOT NULL DEFAULT '',                 -- its name, for the person (untrusted)
  save     TEXT NOT NULL DEFAULT '',                 -- JSON: [folder, name] of the file to be made of it; '': none
  attempts INTEGER NOT NULL DEFAULT 0,
  due      INTEGER NOT NULL DEFAULT 0,
  fault    TEXT NOT NULL DEFAULT '',
  created  INTEGER NOT NULL
) STRICT;
