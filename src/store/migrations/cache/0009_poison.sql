-- Messages on which the program failed (security F-10): tried once more after a pause; after the second time they are left out.
CREATE TABLE poison (
  message INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
  panics  INTEGER NOT NULL,
  again   INTEGER NOT NULL,                          -- when it may be tried again, seconds since 1970
  program TEXT NOT NULL                              -- the version that failed: a newer one may try again
) STRICT;
