-- Which mailboxes an operation means by the names that it has: of `mailbox`, and of the one in `kind`. Of those that were wished before
-- nothing is known: they go by the name, as far as the cache does not know better.
ALTER TABLE operation ADD COLUMN here TEXT NOT NULL DEFAULT '{}'; -- JSON: mail::meant::Meant
ALTER TABLE operation ADD COLUMN there TEXT NOT NULL DEFAULT '{}';
