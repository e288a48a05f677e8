-- Few messages are drafts, and few are large: a search for them must not walk all the others.
CREATE INDEX placement_draft ON placement (sort DESC, mailbox, flags) WHERE hidden = 0 AND (flags & 16) <> 0;
CREATE INDEX message_large   ON message (sort DESC, size) WHERE size >= 32768;
-- With the flags in it, the index alone says what is unread.
DROP INDEX placement_all_unread;
CREATE INDEX placement_all_unread ON placement (sort DESC, mailbox, flags) WHERE hidden = 0 AND (flags & 1) = 0;
