//! tests — submission against a server that says what we want: phases, refusals, hostile replies (security S-32, T-04, T-08).

use super::{Mail, Smtp, SmtpError, Why};
use crate::base::cancel::Cancel;
use crate::base::gate::{Permit, Reason};
use crate::base::secret::Secret;
use crate::config::{AuthPolicy, Mechanism};
use crate::net::error::{NetError, NetErrorKind, TlsReason};
use crate::net::script::{Script, Step, hear, say};
use crate::net::session::Login;
use crate::net::session::TlsMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Cursor;

const HELLO: &str = "250-mail.example\r\n250-8bitmime\r\n250-AUTH LOGIN PLAIN\r\n250-SIZE 1000\r\n250 SMTPUTF8\r\n";
const BODY: &[u8] = b"Subject: x\r\n\r\n.dot\r\nend";

fn permit() -> Permit {
    Permit::ask(Reason::Submission).unwrap()
}

fn open(script: &Script, tls: TlsMode, login: bool) -> Result<Smtp, SmtpError> {
    let secret = Secret::new("pass".to_owned());
    let auth = AuthPolicy::default();
    let who = Login { user: "user", secret: &secret, without: &[], auth: &auth };
    Smtp::open(permit(), &script.endpoint(tls), login.then_some(&who), &Cancel::new().unwrap())
}

/// A server that has said hello and then does `steps`; what became of one mail to `to`, and whether `dot` was called.
fn send_to(to: &[&str], body: &[u8], steps: Vec<Step>) -> (Result<String, SmtpError>, bool, String) {
    let mut all = vec![say("220 hi\r\n"), hear("EHLO [127.0.0.1]\r\n"), say(HELLO)];
    all.extend(steps);
    let script = Script::start(all);
    let mut smtp = open(&script, TlsMode::None, false).unwrap();
    let recipients: Vec<String> = to.iter().map(|r| (*r).to_owned()).collect();
    let mut dotted = false;
    let sent = smtp.send(Mail { sender: "a@x.example", recipients: &recipients }, &mut Cursor::new(body), &mut || {
        dotted = true;
        Ok(())
    });
    drop(smtp);
    (sent.map(|t| t.as_str().to_owned()), dotted, script.heard())
}

fn send(steps: Vec<Step>) -> (Result<String, SmtpError>, bool, String) {
    send_to(&["b@x.example"], BODY, steps)
}

/// Up to the reply to DATA.
fn agreed(then: Vec<Step>) -> Vec<Step> {
    let mut all =
        vec![hear("MAIL FROM:<a@x.example> SIZE="), say("250 ok\r\n"), hear("RCPT TO:<b@x.example>"), say("250 ok\r\n")];
    all.extend([hear("DATA"), say("354 go\r\n")]);
    all.extend(then);
    all
}

fn why(result: Result<String, SmtpError>) -> Why {
    result.unwrap_err().why
}

#[test]
fn a_mail_arrives_as_it_is() {
    let (sent, dotted, heard) = send(agreed(vec![Step::Mail, Step::Drip(b"250 2.0.0 queued as 1\r\n".to_vec())]));
    assert_eq!((sent.unwrap().as_str(), dotted), ("2.0.0 queued as 1", true));
    assert!(heard.ends_with("DATA\r\nSubject: x\r\n\r\n..dot\r\nend\r\n.\r\n"), "{heard}");
}

#[test]
fn refusals_by_phase() {
    let (sent, dotted, heard) = send(vec![hear("MAIL"), say("550 5.7.1 not \x1b[31myou\r\n"), Step::Drain]);
    let e = sent.unwrap_err();
    assert_eq!((e.why.clone(), dotted), (Why::Never(550), false));
    assert!(!e.to_string().contains('\x1b') && !heard.contains("RCPT"), "{heard}");
    let (sent, dotted, _) = send(agreed(vec![Step::Mail, say("452 4.3.1 disk full\r\n")]));
    assert_eq!((why(sent), dotted), (Why::Later(452), true));
    let (sent, ..) = send(agreed(vec![Step::Mail, say("554 5.7.1 spam\r\n")]));
    assert_eq!(why(sent), Why::Never(554));
    let (sent, dotted, _) = send(agreed(vec![Step::Mail]));
    assert_eq!((why(sent), dotted), (Why::Unknown, true));
    let (sent, dotted, _) = send(agreed(vec![]));
    assert!(matches!(why(sent), Why::Net(_) | Why::Unknown) || dotted);
    let (sent, dotted, _) = send(vec![hear("MAIL")]);
    assert!(matches!(why(sent), Why::Net(NetErrorKind::Io(_))) && !dotted);
    let (sent, ..) = send(vec![hear("MAIL"), say("530 log in first\r\n"), Step::Drain]);
    assert_eq!(why(sent), Why::Net(NetErrorKind::LoginRefused));
}

#[test]
fn all_recipients_or_none() {
    let two = ["b@x.example", "c@x.example", "d@x.example"];
    let steps = vec![
        hear("MAIL"),
        say("250 ok\r\n"),
        hear("RCPT"),
        say("450 4.2.0 later\r\n"),
        hear("RCPT"),
        say("550 5.1.1 unknown\r\n"),
        hear("RCPT"),
        say("250 ok\r\n"),
    ];
    let (sent, dotted, heard) = send_to(&two, BODY, steps);
    let e = sent.unwrap_err();
    assert_eq!((e.why.clone(), dotted, e.rejected.len()), (Why::Never(550), false, 2));
    assert!(e.to_string().contains("c@x.example: 5.1.1 unknown") && !heard.contains("DATA"));
}

#[test]
fn a_refused_mail_leaves_the_connection_to_the_next() {
    let mut steps =
        vec![say("220 hi\r\n"), hear("EHLO"), say(HELLO), hear("MAIL"), say("550 no\r\n"), hear("RSET"), say("250 ok\r\n")];
    steps.extend(agreed(vec![Step::Mail, say("250 ok\r\n"), hear("QUIT"), say("221 bye\r\n")]));
    let script = Script::start(steps);
    let mut smtp = open(&script, TlsMode::None, false).unwrap();
    let to = ["b@x.example".to_owned()];
    let mail = Mail { sender: "a@x.example", recipients: &to };
    assert!(smtp.send(mail, &mut Cursor::new(BODY), &mut || Ok(())).is_err());
    smtp.send(mail, &mut Cursor::new(BODY), &mut || Ok(())).unwrap();
    smtp.quit();
    assert!(script.heard().ends_with("QUIT\r\n"));
}

#[test]
fn what_the_server_cannot_take_is_not_offered() {
    let big = [b"A: b\r\n\r\n".as_slice(), &b"x\r\n".repeat(500)].concat();
    for (to, body) in [("b@x.example", big.as_slice()), ("b\r\nDATA@x", BODY), ("b@x.example", b"bare\nline")] {
        let (sent, dotted, heard) = send_to(&[to], body, vec![Step::Drain]);
        assert_eq!((why(sent), dotted), (Why::Unfit, false));
        assert!(!heard.contains("MAIL"), "{heard}");
    }
    assert_eq!(why(send_to(&[], BODY, vec![Step::Drain]).0), Why::Unfit);
    let steps = vec![hear("SIZE=12 SMTPUTF8 BODY=8BITMIME"), say("550 x\r\n"), Step::Drain];
    assert_eq!(why(send_to(&["jürgen@x.example"], "A: b\r\n\r\nä\r\n".as_bytes(), steps).0), Why::Never(550));
}

#[test]
fn a_dot_that_cannot_be_recorded_is_not_sent() {
    let mut steps = vec![say("220 hi\r\n"), hear("EHLO"), say(HELLO)];
    steps.extend(agreed(vec![Step::Mail, say("250 ok\r\n")]));
    let script = Script::start(steps);
    let mut smtp = open(&script, TlsMode::None, false).unwrap();
    let to = ["b@x.example".to_owned()];
    let full = NetError::new(NetErrorKind::Io(std::io::ErrorKind::StorageFull), "");
    let mail = Mail { sender: "a@x.example", recipients: &to };
    let sent = smtp.send(mail, &mut Cursor::new(BODY), &mut || Err(full.clone()));
    assert_eq!(sent.unwrap_err().why, Why::Net(full.kind));
    assert!(smtp.send(mail, &mut Cursor::new(BODY), &mut || Ok(())).is_err(), "the connection is spoilt");
    drop(smtp);
    assert!(!script.heard().contains("\r\n.\r\n"));
}

#[test]
fn hostile_replies_end_in_a_failure_and_never_in_sent() {
    let protocol = Why::Net(NetErrorKind::Protocol);
    // A code without text, an unknown code, the go-ahead too early, an answer to what was not asked.
    for (reply, want) in [
        ("25\r\n", &protocol),
        ("999 x\r\n", &protocol),
        ("354 go\r\n", &protocol),
        ("250-a\r\n251 b\r\n", &protocol),
        ("\r\n", &protocol),
        ("421 closing\r\n", &Why::Later(421)),
    ] {
        let (sent, dotted, _) = send(vec![hear("MAIL"), say(reply), Step::Drain]);
        assert_eq!((&why(sent), dotted), (want, false), "{reply:?}");
    }
    let (sent, ..) = send(vec![hear("MAIL"), say("250 ok\r\n250 ok\r\n250 ok\r\n"), Step::Drain]);
    assert_eq!(why(sent), protocol);
    let (sent, dotted, _) = send(agreed(vec![]).into_iter().take(5).chain([say("250 ok\r\n"), Step::Drain]).collect());
    assert_eq!((why(sent), dotted), (protocol, false));
    let (sent, ..) = send(vec![hear("MAIL"), Step::Repeat(b"250-x\r\n".to_vec())]);
    assert_eq!(why(sent), Why::Net(NetErrorKind::Limit));
    let (sent, ..) = send(vec![hear("MAIL"), Step::Repeat(vec![b'2'; 4096])]);
    assert_eq!(why(sent), Why::Net(NetErrorKind::Limit));
}

#[test]
fn logins() {
    let login = |steps: Vec<Step>, offer: &str| {
        let mut all = vec![say("220 hi\r\n"), hear("EHLO"), say(format!("250-x\r\n250 {offer}\r\n"))];
        all.extend(steps);
        let script = Script::start(all);
        let opened = open(&script, TlsMode::None, true).map(drop);
        (opened.err().map(|e| e.why), script.heard())
    };
    assert_eq!(login(vec![hear("AUTH PLAIN AHVzZXIAcGFzcw=="), say("235 ok\r\n")], "auth login plain").0, None);
    let asked = vec![
        hear("AUTH LOGIN"),
        say("334 VXNlciBOYW1lAA==\r\n"),
        hear("dXNlcg=="),
        say("334 x\r\n"),
        hear("cGFzcw=="),
        say("235 ok\r\n"),
    ];
    assert_eq!(login(asked, "AUTH LOGIN").0, None);
    let refused = Some(Why::Net(NetErrorKind::LoginRefused));
    assert_eq!(login(vec![hear("AUTH"), say("535 5.7.8 no\r\n")], "AUTH PLAIN").0, refused);
    assert_eq!(login(vec![hear("AUTH"), say("454 4.7.0 later\r\n")], "AUTH PLAIN").0, Some(Why::Later(454)));
    let (none, heard) = login(vec![Step::Drain], "AUTH DIGEST-MD5");
    assert_eq!(none, refused);
    assert!(!heard.contains("AUTH"));
    let endless = vec![hear("AUTH"), say("334 \r\n"), hear("=="), say("334 \r\n"), Step::Drain];
    assert_eq!(login(endless, "AUTH PLAIN").0, Some(Why::Net(NetErrorKind::Protocol)));
}

/// Tokens, and a server that must prove itself: as for IMAP, in the words of submission.
#[test]
fn tokens_and_proofs() {
    let login = |way: Mechanism, steps: Vec<Step>| {
        let mut all = vec![say("220 hi\r\n"), hear("EHLO"), say(format!("250-x\r\n250 AUTH {} PLAIN\r\n", way.word()))];
        all.extend(steps);
        let script = Script::start(all);
        let (secret, auth) = (Secret::new("pass".to_owned()), AuthPolicy { named: Some(vec![way]), least: None });
        let who = Login { user: "user", secret: &secret, without: &[], auth: &auth };
        let opened = Smtp::open(permit(), &script.endpoint(TlsMode::None), Some(&who), &Cancel::new().unwrap()).map(drop);
        (opened, script.heard())
    };
    let b64 = |text: &str| STANDARD.encode(text);
    let (done, heard) = login(Mechanism::Xoauth2, vec![hear("AUTH XOAUTH2 "), say("235 ok\r\n")]);
    done.unwrap();
    assert!(heard.contains(&b64("user=user\u{1}auth=Bearer pass\u{1}\u{1}")), "{heard}");
    let (done, heard) = login(Mechanism::OauthBearer, vec![hear("AUTH OAUTHBEARER "), say("235 ok\r\n")]);
    done.unwrap();
    assert!(heard.contains("bixhPXVzZXIsAWhvc3Q9"), "{heard}");
    let json = b64("{\"status\":\"invalid_\u{1b}[2Jtoken\",\"scope\":\"http://127.0.0.1:9/\"}");
    for (way, answer) in [(Mechanism::Xoauth2, "\r\n"), (Mechanism::OauthBearer, "AQ==\r\n")] {
        let steps = vec![hear("AUTH"), say(format!("334 {json}\r\n")), Step::Hear(answer), say("535 5.7.8 no\r\n"), Step::Drain];
        let (done, heard) = login(way, steps);
        let e = done.unwrap_err();
        assert_eq!(e.why, Why::Net(NetErrorKind::LoginRefused));
        let text = e.to_string();
        assert!(text.contains(way.word()) && !text.contains('\u{1b}') && !text.contains("http"), "{text}");
        assert_eq!(heard.lines().filter(|l| l.starts_with("AUTH")).count(), 1, "no weaker way follows: {heard}");
    }
    let (done, heard) = login(Mechanism::External, vec![hear("AUTH EXTERNAL =\r\n"), say("235 ok\r\n")]);
    done.unwrap();
    assert!(!heard.contains(&b64("pass")));
    let (done, _) = login(Mechanism::ScramSha256, vec![hear("AUTH SCRAM-SHA-256 "), say("235 come in\r\n"), Step::Drain]);
    assert_eq!(done.unwrap_err().why, Why::Net(NetErrorKind::Protocol), "it did not prove itself");
}

#[test]
fn nothing_is_said_in_the_clear_and_nothing_from_there_is_believed() {
    let tls = |r: Result<(), SmtpError>| match r.unwrap_err().why {
        Why::Net(NetErrorKind::Tls(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let run = |steps: Vec<Step>| {
        let script = Script::start(steps);
        let opened = open(&script, TlsMode::StartTls, true).map(drop);
        (tls(opened), script.heard())
    };
    // T-04: bytes in the segment of the go-ahead.
    let injected = "220 ready\r\n250-x\r\n250 AUTH PLAIN\r\n";
    let (reason, heard) = run(vec![
        say("220 hi\r\n"),
        hear("EHLO"),
        say("250-x\r\n250 STARTTLS\r\n"),
        hear("STARTTLS"),
        say(injected),
        Step::Drain,
    ]);
    assert_eq!(reason, TlsReason::Injected);
    assert!(!heard.contains("AUTH"));
    // T-08: EHLO refused, or STARTTLS stripped, or refused.
    for steps in [
        vec![say("220 hi\r\n"), hear("EHLO"), say("500 what\r\n"), Step::Drain],
        vec![say("220 hi\r\n"), hear("EHLO"), say(HELLO), Step::Drain],
        vec![say("220 hi\r\n"), hear("EHLO"), say("250-x\r\n250 STARTTLS\r\n"), hear("STARTTLS"), say("454 no\r\n"), Step::Drain],
    ] {
        let (reason, heard) = run(steps);
        assert_eq!(reason, TlsReason::NoStartTls);
        assert!(!heard.contains("AUTH") && !heard.contains("MAIL") && !heard.contains("HELO "), "{heard}");
    }
}

#[test]
fn a_cancel_ends_the_wait() {
    let script = Script::start(vec![say("220 hi\r\n"), hear("EHLO"), Step::Drain]);
    let cancel = Cancel::new().unwrap();
    let begun = std::time::Instant::now();
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            cancel.ring();
        });
        let opened = Smtp::open(permit(), &script.endpoint(TlsMode::None), None, &cancel);
        assert_eq!(opened.err().map(|e| e.why), Some(Why::Net(NetErrorKind::Cancelled)));
    });
    assert!(begun.elapsed().as_secs() < 5);
}

/// Who quits right after sending still learns what became of the mail, if the server is not slow.
#[test]
fn a_cancel_after_the_dot_waits_for_the_answer_a_little() {
    for (answers, want) in [(true, Ok("queued")), (false, Err(Why::Unknown))] {
        let mut steps = vec![say("220 hi\r\n"), hear("EHLO"), say(HELLO)];
        steps.extend(agreed(vec![Step::Mail]));
        steps.push(if answers { say("250 queued\r\n") } else { Step::Drain });
        let script = Script::start(steps);
        let cancel = Cancel::new().unwrap();
        let mut smtp = Smtp::open(permit(), &script.endpoint(TlsMode::None), None, &cancel).unwrap();
        let to = ["b@x.example".to_owned()];
        let begun = std::time::Instant::now();
        let sent = smtp.send(Mail { sender: "a@x.example", recipients: &to }, &mut Cursor::new(BODY), &mut || {
            cancel.ring();
            Ok(())
        });
        assert_eq!(sent.as_ref().map(crate::base::safetext::SafeText::as_str).map_err(|e| e.why.clone()), want);
        assert!(begun.elapsed().as_secs() < 4);
    }
}
