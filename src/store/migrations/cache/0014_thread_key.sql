-- Which thread a Message-ID belongs to, by its number (refs.rs): also of messages that are not here (ghosts).
CREATE TABLE thread_key (
  id     INTEGER PRIMARY KEY,
  thread INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO thread_key (id, thread) SELECT thread_key(account, message_id) AS id, thread FROM thread_ref ORDER BY id;
CREATE INDEX thread_key_thread ON thread_key (thread);
DROP TABLE thread_ref;
