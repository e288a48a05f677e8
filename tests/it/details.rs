//! details — what list rows say of mails as real servers tell them, before their texts are here: the same as afterwards.
//! Start reading at: `rows_say_before_the_text_what_they_say_after_it`.

use crate::extensions::open;
use crate::mailhost::user;
use crate::rounds::profile;
use crate::verbs::{rows, run};
use postrider::mail::flags::Flags;
use postrider::mail::mailbox::MailboxPath;
use postrider::net::session::MailStore;
use serde_json::Value;
use std::path::Path;

const FILE: &str = "Content-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Disposition: attachment\r\n\r\nJVBERg==\r\n";

/// Header fields below `From`, `To` and `Message-ID`, and the body.
fn mails() -> Vec<(String, String)> {
    let both = |kind: &str, parts: &[&str]| {
        let body: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
        (format!("Subject: {kind}\r\nContent-Type: multipart/{kind}; boundary=b"), format!("{body}--b--\r\n"))
    };
    let text = "Content-Type: text/plain\r\n\r\nhello";
    let one = |header: &str| (header.to_owned(), "hello\r\n".to_owned());
    let answering = |id: &str, (header, body): (String, String)| (format!("In-Reply-To: {id}\r\n{header}"), body);
    let long = |n: usize| (0..n).map(|n| format!("<{n}.{}@x.test>\r\n ", "r".repeat(40))).collect::<String>();
    vec![
        one("Subject: plain"),
        one("Subject: plain\r\nContent-Type: text/plain; charset=utf-8"),
        one("Subject: html\r\ncontent-type:\r\n\ttext/html"),
        one("Subject: text with a name\r\nContent-Type: text/plain;\r\n\tname=notes.txt"),
        one("Subject: text with a name in pieces\r\nContent-Type: text/plain; name*0=no; name*1=tes.txt"),
        one("Subject: text as a file\r\nContent-Type: text/x-diff\r\nContent-Disposition: attachment; filename=\"a b.diff\""),
        one("Subject: file alone\r\nContent-Type: application/pdf; name=alone.pdf"),
        one("Subject: no type at all\r\nContent-Type:"),
        both("mixed", &[text, FILE]),
        both("alternative", &[text, "Content-Type: text/html\r\n\r\n<p>hello"]),
        both("alternative; x=\"text/plain\"", &[text, FILE]),
        both("related; type=\"text/html\"", &["Content-Type: text/html\r\n\r\n<p>hello", FILE]),
        both("mixed", &[text, "Content-Type: message/rfc822; name=inner.eml\r\n\r\nSubject: inner\r\n\r\ntext"]),
        // What follows what: by References, by In-Reply-To alone, by both.
        one("Subject: Re: plain\r\nReferences: <m0@x.test>\r\nIn-Reply-To: <m0@x.test>"),
        one("Subject: Re: plain\r\nIn-Reply-To: <m1@x.test>"),
        one("Subject: another word for it\r\nIn-Reply-To: your mail of Monday\r\n <m2@x.test>"),
        one("Subject: through one that is not here\r\nIn-Reply-To: <ghost@x.test>"),
        one("Subject: so this one, too\r\nReferences: <ghost@x.test>"),
        answering("<m3@x.test>", both("mixed", &[text, FILE])),
        // Headers as they are in life.
        one("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?q?_aus_K=F6ln?="),
        one("Subject: =?utf-8?b?R3LDvMOf?="),
        one("Subject: =?utf-8?q?never ended =?x?y?z?= and\r\n a fold\r\n\tand another"),
        one("Subject: Grüße, roh"),
        one("Subject: a\tb  c   \r\nSubject: a second one"),
        one("Cc: a group: ann@x.test, \"B, eh\" <b@x.test>;, =?utf-8?q?J=C3=BCrgen?= <j@x.test>"),
        one("Reply-To: \"list\" <list@x.test>\r\nBcc: secret@x.test\r\nSubject: \"quoted\" \\ back"),
        one(&format!("Subject: many\r\nReferences: {}", long(300).trim_end())),
        one(&format!("Subject: {}", "long ".repeat(2_000))),
        (String::new(), "nothing but addresses\r\n".to_owned()),
    ]
}

fn fill(user: &str) -> usize {
    let mut store = open(user, &[]);
    let mut put = |raw: &str| {
        store.append(&MailboxPath::inbox(), &Flags::new(), 1_600_000_000, raw.len() as u64, &mut raw.as_bytes()).unwrap();
    };
    let all = mails();
    for (n, (header, body)) in all.iter().enumerate() {
        let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
        let from = format!("From: =?utf-8?q?Z=C3=B6e?= {n} <zoe{n}@x.test>\r\nTo: me@x.test, \"you\" <you@x.test>");
        put(&format!("{from}\r\nMessage-ID: <m{n}@x.test>\r\n{header}MIME-Version: 1.0\r\n\r\n{body}"));
    }
    for odd in ["\r\nno header at all\r\n", "From:\r\nTo: undisclosed-recipients:;\r\nSubject:\r\n\r\n", "X-Only: this\r\n\r\n"] {
        put(odd);
    }
    all.len() + 3
}

fn found(profile: &Path, words: &str) -> usize {
    let all: Value = serde_json::from_str(&run(profile, &["search", words, "--json"], "").code(0).out).unwrap();
    all.as_array().unwrap().len()
}

/// What rows show and are found by; texts are not, and what only they say of the rest is no matter here.
fn shown(profile: &Path) -> Vec<Value> {
    let mut all = rows(profile, "INBOX");
    for row in &mut all {
        for key in ["preview", "cached"] {
            row.as_object_mut().unwrap().remove(key);
        }
    }
    all.sort_by_key(|row| row["uid"].as_u64());
    all
}

#[test]
fn rows_say_before_the_text_what_they_say_after_it() {
    let user = user();
    let count = fill(&user);
    let mut told: Option<Vec<Value>> = None;
    for without in ["", "without = [\"SEARCHRES\"]\n", "without = [\"ESEARCH\", \"QRESYNC\"]\n", "metered = true\n"] {
        let dir = profile(&user, without);
        run(dir.path(), &["sync"], "").code(0);
        let before = shown(dir.path());
        assert_eq!(before.len(), count);
        assert_eq!(found(dir.path(), "has:attachment"), before.iter().filter(|row| row["attachments"] != 0).count());
        assert_eq!((found(dir.path(), "file:notes"), found(dir.path(), "file:plan")), (2, 4), "{without}");
        if without.is_empty() {
            run(dir.path(), &["sync", "--bodies", "all"], "").code(0);
            let after = shown(dir.path());
            for (before, after) in before.iter().zip(&after) {
                assert_eq!(before, after, "{without}");
            }
        }
        // Their numbers are those of each cache: who is with whom is compared.
        let threads = |rows: &[Value]| -> Vec<usize> {
            rows.iter().map(|row| rows.iter().position(|r| r["thread"] == row["thread"]).unwrap()).collect()
        };
        let with = threads(&before);
        assert_eq!([13, 14, 15, 17, 18].map(|n| with[n]), [0, 1, 2, 16, 3], "{without}");
        let bare = |rows: &[Value]| -> Vec<Value> {
            let mut rows = rows.to_vec();
            for row in &mut rows {
                let row = row.as_object_mut().unwrap();
                row.remove("id");
                row.remove("thread");
            }
            rows
        };
        match &told {
            None => told = Some(bare(&before)),
            Some(told) => assert_eq!(*told, bare(&before), "{without}"),
        }
    }
}
