//! Tests of `draft.rs`: how replies, forwards and copies begin.

use super::*;
use proptest::prelude::*;

fn who(name: &str, addr: &str) -> Address {
    Address::new(name, addr)
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn dana() -> Identity {
    Identity { address: who("Dana Roth", "dana@example.org"), signature: "Dana Roth\nExample".to_owned() }
}

fn envelope() -> Envelope {
    Envelope {
        subject: "Re: AW: Quarterly figures".to_owned(),
        from: vec![who("Ann Berger", "ann@example.org")],
        to: vec![who("", "dana@example.org"), who("Carol", "carol@example.org")],
        cc: vec![who("", "ANN@example.org"), who("", "fin@example.org"), who("", "carol@example.org")],
        message_id: Some(id("3@x")),
        references: vec![id("1@x"), id("2@x")],
        ..Envelope::default()
    }
}

fn original<'a>(envelope: &'a Envelope, text: &'a str) -> Original<'a> {
    Original {
        id: Some(PlacementKey(7)),
        envelope,
        text,
        when: "Fri 20 Nov, 14:02",
        followup_to: &[],
        list_post: None,
        attachments: &[],
    }
}

fn addrs(list: &[Address]) -> Vec<&str> {
    list.iter().map(|a| a.addr.as_str()).collect()
}

#[test]
fn a_reply_quotes_and_follows() {
    let e = envelope();
    let d = Draft::reply(&original(&e, "one\n\n> two\n-- \nAnn\n"), Audience::Sender, &[dana()], &dana());
    assert_eq!(d.subject, "Re: Quarterly figures");
    assert_eq!(d.body, "\n\nAnn Berger wrote on Fri 20 Nov, 14:02:\n> one\n>\n>> two\n\n-- \nDana Roth\nExample\n");
    assert_eq!(d.in_reply_to, Some(id("3@x")));
    assert_eq!(d.references, [id("1@x"), id("2@x"), id("3@x")]);
    assert_eq!(addrs(&d.to), ["ann@example.org"]);
    assert!(d.cc.is_empty());
    assert_eq!(d.about, Some(About::Reply(PlacementKey(7))));
}

#[test]
fn long_paragraphs_are_quoted_row_by_row() {
    let e = envelope();
    let text = format!("> {}\n\n{}\ncode {}\n", "inner ".repeat(20), "word ".repeat(30), "x".repeat(70));
    let body = Draft::reply(&original(&e, &text), Audience::Sender, &[], &dana()).body;
    let quoted: Vec<&str> = body.lines().filter(|l| l.starts_with('>')).collect();
    assert!(quoted.iter().all(|l| width::width(l) <= WHOLE_LINE + 2), "{body}");
    assert!(quoted.iter().filter(|l| l.starts_with(">> inner")).count() >= 2, "{body}");
    assert!(quoted.contains(&&*format!("> code {}", "x".repeat(70))), "{body}");
    assert_eq!(quoted.join(" ").matches("word").count(), 30);
}

#[test]
fn everybody_once_and_not_oneself() {
    let e = envelope();
    let d = Draft::reply(&original(&e, ""), Audience::All, &[dana()], &dana());
    assert_eq!(addrs(&d.to), ["ann@example.org"]);
    assert_eq!(addrs(&d.cc), ["carol@example.org", "fin@example.org"]);
    let own = Envelope { from: vec![dana().address], ..envelope() };
    let d = Draft::reply(&original(&own, ""), Audience::All, &[dana()], &dana());
    assert_eq!(addrs(&d.to), ["dana@example.org", "carol@example.org"]);
    assert_eq!(addrs(&d.cc), ["ANN@example.org", "fin@example.org"]);
    let note = Envelope { from: vec![dana().address], to: vec![], cc: vec![], ..envelope() };
    let d = Draft::reply(&original(&note, ""), Audience::All, &[dana()], &dana());
    assert_eq!(addrs(&d.to), ["dana@example.org"]);
}

#[test]
fn lists_and_reply_to() {
    let list = who("", "dev@lists.example");
    let mut e = Envelope { reply_to: vec![who("", "other@example.org")], ..envelope() };
    let mut o = original(&e, "");
    o.list_post = Some(&list);
    assert_eq!(addrs(&Draft::reply(&o, Audience::Sender, &[dana()], &dana()).to), ["other@example.org"]);
    assert_eq!(addrs(&Draft::reply(&o, Audience::List, &[dana()], &dana()).to), ["dev@lists.example"]);
    let followup = [list.clone(), dana().address];
    o.followup_to = &followup;
    let all = Draft::reply(&o, Audience::All, &[dana()], &dana());
    assert_eq!((addrs(&all.to), all.cc.len()), (vec!["dev@lists.example"], 0));
    e.reply_to = vec![list.clone()];
    let mut o = original(&e, "");
    o.list_post = Some(&list);
    // A private answer stays private although the list names itself in Reply-To.
    assert_eq!(addrs(&Draft::reply(&o, Audience::Sender, &[dana()], &dana()).to), ["ann@example.org"]);
    assert_eq!(addrs(&Draft::reply(&o, Audience::All, &[dana()], &dana()).to), ["dev@lists.example"]);
}

#[test]
fn long_chains_keep_their_ends() {
    let mut e = envelope();
    e.references = (0..500).map(|n| id(&format!("{n}@x"))).collect();
    e.message_id = Some(id("500@x"));
    let d = Draft::reply(&original(&e, ""), Audience::Sender, &[], &dana());
    assert_eq!(d.references.len(), Draft::MAX_REFERENCES);
    assert_eq!((d.references[0].clone(), d.references[39].clone()), (id("0@x"), id("500@x")));
    let lone = Envelope { references: vec![], in_reply_to: vec![id("1@x")], ..envelope() };
    assert_eq!(Draft::reply(&original(&lone, ""), Audience::Sender, &[], &dana()).references, [id("1@x"), id("3@x")]);
}

#[test]
fn forwards_keep_attachments_but_no_paths() {
    let e = Envelope { subject: "Fwd: a\r\nBcc: evil@x.example".to_owned(), ..envelope() };
    let part = |name: &str| DraftAttachment {
        spool: "s1".to_owned(),
        name: name.to_owned(),
        mime: "text/plain".to_owned(),
        size: 1,
        away: None,
    };
    let parts = [part("../../etc/passwd"), part(".."), part("q3.pdf")];
    let mut o = original(&e, "text\n");
    o.attachments = &parts;
    let d = Draft::forward(&o, &dana());
    assert_eq!(d.attachments.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["passwd", "attachment", "q3.pdf"]);
    assert!(!d.subject.contains(['\r', '\n']), "{:?}", d.subject);
    assert!(d.body.contains("\nFrom: Ann Berger <ann@example.org>\nDate: Fri 20 Nov, 14:02\nSubject: Fwd: a"));
    assert!(!d.body.lines().any(|l| l.starts_with("Bcc")));
    assert!(d.references.is_empty() && d.in_reply_to.is_none() && d.to.is_empty());
    let again = Draft::edit_as_new(&o, &dana());
    assert_eq!(addrs(&again.to), ["dana@example.org", "carol@example.org"]);
    assert_eq!(again.body, "text");
    assert!(again.about.is_none());
}

#[test]
fn the_signature_follows_the_identity() {
    let other = Identity { address: who("D", "d@x.example"), signature: "D".to_owned() };
    let mut d = Draft::new(&dana());
    assert!(d.is_blank(&dana()));
    d.body.insert_str(0, "Hi");
    assert!(!d.is_blank(&dana()));
    d.change_identity(&dana(), &other);
    assert_eq!((d.body.as_str(), d.from.addr.as_str()), ("Hi\n\n-- \nD\n", "d@x.example"));
    d.change_identity(&other, &Identity::default());
    d.change_identity(&Identity::default(), &dana());
    assert_eq!(d.body, "Hi\n\n-- \nDana Roth\nExample\n");
}

proptest! {
    #[test]
    fn nothing_hostile_gets_into_a_draft(subject in "[\\x00-\\u{2fff}]{0,30}", name in "[\\x00-\\u{2fff}]{0,30}", text in "[\\x00-\\u{2fff}]{0,60}") {
        let mut e = envelope();
        e.subject = subject;
        e.from[0].name = name;
        let o = original(&e, &text);
        for d in [Draft::reply(&o, Audience::All, &[], &dana()), Draft::forward(&o, &dana()), Draft::edit_as_new(&o, &dana())] {
            prop_assert!(!d.subject.chars().any(char::is_control));
            prop_assert!(!d.body.chars().any(|c| c.is_control() && c != '\n'));
            prop_assert!(d.to.iter().chain(&d.cc).all(|a| !a.to_string().chars().any(char::is_control)));
            let json = serde_json::to_string(&d).unwrap();
            prop_assert_eq!(serde_json::from_str::<Draft>(&json).unwrap(), d);
        }
    }
}
