-- Messages whose bytes are here and whose words are not in the index yet: read when there is time, newest first.
CREATE INDEX message_unread ON message (account, sort) WHERE blob <> '' AND indexed < 2;
