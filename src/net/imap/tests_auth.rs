//! tests_auth — ways of logging in that no server of ours offers, and servers that cheat at them.

use super::ImapStore;
use crate::base::cancel::Cancel;
use crate::base::gate::{Permit, Reason};
use crate::base::secret::Secret;
use crate::base::waker::Waker;
use crate::config::{AuthPolicy, Mechanism};
use crate::net::error::{NetErrorKind, Result};
use crate::net::script::{Script, Step, hear, say};
use crate::net::session::{Login, TlsMode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What becomes of a login by `named` at a server that offers `caps`, and what we said.
fn login(caps: &str, named: &[Mechanism], steps: Vec<Step>) -> (Result<()>, String) {
    let mut all = vec![say(format!("* OK [CAPABILITY IMAP4rev1 {caps}] hi\r\n"))];
    all.extend(steps);
    let script = Script::start(all);
    let secret = Secret::new("hunter2".to_owned());
    let auth = AuthPolicy { named: (!named.is_empty()).then(|| named.to_vec()), least: None };
    let login = Login { user: "ann", secret: &secret, without: &[], auth: &auth };
    let (waker, cancel) = (Waker::new().unwrap(), Cancel::new().unwrap());
    let permit = Permit::ask(Reason::MailServer).unwrap();
    let done = ImapStore::open(permit, &script.endpoint(TlsMode::None), &login, &waker, &cancel).map(drop);
    (done, script.heard())
}

fn b64(text: &str) -> String {
    STANDARD.encode(text)
}

const IN: &str = "%T OK [CAPABILITY IMAP4rev1] in\r\n";

#[test]
fn tokens_with_and_without_a_first_answer() {
    let (done, heard) =
        login("AUTH=XOAUTH2 SASL-IR", &[Mechanism::Xoauth2], vec![hear("AUTHENTICATE XOAUTH2 "), say(IN), Step::Drain]);
    done.unwrap();
    assert!(heard.contains(&b64("user=ann\u{1}auth=Bearer hunter2\u{1}\u{1}")));
    let steps =
        vec![hear("AUTHENTICATE OAUTHBEARER\r\n"), say("+ \r\n"), hear("bixhPWFubiw"), say(IN.replace("%T", "a1")), Step::Drain];
    let (done, heard) = login("AUTH=OAUTHBEARER AUTH=PLAIN", &[Mechanism::OauthBearer], steps);
    done.unwrap();
    assert!(!heard.contains("hunter2"));
}

/// The failure is answered as each of them wants it, its JSON is cleaned, and what it points to is not looked at.
#[test]
fn a_refused_token_says_why() {
    let json =
        b64("{\"status\":\"400 \\u001b[2Jexpired\",\"schemes\":\"bearer\",\"openid-configuration\":\"http://127.0.0.1:9/\"}");
    for (mechanism, answer) in [(Mechanism::Xoauth2, "\r\n"), (Mechanism::OauthBearer, "AQ==\r\n")] {
        let no = "%T NO [AUTHENTICATIONFAILED] refused\r\n";
        let steps = vec![
            hear("AUTHENTICATE"),
            say(format!("+ {json}\r\n")),
            Step::Hear(answer),
            say(no.replace("%T", "a1")),
            Step::Drain,
        ];
        let (done, _) = login(&format!("AUTH={} SASL-IR", mechanism.word()), &[mechanism], steps);
        let e = done.unwrap_err();
        assert_eq!(e.kind, NetErrorKind::LoginRefused, "{e}");
        let text = e.to_string();
        assert!(text.contains("expired") && text.contains(mechanism.word()), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("http") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_certificate_needs_no_password() {
    let steps = vec![hear("AUTHENTICATE EXTERNAL =\r\n"), say(IN), Step::Drain];
    let (done, heard) = login("AUTH=EXTERNAL AUTH=PLAIN SASL-IR", &[Mechanism::External, Mechanism::Plain], steps);
    done.unwrap();
    assert!(!heard.contains(&b64("hunter2")));
}

/// The strongest is taken; when it is refused no weaker one follows; what is not allowed is not done (T-15, T-16).
#[test]
fn t15_never_weaker() {
    let no = vec![hear("AUTHENTICATE SCRAM-SHA-256 "), say("%T NO [AUTHENTICATIONFAILED] no\r\n"), Step::Drain];
    let (done, heard) = login("AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=CRAM-MD5 SASL-IR", &[], no);
    assert_eq!(done.unwrap_err().kind, NetErrorKind::LoginRefused);
    assert_eq!(heard.lines().count(), 1, "{heard}");
    let (done, heard) = login("AUTH=PLAIN AUTH=LOGIN", &[Mechanism::ScramSha256, Mechanism::CramMd5], vec![Step::Drain]);
    assert_eq!((done.unwrap_err().kind, heard.as_str()), (NetErrorKind::LoginRefused, ""));
    // The command LOGIN is the weakest way and needs leave as well.
    let (done, heard) = login("", &[Mechanism::Plain], vec![Step::Drain]);
    assert_eq!((done.unwrap_err().kind, heard.as_str()), (NetErrorKind::LoginRefused, ""));
    let (done, _) = login(
        "AUTH=LOGIN LOGINDISABLED",
        &[],
        vec![
            hear("AUTHENTICATE LOGIN\r\n"),
            say("+ VXNlciBOYW1lAA==\r\n"),
            hear("YW5u\r\n"),
            say("+ UGFzc3dvcmQA\r\n"),
            hear("aHVudGVyMg==\r\n"),
            say("a1 OK [CAPABILITY IMAP4rev1] in\r\n"),
            Step::Drain,
        ],
    );
    done.unwrap();
}

/// A server that lets us in without showing that it knows the password is not the one.
#[test]
fn a_server_must_prove_itself() {
    let caps = "AUTH=SCRAM-SHA-256 SASL-IR";
    let (done, heard) = login(caps, &[], vec![hear("AUTHENTICATE SCRAM-SHA-256 "), say(IN), Step::Drain]);
    assert_eq!(done.unwrap_err().kind, NetErrorKind::Protocol);
    assert_eq!(heard.lines().count(), 1, "nothing more was said");
    let foreign = b64("r=somebodyelse,s=QSXCR+Q6sek8bf92,i=4096");
    let steps = vec![hear("AUTHENTICATE"), say(format!("+ {foreign}\r\n")), Step::Drain];
    let (done, heard) = login(caps, &[], steps);
    assert_eq!(done.unwrap_err().kind, NetErrorKind::Protocol);
    assert_eq!(heard.lines().count(), 1, "a wrong question gets no answer: {heard}");
}
