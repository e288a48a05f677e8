-- What the server itself calls a mailbox, whatever its name is (MAILBOXID, RFC 8474): so a renamed one is known again. '' without.
ALTER TABLE mailbox ADD COLUMN object_id TEXT NOT NULL DEFAULT '';
