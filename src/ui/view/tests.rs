//! tests — screens as text, kept in `tests/screens/`, and what a key press costs.
//! Owns: nothing. May import: ui.
//! Start reading at: `same`. `BLESS=1 cargo test --lib screens` writes the files anew; look at the difference before it is kept.

use super::canvas::Canvas;
use super::stage::{NOW, Stage};
use crate::app::msg::Refusal;
use crate::base::safetext::SafeText;
use crate::engine::api::{Changes, Connectivity, Fault, Kind, News, Remedy, Request};
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::{AccountName, PlacementKey};
use crate::mail::mailbox::Role;
use crate::ui::backend::Backend;
use crate::ui::theme::{Depth, Theme};
use ratatui::layout::Size;
use std::path::PathBuf;
use std::time::Duration;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Compares a screen with the one that is kept.
pub(super) fn same(name: &str, stage: &Stage) {
    let (width, height) = stage.app.setup().size;
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}-{width}x{height}.txt"));
    let shown = stage.text();
    assert_eq!(shown.lines().count(), usize::from(height));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == shown, "{} differs; BLESS=1 keeps it:\n{shown}", path.display());
}

pub(super) fn live(stage: &mut Stage, state: &Connectivity) {
    let connectivity = ["work", "home"].map(|a| (AccountName::new(a), state.clone())).into();
    stage.news(News { connectivity, ..News::default() });
}

pub(super) fn each_size(name: &str, play: impl Fn(&mut Stage)) {
    for (width, height) in SIZES {
        let mut stage = Stage::new(width, height);
        live(&mut stage, &Connectivity::Live { since: NOW });
        play(&mut stage);
        same(name, &stage);
    }
}

#[test]
fn screens_of_reading() {
    each_size("list", |_| {});
    each_size("list-preview", |s| s.wait(Duration::from_millis(150)));
    each_size("viewer", |s| s.press("Enter"));
    each_size("marked", |s| s.press("Space j Space"));
    each_size("unfolded", |s| s.press("+ j"));
    each_size("folders", |s| s.press("q"));
    each_size("search", |s| s.press("/ \"re:"));
}

#[test]
fn screens_that_lie_over() {
    each_size("palette", |s| s.press(": \"mov"));
    each_size("help", |s| s.press("?"));
    each_size("move", |s| s.press("m \"ar"));
    each_size("which-key", |s| {
        s.press("g");
        s.wait(Duration::from_millis(300));
    });
    each_size("delete", |s| s.press("D"));
    each_size("password", |s| s.press("A \"hunter2"));
}

#[test]
fn screens_of_trouble() {
    let name = AccountName::new("work");
    each_size("offline", |s| {
        let fault = Fault::new(Kind::Unreachable, "imap.example.org does not answer");
        live(s, &Connectivity::Waiting { until: NOW + 60, fault });
        s.bodies = false;
        s.press("Enter");
    });
    each_size("failure", |s| {
        let fault =
            Fault::new(Kind::Login, "imap.example.org refused the password").remedied(Remedy::EnterPassword(name.clone()));
        live(s, &Connectivity::NeedsUser(fault));
    });
    each_size("archived", |s| s.press("Space Space e"));
    each_size("outbox", |s| s.press("g o"));
    let mut tiny = Stage::new(20, 5);
    same("list", &tiny);
    tiny.press("Enter");
    same("viewer", &tiny);
    tiny.press("?");
    same("help", &tiny);
}

#[test]
fn screens_of_what_waits() {
    use crate::app::msg;
    use crate::engine::api::{Answer, OutboxRow, OutboxState, QueueRow, Rows};
    use crate::mail::ids::{GroupId, OpId, OutboxId};
    use crate::mail::intent::OpState;
    use crate::mail::mailbox::MailboxPath;
    let mail = |n: i64, state, fault: &str| OutboxRow {
        id: OutboxId(n),
        account: AccountName::new("work"),
        message_id: String::new(),
        sender: "dana@example.org".to_owned(),
        recipients: vec!["ann.berger@example.org".to_owned(), "carol@example.org".to_owned()],
        subject: "Re: Quarterly figures".to_owned(),
        state,
        attempts: 1,
        due: NOW + 600,
        fault: SafeText::line(fault),
        created: NOW - 60,
    };
    let change = |n: i64, state, fault: &str| QueueRow {
        id: OpId(n),
        group: GroupId(n),
        account: AccountName::new("work"),
        mailbox: MailboxPath::inbox(),
        to: None,
        kind: "move",
        detail: SafeText::of("move to Archive"),
        count: 5,
        state,
        attempts: 0,
        fault: SafeText::line(fault),
        created: NOW - 3_600,
    };
    each_size("outbox-full", |s| {
        let mails = vec![
            mail(1, OutboxState::Held, ""),
            mail(2, OutboxState::Deferred, "450 greylisted"),
            mail(3, OutboxState::Refused, "550 no such user"),
            mail(4, OutboxState::Unknown, "the line broke after the last word"),
        ];
        let changes = vec![change(1, OpState::Queued, ""), change(2, OpState::Parked, "the server says: no such mailbox")];
        let answer = |rows| Answer { generation: u64::MAX, rows: Ok(rows) };
        let answers = [(msg::OUTBOX, answer(Rows::Outbox(mails))), (msg::QUEUE, answer(Rows::Queue(changes)))].into();
        s.press("g o");
        s.news(News { answers, ..News::default() });
        s.press("j");
    });
}

#[test]
fn screens_of_the_first_start() {
    for (width, height) in SIZES.into_iter().chain([(20, 5), (60, 12)]) {
        let mut stage = Stage::with("", width, height);
        same("first", &stage);
        stage.press("\"ann@example.org Tab \"Ann Tab Tab Space");
        same("first-typed", &stage);
        stage.press("Up Up Up Up Up Up Up Up \"x");
    }
}

#[test]
fn screens_of_servers_that_were_found() {
    use crate::app::screen::account::finding_tests::found;
    use crate::config::discovery::Source;
    for (width, height) in SIZES.into_iter().chain([(20, 5), (60, 12)]) {
        let mut stage = Stage::with("", width, height);
        stage.press("\"ann@work.net Tab");
        assert!(stage.outside.contains(&crate::app::msg::Effect::FindServers("ann@work.net".into())));
        same("first-looking", &stage);
        let note = Some(
            "This provider wants an app password, which is another one than that of its web site, and IMAP switched on first",
        );
        stage.found("ann@work.net", found(Source::Autoconfig, "imap.hosting-of-others.net", "smtp.work.net", note));
        same("first-found", &stage);
        stage.press("Up Up");
        same("first-advice", &stage);
        stage.press("\"hunter2 Enter");
        same("first-agree", &stage);
    }
}

#[test]
fn an_account_is_tested_before_it_is_saved() {
    let mut stage = Stage::with("", 80, 24);
    stage.press("\"ann@example.org Up \"hunter2 Enter");
    let fault = Fault::new(Kind::Login, "imap.example.org refused the password").because("[AUTHENTICATIONFAILED] no");
    let step = SafeText::of("Logging in to imap.example.org");
    stage.tried(Err(Refusal { step, fault: Box::new(fault), outgoing: false }));
    same("first-refused", &stage);
    assert!(stage.reopened.is_none());
    stage.press("3 Enter");
    stage.tried(Ok(AccountName::new("example")));
    assert_eq!(stage.reopened, Some(AccountName::new("example")));
}

#[test]
fn a_server_that_is_not_trusted_is_answered_with_an_authority() {
    let mut stage = Stage::with("", 80, 24);
    stage.press("\"ann@example.org Up \"hunter2 Enter");
    let what = "imap.example.org is not trusted: its certificate comes from an authority that this system does not know; \
                if that is your own, give its certificate as the account's CA file, else ask the provider";
    let fault = Fault::new(Kind::Tls, what).remedied(Remedy::TrustAuthority);
    let refusal = |fault: Fault| Refusal { step: SafeText::of("encryption"), fault: Box::new(fault), outgoing: false };
    stage.tried(Err(refusal(fault)));
    same("first-untrusted", &stage);
    stage.press("\"~/ca.pem Enter Esc");
    assert!(stage.outside.contains(&crate::app::msg::Effect::StopTrial));
    stage.tried(Err(refusal(Fault::new(Kind::Cancelled, "stopped"))));
    assert!(stage.text().contains("The test was stopped") && stage.text().contains("~/ca.pem"));
    stage.press("Esc");
    assert!(!stage.quit && stage.text().contains("Esc again leaves"));
    stage.press("x Esc");
    assert!(!stage.quit, "it was taken back");
    stage.press("Esc");
    assert!(stage.quit);
}

#[test]
fn new_mail_is_told_where_the_list_does_not_show_it() {
    use crate::app::msg::Effect;
    use crate::config::Notify;
    let config = format!("{}\n[reading]\nnotify = [\"bell\"]\n", super::stage::CONFIG);
    let mut s = Stage::with(&config, 80, 24);
    let arrive = |s: &mut Stage, what: &[(i64, u32)]| {
        s.outside.clear();
        let arrived = what.iter().map(|(id, n)| (crate::mail::ids::MailboxId(*id), *n)).collect();
        s.news(News { arrived, ..News::default() });
    };
    arrive(&mut s, &[(1, 2)]);
    assert!(!s.text().contains("new messages"), "the list shows it");
    assert_eq!(s.outside, [Effect::Notify(SafeText::of("2 new messages in work / Inbox"), vec![Notify::Bell])]);
    arrive(&mut s, &[(1, 2), (6, 1)]);
    assert!(s.text().contains("3 new messages in 2 mailboxes"));
    arrive(&mut s, &[(8, 5)]);
    assert!(s.outside.is_empty(), "junk is quiet");
    let fault = Fault::new(Kind::Disk, "the disk is full");
    s.news(News { faults: vec![fault], ..News::default() });
    arrive(&mut s, &[(10, 1)]);
    assert!(s.text().contains("the disk is full"), "a failure stands");
}

#[test]
fn the_next_unread_is_found_wherever_it_is() {
    let mut s = Stage::new(80, 24);
    let at = |s: &Stage| s.app.list().current().map(|i| i.row.id.0);
    s.press("n n n");
    assert_eq!(at(&s), Some(8));
    s.press("Enter n");
    assert_eq!((at(&s), s.app.viewer().id()), (Some(1), Some(PlacementKey(1))), "round to the newest, and it is opened");
    for row in &mut s.rows {
        row.flags.insert(Flag::Seen);
        row.thread_unread = 0;
    }
    s.press("q");
    s.news(News { changes: Changes { all: true, ..Changes::default() }, ..News::default() });
    s.press("j n");
    assert_eq!(at(&s), Some(2), "the cursor stays");
    assert!(s.text().contains("Everything here is read"));
}

#[test]
fn an_account_without_a_password_asks_once() {
    let mut s = Stage::new(80, 24);
    let asks = |s: &Stage| s.text().contains("Password of");
    let none = Connectivity::NeedsUser(Fault::new(Kind::NoPassword, "the password of work is needed"));
    s.requests.clear();
    live(&mut s, &none);
    assert!(s.text().contains("Password of work"));
    s.press("\"pw Enter");
    assert!(matches!(&s.requests[..], [Request::Password { account, .. }] if account.as_str() == "work"));
    assert!(s.text().contains("Password of home"), "one after the other");
    s.press("Esc");
    assert!(!asks(&s));
    live(&mut s, &none);
    assert!(!asks(&s), "who closed it is not asked again");
    s.press("A");
    assert!(asks(&s));
    live(&mut s, &Connectivity::Live { since: NOW });
    assert!(!asks(&s), "a question that became needless goes by itself");
}

#[test]
fn every_size_can_be_drawn() {
    let theme = Theme::plain();
    for width in (0..24).step_by(3).chain([39, 44, 63, 80, 100, 139, 140, 250]) {
        for height in [0, 1, 2, 3, 4, 5, 6, 9, 12, 24, 40, 80] {
            let mut stage = Stage::new(width, height);
            for keys in [
                "", "Enter", "Esc", "q", "?", "Esc", ":", "Esc", "m", "Esc", "D", "Esc", "A", "Esc", "/ \"re:", "Enter", "g o",
                "q", "g",
            ] {
                stage.press(keys);
                stage.wait(Duration::from_millis(300));
                stage.buffer(&theme, true);
            }
        }
    }
}

#[test]
fn meaning_is_never_in_colours_alone() {
    let stage = Stage::new(80, 24);
    for depth in [Depth::None, Depth::Sixteen] {
        let theme = Theme::load("ansi", None, depth).unwrap();
        assert_eq!(super::stage::text(&stage.buffer(&theme, theme.has_band())), stage.text());
    }
}

#[test]
fn triage_asks_for_what_was_meant() {
    let mut s = Stage::new(80, 24);
    s.requests.clear();
    s.press("e");
    let of_thread = [101, 102, 1].map(PlacementKey);
    let mut sorted = of_thread.to_vec();
    sorted.sort();
    assert_eq!(s.requests, [Request::File { targets: sorted, role: Role::Archive }], "a folded conversation is all its messages");
    s.requests.clear();
    s.press("j i");
    assert_eq!(
        s.requests,
        [Request::Flag { targets: vec![PlacementKey(2)], delta: FlagDelta::set(Flag::Seen), automatic: false }]
    );
    s.requests.clear();
    s.press("j s");
    assert_eq!(
        s.requests,
        [Request::Flag { targets: vec![PlacementKey(3)], delta: FlagDelta::clear(Flag::Flagged), automatic: false }]
    );
    s.requests.clear();
    s.press("G D");
    assert!(s.requests.is_empty(), "for ever asks first");
    s.press("y");
    assert!(matches!(&s.requests[..], [Request::DeleteForever { targets }] if targets.len() == 9));
    s.requests.clear();
    s.press("m \"arch Enter");
    assert!(matches!(&s.requests[..], [Request::Move { to, .. }] if to.0 == 4));
    s.press("u");
    assert!(matches!(s.requests.last(), Some(Request::Undo { count: 1 })));
}

#[test]
fn reading_marks_as_read_after_a_while_and_looking_does_not() {
    let mut s = Stage::new(160, 50);
    s.requests.clear();
    s.press("j");
    s.wait(Duration::from_secs(5));
    assert!(s.requests.is_empty(), "the message beside the list is only looked at");
    s.press("Enter");
    s.wait(Duration::from_secs(1));
    assert!(s.requests.is_empty());
    s.wait(Duration::from_secs(2));
    assert!(matches!(&s.requests[..], [Request::Flag { automatic: true, .. }]));
    assert_eq!(s.app.deadline(), None, "no timer at rest");
}

/// What one step of the cursor writes to the terminal.
fn step_bytes(width: u16, height: u16, band: bool) -> usize {
    let mut stage = Stage::new(width, height);
    live(&mut stage, &Connectivity::Live { since: NOW });
    let theme = Theme::load("dark", None, Depth::True).unwrap();
    let mut terminal = ratatui::Terminal::new(Backend::new(Vec::new(), Size { width, height })).unwrap();
    let mut draw = |stage: &Stage| {
        terminal
            .draw(|f| {
                super::draw(&mut Canvas { buffer: f.buffer_mut(), theme: &theme, band, links: None }, &stage.app);
            })
            .unwrap();
        std::mem::take(terminal.backend_mut().parts().1).len()
    };
    draw(&stage);
    // A letter beyond ASCII is more bytes than columns: what is too much about that is the mail's, not ours.
    let area = stage.app.layout().list.unwrap();
    let extra = |stage: &Stage, line: usize| {
        let buffer = stage.buffer(&theme, band);
        let y = area.y + u16::try_from(line).unwrap();
        let symbols: usize = (area.x..area.x + area.width).map(|x| buffer[(x, y)].symbol().len()).sum();
        symbols.saturating_sub(usize::from(area.width))
    };
    let mut most = 0;
    for line in 0..8 {
        let foreign = if band { extra(&stage, line) + extra(&stage, line + 1) } else { 0 };
        stage.press("j");
        most = most.max(draw(&stage).saturating_sub(foreign));
    }
    most
}

#[test]
fn a_step_of_the_cursor_costs_little() {
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let list = Stage::new(width, height).app.layout().list.unwrap().width;
        let band = step_bytes(width, height, true);
        assert!(band <= 2 * usize::from(list) + 150, "{width}x{height}: {band} bytes with the band over {list} columns");
        let bar = step_bytes(width, height, false);
        assert!(bar <= 60, "{width}x{height}: {bar} bytes with the bar alone");
        println!("{width}x{height}: {band} bytes with the band (list {list}), {bar} with the bar");
    }
}
