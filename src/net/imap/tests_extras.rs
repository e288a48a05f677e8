//! tests_extras — extensions that no server of ours has, or not all of: Gmail's labels, identifiers of objects, previews.

use super::ImapStore;
use super::tests::{envelopes, flags, open_without, with_words};
use crate::mail::flags::{FlagDelta, Flags, Keyword};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::server::Space;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::Result;
use crate::net::script::{Script, Step, ask_soon, hear, say};
use crate::net::session::{Idle, MailStore, Sink, TlsMode};
use std::time::{Duration, Instant};

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
        hear("STATUS \"b\" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY MAILBOXID)\r\n"),
        say("* STATUS \"b\" (MESSAGES 1 UNSEEN 0 UIDNEXT 2 UIDVALIDITY 5 MAILBOXID (F2212ea87))\r\n%T OK x\r\n"),
    ];
    with_words("OBJECTID", steps, |s| {
        assert_eq!(envelopes(s).unwrap()[0].object_id, "M6d99");
        assert_eq!(ask(s, |s, u, sink| s.fetch_thread_ids(u, sink)), [(1, "T64b".to_owned())]);
        assert!(!s.changed());
        let opened = s.select(&MailboxPath::from_typed("b"), false, None).unwrap();
        assert_eq!(opened.mailbox_id, "F2212ea87");
        let status = s.status(&MailboxPath::from_typed("b")).unwrap();
        assert_eq!((status.object_id.as_str(), status.messages), ("F2212ea87", 1));
    });
}

/// Cyrus 3.6 answers STATUS (MAILBOXID) with rubbish, in which a line may end: it is not asked, SELECT says it. And it says in
/// words alone that a mailbox is there already.
#[test]
fn cyrus_is_not_asked_for_what_it_tells_wrongly() {
    let id = "* ID (\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1\")\r\n%T OK x\r\n";
    let script = Script::start(vec![
        say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"),
        hear("AUTHENTICATE PLAIN"),
        say("%T OK [CAPABILITY IMAP4rev1 OBJECTID ID LIST-EXTENDED LIST-STATUS] in\r\n"),
        hear("ID (\"name\" \"postrider\""),
        say(id),
        hear("LIST \"\" \"*\" RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))\r\n"),
        say("* LIST () \"/\" a\r\n* STATUS a (MESSAGES 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 5)\r\n%T OK x\r\n"),
        hear("SELECT \"a\""),
        say("* 0 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [MAILBOXID (d7qq8)] x\r\n%T OK [READ-WRITE] x\r\n"),
        hear("CREATE \"a_b\""),
        say("%T NO Mailbox already exists\r\n"),
        hear("LIST \"\" \"a_b\""),
        say("* LIST () \"/\" a_b\r\n%T OK x\r\n"),
        hear("CREATE \"a%b\""),
        say("%T NO Permission denied\r\n"),
        hear("LIST \"\" \"a%b\""),
        say("* LIST () \"/\" a_b\r\n* LIST (\\Noselect) \"/\" a%b\r\n%T OK x\r\n"),
    ]);
    let path = MailboxPath::from_typed;
    let mut s = open_without(&script, TlsMode::None, &[]).unwrap();
    assert_eq!(s.list().unwrap()[0].status.as_ref().map(|s| s.uidnext), Some(1));
    assert_eq!(s.select(&path("a"), false, None).unwrap().mailbox_id, "d7qq8");
    s.create(&path("a_b")).unwrap();
    let e = s.create(&path("a%b")).unwrap_err();
    assert!(e.connection_lives() && e.to_string().contains("Permission denied"), "{e}");
    drop(s);
    script.heard();
    // What is no identifier is none, wherever it comes from (RFC 8474, 4).
    let odd = "* 1 FETCH (UID 1 THREADID (\u{f5}\u{90}x)) \r\n* 2 FETCH (UID 2 THREADID (\"a b\"))\r\n* 3 FETCH (UID 3 THREADID (a-_9))\r\n%T OK x\r\n";
    with_words("OBJECTID", vec![hear("UID FETCH 1:9 (UID THREADID)\r\n"), say(odd)], |s| {
        assert_eq!(ask(s, |s, u, sink| s.fetch_thread_ids(u, sink)), [(3, "a-_9".to_owned())]);
    });
}

/// What is not at hand is left out and no news; what is longer than a preview may be is cut.
#[test]
fn previews_and_dates() {
    let long = "ä".repeat(400);
    let rows = format!(
        "* 5 EXISTS\r\n* 1 FETCH (UID 1 PREVIEW \"Hello\")\r\n* 2 FETCH (UID 2 PREVIEW NIL)\r\n* 3 FETCH (UID 3 PREVIEW \"\")\r\n\
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

/// RFC 7888: what need not be asked goes out with its line, and what is too long for it, or for anybody, is asked for.
#[test]
fn literals_without_leave() {
    let name = MailboxPath::from_wire(b"a\r\nb");
    let append = |s: &mut ImapStore, size: usize| {
        s.append(&name, &Flags::new(), 0, size as u64, &mut vec![b'x'; size].as_slice()).unwrap();
    };
    let turns = |s: &mut ImapStore, act: &dyn Fn(&mut ImapStore)| {
        let before = s.traffic().round_trips;
        act(s);
        s.traffic().round_trips - before
    };
    for (caps, size, wait) in [
        ("LITERAL+", 5000, false),
        ("LITERAL+ LITERAL-", 256 * 1024, false),
        ("LITERAL+", 256 * 1024 + 1, true),
        ("LITERAL-", 4096, false),
        ("LITERAL-", 4097, true),
    ] {
        let mut steps = vec![hear("SELECT {4+}\r\n"), hear("a\r\n"), hear("b\r\n"), say("a3 OK x\r\n")];
        steps.extend([hear("APPEND {4+}\r\n"), hear("a\r\n"), hear(if wait { "}\r\n" } else { "+}\r\n" })]);
        steps.extend(wait.then(|| say("+ go\r\n")));
        steps.extend([hear("xxx"), say("a4 OK x\r\n")]);
        let ((selected, appended), heard) = with_words(caps, steps, |s| {
            let selected = turns(s, &|s| drop(s.select(&name, false, None).unwrap()));
            (selected, turns(s, &|s| append(s, size)))
        });
        assert_eq!((selected, appended), (1, if wait { 2 } else { 1 }), "{caps} {size}");
        assert!(heard.contains(&format!("{{{size}{}}}\r\n", if wait { "" } else { "+" })), "{caps} {size}");
    }
    // A refusal of what was sent already leaves the connection usable.
    let steps = vec![
        hear("APPEND"),
        hear("a\r\n"),
        hear("b"),
        hear("xxx"),
        say("a3 NO [OVERQUOTA] x\r\n"),
        hear("NOOP"),
        say("%T OK x\r\n"),
    ];
    let (refused, _) = with_words("LITERAL+", steps, |s| {
        let e = s.append(&name, &Flags::new(), 0, 3, &mut &b"xxx"[..]).unwrap_err();
        (e.connection_lives(), s.noop().is_ok())
    });
    assert_eq!(refused, (true, true));
}

/// RFC 9051, RFC 6855: what is enabled, how names and words are spelt then, and what is the same as before.
#[test]
fn names_in_utf8() {
    let greeting = "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 AUTH=PLAIN SASL-IR] hi\r\n";
    let caps = "IMAP4rev1 IMAP4rev2 UTF8=ACCEPT QRESYNC CONDSTORE LITERAL+";
    let select = "* LIST () \"/\" \"Entwürfe\"\r\n* 3 EXISTS\r\n* OK [CLOSED] x\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n\
        * OK [UIDNEXT 4] x\r\n* OK [HIGHESTMODSEQ 9] x\r\n* FLAGS (\\Seen)\r\n%T OK [READ-WRITE] done\r\n";
    let mail = "Subject: Grüße\r\n\r\nä\r\n";
    let steps = vec![
        say(greeting),
        hear("AUTHENTICATE PLAIN"),
        say(format!("%T OK [CAPABILITY {caps}] in\r\n")),
        hear("a2 ENABLE QRESYNC"),
        hear("a3 ENABLE IMAP4rev2"),
        hear("a4 ENABLE UTF8=ACCEPT"),
        hear("a5 NAMESPACE"),
        say("* ENABLED QRESYNC\r\na2 OK x\r\n* ENABLED IMAP4rev2\r\na3 OK x\r\n* ENABLED UTF8=ACCEPT\r\na4 OK x\r\n"),
        say("* NAMESPACE ((\"\" \"/\")) ((\"Büros/\" \"/\")) NIL\r\na5 OK x\r\n"),
        hear("LIST \"\" (\"*\" {8+}\r\n"),
        hear("Büros/*) RETURN (SUBSCRIBED"),
        say(
            "* LIST () \"/\" \"Entwürfe\"\r\n* LIST () \"/\" \"R&D\"\r\n* LIST () \"/\" \"Büros/ann\"\r\n* LIST (\\NonExistent) \"/\" x\r\n\
            * STATUS \"Entwürfe\" (MESSAGES 3 UNSEEN 1 UIDNEXT 4 UIDVALIDITY 7 HIGHESTMODSEQ 9 DELETED 2)\r\na6 OK x\r\n",
        ),
        hear("SELECT \"Entwürfe\"\r\n"),
        say(select),
        hear("UID SEARCH RETURN (ALL) UID 1:* (ALL SUBJECT {7+}\r\n"),
        hear("Größe"),
        say("* ESEARCH (TAG \"a8\") UID ALL 2:3\r\na8 OK x\r\n"),
        hear("APPEND \"R&D\" () \"01-Jan-1970 00:00:00 +0000\" {24+}"),
        hear("Grüße"),
        hear("\r\n"),
        hear("ä\r\n"),
        hear("\r\n"),
        say("a9 OK x\r\n"),
        hear("APPEND \"R&D\" () \"01-Jan-1970 00:00:00 +0000\" {4+}"),
        hear("x: y"),
        say("a10 OK x\r\n"),
    ];
    let script = Script::start(steps);
    let mut s = super::tests::open(&script, TlsMode::None).unwrap();
    assert!(s.caps().qresync && s.caps().esearch && s.caps().moves && s.caps().binary);
    let listed = s.list().unwrap();
    let shown: Vec<_> = listed.iter().map(|l| (l.path.as_str(), l.selectable, l.space)).collect();
    let (own, others) = (Space::Personal, Space::Others);
    assert_eq!(shown, [("B&APw-ros/ann", true, others), ("Entw&APw-rfe", true, own), ("R&-D", true, own), ("x", false, own)]);
    assert_eq!(listed[1].status.as_ref().map(|s| s.messages), Some(3));
    let opened = s.select(&MailboxPath::from_typed("Entwürfe"), false, None).unwrap();
    assert_eq!((opened.exists, opened.uidvalidity.0, opened.highestmodseq.0), (1, 7, 9));
    let query = crate::mail::query::parse("subject:Größe", jiff::civil::date(2026, 6, 1)).query;
    assert_eq!(s.search(&query, None).unwrap().to_string(), "2:3");
    for text in [mail, "x: y"] {
        s.append(&MailboxPath::from_typed("R&D"), &Flags::new(), 0, text.len() as u64, &mut text.as_bytes()).unwrap();
    }
    drop(s);
    let heard = script.heard();
    assert!(!heard.contains("CHARSET"), "{heard}");
}

/// Masked, all is as at a server of the first revision; one that refuses to enable a thing does the rest.
#[test]
fn without_utf8_names_are_as_ever() {
    let run = |without: &[String], steps: Vec<Step>| {
        let mut all = vec![
            say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"),
            hear("AUTHENTICATE PLAIN"),
            say("%T OK [CAPABILITY IMAP4rev1 IMAP4rev2 UTF8=ACCEPT QRESYNC ENABLE OBJECTID X-GM-EXT-1] in\r\n"),
        ];
        all.extend(steps);
        let script = Script::start(all);
        let mut s = super::tests::open_without(&script, TlsMode::None, without).unwrap();
        let made = s.create(&MailboxPath::from_typed("Entwürfe"));
        let caps = s.caps();
        drop((s, made));
        (caps, script.heard())
    };
    let steps = vec![
        hear("ENABLE QRESYNC"),
        say("* ENABLED QRESYNC\r\n%T OK x\r\n"),
        hear("CREATE \"Entw&APw-rfe\""),
        say("%T OK x\r\n"),
    ];
    let masks = ["imap4rev2", "utf8=accept", "objectid", "X-GM-EXT-1"].map(str::to_owned);
    let (caps, heard) = run(&masks, steps);
    assert!(caps.qresync && !caps.moves && !heard.contains("UTF8"), "{heard}");
    assert!(!caps.object_id && !caps.thread_id && !caps.labels);
    let steps = vec![
        hear("ENABLE QRESYNC"),
        hear("ENABLE IMAP4rev2"),
        hear("ENABLE UTF8=ACCEPT"),
        hear("NAMESPACE"),
        say("* ENABLED QRESYNC\r\na2 OK x\r\na3 NO x\r\na4 BAD x\r\na5 OK x\r\n"),
        hear("CREATE \"Entw&APw-rfe\""),
        say("%T OK x\r\n"),
    ];
    let caps = run(&["X-GM-EXT-1".to_owned()], steps).0;
    assert!(caps.qresync && caps.object_id);
}

/// What a server tells between our IDLE and its leave to wait ends the waiting at once, of the open mailbox and of any other: nobody says it
/// again.
#[test]
fn news_before_the_leave_to_wait_end_it() {
    for (news, of) in [("* 9 EXISTS\r\n", 0), ("* STATUS Plain (HIGHESTMODSEQ 3)\r\n", 1)] {
        let steps = vec![
            hear("NOTIFY SET"),
            say("%T OK done\r\n"),
            hear("IDLE"),
            say(format!("{news}+ idling\r\n")),
            hear("DONE"),
            say("a4 OK done\r\n"),
        ];
        let ((how, told, took), _) = with_words("IDLE NOTIFY", steps, |s| {
            s.notify().unwrap();
            let begun = Instant::now();
            (s.idle(Duration::from_secs(60)), s.news().len(), begun.elapsed())
        });
        assert_eq!((how.unwrap(), told), (Idle::Changed, of), "{news}");
        assert!(took < Duration::from_secs(30), "{news}: {took:?}");
    }
}

/// A line that died without a word ends an IDLE as soon as the system has asked often enough; `dial.rs` says how often that is.
#[test]
fn a_dead_line_is_found_while_nothing_happens() {
    let steps = vec![hear("IDLE"), say("+ idling\r\n"), Step::Deaf];
    let begun = Instant::now();
    let (result, _) = with_words("IDLE", steps, |s| {
        ask_soon(&mut s.conn.core().wire);
        s.idle(Duration::from_secs(60))
    });
    let e = result.unwrap_err();
    assert!(!e.connection_lives(), "{e}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
