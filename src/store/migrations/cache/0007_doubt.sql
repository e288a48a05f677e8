-- Messages that the server is said to have lost along with most of a mailbox (security S-13): `waiting` of a placement that has a
-- UID. They are hidden, and gone or back after the next pass.
CREATE INDEX placement_doubted ON placement (mailbox, uid) WHERE uid IS NOT NULL AND waiting > 0;
