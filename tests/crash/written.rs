//! written — a mail is begun, kept as a draft here and at the server, gone on with, sent, and its copy filed; whoever writes it is
//! killed after each step and goes on where they were. It goes once, its copy is there once, no draft is left, and what was said to be
//! kept is there.
//! Start reading at: `a_mail_is_written_kept_and_sent`. The one who writes is this same test in a process of its own.

use super::day::{Day, Kind, maildir_of};
use super::lives::Life;
use super::mailhost;
use super::matrix::good_pass;
use super::sync;
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::api::{OutboxRow, Query, Request, Rows};
use postrider::engine::{Engine, Mode, Setup};
use postrider::mail::address::Address;
use postrider::mail::draft::Draft;
use postrider::mail::ids::AccountName;
use postrider::mail::outgoing::OutboxState;
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Whose profile the process is to write in; the address follows after a space, then the mail's own, then whether it went already.
const WRITER: &str = "POSTRIDER_TEST_WRITER";
const NAME: &str = "written::a_mail_is_written_kept_and_sent";
/// What was said to be kept.
const KEPT: &str = "kept: ";
const FIRST: &str = "The first lines";
const SECOND: &str = "The first lines, and the last ones.";

/// As the person would: begins, keeps, goes on, sends, and waits until nothing is left to do; from wherever an earlier life came to.
fn write(profile: &Path, me: &str, to: &str, went: bool) {
    let file = profile.join("config.toml");
    let config = Config::parse(&fs::read_to_string(&file).unwrap(), &file, 0o600).unwrap();
    let mut setup = Setup::new(config, Paths::of_profile(profile), Mode::Live);
    setup.pace.filing = Duration::from_secs(1);
    let engine = Engine::start(&setup).unwrap();
    let account = || AccountName::new("home");
    let outbox = || -> Vec<OutboxRow> {
        let Ok(Rows::Outbox(rows)) = engine.ask(&Query::Outbox) else { panic!() };
        rows.into_iter().filter(|row| row.state != OutboxState::Unknown).collect()
    };
    let draft = |body: &str| {
        let (from, to) = (Address::new("", me), vec![Address::new("", to)]);
        Box::new(Draft { from, to, subject: "Written once".into(), body: body.into(), ..Draft::default() })
    };
    let keep = |id, body| {
        let saved = engine.perform(Request::SaveDraft { id, account: account(), draft: draft(body) }).unwrap().draft;
        println!("{KEPT}{body}");
        engine.perform(Request::FileDraft(saved.unwrap())).unwrap();
        saved
    };
    let Ok(Rows::Drafts(drafts)) = engine.ask(&Query::Drafts) else { panic!() };
    let Ok(Rows::Outbox(all)) = engine.ask(&Query::Outbox) else { panic!() };
    if all.is_empty() && !went {
        let id = drafts.first().map(|row| row.id).or_else(|| keep(None, FIRST));
        let id = keep(id, SECOND);
        engine.perform(Request::Send { id, account: account(), draft: draft(SECOND), hold: 0 }).unwrap();
        println!("{KEPT}{SECOND}");
    }
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let Ok(Rows::Queue(queue)) = engine.ask(&Query::Queue) else { panic!() };
        if queue.is_empty() && outbox().is_empty() {
            break;
        }
        assert!(Instant::now() < end, "{queue:?} {:?}", outbox());
        let _ = engine.wait(Duration::from_millis(50));
    }
}

/// The mails that came, whole.
fn came(day: &Day) -> Vec<String> {
    let inbox = maildir_of(&day.sink);
    let files = ["new", "cur"].into_iter().filter_map(|part| fs::read_dir(inbox.join(part)).ok()).flatten();
    files.filter_map(|file| fs::read_to_string(file.unwrap().path()).ok()).collect()
}

/// What is kept here of unfinished mails.
fn drafts(day: &Day) -> Vec<String> {
    let state = rusqlite::Connection::open(day.home().join("data/state.sqlite")).unwrap();
    let mut rows = state.prepare("SELECT body FROM draft").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Lets the person write in a process with this in its environment: its exit code, and the last that it said is kept.
fn writer(day: &Day, name: &str, value: &Path) -> (i32, Option<String>) {
    let who = format!("{} {} {} {}", day.home().display(), day.me(), day.sink, u8::from(!came(day).is_empty()));
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", NAME, "--nocapture"]).env(WRITER, who).env(name, value).output().unwrap();
    day.all_left();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = output.status.code().unwrap_or(-1);
    assert!(code == 0 || code == 100, "{said}{}", String::from_utf8_lossy(&output.stderr));
    // The harness may have said something on the same line; the second text holds the first.
    (code, said.lines().filter_map(|line| line.split_once(KEPT)).next_back().map(|(_, text)| text.to_owned()))
}

/// Whoever finds a mail of which nobody knows whether it went looks, and says so.
fn settle_unknown(day: &Day) {
    mailhost::delivered();
    for mail in day.json(&["outbox"]).as_array().unwrap().iter().filter(|mail| mail["state"] == "unknown") {
        let verb = if came(day).is_empty() { "resend" } else { "mark-sent" };
        assert_eq!(day.run(&super::day::Run::of(&["outbox", verb, &mail["id"].to_string()]), None), 0, "{}", day.said());
        good_pass(day);
        mailhost::delivered();
    }
}

#[test]
fn a_mail_is_written_kept_and_sent() {
    if let Ok(who) = std::env::var(WRITER) {
        let mut words = who.split(' ');
        let mut word = || words.next().unwrap();
        return write(word().as_ref(), word(), word(), word() == "1");
    }
    let day = Day::new(Kind::Dovecot);
    good_pass(&day);
    let start = day.save();
    let kept = RefCell::new(None);
    let live = |name: &str, value: &Path| {
        let (code, said) = writer(&day, name, value);
        let held = |text: &String| {
            drafts(&day).iter().any(|draft| draft.contains(text))
                || !day.json(&["outbox"]).as_array().unwrap().is_empty()
                || !came(&day).is_empty()
        };
        mailhost::delivered();
        let text = said.or_else(|| kept.borrow().clone());
        assert!(text.as_ref().is_none_or(held), "{text:?} was kept, and is not there: {value:?}");
        *kept.borrow_mut() = text;
        code
    };
    let recover = || {
        *kept.borrow_mut() = None;
        assert_eq!(day.run(&sync(), None), 0, "{}", day.said());
        settle_unknown(&day);
        writer(&day, "POSTRIDER_CRASH_NOT", Path::new(""));
        settle_unknown(&day);
        // The copy in Sent waits a moment for a server that files by itself.
        let end = Instant::now() + Duration::from_secs(60);
        while !day.json(&["outbox"]).as_array().unwrap().is_empty() || day.queue() > 0 {
            assert!(Instant::now() < end, "{:?} {}", day.left(), day.json(&["outbox"]));
            good_pass(&day);
        }
        // It may lie there since the last look.
        good_pass(&day);
        day.rests();
        mailhost::delivered();
        let mails = came(&day);
        assert_eq!(mails.len(), 1, "{:?}", day.server());
        assert!(mails[0].contains(SECOND) && !mails[0].contains("X-Uniform-Type-Identifier"), "{}", mails[0]);
        assert_eq!(drafts(&day), Vec::<String>::new());
    };
    // What it is called differs.
    let ends = || {
        day.server().into_iter().map(|(place, id, flags)| match id.contains("@example.org") {
            true => (place, id, flags),
            false => (place, "another".to_owned(), flags),
        })
    };
    let life = Life {
        name: "a mail kept and sent",
        day: &day,
        start: &start,
        live: &live,
        recover: &recover,
        ends: &|| ends().collect::<Vec<_>>(),
    };
    let (steps, kills, _) = life.row();
    assert!(steps > 10 && kills > 0);
}
