-- The views over all mailboxes: what is unread, what is starred. Both are few beside what is not.
CREATE INDEX placement_all_unread  ON placement (sort DESC, mailbox) WHERE hidden = 0 AND (flags & 1) = 0;
CREATE INDEX placement_all_flagged ON placement (sort DESC, mailbox, flags) WHERE hidden = 0 AND (flags & 4) <> 0;
