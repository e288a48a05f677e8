//! append_tests — in which way a message is said, and what is made of a refusal.

use super::*;
use crate::net::imap::tests::open_without;
use crate::net::script::{Script, Step, hear, say};
use crate::net::session::{MailStore, TlsMode};

#[test]
fn appenduid() {
    assert_eq!(appended(b"38505 3955"), Some((UidValidity(38505), Uid::new(3955).unwrap())));
    for bad in ["38505 0", "38505 1:2", "38505", "a 1", "99999999999 1"] {
        assert_eq!(appended(bad.as_bytes()), None, "{bad}");
    }
}

const MAIL: &str = "Subject: Gr\u{fc}\u{df}e\r\n\r\nx\r\n";

/// A server with UTF8=ACCEPT and LITERAL+, to which `mail` is appended.
fn append(mail: &str, steps: Vec<Step>) -> (Result<Option<(UidValidity, Uid)>>, String) {
    let mut all = vec![
        say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"),
        hear("AUTHENTICATE PLAIN"),
        say("%T OK [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+] in\r\n"),
        hear("ENABLE UTF8=ACCEPT"),
        say("* ENABLED UTF8=ACCEPT\r\n%T OK x\r\n"),
    ];
    all.extend(steps);
    let script = Script::start(all);
    let mut store = open_without(&script, TlsMode::None, &[]).unwrap();
    let told = store.append(&MailboxPath::inbox(), &Flags::new(), 0, mail.len() as u64, &mut mail.as_bytes());
    if told.as_ref().is_err_and(|e| e.connection_lives()) {
        store.noop().unwrap();
    }
    drop(store);
    (told, script.heard())
}

fn heard(mail: &'static str) -> Vec<Step> {
    mail.split_inclusive('\n').map(hear).collect()
}

/// What has UTF-8 in its header goes out as everything else does. Refused without a reason it is called by the name that RFC 6855
/// gives it, once, and only by leave: a server that does not know that name reads no line of the mail as a command.
#[test]
fn utf8_is_said_plainly_and_called_so_by_leave() {
    let plain = || [vec![hear(" {23+}\r\n")], heard(MAIL), vec![hear("\r\n")]].concat();
    let (told, said) = append(MAIL, [plain(), vec![say("a3 OK [APPENDUID 7 3] x\r\n")]].concat());
    assert_eq!(told.unwrap(), Some((UidValidity(7), Uid::new(3).unwrap())));
    assert!(!said.contains("UTF8 ("), "{said}");
    for refusal in ["BAD 8bit", "NO not so", "NO [CANNOT] UTF-8 has to be called so"] {
        let again = vec![say(format!("a3 {refusal}\r\n")), hear(" UTF8 (~{23}\r\n"), say("+ go\r\n")];
        let end = vec![hear(")\r\n"), say("a4 OK [APPENDUID 7 3] x\r\n")];
        let (told, said) = append(MAIL, [plain(), again, heard(MAIL), end].concat());
        assert_eq!(told.unwrap(), Some((UidValidity(7), Uid::new(3).unwrap())), "{refusal}");
        assert_eq!(said.matches("APPEND").count(), 2, "{refusal}");
    }
    // Neither way: nothing of the mail was said after the refusal, and the line is in step.
    let neither = vec![say("a3 NO x\r\n"), hear(" UTF8 (~{23}\r\n"), say("a4 BAD x\r\n"), hear("a5 NOOP"), say("a5 OK x\r\n")];
    let (told, said) = append(MAIL, [plain(), neither].concat());
    assert!(told.unwrap_err().connection_lives() && said.ends_with("a5 NOOP\r\n"), "{said}");
}

/// A reason is a reason, and ASCII is never called UTF-8.
#[test]
fn a_refusal_with_a_reason_stands() {
    for (mail, answer) in [(MAIL, "NO [OVERQUOTA] full"), (MAIL, "NO [TRYCREATE] none"), ("Subject: x\r\n\r\nx\r\n", "BAD x")] {
        let steps = [
            vec![hear("+}\r\n")],
            heard(mail),
            vec![hear("\r\n"), say(format!("a3 {answer}\r\n")), hear("NOOP"), say("a4 OK x\r\n")],
        ];
        let (told, said) = append(mail, steps.concat());
        assert!(told.is_err() && said.matches("APPEND").count() == 1, "{answer}: {said}");
    }
}

/// A text that ends too early leaves nothing at the server: the line is closed.
#[test]
fn a_text_that_ends_too_early_is_an_error() {
    let script = Script::start(vec![
        say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"),
        hear("AUTHENTICATE PLAIN"),
        say("%T OK [CAPABILITY IMAP4rev1 LITERAL+] in\r\n"),
        hear(" {9+}\r\n"),
    ]);
    let mut store = open_without(&script, TlsMode::None, &[]).unwrap();
    let e = store.append(&MailboxPath::inbox(), &Flags::new(), 0, 9, &mut &b"abc"[..]).unwrap_err();
    assert!(!e.connection_lives() && store.noop().is_err(), "{e}");
    drop(store);
    script.heard();
}
