-- Mailboxes of which the person chose in the reader what is kept on this machine, whatever the configuration says.
CREATE TABLE choice (
  account TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  keep    INTEGER NOT NULL,                          -- 1: all texts; 0: none ahead of need
  PRIMARY KEY (account, mailbox)
) STRICT, WITHOUT ROWID;
