-- What the person switched in the reader and what holds until it is switched back, such as sparing a line that costs money.
CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
