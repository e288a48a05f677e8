//! tests — IMAP against servers that lie, stall, flood and inject: the vectors of our threat model that touch the wire,
//! by their numbers (S-01 …; those of the login are in `tests_login.rs`).

use super::ImapStore;
use crate::base::cancel::Cancel;
use crate::base::gate::{Permit, Reason};
use crate::base::secret::Secret;
use crate::base::waker::Waker;
use crate::config::AuthPolicy;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{EnvelopeSeen, FlagsSeen};
use crate::mail::uid::{ModSeq, Uid, UidSet};
use crate::net::error::{NetErrorKind, Result};
use crate::net::script::{Script, Step, hear, say};
use crate::net::session::{Idle, Login, MailStore, TlsMode};
use crate::net::wire::NO_PROGRESS;
use std::time::{Duration, Instant};

const GREETING: &str = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n";
/// What the server of most tests can do. Without LITERAL+, so that literals wait for leave.
const CAPS: &str = "IDLE UIDPLUS MOVE CONDSTORE ESEARCH LIST-EXTENDED SPECIAL-USE";
const SELECTED: &str = "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n* OK [HIGHESTMODSEQ 9] x\r\n\
    * OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n%T OK [READ-WRITE] done\r\n";

pub fn open(script: &Script, tls: TlsMode) -> Result<ImapStore> {
    open_without(script, tls, &[])
}

pub fn open_without(script: &Script, tls: TlsMode, without: &[String]) -> Result<ImapStore> {
    let permit = Permit::ask(Reason::MailServer).unwrap();
    let secret = Secret::new("hunter2".to_owned());
    let (waker, cancel) = (Waker::new().unwrap(), Cancel::new().unwrap());
    let auth = AuthPolicy::default();
    let login = Login { user: "user", secret: &secret, without, auth: &auth };
    ImapStore::open(permit, &script.endpoint(tls), &login, &waker, &cancel)
}

/// A server that logs us in, selects, and then does `steps`; what `act` makes of it, and all that we said.
fn with<T>(steps: Vec<Step>, act: impl FnOnce(&mut ImapStore) -> T) -> (T, String) {
    with_words(CAPS, steps, act)
}

/// The same at a server that says just these words of what it can do. The first command of `steps` has the tag `a3`.
pub fn with_words<T>(words: &str, steps: Vec<Step>, act: impl FnOnce(&mut ImapStore) -> T) -> (T, String) {
    let logged_in = format!("%T OK [CAPABILITY IMAP4rev1 {words}] in\r\n");
    let mut all = vec![say(GREETING), hear("AUTHENTICATE PLAIN"), say(logged_in), hear("SELECT"), say(SELECTED)];
    all.extend(steps);
    let script = Script::start(all);
    let mut store = open(&script, TlsMode::None).unwrap();
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    let result = act(&mut store);
    drop(store);
    (result, script.heard())
}

pub fn flags(store: &mut ImapStore, since: Option<ModSeq>) -> Result<Vec<FlagsSeen>> {
    let mut all = Vec::new();
    store.fetch_flags(&UidSet::range(1, 100), since, &mut |rows| {
        all.extend(rows);
        Ok(())
    })?;
    Ok(all)
}

pub fn envelopes(store: &mut ImapStore) -> Result<Vec<EnvelopeSeen>> {
    let mut all = Vec::new();
    store.fetch_envelopes(&UidSet::range(1, 100), &mut |rows| {
        all.extend(rows);
        Ok(None)
    })?;
    Ok(all)
}

fn body(store: &mut ImapStore, uid: u32) -> Result<Option<String>> {
    let mut text = Vec::new();
    let got = store.fetch_body(Uid::new(uid).unwrap(), &mut text)?;
    Ok(got.map(|n| {
        assert_eq!(n, text.len() as u64);
        String::from_utf8(text).unwrap()
    }))
}

pub fn kind<T>(result: Result<T>) -> NetErrorKind {
    result.err().unwrap().kind
}

/// S-15: a good-bye in the greeting says so.
#[test]
fn s15_good_byes() {
    let script = Script::start(vec![say("* BYE too many\x1b[2J connections\r\n")]);
    let e = open(&script, TlsMode::None).err().unwrap();
    assert_eq!(e.kind, NetErrorKind::Bye);
    assert!(e.to_string().contains("too many") && !e.to_string().contains('\x1b'));
    let (result, _) = with(vec![hear("NOOP"), say("* BYE restarting\r\n")], |s| s.noop());
    assert_eq!(kind(result), NetErrorKind::Bye);
    let (result, _) = with(vec![hear("IDLE"), say("+ idling\r\n* BYE restarting\r\n")], |s| s.idle(Duration::from_secs(30)));
    assert_eq!(kind(result), NetErrorKind::Bye);
    let half = vec![hear("FETCH"), say("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* BYE x\r\n")];
    assert_eq!(kind(with(half, |s| flags(s, None)).0), NetErrorKind::Bye);
    let literal = vec![hear("APPEND"), say("* BYE x\r\n")];
    let append = |s: &mut ImapStore| s.append(&MailboxPath::inbox(), &Flags::new(), 0, 1, &mut &b"x"[..]);
    assert_eq!(kind(with(literal, append).0), NetErrorKind::Bye);
}

/// S-01, S-02, S-03: sizes of literals.
#[test]
fn s01_to_s03_literals() {
    for size in ["4294967295", "2147483648", "18446744073709551615", "18446744073709551616"] {
        let steps = vec![hear("FETCH"), say(format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\n")), Step::Drain];
        let begun = Instant::now();
        assert_eq!(kind(with(steps, |s| body(s, 1)).0), NetErrorKind::Limit, "{size}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    for size in ["-1", "", " 5", "+5", "0x5", "1e3"] {
        let steps = vec![hear("FETCH"), say(format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\nabcde)\r\n%T OK x\r\n")), Step::Drain];
        let kind = kind(with(steps, |s| body(s, 1)).0);
        assert_eq!(kind, NetErrorKind::Protocol, "{size:?}");
    }
    for size in ["5", "05", "5+"] {
        let steps = vec![hear("FETCH"), say(format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\nabcde)\r\n%T OK x\r\n"))];
        assert_eq!(with(steps, |s| body(s, 1)).0.unwrap().as_deref(), Some("abcde"));
    }
    let short = vec![hear("FETCH"), say("* 1 FETCH (UID 1 BODY[] {10}\r\nabcde")];
    assert!(matches!(kind(with(short, |s| body(s, 1)).0), NetErrorKind::Io(_)));
}

/// S-04: a line without end, and lines without end, use no memory.
#[test]
fn s04_floods() {
    let steps = vec![hear("NOOP"), Step::Repeat(vec![b'x'; 4096])];
    assert_eq!(kind(with(steps, |s| s.noop()).0), NetErrorKind::Limit);
    let many = "* OK x\r\n".repeat(200_000);
    let steps = vec![hear("NOOP"), say(many), say("%T OK x\r\n")];
    with(steps, |s| s.noop()).0.unwrap();
}

/// S-06, S-09 to S-12: rows that cannot be, come twice, or were not asked for.
#[test]
fn s06_to_s12_rows() {
    for n in ["-1", "99999999999"] {
        let steps = vec![hear("NOOP"), say(format!("* {n} EXISTS\r\n%T OK x\r\n"))];
        assert_eq!(kind(with(steps, |s| s.noop()).0), NetErrorKind::Protocol);
    }
    let steps = vec![hear("NOOP"), say("* 4294967295 EXISTS\r\n%T OK x\r\n")];
    assert_eq!(with(steps, |s| (s.noop().is_ok(), s.exists())).0, (true, u32::MAX));
    let rows = "* 1 FETCH (UID 0 FLAGS ())\r\n* 2 FETCH (UID 4294967296 FLAGS ())\r\n* 3 FETCH (FLAGS (\\Seen))\r\n\
        * 0 FETCH (UID 9 FLAGS ())\r\n* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n* 2 FETCH (UID 7 FLAGS ())\r\n\
        * 3 FETCH (UID 5 FLAGS ())\r\n* 4 FETCH (UID 101 FLAGS ())\r\n%T OK x\r\n";
    let (found, _) = with(vec![hear("FETCH"), say(rows)], |s| (flags(s, None).unwrap(), s.changed(), s.oddities()));
    assert_eq!((found.2.rows, found.2.contradicts), (4, true));
    assert_eq!(found.0.iter().map(|r| (r.uid.get(), r.flags.has(Flag::Seen))).collect::<Vec<_>>(), [(7, true), (5, false)]);
    assert!(found.1, "what was not asked for is news");
    // S-11: another's text, before and behind its number.
    for row in ["UID 8 BODY[] {3}\r\nBAD", "BODY[] {3}\r\nBAD UID 8"] {
        let steps = vec![hear("FETCH 7"), say(format!("* 1 FETCH ({row})\r\n%T OK x\r\n"))];
        assert!(!matches!(with(steps, |s| body(s, 7)).0, Ok(Some(_))), "{row}");
    }
    let both = "* 1 FETCH (UID 8 BODY[] {3}\r\nBAD)\r\n* 2 FETCH (UID 7 BODY[] {4}\r\nGOOD)\r\n%T OK x\r\n";
    assert_eq!(with(vec![hear("FETCH 7"), say(both)], |s| body(s, 7)).0.unwrap().as_deref(), Some("GOOD"));
    let unasked = format!("* 1 FETCH (UID 1 BODY[] {{5000000}}\r\n{})\r\n%T OK x\r\n", "x".repeat(5_000_000));
    with(vec![hear("NOOP"), say(unasked)], |s| s.noop()).0.unwrap();
}

/// S-07, S-08, S-19: counts that shrink, numbers that are missing or impossible.
#[test]
fn s08_numbers_of_a_mailbox() {
    let select = "* 3 EXISTS\r\n* OK [UIDVALIDITY 99999999999] x\r\n* OK [UIDNEXT] x\r\n\
        * OK [HIGHESTMODSEQ 18446744073709551616] x\r\n%T OK x\r\n";
    let steps = vec![hear("SELECT"), say(select), hear("UID FETCH 1:100 (UID FLAGS)\r\n"), say("%T OK x\r\n")];
    let (s, _) = with(steps, |s| {
        let selected = s.select(&MailboxPath::inbox(), false, None).unwrap();
        assert_eq!(flags(s, Some(ModSeq(5))).unwrap(), []);
        selected
    });
    assert_eq!((s.uidvalidity.0, s.uidnext, s.highestmodseq, s.exists), (0, 0, ModSeq(0), 3));
    let steps = vec![hear("NOOP"), say("* 1 EXPUNGE\r\n* 1 EXISTS\r\n* 9 EXPUNGE\r\n* 9 EXPUNGE\r\n%T OK x\r\n")];
    assert_eq!(with(steps, |s| (s.noop().is_ok(), s.exists(), s.changed())).0, (true, 0, true));
}

/// S-13, S-18: sets are never walked number by number.
#[test]
fn s18_sets_cost_nothing() {
    let begun = Instant::now();
    let steps = vec![hear("NOOP"), say("* VANISHED 1:4294967295\r\n* VANISHED (EARLIER) 1:*\r\n%T OK x\r\n")];
    assert!(with(steps, |s| (s.noop().is_ok(), s.changed())).0.1);
    for (set, want) in [("1:9999999", "1:9999999"), ("3:1", "1:3"), ("1:0", ""), (",1,,2", ""), ("*:*", ""), ("x", "")] {
        let steps = vec![hear("SEARCH"), say(format!("* ESEARCH (TAG \"x\") UID ALL {set}\r\n%T OK x\r\n"))];
        assert_eq!(with(steps, |s| s.uids(1).unwrap().to_string()).0, want);
    }
    let steps = vec![hear("SEARCH"), say("* ESEARCH (TAG \"x\") UID ALL 1:4294967295\r\n%T OK x\r\n")];
    assert_eq!(kind(with(steps, |s| s.uids(1)).0), NetErrorKind::Limit);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// S-16: answers to what was not asked end the connection.
#[test]
fn s16_tags() {
    for answer in ["zz OK x\r\n", "OK x\r\n", "\x1b[2J OK x\r\n"] {
        assert_eq!(
            kind(with(vec![hear("NOOP"), say(answer), Step::Drain], |s| s.noop()).0),
            NetErrorKind::Protocol,
            "{answer:?}"
        );
    }
    let ((first, second), _) = with(vec![hear("NOOP"), say("%T OK x\r\n%T OK again\r\n"), Step::Drain], |s| (s.noop(), s.noop()));
    assert!(first.is_ok());
    assert_eq!(kind(second), NetErrorKind::Protocol);
}

/// S-17, S-20: capabilities and flags without bound.
#[test]
fn s17_s20_words_without_bound() {
    let caps = format!("%T OK [CAPABILITY {} IDLE] in\r\n", "X\x1b[2J ".repeat(100_000));
    let script = Script::start(vec![say(GREETING), hear("AUTH"), say(caps)]);
    assert!(!open(&script, TlsMode::None).unwrap().caps().idle, "what stands behind a thousand words is not read");
    let words: Vec<String> = (0..10_000).map(|n| format!("k{n}")).collect();
    let row = format!(
        "* 1 FETCH (UID 1 FLAGS ({} \\Seen \\Seen NIL \"q\" {} e\x1b))\r\n%T OK x\r\n",
        words.join(" "),
        "L".repeat(10_000)
    );
    let found = with(vec![hear("FETCH"), say(row)], |s| flags(s, None)).0.unwrap();
    assert!(found[0].flags.has(Flag::Seen) && found[0].flags.keywords().count() <= Flags::MAX_KEYWORDS);
}

/// S-23, S-24: names go back exactly as they came, and end no line.
#[test]
fn s24_no_name_ends_a_line() {
    let evil = b"x\" \r\nA99 DELETE INBOX\r\n";
    let list = format!("* LIST () \"/\" {{{}}}\r\n{}\r\n%T OK x\r\n", evil.len(), String::from_utf8_lossy(evil));
    let steps = vec![
        hear("LIST"),
        say(list),
        hear("SELECT {"),
        say("+ go\r\n"),
        hear("x\" \r\n"),
        hear("A99 DELETE INBOX\r\n"),
        hear(" (CONDSTORE)\r\n"),
        say("a4 OK x\r\n"),
    ];
    let (path, heard) = with(steps, |s| {
        let listed = s.list().unwrap();
        let selected = s.select(&listed[0].path, false, None);
        (listed[0].path.clone(), selected.is_ok())
    });
    assert_eq!(path.0.to_wire(), evil);
    // The line that looks like a command is inside of the announced octets.
    assert!(heard.contains(&format!("SELECT {{{}}}\r\nx\" \r\nA99 DELETE INBOX\r\n (CONDSTORE)\r\n", evil.len())), "{heard}");
    let quoted = vec![hear(r#"SELECT "a\"b\\c""#), say("%T OK x\r\n")];
    assert!(with(quoted, |s| s.select(&MailboxPath::from_wire(b"a\"b\\c"), false, None).is_ok()).0);
}

/// S-25: one line for each name, whatever the delimiters.
#[test]
fn s25_odd_lists() {
    let list = "* LIST (\\noselect) NIL a/b\r\n* LIST () \"\\\\\" x\r\n* LIST () \"\\\"\" y\r\n* LIST () \"ab\" z\r\n* LIST () \"/\" x\r\n\
        * LIST (\\subscribed \\junk) \"/\" inBOX\r\n\
        * LIST (\\NonExistent \\Subscribed) \"/\" again\r\n* LIST () \"/\" again\r\n* LIST (\\NonExistent) \"/\" again\r\n* LIST () \"/\" \"\"\r\n* LIST () \"/\" {3}\r\nlit\r\n* LIST broken\r\n%T OK x\r\n";
    let listed = with(vec![hear("LIST"), say(list)], |s| s.list().unwrap()).0;
    let names: Vec<(&str, Option<char>, bool)> = listed.iter().map(|l| (l.path.as_str(), l.delimiter, l.selectable)).collect();
    assert_eq!(
        names,
        [
            ("INBOX", Some('/'), true),
            ("a/b", None, false),
            ("again", Some('/'), true),
            ("lit", Some('/'), true),
            ("x", Some('\\'), true),
            ("y", Some('"'), true),
            ("z", None, true)
        ]
    );
    assert!(listed[0].subscribed && listed[2].subscribed);
}

/// S-26, S-30: what the server says is clean, cut, and typed.
#[test]
fn s30_refusals_are_typed() {
    for code in ["TRYCREATE", "OVERQUOTA", "UNAVAILABLE", "INUSE", "LIMIT", "NOPERM"] {
        let text = format!("%T NO [{code}] \x1b]52;c;UFdO\x07\u{9b}31m{}\r\n", "x".repeat(100_000));
        let (result, _) = with(vec![hear("NOOP"), say(text), hear("NOOP"), say("%T OK x\r\n")], |s| (s.noop(), s.noop()));
        let e = result.0.unwrap_err();
        assert_eq!(e.kind, NetErrorKind::No { code: code.to_owned() });
        assert!(!e.to_string().chars().any(char::is_control) && e.to_string().len() < 1000);
        assert!(result.1.is_ok(), "the connection goes on");
    }
    let (result, _) =
        with(vec![hear("NOOP"), say(b"%T BAD \xff what\r\n"), hear("NOOP"), say("%T OK x\r\n")], |s| (s.noop(), s.noop()));
    assert_eq!((kind(result.0), result.1.is_ok()), (NetErrorKind::Bad, true));
}

/// S-27: IDLE that is refused, floods, or never ends.
#[test]
fn s27_idle() {
    assert!(super::store::MAX_IDLE <= Duration::from_secs(29 * 60), "RFC 2177, 3");
    let minute = Duration::from_secs(60);
    let refused = vec![hear("IDLE"), say("%T NO [CANNOT] x\r\n"), hear("NOOP"), say("%T OK x\r\n")];
    let (result, heard) = with(refused, |s| (s.idle(minute), s.noop()));
    assert_eq!((kind(result.0), result.1.is_ok()), (NetErrorKind::No { code: "CANNOT".to_owned() }, true));
    assert!(!heard.contains("DONE"));
    let flood: String = (4..50_000).map(|n| format!("* {n} EXISTS\r\n")).collect();
    let steps = vec![hear("IDLE"), say(format!("+ idling\r\n{flood}")), hear("DONE"), say("a3 OK x\r\n")];
    let (result, _) = with(steps, |s| (s.idle(minute), s.changed(), s.exists()));
    assert_eq!((result.0.unwrap(), result.1, result.2), (Idle::Changed, true, 49_999));
    let quiet = vec![hear("IDLE"), say("+ idling\r\n* OK still here\r\n"), hear("DONE"), say("a3 OK x\r\n")];
    assert_eq!(with(quiet, |s| s.idle(Duration::from_millis(100))).0.unwrap(), Idle::TimedOut);
    let early = vec![hear("NOOP"), say("* 9 EXISTS\r\n%T OK x\r\n")];
    let (result, heard) = with(early, |s| (s.noop().is_ok(), s.idle(minute)));
    assert_eq!(result.1.unwrap(), Idle::Changed, "news that came before end it at once");
    assert!(!heard.contains("IDLE"));
}

/// S-27: a line that says nothing is asked whether it lives, and one that says now and then that it does is not; neither
/// lengthens a wait. With the time for its answer a dead one is found within five minutes.
#[test]
fn s27_silence_is_looked_into() {
    assert!(super::QUIET + NO_PROGRESS < Duration::from_secs(300));
    let (minute, moment) = (Duration::from_secs(60), Duration::from_millis(50));
    let asked = |s: &mut ImapStore| {
        s.ask_after(moment);
        s.idle(minute)
    };
    let idle = |tag: &'static str| [hear("IDLE\r\n"), say("+ idling\r\n"), hear("DONE"), say(format!("{tag} OK x\r\n"))];
    let mut alive: Vec<Step> = [idle("a3"), idle("a4")].concat();
    alive.extend([hear("IDLE\r\n"), say("+ idling\r\n* 9 EXISTS\r\n"), hear("DONE"), say("a5 OK x\r\n")]);
    assert_eq!(with(alive, asked).0.unwrap(), Idle::Changed);
    let dead = vec![hear("IDLE\r\n"), say("+ idling\r\n"), hear("DONE"), Step::Drain];
    assert_eq!(kind(with(dead, asked).0), NetErrorKind::Timeout);
    // Dovecot's way.
    let chat = [hear("IDLE\r\n"), say("+ idling\r\n"), Step::Chat("* OK still here\r\n"), hear("DONE"), say("a3 OK x\r\n")];
    let (result, heard) = with(chat.to_vec(), |s| s.idle(Duration::from_millis(300)));
    assert_eq!((result.unwrap(), heard.matches("IDLE").count()), (Idle::TimedOut, 1), "not asked, and over in time");
}

/// S-14: by UID only, by difference only, and never a plain EXPUNGE. S-29: numbers that do not agree are no numbers.
#[test]
fn s14_s29_changes() {
    let all = UidSet::range(1, 2);
    let steps = vec![
        hear("UID STORE 1:2 +FLAGS.SILENT (\\Flagged)\r\n"),
        say("* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\n%T OK x\r\n"),
        hear("UID STORE 1:2 -FLAGS.SILENT (\\Seen work)\r\n"),
        say("%T OK x\r\n"),
        hear("UID MOVE 1:2 \"t\"\r\n"),
        say("* OK [COPYUID 5 1:2 7:8] x\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n%T OK x\r\n"),
        hear("UID COPY 1:2 \"t\"\r\n"),
        say("%T OK [COPYUID 5 1:2 7] x\r\n"),
        hear("UID COPY 1:2 \"t\"\r\n"),
        say("%T OK x\r\n"),
        hear("UID EXPUNGE 1:2\r\n"),
        say("* 1 EXPUNGE\r\n%T OK x\r\n"),
    ];
    let target = MailboxPath::from_typed("t");
    let (changed, heard) = with(steps, |s| {
        s.store_flags(&all, &FlagDelta::new(Flag::Flagged.into(), Flags::from_words(["\\Seen", "work"]))).unwrap();
        let moved = s.move_to(&all, &target).unwrap().unwrap();
        assert_eq!(moved.pairs.iter().map(|(a, b)| (a.get(), b.get())).collect::<Vec<_>>(), [(1, 7), (2, 8)]);
        assert_eq!(s.copy_to(&all, &target).unwrap(), None, "counts that differ");
        assert_eq!(s.copy_to(&all, &target).unwrap(), None, "nothing told");
        s.uid_expunge(&all).unwrap();
        s.changed()
    });
    assert!(!changed, "our own doing is no news");
    for line in heard.lines().filter(|l| [" STORE", "COPY", "MOVE", "EXPUNGE", "FETCH"].iter().any(|w| l.contains(w))) {
        assert!(line.contains(" UID "), "{line}");
    }
}

/// O-09 and others: an append that the server does not want is not sent, and one that breaks off is not finished.
#[test]
fn appends() {
    let inbox = MailboxPath::inbox();
    let append = |s: &mut ImapStore, size: u64| s.append(&inbox, &Flag::Seen.into(), 1_000_000_000, size, &mut &b"text!"[..]);
    let steps = vec![
        hear("APPEND \"INBOX\" (\\Seen) \"09-Sep-2001 01:46:40 +0000\" {5}\r\n"),
        say("+ go\r\n"),
        hear("text!\r\n"),
        say("a3 OK [APPENDUID 5 9] x\r\n"),
    ];
    let placed = with(steps, |s| append(s, 5)).0.unwrap().unwrap();
    assert_eq!((placed.0.0, placed.1.get()), (5, 9));
    let refused = vec![hear("APPEND"), say("%T NO [OVERQUOTA] full\r\n"), hear("NOOP"), say("%T OK x\r\n")];
    let ((result, next), heard) = with(refused, |s| (append(s, 5), s.noop()));
    assert_eq!(kind(result), NetErrorKind::No { code: "OVERQUOTA".to_owned() });
    assert!(next.is_ok() && !heard.contains("text!"));
    let (result, _) = with(vec![hear("APPEND"), say("+ go\r\n"), Step::Drain], |s| append(s, 9));
    assert!(!result.unwrap_err().connection_lives(), "a shorter mail than announced leaves the server waiting");
}

/// What real servers do and RFCs do not: lower case, missing parts, odd quoting.
#[test]
fn lenient_reading() {
    let row = b"* 1 fetch (uid 1 flags (\\seen) internaldate \" 1-Jan-2024 00:00:00 +0000\" rfc822.size 5 envelope \
        (NIL \"s\xe4\" NIL NIL NIL NIL NIL NIL NIL \"<i@x>\") bodystructure (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1) \
        body[header.fields (\"REFERENCES\")] {0}\r\n modseq (9))\r\n%T OK x\r\n";
    let rows = with(vec![hear("FETCH"), say(row)], envelopes).0.unwrap();
    assert_eq!((rows.len(), rows[0].size, rows[0].modseq, rows[0].received), (1, 5, ModSeq(9), 1_704_067_200));
    assert_eq!(rows[0].envelope.kin().own, Some("i@x"));
}
