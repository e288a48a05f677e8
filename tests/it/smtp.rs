//! smtp — submission to Postfix: logins, refusals, what arrives.
//! Start reading at: `what_is_sent_arrives`.

use crate::Strings;
use crate::mailhost::{At, PASSWORD, host, user};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::error::NetErrorKind;
use postrider::net::session::{MailStore, TlsMode};
use postrider::net::smtp::{Mail, Smtp, SmtpError, Why};
use std::io::Cursor;
use std::time::{Duration, Instant};

fn open(at: At, tls: TlsMode, user: &str, password: &str) -> Result<Smtp, SmtpError> {
    crate::smtp_to(&host().smtp_at(at, tls), user, password)
}

fn send(at: At, tls: TlsMode, from: &str, to: &[String], text: &str) -> Result<bool, SmtpError> {
    let mut smtp = open(at, tls, from, PASSWORD)?;
    let mut dotted = false;
    let sent = smtp.send(Mail { sender: from, recipients: to }, &mut Cursor::new(text.as_bytes()), &mut || {
        dotted = true;
        Ok(())
    });
    smtp.quit();
    sent.map(|_| dotted)
}

/// Waits for a mail in the inbox: its text.
fn arrived(user: &str) -> String {
    let mut store = crate::imap(user, &Strings::new());
    let begun = Instant::now();
    while store.select(&MailboxPath::inbox(), false, None).unwrap().exists == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "no mail arrived for {user}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut text = Vec::new();
    store.fetch_body(Uid::new(1).unwrap(), &mut text).unwrap().unwrap();
    assert_eq!(store.uids(1).unwrap(), UidSet::range(1, 1));
    String::from_utf8(text).unwrap()
}

const TEXT: &str = "Subject: dots\r\n\r\n.\r\n..two\r\n.end of line\r\nä 8 bits\r\nlast, without an end";

#[test]
fn what_is_sent_arrives() {
    for (at, tls, text) in [
        (At::Good, TlsMode::StartTls, TEXT),
        (At::Good, TlsMode::Implicit, TEXT),
        // LOGIN only, and no 8BITMIME.
        (At::Strict, TlsMode::StartTls, "Subject: dots\r\n\r\n.\r\n7 bits"),
    ] {
        let (from, to, hidden) = (user(), user(), user());
        let text = format!("From: {from}\r\nTo: {to}\r\n{text}");
        assert!(send(at, tls, &from, &[to.clone(), hidden.clone()], &text).unwrap());
        for who in [&to, &hidden] {
            let got = arrived(who);
            let (_, body) = got.split_once("\r\n\r\n").unwrap();
            let (_, sent) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(body, format!("{sent}\r\n"));
            let header = got.split_once("\r\n\r\n").unwrap().0;
            assert!(!header.contains(&hidden) || who == &hidden, "a blind copy stays in the envelope: {header}");
        }
    }
}

#[test]
fn refusals_are_told_apart() {
    let from = user();
    let text = "Subject: x\r\n\r\nx\r\n";
    let to = |names: &[&str]| -> Vec<String> { names.iter().map(|n| format!("{n}@example.test")).collect() };
    let send = |names: &[&str], text: &str| send(At::Good, TlsMode::Implicit, &from, &to(names), text).unwrap_err();
    let e = send(&["fine", "reject"], text);
    assert_eq!((e.why.clone(), e.rejected.len()), (Why::Never(550), 1));
    assert!(e.to_string().contains("reject@example.test") && e.to_string().contains("No such user here"), "{e}");
    assert_eq!(send(&["later"], text).why, Why::Later(451));
    assert_eq!(send(&["full", "later"], text).why, Why::Later(451));
    assert_eq!(send(&["closing"], text).why, Why::Later(421));
    assert_eq!(send(&["fine"], &format!("X-Fault: data-5\r\n{text}")).why, Why::Never(550));
    assert_eq!(send(&["fine"], &format!("X-Fault: data-4\r\n{text}")).why, Why::Later(451));
    let huge = format!("{text}{}", "0123456789\r\n".repeat(3_000_000));
    assert_eq!(send(&["fine"], &huge).why, Why::Unfit);
    let other = user();
    let e = crate::smtp::send(At::Good, TlsMode::Implicit, &from, std::slice::from_ref(&other), text);
    assert!(e.is_ok());
    let mut smtp = open(At::Good, TlsMode::Implicit, &from, PASSWORD).unwrap();
    let as_other = Mail { sender: &other, recipients: std::slice::from_ref(&from) };
    let e = smtp.send(as_other, &mut Cursor::new(text), &mut || Ok(())).unwrap_err();
    assert_eq!(e.why, Why::Never(553), "sending as somebody else: {e}");
}

#[test]
fn a_wrong_password_is_told_apart() {
    for (at, tls) in [(At::Good, TlsMode::StartTls), (At::Good, TlsMode::Implicit), (At::Strict, TlsMode::StartTls)] {
        assert_eq!(open(at, tls, &user(), "wrong").unwrap_err().why, Why::Net(NetErrorKind::LoginRefused));
    }
}
