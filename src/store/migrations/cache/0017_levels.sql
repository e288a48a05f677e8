-- A list of mailboxes that no line holds for: level by level, until all of it is here (store/levels.rs).
CREATE TABLE level (
  account TEXT NOT NULL,
  path    TEXT NOT NULL,                             -- '' stands for the top
  listed  TEXT NOT NULL,                             -- what the server told of it, as JSON; '' for the top
  open    INTEGER NOT NULL,                          -- whether what lies below it is still to be asked for
  at      INTEGER NOT NULL,                          -- when this list was begun, seconds since 1970
  PRIMARY KEY (account, path)
) STRICT, WITHOUT ROWID;
