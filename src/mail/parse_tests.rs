//! Tests of `parse.rs`: the reader's view of whole messages.

use super::*;

fn kinds(m: &Message) -> Vec<(String, Kind)> {
    m.parts.iter().map(|p| (p.path.to_string(), p.kind)).collect()
}

const NESTED: &str = "From: Ann <ann@example.org>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\
    Date: Mon, 12 Mar 2024 14:02:00 +0100\r\nMessage-ID: <1@x>\r\nReferences: <a@x> <b@x>\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\npreamble\r\n--o\r\n\
    Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n--i\r\n\
    Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+w6Q8L2I+\r\n--i--\r\n--o\r\n\
    Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--o\r\n\
    Content-Type: application/pdf; name=x\r\n\
    Content-Disposition: attachment; filename*=utf-8''%E2%82%AC.pdf\r\n\r\nPDF\r\n--o--\r\nepilogue\r\n";

#[test]
fn a_tree_by_ranges() {
    let m = message(NESTED.as_bytes());
    assert_eq!(
        kinds(&m).iter().map(|(p, k)| (p.as_str(), *k)).collect::<Vec<_>>(),
        [
            ("", Kind::Multipart),
            ("1", Kind::Multipart),
            ("1.1", Kind::Plain),
            ("1.2", Kind::Html),
            ("2", Kind::Message),
            ("2.1", Kind::Plain),
            ("3", Kind::Data)
        ]
    );
    assert_eq!(text(&m, &m.parts[2]), "plain");
    assert_eq!(text(&m, &m.parts[3]), "<b>ä</b>");
    assert_eq!(text(&m, &m.parts[5]).trim_end(), "inner text");
    assert_eq!(m.parts[6].name.as_deref(), Some("€.pdf"));
    assert_eq!(m.envelope.subject, "Grüße");
    assert_eq!(m.envelope.date, Some(1_710_248_520));
    assert_eq!(m.envelope.references.len(), 2);
    assert_eq!(m.envelope.from, [Address::new("Ann", "ann@example.org")]);
    assert!(m.flaws.is_empty());
}

#[test]
fn a_mail_that_is_no_mail_shows_its_text() {
    for raw in ["", "just words", "Hello,\n\nno header here: none.\n", "\n\n"] {
        let m = message(raw.as_bytes());
        assert_eq!(m.flaws, [Flaw::NotMail], "{raw:?}");
        assert_eq!(text(&m, &m.parts[0]), raw);
    }
    let m = message(&b"Subject: x\nThe text.\nMore: text.\n"[..]);
    assert_eq!(text(&m, &m.parts[0]), "The text.\nMore: text.\n");
    assert_eq!(m.flaws, [Flaw::NoSeparator]);
}

#[test]
fn hostile_structures_are_bounded() {
    let head = "Subject: x\n";
    let deep = format!("{head}{}", "Content-Type: message/rfc822\n\nSubject: y\n".repeat(50_000));
    let m = message(deep.into_bytes());
    assert!(m.flaws.contains(&Flaw::PartsCut) && m.parts.len() <= usize::from(MAX_DEPTH) + 1);
    let wide = format!("{head}Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(50_000));
    let m = message(wide.into_bytes());
    assert!(m.parts.len() <= MAX_PARTS && m.flaws.contains(&Flaw::PartsCut));
    let parens = format!("From: {}\nDate: {}\n\n", "(".repeat(200_000), "(".repeat(200_000));
    assert_eq!(message(parens.into_bytes()).envelope.date, None);
}

#[test]
fn authors_are_what_the_header_says() {
    let from = |line: &str| message(format!("{line}\r\nSubject: x\r\n\r\n").into_bytes()).envelope;
    let ambiguous = |line: &str| super::super::body::author(&from(line)).ambiguous;
    assert!(!ambiguous("From: Ann <ann@example.org>"));
    assert!(ambiguous("From: a@attack\r\nFrom: admin@legit"));
    assert!(ambiguous("From\r\n : a@attack\r\nFrom: admin@legit"));
    assert!(ambiguous("From: <a@attack>, <admin@legit>"));
    assert!(ambiguous("Sender: admin@legit") && ambiguous("From: "));
    let decoded = from("From: =?utf-8?b?PGFkbWluQGxlZ2l0Pg==?=,<b@attack>");
    assert!(decoded.from.iter().all(|a| a.addr != "admin@legit"), "{decoded:?}");
}

#[test]
fn dates() {
    assert_eq!(date("Thu, 1 Jan 1970 00:00:01 +0000"), Some(1));
    for wrong in ["", "yesterday", "Mon, 45 Foo 2020", "((((("] {
        assert_eq!(date(wrong), None, "{wrong}");
    }
    let _ = date("Mon, 1 Jan 99999 00:00:00 +9999");
}
