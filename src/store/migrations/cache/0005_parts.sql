-- A message may be here in parts: its header and its texts, other parts when somebody asked for them.
ALTER TABLE message ADD COLUMN held INTEGER NOT NULL DEFAULT 0;   -- octets of it that are here, whole or in parts; at least 1 if any
UPDATE message SET held = max(size, 1) WHERE blob <> '';
DROP INDEX message_kept;
CREATE INDEX message_kept     ON message (account, received, held) WHERE held > 0;
DROP INDEX message_bodyless;
CREATE INDEX message_bodyless ON message (account, received) WHERE held = 0;

-- The tree of such a message as the server told it, JSON (mail::outline).
CREATE TABLE outline (
  message INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
  tree    TEXT NOT NULL
) STRICT;

-- Its sections that are here.
CREATE TABLE part (
  message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  section TEXT NOT NULL,                             -- as IMAP names it: HEADER, 1.1, 2.HEADER
  octets  INTEGER NOT NULL,                          -- of the file
  decoded INTEGER NOT NULL DEFAULT 0,                -- whether the server took the transfer encoding off
  blob    TEXT NOT NULL,                             -- SHA-256 of the file's bytes, hex
  PRIMARY KEY (message, section)
) STRICT, WITHOUT ROWID;
CREATE INDEX part_blob ON part (blob);
