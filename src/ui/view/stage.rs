//! stage — an engine of cardboard, so that tests can look at the reader: fixed mail, a fixed clock, answers at once.
//! Owns: `Stage`. May import: app, engine::api, mail, config.
//! Start reading at: `Stage::press`.

use super::canvas::Canvas;
use crate::app::key::Key;
use crate::app::msg::{Effect, Msg, Now, Refusal};
use crate::app::{App, Setup};
use crate::config::Config;
use crate::engine::api::{
    Answer, Changes, Done, Fault, News, Outcome, Piece, PieceState, Query, Request, SavedDraft, ServerSearch, Slot, Ticket,
};
use crate::mail::address::Address;
use crate::mail::draft::DraftAttachment;
use crate::mail::fixtures;
use crate::mail::flags::{Flag, Flags};
use crate::mail::ids::{AccountName, DraftId, GroupId, OutboxId};
use crate::mail::mailbox::Role;
use crate::mail::rights::Quota;
use crate::mail::row::{MailboxRow, MessageRow};
use crate::ui::theme::{Depth, Theme};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::Path;
use std::time::Duration;

/// Friday, 20 November 2026, 15:00 UTC.
pub const NOW: i64 = 1_795_186_800;

/// The reader, its cardboard engine, and what it asked for.
pub struct Stage {
    pub app: App,
    pub boxes: Vec<MailboxRow>,
    pub rows: Vec<MessageRow>,
    pub requests: Vec<Request>,
    pub since: Duration,
    tickets: u64,
    pub quit: bool,
    /// The account with which the reader is to begin again.
    pub reopened: Option<AccountName>,
    /// Whether texts of messages are here.
    pub bodies: bool,
    /// Whether their files are on the server only.
    pub away: bool,
    /// Layouts that are not answered yet, where they are kept back.
    pub held: Option<Vec<(Slot, u64, Query)>>,
    /// What is asked for of every message and not here.
    pub pieces: Vec<(Piece, PieceState)>,
    /// What every message is.
    pub mail: Vec<u8>,
    /// Why no text can be had.
    pub fault: Option<Fault>,
    /// What was to be done outside.
    pub outside: Vec<Effect>,
    /// What requests of the composer end with instead.
    pub fail: Option<Fault>,
    /// What saving a file ends with instead.
    pub saved: Option<Done>,
    /// Whether what is sent waits for its files.
    pub later: bool,
    /// The files that the spool has.
    pub attachments: Vec<DraftAttachment>,
    /// How much room accounts have.
    pub quotas: Vec<(AccountName, Quota)>,
    /// How the servers stand with a search.
    pub servers: Option<ServerSearch>,
    /// What is saved.
    pub drafts: Vec<SavedDraft>,
}

fn mailbox(id: i64, account: &str, path: &str, role: Option<Role>, unread: u32, total: u32) -> MailboxRow {
    MailboxRow { total, unread, synced_at: NOW - 60, ..fixtures::mailbox(id, account, path, role) }
}

/// `marks`: `.` unread, `*` starred, `+` attachment, `r` answered.
fn message(id: i64, marks: &str, from: (&str, &str), subject: &str, preview: &str, thread: u32, ago: i64) -> MessageRow {
    let mut flags = Flags::new();
    if !marks.contains('.') {
        flags.insert(Flag::Seen);
    }
    if marks.contains('*') {
        flags.insert(Flag::Flagged);
    }
    if marks.contains('r') {
        flags.insert(Flag::Answered);
    }
    MessageRow {
        uid: Some(u32::try_from(id).unwrap()),
        sort: (NOW - ago) << 24,
        received: NOW - ago,
        from: Address::new(from.0, from.1),
        to: vec![Address::new("Dana Roth", "dana@example.org")],
        subject: subject.to_owned(),
        preview: preview.to_owned(),
        flags,
        size: 9_000,
        attachments: u32::from(marks.contains('+')),
        cached: true,
        thread_total: thread,
        thread_unread: u32::from(marks.contains('.')),
        message_id: format!("m{id}@example.org"),
        ..fixtures::message(id)
    }
}

/// Two accounts.
pub const CONFIG: &str = "[account.work]\naddress = \"dana@example.org\"\nname = \"Dana Roth\"\nimap = { host = \"imap.example.org\" }\n\
    [account.home]\naddress = \"dana@example.net\"\nimap = { host = \"imap.example.net\" }\n";

const TEXT: &str = "From: Ann Berger <ann.berger@example.org>\r\nTo: Dana Roth <dana@example.org>, Carol Ngo <carol@example.org>\r\n\
Cc: finance@example.org\r\nSubject: Quarterly figures, second draft\r\nDate: Fri, 20 Nov 2026 14:02:00 +0000\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
Hi all,\r\n\r\nthe board wants the second table split by region before Tuesday. I moved the totals to the top and marked what is still missing:\r\n\r\n\
  * North: two invoices of October are not in yet\r\n  * South: exchange rate of 30 September instead of the average\r\n\r\n\
Could somebody from finance confirm the rate? https://wiki.example.org/finance/rates has the rules.\r\n\r\nAnn\r\n-- \r\n\
Ann Berger, Controlling\r\n\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=notes.pdf\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n";

impl Stage {
    /// The reader at its start, on a terminal of this size, with everything answered.
    pub fn new(width: u16, height: u16) -> Self {
        Self::with(CONFIG, width, height)
    }

    /// With another configuration.
    pub fn with(config: &str, width: u16, height: u16) -> Self {
        let setup = Setup {
            config: Config::parse(config, Path::new("config.toml"), 0o600).unwrap(),
            zone: TimeZone::UTC,
            size: (width, height),
            follow: Some(Duration::from_millis(150)),
            account: None,
            mailbox: None,
            read_only: false,
            signatures: std::collections::BTreeMap::new(),
            compose: Vec::new(),
            themes: Theme::BUILT_IN.map(str::to_owned).to_vec(),
        };
        let now = Now { since: Duration::ZERO, civil: NOW };
        let app = App::new(setup, now);
        let h = 3_600;
        let d = 86_400;
        let rows = vec![
            message(
                1,
                ".",
                ("Ann Berger", "ann.berger@example.org"),
                "Quarterly figures, second draft",
                "Hi all, the board wants the second table split",
                3,
                3_480,
            ),
            message(
                2,
                ".+",
                ("GitHub", "noreply@github.example"),
                "[postrider] flaky test in planner (#412)",
                "The job failed",
                1,
                4_380,
            ),
            message(
                3,
                "*",
                ("Kenji Sato 佐藤 健", "kenji@example.jp"),
                "来週の打ち合わせについて",
                "火曜日の午後はいかがでしょうか",
                2,
                9_000,
            ),
            message(4, "+r", ("Carol Ngo", "carol@example.org"), "Re: Contract, page 7", "I marked the two places", 5, 3 * h),
            message(5, ".", ("Deutsche Bahn", "bahn@example.de"), "Ihre Buchung 7KQ2M1", "Hinfahrt Di 24.11. 08:31", 1, 5 * h),
            message(6, "", ("Linus T.", "linus@example.org"), "Re: [PATCH v3 2/5] mm: keep the folio locked", "No.", 18, 6 * h),
            message(7, "", ("Maya Okafor", "maya@example.org"), "Photos from Saturday", "Best ones are in the album", 1, d + h),
            message(
                8,
                ".",
                ("PayPaI Support", "x@evil.example"),
                "Your account is limited\u{202e}\x1b[31m",
                "Confirm within 24 hours",
                1,
                d + 2 * h,
            ),
            message(9, "", ("", "dana@example.org"), "Re: Offer for the roof", "Thank you, we take it", 4, 2 * d),
            message(10, "+", ("Library", "library@example.org"), "", "Three books are due", 1, 20 * d),
            message(11, "", ("rust-users", "rust@example.org"), "Announcing ripgrep 16", "Faster literals", 9, 400 * d),
        ];
        let boxes = vec![
            mailbox(1, "work", "INBOX", Some(Role::Inbox), 12, 48_213),
            mailbox(2, "work", "Drafts", Some(Role::Drafts), 0, 1),
            mailbox(3, "work", "Sent", Some(Role::Sent), 0, 900),
            mailbox(4, "work", "Archive", Some(Role::Archive), 0, 31_000),
            mailbox(5, "work", "Lists", None, 0, 0),
            mailbox(6, "work", "Lists/kernel", None, 812, 9_000),
            mailbox(7, "work", "Lists/rust-users", None, 40, 700),
            mailbox(8, "work", "Junk", Some(Role::Junk), 6, 6),
            mailbox(9, "work", "Trash", Some(Role::Trash), 0, 44),
            mailbox(10, "home", "INBOX", Some(Role::Inbox), 2, 310),
        ];
        let since = Duration::ZERO;
        let mut stage = Self {
            app,
            boxes,
            rows,
            requests: Vec::new(),
            since,
            tickets: 0,
            quit: false,
            reopened: None,
            bodies: true,
            away: false,
            held: None,
            pieces: Vec::new(),
            mail: TEXT.as_bytes().to_vec(),
            fault: None,
            outside: Vec::new(),
            fail: None,
            saved: None,
            later: false,
            attachments: Vec::new(),
            quotas: Vec::new(),
            servers: None,
            drafts: Vec::new(),
        };
        let effects = stage.app.start();
        stage.carry_out(effects);
        stage
    }

    /// The reader is started anew, on what is saved.
    pub fn restart(&mut self) {
        let setup = self.app.setup().clone();
        self.app = App::new(setup, Now { since: self.since, civil: NOW });
        let effects = self.app.start();
        self.carry_out(effects);
    }

    /// The program ends.
    pub fn leave(&mut self) {
        let effects = self.app.leave();
        self.carry_out(effects);
    }

    /// Everything has changed in the store.
    pub fn touched(&mut self) {
        let changes = Changes { all: true, ..Changes::default() };
        self.news(News { changes, ..News::default() });
    }

    /// Something came from outside.
    pub fn msg(&mut self, msg: Msg) {
        self.update(msg);
    }

    fn update(&mut self, msg: Msg) {
        let now = Now { since: self.since, civil: NOW };
        let effects = self.app.update(msg, now);
        self.carry_out(effects);
    }

    /// Something came from the engine.
    pub fn news(&mut self, news: News) {
        self.update(Msg::News(Box::new(news)));
    }

    /// The test of an account ended.
    pub fn tried(&mut self, result: Result<AccountName, Refusal>) {
        self.update(Msg::Tried(result));
    }

    /// The search for servers ended.
    pub fn found(&mut self, address: &str, found: crate::config::discovery::Found) {
        self.update(Msg::Found(address.to_owned(), found));
    }

    /// Time passes.
    pub fn wait(&mut self, span: Duration) {
        self.since += span;
        self.update(Msg::Tick);
    }

    /// Presses keys, in the notation of the configuration; `"text` types text.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            match key.strip_prefix('"') {
                Some(text) => text.chars().for_each(|c| self.update(Msg::Key(Key::char(c)))),
                None => self.update(Msg::Key(Key::parse(key).unwrap())),
            }
        }
    }

    /// Answers what was kept back.
    pub fn release(&mut self) {
        for (slot, generation, query) in self.held.take().unwrap_or_default() {
            let rows = Ok(self.answer(&query).unwrap());
            let answers = [(slot, Answer { generation, rows })].into();
            self.news(News { answers, ..News::default() });
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Query(slot, query) => {
                    self.tickets += 1;
                    self.app.asked(slot, self.tickets);
                    if let (Some(held), Query::Page(_)) = (&mut self.held, &query) {
                        held.push((slot, self.tickets, query));
                        continue;
                    }
                    let mut news = News::default();
                    if let Some(rows) = self.answer(&query) {
                        news.answers.insert(slot, Answer { generation: self.tickets, rows: Ok(rows) });
                    }
                    self.news(news);
                }
                Effect::Request(request, note) => {
                    self.tickets += 1;
                    let ticket = Ticket(self.tickets);
                    self.app.sent(ticket, note);
                    let count = match &request {
                        Request::Flag { targets, .. } | Request::File { targets, .. } | Request::Move { targets, .. } => {
                            targets.len()
                        }
                        _ => 0,
                    };
                    let done =
                        Done { group: Some(GroupId(1)), count: u32::try_from(count).unwrap(), word: "move", ..Done::default() };
                    let result = match &request {
                        Request::SaveDraft { .. }
                        | Request::Send { .. }
                        | Request::Attach { .. }
                        | Request::AttachParts { .. }
                            if self.fail.is_some() =>
                        {
                            Err(self.fail.clone().unwrap())
                        }
                        Request::SavePart { .. } | Request::Undo { .. } => Ok(self.saved.clone().unwrap_or(done)),
                        Request::SaveDraft { id, .. } => Ok(Done { draft: id.or(Some(DraftId(7))), ..Done::default() }),
                        Request::Send { hold, .. } => {
                            let until = Some(NOW + i64::from(*hold));
                            Ok(Done { outbox: Some(OutboxId(3)), until, later: self.later, ..Done::default() })
                        }
                        Request::Attach { .. } | Request::AttachParts { .. } => {
                            Ok(Done { attachments: self.attachments.clone(), ..Done::default() })
                        }
                        _ => Ok(done),
                    };
                    self.requests.push(request);
                    let outcomes = vec![Outcome { ticket, result }];
                    self.news(News { outcomes, ..News::default() });
                }
                Effect::Reopen(account, _) => self.reopened = Some(account),
                Effect::Quit => self.quit = true,
                other => self.outside.push(other),
            }
        }
    }

    /// The screen as cells.
    pub fn buffer(&self, theme: &Theme, band: bool) -> Buffer {
        let (width, height) = self.app.setup().size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        super::draw(&mut Canvas { buffer: &mut buffer, theme, band, links: None }, &self.app);
        buffer
    }

    /// The screen as text, without the blanks at the ends of lines.
    pub fn text(&self) -> String {
        let theme = Theme::load("dark", None, Depth::True).unwrap();
        text(&self.buffer(&theme, true))
    }
}

/// The symbols of a buffer, line by line.
pub fn text(buffer: &Buffer) -> String {
    let area = *buffer.area();
    let mut out = String::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
                skip = crate::base::width::width(symbol);
            }
            skip = skip.saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
