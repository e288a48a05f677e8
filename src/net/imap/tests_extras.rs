//! tests_extras — extensions that no server of ours has, or not all of: Gmail's labels, identifiers of objects, previews.

use super::ImapStore;
use super::tests::{envelopes, flags, with_words};
use crate::mail::flags::{FlagDelta, Flags, Keyword};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::Result;
use crate::net::script::{hear, say};
use crate::net::session::{MailStore, Sink};

type Asked<T> = fn(&mut ImapStore, &UidSet, Sink<'_, (Uid, T)>) -> Result<()>;

/// What one of the questions of `extras.rs` is answered for the first nine messages.
fn ask<T>(store: &mut ImapStore, question: Asked<T>) -> Vec<(u32, T)> {
    let mut all = Vec::new();
    question(store, &UidSet::range(1, 9), &mut |rows| {
        all.extend(rows.into_iter().map(|(uid, value)| (uid.get(), value)));
        Ok(())
    })
    .unwrap();
    all
}

/// Labels come and go as keywords, with the flags and with the envelopes; roles are those of SPECIAL-USE.
#[test]
fn gmail_has_labels() {
    let caps = "X-GM-EXT-1 SPECIAL-USE LIST-EXTENDED CONDSTORE UIDPLUS MOVE";
    let row = "* 1 FETCH (X-GM-LABELS (\"\\\\Inbox\" \"\\\\Important\" work \"Muy Importante\" \"Entw&APw-rfe\") UID 1 MODSEQ (9) \
        FLAGS (\\Seen $Forwarded))\r\n%T OK x\r\n";
    let envelope = "* 1 FETCH (X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334866 X-GM-LABELS (work) UID 1 \
        RFC822.SIZE 9 FLAGS () ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL \"<i@x>\"))\r\n%T OK x\r\n";
    let list = "* LIST (\\HasChildren \\Noselect) \"/\" \"[Gmail]\"\r\n* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/Alle Nachrichten\"\r\n\
        * LIST (\\Important) \"/\" \"[Gmail]/Wichtig\"\r\n* LIST (\\Flagged) \"/\" \"[Gmail]/Markiert\"\r\n%T OK x\r\n";
    let steps = vec![
        hear("UID FETCH 1:100 (UID FLAGS X-GM-LABELS)\r\n"),
        say(row),
        hear(" X-GM-MSGID X-GM-LABELS)\r\n"),
        say(envelope),
        hear("UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n"),
        hear("UID STORE 1 +X-GM-LABELS (\"a b\")\r\n"),
        say("* 1 FETCH (UID 1 X-GM-LABELS (work \"a b\"))\r\na5 OK x\r\na6 OK x\r\n"),
        hear("UID FETCH 1:9 (UID X-GM-THRID)\r\n"),
        say("* 1 FETCH (UID 1 X-GM-THRID 1278455344230334865)\r\n%T OK x\r\n"),
        hear("LIST"),
        say(list),
    ];
    with_words(caps, steps, |s| {
        assert!(s.caps().labels && s.caps().object_id && s.caps().thread_id);
        let seen = flags(s, None).unwrap();
        let words: Vec<_> = seen[0].flags.keywords().map(Keyword::label).collect();
        assert_eq!(words, ["$Forwarded", "$Important", "Entwürfe", "Muy Importante", "work"]);
        let row = &envelopes(s).unwrap()[0];
        assert_eq!(row.object_id, "1278455344230334866");
        assert!(row.flags.has_keyword(&Keyword::new("work").unwrap()));
        let mut add = Flags::from_words(["\\Seen"]);
        add.insert_keyword(Keyword::of_label("a b").unwrap());
        s.store_flags(&UidSet::range(1, 1), &FlagDelta::new(add, Flags::new())).unwrap();
        assert!(!s.changed(), "its echo is no news");
        assert_eq!(ask(s, |s, u, sink| s.fetch_thread_ids(u, sink)), [(1, "1278455344230334865".to_owned())]);
        let roles: Vec<_> = s.list().unwrap().into_iter().map(|l| (l.selectable, l.role)).collect();
        assert_eq!(roles, [(false, None), (true, Some(Role::All)), (true, Some(Role::Flagged)), (true, None)]);
    });
    // Masked, or at any other server, a tag is a keyword and nothing else is asked for.
    let steps = vec![
        hear("UID FETCH 1:100 (UID FLAGS)\r\n"),
        say("* 1 FETCH (UID 1 FLAGS (work))\r\n%T OK x\r\n"),
        hear("UID STORE 1 +FLAGS.SILENT (work)\r\n"),
        say("%T OK x\r\n"),
    ];
    with_words("CONDSTORE", steps, |s| {
        assert!(!s.caps().labels && !s.caps().thread_id);
        assert_eq!(flags(s, None).unwrap()[0].flags.wire(), "work");
        s.store_flags(&UidSet::range(1, 1), &FlagDelta::new(Flags::from_words(["work"]), Flags::new())).unwrap();
    });
}

/// RFC 8474: what a message, its conversation and its mailbox are called, whatever their numbers.
#[test]
fn objects_have_names() {
    let row = "* 1 FETCH (UID 1 EMAILID (M6d99) FLAGS () RFC822.SIZE 9 ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n%T OK x\r\n";
    let steps = vec![
        hear(" EMAILID)\r\n"),
        say(row),
        hear("UID FETCH 1:9 (UID THREADID)\r\n"),
        say(
            "* 1 FETCH (UID 1 THREADID (T64b))\r\n* 2 FETCH (UID 2 THREADID NIL)\r\n* 3 FETCH (UID 3 THREADID ())\r\n%T OK x\r\n",
        ),
        hear("SELECT \"b\""),
        say("* 0 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [MAILBOXID (F2212ea87)] x\r\n%T OK [READ-WRITE] x\r\n"),
    ];
    with_words("OBJECTID", steps, |s| {
        assert_eq!(envelopes(s).unwrap()[0].object_id, "M6d99");
        assert_eq!(ask(s, |s, u, sink| s.fetch_thread_ids(u, sink)), [(1, "T64b".to_owned())]);
        assert!(!s.changed());
        let opened = s.select(&MailboxPath::from_typed("b"), false, None).unwrap();
        assert_eq!(opened.mailbox_id, "F2212ea87");
    });
}

/// What is not at hand is left out and no news; what is longer than a preview may be is cut.
#[test]
fn previews_and_dates() {
    let long = "ä".repeat(400);
    let rows = format!(
        "* 1 FETCH (UID 1 PREVIEW \"Hello\")\r\n* 2 FETCH (UID 2 PREVIEW NIL)\r\n* 3 FETCH (UID 3 PREVIEW \"\")\r\n\
        * 4 FETCH (UID 4 PREVIEW {{{}}}\r\n{long})\r\n* 5 FETCH (UID 99 PREVIEW \"not asked for\")\r\n%T OK x\r\n",
        long.len()
    );
    let dates = "* 1 FETCH (UID 1 SAVEDATE \"21-Nov-2026 13:48:56 +0000\")\r\n* 2 FETCH (UID 2 SAVEDATE NIL)\r\n%T OK x\r\n";
    let steps = vec![
        hear("UID FETCH 1:9 (UID PREVIEW (LAZY))\r\n"),
        say(rows),
        hear("UID FETCH 1:9 (UID PREVIEW)\r\n"),
        say("%T NO x\r\n"),
        hear("UID FETCH 1:9 (UID SAVEDATE)\r\n"),
        say(dates),
    ];
    with_words("PREVIEW SAVEDATE", steps, |s| {
        let rows = ask(s, |s, u, sink| s.fetch_previews(u, true, sink));
        let shown: Vec<_> = rows.iter().map(|(uid, text)| (*uid, text.chars().count())).collect();
        assert_eq!(shown, [(1, 5), (3, 0), (4, 256)]);
        assert!(s.changed(), "another message's row is news");
        assert!(s.fetch_previews(&UidSet::range(1, 9), false, &mut |_| Ok(())).is_err());
        assert_eq!(ask(s, |s, u, sink| s.fetch_save_dates(u, sink)), [(1, 1_795_268_936)]);
        assert!(!s.changed());
    });
}
