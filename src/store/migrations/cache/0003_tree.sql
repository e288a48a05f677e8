-- What the person wished of the tree of mailboxes, until the server has done it.
ALTER TABLE mailbox ADD COLUMN origin      TEXT NOT NULL DEFAULT '';    -- the server's name of it while `path` is wished for
ALTER TABLE mailbox ADD COLUMN renaming    INTEGER NOT NULL DEFAULT 0;  -- the operation that renames it
ALTER TABLE mailbox ADD COLUMN dying       INTEGER NOT NULL DEFAULT 0;  -- the operation that deletes it; it is not shown
ALTER TABLE mailbox ADD COLUMN subscribing INTEGER NOT NULL DEFAULT 0;  -- the operation that `subscribed` is of
CREATE INDEX mailbox_origin ON mailbox (account, origin) WHERE origin <> '';
