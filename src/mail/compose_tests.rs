//! Tests of `compose.rs`: what is frozen keeps the rules of the wire whatever a draft holds.

use super::*;
use proptest::prelude::*;

fn stamp() -> Stamp {
    Stamp { date: 1_795_240_920, random: [0xab; 16] }
}

fn who(name: &str, addr: &str) -> Address {
    Address::new(name, addr)
}

fn draft() -> Draft {
    Draft {
        from: who("Dana Roth", "dana@example.org"),
        to: vec![who("Ann Berger", "ann@example.org")],
        subject: "Hello".to_owned(),
        body: "Hi Ann,\n\nall good.\n".to_owned(),
        ..Draft::default()
    }
}

fn text(frozen: &Frozen) -> String {
    String::from_utf8(frozen.bytes.clone()).unwrap()
}

fn headers(frozen: &Frozen) -> Vec<String> {
    let all = text(frozen);
    let head = all.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ").replace("\r\n\t", " ");
    head.split("\r\n").map(|l| l.split_once(':').unwrap().0.to_owned()).collect()
}

fn parsed(bytes: &[u8]) -> mail_parser::Message<'_> {
    mail_parser::MessageParser::new().parse(bytes).unwrap()
}

#[test]
fn a_plain_mail_stays_plain() {
    let f = build(&draft(), &[], &stamp()).unwrap();
    assert_eq!(
        text(&f),
        "From: \"Dana Roth\" <dana@example.org>\r\nSubject: Hello\r\nDate: Sat, 21 Nov 2026 06:02:00 +0000\r\n\
         Message-ID: <abababababababababababababababab@example.org>\r\nTo: \"Ann Berger\" <ann@example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"utf-8\"; format=\"flowed\"\r\n\
         Content-Transfer-Encoding: 7bit\r\n\r\nHi Ann,\r\n\r\nall good.\r\n"
    );
    assert_eq!((f.sender.as_str(), f.recipients), ("dana@example.org", vec!["ann@example.org".to_owned()]));
}

#[test]
fn bcc_is_in_the_envelope_only_and_each_once() {
    let mut d = draft();
    d.cc = vec![who("", "ANN@example.org"), who("", "b@bücher.example")];
    d.bcc = vec![who("", "secret@example.org"), who("", "b@xn--bcher-kva.example")];
    let f = build(&d, &[], &stamp()).unwrap();
    assert_eq!(f.recipients, ["ann@example.org", "b@xn--bcher-kva.example", "secret@example.org"]);
    assert!(!text(&f).contains("secret") && !text(&f).contains("Bcc"));
    d.to.clear();
    d.cc.clear();
    let f = build(&d, &[], &stamp()).unwrap();
    assert!(text(&f).contains("undisclosed-recipients"));
    d.bcc.clear();
    assert_eq!(build(&d, &[], &stamp()), Err(ComposeFault::NoRecipient));
    d.to = vec![who("", "fin")];
    assert!(matches!(build(&d, &[], &stamp()), Err(ComposeFault::Recipient(_))));
    d.from.addr.clear();
    assert!(matches!(build(&d, &[], &stamp()), Err(ComposeFault::Sender(_))));
}

#[test]
fn nothing_is_smuggled_into_a_header() {
    let plain = headers(&build(&draft(), &[], &stamp()).unwrap());
    for end in ["\r\n", "\r", "\n", "\0", "\u{85}", "\u{2028}"] {
        let mut d = draft();
        d.subject = format!("hi{end}Bcc: evil@x.example");
        d.to[0].name = format!("Ann{end}Bcc: evil@x.example");
        d.from.name = format!("Dana{end}X-Evil: 1");
        let f = build(&d, &[], &stamp()).unwrap();
        assert_eq!(headers(&f), plain, "{end:?}");
        assert_eq!(f.recipients, ["ann@example.org"]);
        assert!(!f.subject.contains(end));
        let m = parsed(&f.bytes);
        assert!(m.bcc().is_none() && m.subject().unwrap().contains("Bcc: evil@x.example"));
        d.to[0].addr = format!("a@b.example>{end}RCPT TO:<x@y.example");
        assert!(matches!(build(&d, &[], &stamp()), Err(ComposeFault::Recipient(_))));
    }
}

#[test]
fn threads_carry_only_clean_ids() {
    let mut d = draft();
    d.in_reply_to = MessageId::new("ä@x");
    d.references = ["a@x", "b\u{80}@x", &"c".repeat(950), "d@x"].iter().filter_map(|t| MessageId::new(t)).collect();
    let f = text(&build(&d, &[], &stamp()).unwrap());
    assert!(f.contains("References: <a@x> <d@x>\r\n"), "{f}");
    assert!(!f.contains("In-Reply-To"));
}

#[test]
fn attachments_come_back_octet_for_octet() {
    let part = |name: &str, mime: &str| DraftAttachment {
        spool: String::new(),
        name: name.to_owned(),
        mime: mime.to_owned(),
        size: 0,
        away: None,
    };
    let mut d = draft();
    d.attachments = vec![
        part("Jahresabschluß, 2024.pdf", "application/pdf"),
        part("/home/dana/n\r\nX: y.txt", "text/plain; x=\r\nBcc: e@x"),
        part("ü.csv", "text/csv"),
        part("mail.eml", "message/rfc822"),
        part("mail8.eml", "message/rfc822"),
    ];
    let files = vec![
        (0..=255).cycle().take(5_000).collect::<Vec<u8>>(),
        b"x\n.\nMAIL FROM:<e@e>\n\r.\r".to_vec(),
        "a;ü\n".into(),
        b"Subject: a\n\n.\nb".to_vec(),
        "Subject: ä\r\n\r\nb".into(),
    ];
    let f = build(&d, &files, &stamp()).unwrap();
    assert!(!f.eight_bit);
    let m = parsed(&f.bytes);
    let found: Vec<_> = m.attachments().collect();
    assert_eq!(found.len(), 5);
    for (n, name) in [(0, "Jahresabschluß, 2024.pdf"), (1, "n  X: y.txt"), (2, "ü.csv"), (4, "mail8.eml")] {
        assert_eq!(mail_parser::MimeHeaders::attachment_name(found[n]), Some(name));
    }
    assert_eq!(found[0].contents(), files[0]);
    assert_eq!(found[1].contents(), files[1]);
    assert_eq!(found[2].contents(), files[2]);
    assert!(found[3].is_message());
    assert_eq!(found[4].contents(), files[4]);
    assert!(!text(&f).contains("/home/dana"));
    assert!(m.bcc().is_none());
    assert_eq!(build(&d, &[], &stamp()), Err(ComposeFault::Attachment));
}

#[test]
fn text_comes_back() {
    let long = "ü".repeat(2_000);
    for body in ["日本語のメール", "x\n.\nMAIL FROM:<e@e>", "..\n.", "a\r.\rb", &long, &"y".repeat(3_000), ""] {
        for format in [Format::Flowed, Format::Fixed] {
            let f = build(&Draft { body: body.to_owned(), format, ..draft() }, &[], &stamp()).unwrap();
            let m = parsed(&f.bytes);
            let back = m.body_text(0).unwrap().replace("\r\n", "\n");
            assert_eq!(back.trim_end(), body.replace('\r', "\n").trim_end(), "{}", text(&f));
        }
    }
}

/// Freezes a mail of these texts and looks at what came out: ASCII, each field once, one attachment.
fn is_sound(subject: String, name: String, body: String, file: String, format: Format) {
    let mut d = draft();
    d.subject = subject;
    d.to[0].name = name;
    d.body = body;
    d.format = format;
    d.attachments = vec![DraftAttachment { spool: String::new(), name: file.clone(), mime: file, size: 0, away: None }];
    let f = build(&d, &[d.body.clone().into_bytes()], &stamp()).unwrap();
    assert!(f.bytes.is_ascii());
    assert_eq!(headers(&f), ["From", "Subject", "Date", "Message-ID", "To", "MIME-Version", "Content-Type"]);
    assert_eq!(parsed(&f.bytes).attachments().count(), 1);
}

/// What a property test once found.
#[test]
fn a_mail_without_a_word_is_sound() {
    is_sound(String::new(), String::new(), String::new(), String::new(), Format::Flowed);
}

proptest! {
    #[test]
    fn whatever_is_typed_the_bytes_are_sound(subject in "[\\x00-\\u{2fff}]{0,200}", name in "[\\x00-\\u{2fff}]{0,60}", body in "[\\x00-\\u{ff}\\r\\n]{0,300}", file in "[\\x00-\\u{2fff}]{0,40}", fixed: bool) {
        is_sound(subject, name, body, file, if fixed { Format::Fixed } else { Format::Flowed });
    }
}
