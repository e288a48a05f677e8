//! tests_login — the way to a login against those who stand in the line: the vectors T-01 to T-17 of our threat model.

use super::tests::{kind, open};
use crate::net::error::{NetErrorKind, TlsReason};
use crate::net::script::{Script, Step, hear, say};
use crate::net::session::TlsMode;

fn reason(kind: &NetErrorKind) -> TlsReason {
    match kind {
        NetErrorKind::Tls(reason) => *reason,
        other => panic!("{other:?}"),
    }
}

/// T-01 to T-06: what comes before TLS is believed by nobody, and nothing is said there but STARTTLS.
#[test]
fn t01_to_t06_nothing_in_the_clear() {
    let run = |steps: Vec<Step>| {
        let script = Script::start(steps);
        let kind = kind(open(&script, TlsMode::StartTls));
        let heard = script.heard();
        assert!(heard.lines().all(|l| l == "s1 STARTTLS" || l.contains('\u{fffd}') || !l.is_ascii()), "{heard}");
        kind
    };
    let plain = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] hi\r\n";
    for no in ["%T NO x\r\n", "%T BAD x\r\n"] {
        assert_eq!(reason(&run(vec![say(plain), hear("STARTTLS"), say(no), Step::Drain])), TlsReason::NoStartTls);
    }
    // T-02: a continuation, a good-bye.
    assert_eq!(reason(&run(vec![say(plain), hear("STARTTLS"), say("+ go on\r\n"), Step::Drain])), TlsReason::Injected);
    assert!(!matches!(run(vec![say(plain), hear("STARTTLS"), say("* BYE x\r\n")]), NetErrorKind::No { .. }));
    for caps in
        ["", "[CAPABILITY IMAP4rev1] ", "[CAPABILITY IMAP4rev1 AUTH=PLAIN] ", "[CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] "]
    {
        assert_eq!(reason(&run(vec![say(format!("* PREAUTH {caps}hi\r\n")), Step::Drain])), TlsReason::Injected);
    }
    let injected = "%T OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n";
    assert_eq!(reason(&run(vec![say(plain), hear("STARTTLS"), say(injected), Step::Drain])), TlsReason::Injected);
    // T-05: data before the answer are dropped; the handshake then fails, as nobody does one here.
    let early = "* LIST () \"/\" EVIL\r\n* 1 EXISTS\r\n* 1 FETCH (UID 1 FLAGS ())\r\n%T OK go\r\n";
    let kind = run(vec![say(plain), hear("STARTTLS"), say(early)]);
    assert!(matches!(kind, NetErrorKind::Tls(_) | NetErrorKind::Io(_)), "{kind:?}");
}

/// T-07: referrals are not followed, and are no wrong password. T-15, T-17: no login where none is offered.
#[test]
fn t17_no_login_where_none_is_offered() {
    let run = |caps: &str, steps: Vec<Step>| {
        let mut all = vec![say(format!("* OK [CAPABILITY IMAP4rev1 {caps}] hi\r\n"))];
        all.extend(steps);
        let script = Script::start(all);
        (open(&script, TlsMode::None).map(drop), script.heard())
    };
    let (result, heard) = run("LOGINDISABLED AUTH=DIGEST-MD5", vec![Step::Drain]);
    assert_eq!((kind(result), heard.as_str()), (NetErrorKind::LoginRefused, ""));
    let (result, heard) =
        run("", vec![hear("LOGIN \"user\" \"hunter2\""), say("%T NO [AUTHENTICATIONFAILED] \x1b[2Jno\r\n"), Step::Drain]);
    let e = result.unwrap_err();
    assert_eq!(
        (&e.kind, e.to_string().contains('\x1b'), e.to_string().contains("hunter2")),
        (&NetErrorKind::LoginRefused, false, false)
    );
    assert_eq!(heard.lines().count(), 1);
    let (result, _) = run("AUTH=PLAIN SASL-IR", vec![hear("AUTH"), say("%T NO [UNAVAILABLE] later\r\n"), Step::Drain]);
    assert_eq!(kind(result), NetErrorKind::No { code: "UNAVAILABLE".to_owned() });
    // One connection too many, in the words of those who have no code for it; and a wrong password whose words are no such.
    for (said, code) in [
        ("[UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", Some("LIMIT")),
        ("[ALERT] Too many simultaneous connections. (Failure)", Some("LIMIT")),
        ("Too Many Simultaneous Connections", Some("LIMIT")),
        ("[LIMIT] enough", Some("LIMIT")),
        ("[INUSE] busy", Some("INUSE")),
        ("[ALERT] Too many wrong passwords", None),
    ] {
        let expected = code.map_or(NetErrorKind::LoginRefused, |code| NetErrorKind::No { code: code.to_owned() });
        for (caps, hears) in [("AUTH=PLAIN SASL-IR", "AUTHENTICATE PLAIN"), ("", "LOGIN")] {
            let (result, _) = run(caps, vec![hear(hears), say(format!("%T NO {said}\r\n")), Step::Drain]);
            assert_eq!(kind(result), expected, "{said}");
        }
    }
    let (result, _) = run("AUTH=PLAIN", vec![hear("AUTHENTICATE PLAIN\r\n"), Step::Repeat(b"+ \r\n".to_vec())]);
    assert_eq!(kind(result), NetErrorKind::Protocol);
}
