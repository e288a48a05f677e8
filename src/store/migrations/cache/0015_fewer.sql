-- A new row goes into as few indices as can answer what is asked: in a first sync each of them costs a microsecond a row.
-- The messages of a conversation, anywhere and in one mailbox.
DROP INDEX message_thread;
DROP INDEX placement_thread;
CREATE INDEX placement_thread ON placement (thread, mailbox, sort DESC);
-- All rows in their order; and the places of one message, for no two messages have one sort.
DROP INDEX placement_message;
DROP INDEX placement_find;
CREATE INDEX placement_find ON placement (sort DESC, mailbox, flags, hidden);

-- Conversations that were joined to another: keys of theirs (thread_key) stay as they are. Never one that is joined itself.
CREATE TABLE thread_alias (
  id     INTEGER PRIMARY KEY,
  thread INTEGER NOT NULL
) STRICT;
CREATE INDEX thread_alias_thread ON thread_alias (thread);
-- And by rowid: numbers are found in half the time of an index.
ALTER TABLE thread_key RENAME TO thread_key_old;
CREATE TABLE thread_key (
  id     INTEGER PRIMARY KEY,
  thread INTEGER NOT NULL
) STRICT;
INSERT INTO thread_key (id, thread) SELECT id, thread FROM thread_key_old ORDER BY id;
DROP TABLE thread_key_old;

-- Messages that are not in the index of words: these alone, by their ids.
CREATE TABLE unindexed (
  low    INTEGER PRIMARY KEY,
  high   INTEGER NOT NULL,
  newest INTEGER NOT NULL,                           -- none of them has a higher sort
  oldest INTEGER NOT NULL                            -- ... or a lower one
) STRICT;
CREATE INDEX unindexed_newest ON unindexed (newest DESC, high);
INSERT INTO unindexed (low, high, newest, oldest)
  SELECT min(id), max(id), max(sort), min(sort)
  FROM (SELECT id, sort, id - row_number() OVER (ORDER BY id) AS run FROM message WHERE indexed = 0) GROUP BY run;
DROP INDEX message_unindexed;

-- message.date, .from_name, .from_addr, .recipients, .subject: of older rows alone, and nobody reads them: `envelope` has it all.
