-- UIDs as a set of IMAP, '' for none: of messages among these the attachments, and what they answer, were not told yet. May name
-- some that are gone, or of which it was told: then it is asked for nothing, or once more.
ALTER TABLE mailbox ADD COLUMN untold TEXT NOT NULL DEFAULT '';
