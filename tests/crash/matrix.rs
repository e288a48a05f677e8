//! matrix — what happens on both sides at once, killed after every durable step, and once more during the recovery: the end
//! is what it is without a death, and a further pass does nothing (issue 3, "Faults").
//! Start reading at: `scenarios`. In the ordinary run the steps of each row are sampled evenly; `POSTRIDER_FULL=1` takes
//! every one, `POSTRIDER_ROW=word` only rows with that word, `POSTRIDER_FROM=n` begins at the n-th step.

use super::day::{Day, Kind, Run, Saved};
use super::mailhost::{At, PASSWORD, host};
use super::side_by_side;
use postrider::base::cancel::Cancel;
use postrider::base::gate::{Permit, Reason};
use postrider::base::secret::Secret;
use postrider::base::waker::Waker;
use postrider::mail::flags::{Flag, FlagDelta, Flags};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Login, MailStore, TlsMode};
use std::time::{Duration, Instant};

/// How long one row may take in the ordinary run; at least [`LEAST`] steps are taken all the same.
const BUDGET: Duration = Duration::from_secs(5);
const LEAST: u64 = 4;

/// Another client.
pub struct Other {
    conn: ImapStore,
    _ends: (Waker, Cancel),
}

impl Other {
    pub fn new(day: &Day) -> Self {
        let (waker, cancel) = (Waker::new().unwrap(), Cancel::new().unwrap());
        let permit = Permit::ask(Reason::MailServer).unwrap();
        let secret = Secret::new(PASSWORD.to_owned());
        let auth = postrider::config::AuthPolicy::default();
        let login = Login { user: day.me(), secret: &secret, without: &[], auth: &auth };
        let conn = ImapStore::open(permit, &host().imap_at(At::Good, TlsMode::Implicit), &login, &waker, &cancel).unwrap();
        Self { conn, _ends: (waker, cancel) }
    }

    fn find(&mut self, mailbox: &str, n: u64) -> UidSet {
        self.conn.select(&MailboxPath::from_typed(mailbox), false, None).unwrap();
        let id = postrider::mail::envelope::MessageId::new(&format!("{n}@example.org")).unwrap();
        let found = self.conn.search_message_id(&id).unwrap();
        assert!(!found.is_empty(), "{n} is not in {mailbox}");
        found
    }

    fn put(&mut self, mailbox: &str, n: u64) {
        let text = format!("Subject: Mail {n}\r\nMessage-ID: <{n}@example.org>\r\n\r\nThis is mail {n}.\r\n");
        let path = MailboxPath::from_typed(mailbox);
        self.conn.append(&path, &Flags::new(), 1_770_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
    }

    fn flag(&mut self, mailbox: &str, n: u64, flag: Flag) {
        let uids = self.find(mailbox, n);
        self.conn.store_flags(&uids, &FlagDelta::set(flag)).unwrap();
    }

    fn expunge(&mut self, mailbox: &str, n: u64) {
        let uids = self.find(mailbox, n);
        self.conn.store_flags(&uids, &FlagDelta::set(Flag::Deleted)).unwrap();
        self.conn.uid_expunge(&uids).unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.conn.logout();
    }
}

/// One row of the table.
pub struct Scenario {
    pub name: &'static str,
    pub without: &'static [&'static str],
    /// Before the first look at all.
    before: fn(&mut Other),
    /// What the person does: verbs, with `mailbox:n` for the number of a message, `mailbox:n*` for those of
    /// all its like, `file:n` for a file with the mail `n`.
    ours: &'static [&'static [&'static str]],
    /// What others do before we look again.
    theirs: fn(&Day, &mut Other),
    /// What others do after a death.
    pub meanwhile: fn(&mut Other),
    /// What the server has in the end, beside what no row says: mailbox and number.
    lies: &'static [(&'static str, u64)],
    /// How many operations the person has to look at in the end.
    left: i64,
    /// Whether the cache is deleted before each start that is to carry the wishes out.
    lost: bool,
}

impl Scenario {
    /// The cache goes, where it is to go.
    pub fn lose(&self, day: &Day) {
        if self.lost {
            day.lose_cache();
        }
    }
}

const NONE: Scenario = Scenario {
    name: "",
    without: &[],
    before: |_| (),
    ours: &[],
    theirs: |_, _| (),
    meanwhile: |_| (),
    lies: &[],
    left: 0,
    lost: false,
};

/// New mail, flags and expunges on both sides.
const BOTH: Scenario = Scenario {
    ours: &[
        &["flag", "INBOX:1", "--add", "flagged"],
        &["move", "INBOX:2", "--to", "Lists/Rust"],
        &["copy", "INBOX:3", "--to", "Archive"],
        &["delete", "INBOX:5", "--forever"],
    ],
    theirs: |_, other| {
        (6..=8).for_each(|n| other.put("INBOX", n));
        other.flag("INBOX", 3, Flag::Seen);
        other.flag("INBOX", 1, Flag::Answered);
        other.expunge("INBOX", 4);
    },
    ..NONE
};

const LISTS: Scenario = Scenario {
    before: |other| {
        other.put("Lists/Rust", 20);
        other.put("Lists/Rust", 21);
    },
    ours: &[
        &["flag", "Lists/Rust:20", "--add", "flagged"],
        &["move", "Lists/Rust:21", "--to", "Archive"],
        &["move", "INBOX:1", "--to", "Lists/Rust"],
    ],
    ..NONE
};

/// The same mail twice: both are moved, one of two others, and one goes where its like is, twice.
const TWINS: Scenario = Scenario {
    before: |other| {
        [11, 11, 12, 12, 13].iter().for_each(|n| other.put("INBOX", *n));
        other.put("Archive", 13);
    },
    ours: &[
        &["move", "INBOX:11*", "--to", "Lists/Rust"],
        &["move", "INBOX:12", "--to", "Archive"],
        &["copy", "INBOX:13", "--to", "Archive"],
        &["copy", "INBOX:13", "--to", "Archive"],
    ],
    ..NONE
};

const APPEND: Scenario = Scenario {
    ours: &[
        &["import", "file:31", "--into", "Archive"],
        &["import", "file:32", "--into", "Lists/Rust"],
        &["import", "file:31", "--into", "Archive"],
    ],
    theirs: |_, other| other.put("Archive", 33),
    ..NONE
};

/// What another client does after a death.
const TWO: Scenario = Scenario {
    ours: &[
        &["flag", "INBOX:1", "--add", "flagged"],
        &["move", "INBOX:2", "--to", "Lists/Rust"],
        &["copy", "INBOX:3", "--to", "Archive"],
    ],
    meanwhile: |other| {
        other.flag("INBOX", 4, Flag::Seen);
        other.expunge("INBOX", 5);
        other.put("INBOX", 9);
        other.put("Archive", 10);
    },
    ..NONE
};

const NO_UIDPLUS: &[&str] = &["MOVE", "UIDPLUS"];

pub fn scenarios() -> Vec<Scenario> {
    let reset: fn(&Day, &mut Other) = |day, other| {
        other.put("INBOX", 6);
        day.renumber("INBOX");
    };
    let renamed: fn(&Day, &mut Other) = |_, other| {
        let path = MailboxPath::from_typed;
        other.conn.rename(&path("Lists/Rust"), &path("Lists/Crab")).unwrap();
    };
    // Its old name is another one's at once.
    let replaced: fn(&Day, &mut Other) = |_, other| {
        let path = MailboxPath::from_typed;
        other.conn.rename(&path("Lists/Rust"), &path("Lists/Crab")).unwrap();
        other.conn.create(&path("Lists/Rust")).unwrap();
        other.put("Lists/Rust", 22);
    };
    let deleted: fn(&Day, &mut Other) = |_, other| other.conn.delete(&MailboxPath::from_typed("Lists/Rust")).unwrap();
    let fifty: fn(&mut Other) = |other| (10..55).for_each(|n| other.put("INBOX", n));
    vec![
        Scenario { name: "first sync of 50 mails", before: fifty, lost: true, ..NONE },
        Scenario { name: "both sides, QRESYNC", ..BOTH },
        Scenario { name: "both sides, CONDSTORE", without: &["QRESYNC"], ..BOTH },
        Scenario { name: "both sides, plain", without: &["QRESYNC", "CONDSTORE"], ..BOTH },
        Scenario { name: "both sides, no MOVE", without: &["MOVE"], ..BOTH },
        Scenario { name: "both sides, no UIDPLUS", without: NO_UIDPLUS, ..BOTH },
        Scenario { name: "twins, no MOVE", without: &["MOVE"], ..TWINS },
        Scenario { name: "twins, no UIDPLUS", without: NO_UIDPLUS, ..TWINS },
        Scenario { name: "append", ..APPEND },
        Scenario { name: "append, no UIDPLUS", without: NO_UIDPLUS, ..APPEND },
        Scenario { name: "UIDVALIDITY reset, QRESYNC", theirs: reset, ..BOTH },
        Scenario { name: "UIDVALIDITY reset, plain", without: &["QRESYNC", "CONDSTORE"], theirs: reset, ..BOTH },
        Scenario { name: "UIDVALIDITY reset, no UIDPLUS", without: NO_UIDPLUS, theirs: reset, ..BOTH },
        Scenario { name: "renamed under us", theirs: renamed, ..LISTS },
        Scenario {
            name: "renamed, its name used anew",
            theirs: replaced,
            lies: &[("Lists/Crab", 1), ("Lists/Crab", 20), ("Lists/Rust", 22), ("Archive", 21)],
            ..LISTS
        },
        Scenario {
            name: "renamed, name anew, no MOVE",
            without: &["MOVE"],
            theirs: replaced,
            lies: &[("Lists/Crab", 1), ("Lists/Crab", 20), ("Lists/Rust", 22), ("Archive", 21)],
            ..LISTS
        },
        Scenario {
            name: "name anew, cache lost",
            theirs: replaced,
            lies: &[("Lists/Crab", 1), ("Lists/Crab", 20), ("Lists/Rust", 22), ("Archive", 21)],
            lost: true,
            ..LISTS
        },
        Scenario {
            name: "name anew, cache lost, no MOVE",
            without: &["MOVE"],
            theirs: replaced,
            lies: &[("Lists/Crab", 1), ("Lists/Crab", 20), ("Lists/Rust", 22), ("Archive", 21)],
            lost: true,
            ..LISTS
        },
        Scenario { name: "deleted under us", theirs: deleted, left: 2, ..LISTS },
        Scenario { name: "deleted under us, no UIDPLUS", without: NO_UIDPLUS, theirs: deleted, left: 2, ..LISTS },
        Scenario {
            name: "the tree is ours",
            before: LISTS.before,
            ours: &[
                &["mailbox", "create", "New"],
                &["flag", "Lists/Rust:20", "--add", "flagged"],
                &["mailbox", "rename", "Lists/Rust", "New/Crab"],
                &["move", "INBOX:1", "--to", "New/Crab"],
                &["mailbox", "delete", "Junk", "--yes"],
                &["mailbox", "unsubscribe", "Drafts"],
            ],
            ..NONE
        },
        Scenario { name: "two clients at once", ..TWO },
        Scenario { name: "two clients at once, no MOVE", without: &["MOVE"], ..TWO },
        Scenario { name: "two clients at once, no UIDPLUS", without: NO_UIDPLUS, ..TWO },
    ]
}

/// What is left of a profile and of its server.
pub type Ends = (Vec<(String, String, String)>, Vec<String>, i64);

pub fn ends(day: &Day) -> Ends {
    (day.server(), day.cached(), day.pending())
}

pub fn good_pass(day: &Day) {
    assert_eq!(day.run(&Run::of(&["sync"]), None), 0, "{}", day.said());
}

/// Everybody has done what they do before we look again.
pub fn begun(scenario: &Scenario, day: &Day) -> Saved {
    let name = scenario.name;
    (scenario.before)(&mut Other::new(day));
    good_pass(day);
    for verb in scenario.ours {
        assert_eq!(day.run(&day.act(verb), None), 0, "{name}: {}", day.said());
    }
    day.let_holds_pass();
    (scenario.theirs)(day, &mut Other::new(day));
    let shown = day.cached();
    day.replay();
    assert_eq!(day.cached(), shown, "{name}: what is shown follows from the journal alone (F-03)");
    day.save()
}

/// A row: its name, how many steps there are, at how many it was killed, and how often once more.
fn row(scenario: &Scenario, full: bool) -> (String, u64, u64, u64) {
    let name = scenario.name;
    let day = Day::without(Kind::Dovecot, scenario.without);
    let start = begun(scenario, &day);

    // How it ends without a death; then nothing is left to do.
    (scenario.meanwhile)(&mut Other::new(&day));
    scenario.lose(&day);
    let steps = day.steps(&Run::of(&["sync"]));
    good_pass(&day);
    let whole = ends(&day);
    assert_eq!(whole.2, scenario.left, "{name}: {:?}", day.left());
    for (mailbox, n) in scenario.lies {
        let id = format!("<{n}@example.org>");
        let places: Vec<&str> = whole.0.iter().filter(|(_, m, _)| *m == id).map(|(place, ..)| place.as_str()).collect();
        assert_eq!(places, [*mailbox], "{name}: {n}");
    }
    day.rests();
    day.replay();
    assert_eq!(ends(&day), whole, "{name}: a further pass changes nothing, and neither does a start");

    let begun = Instant::now();
    let first = std::env::var("POSTRIDER_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (mut kills, mut pairs, mut at, mut stride) = (0, 0, first, 1);
    while at <= steps {
        day.restore(&start);
        scenario.lose(&day);
        let code = day.run(&Run::of(&["sync"]), Some(at));
        assert!(code == 100 || code == 0, "{name}, step {at}: {}", day.said());
        kills += u64::from(code == 100);
        (scenario.meanwhile)(&mut Other::new(&day));
        scenario.lose(&day);
        // Killed again during the recovery, at a step that only looks random.
        let second = at.wrapping_mul(0x9e37_79b9) % steps + 1;
        pairs += u64::from(day.run(&Run::of(&["sync"]), Some(second)) == 100);
        good_pass(&day);
        let now = ends(&day);
        assert_eq!(now, whole, "{name}, killed after step {at}, then {second}: {:?}", day.left());
        if full || kills % 4 == 1 {
            day.rests();
            day.replay();
            assert_eq!(ends(&day), whole, "{name}, killed after step {at}, then {second}: a further pass changes something");
        }
        // The first steps show how long one takes: the others are taken evenly.
        if !full && kills == LEAST / 2 {
            let each = begun.elapsed() / u32::try_from(kills).unwrap();
            let room = BUDGET.saturating_sub(begun.elapsed()).as_millis() / each.as_millis().max(1);
            let room = u64::try_from(room).unwrap().max(LEAST / 2);
            stride = (steps - at).div_ceil(room).max(1);
        }
        at += stride;
    }
    (name.to_owned(), steps, kills, pairs)
}

#[test]
fn both_sides_at_once_killed_after_each_step() {
    let full = std::env::var_os("POSTRIDER_FULL").is_some();
    let only = std::env::var("POSTRIDER_ROW").unwrap_or_default();
    let chosen: Vec<Scenario> = scenarios().into_iter().filter(|s| s.name.contains(&only)).collect();
    let table = side_by_side(&chosen, |scenario| {
        let (name, steps, kills, pairs) = row(scenario, full);
        println!("{name:28} {steps:4} steps {kills:4} killed at {pairs:4} killed twice    0 failures");
        (name, steps, kills, pairs)
    });
    let sum = |of: fn(&(String, u64, u64, u64)) -> u64| table.iter().map(of).sum::<u64>();
    let how = if full { "every step" } else { "steps sampled evenly; POSTRIDER_FULL=1 for every one" };
    println!("{:28} {:4} steps {:4} killed at {:4} killed twice ({how})", "all", sum(|r| r.1), sum(|r| r.2), sum(|r| r.3));
}
