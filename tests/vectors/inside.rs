//! inside — the engine itself on a profile, in this process and without a server: what a person would see of it, much sooner than by
//! starting the program.
//! Start reading at: `look`.

use super::bed::{Bed, files};
use super::wire::{Act, Server};
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::Engine;
use postrider::engine::api::{Body, Fault, Query, Request, Rows};
use postrider::engine::setup::{Mode, Setup};
use postrider::mail::address::Address;
use postrider::mail::draft::Draft;
use postrider::mail::ids::{AccountName, DraftId};
use postrider::mail::row::{RowCursor, View};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is to be seen. A question that had no answer counts in `failed`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Subjects of the inbox.
    pub inbox: Vec<String>,
    /// Texts that are here.
    pub texts: usize,
    /// Changes that wait.
    pub queue: usize,
    /// Outgoing mails.
    pub outbox: usize,
    pub drafts: usize,
    pub failed: usize,
}

/// Asks for everything that there is.
pub fn look(profile: &Path) -> Result<Seen, Fault> {
    let file = profile.join("config.toml");
    let config = Config::parse(&fs::read_to_string(&file).unwrap(), &file, 0o600).unwrap();
    let setup = Setup { offline: true, ..Setup::new(config, Paths::of_profile(profile), Mode::Still) };
    let engine = Engine::start(&setup)?;
    let mut seen = Seen::default();
    let mut ask = |query: Query| match engine.ask(&query) {
        Ok(rows) => Some(rows),
        Err(_) => {
            seen.failed += 1;
            None
        }
    };
    if let Some(Rows::Queue(rows)) = ask(Query::Queue) {
        seen.queue = rows.len();
    }
    if let Some(Rows::Outbox(rows)) = ask(Query::Outbox) {
        seen.outbox = rows.len();
    }
    if let Some(Rows::Drafts(rows)) = ask(Query::Drafts) {
        seen.drafts = rows.len();
    }
    let (mut inbox, mut texts) = (Vec::new(), 0);
    for threaded in [false, true] {
        let query = Query::Messages { view: View::Inboxes, threaded, cursor: RowCursor::Newest, limit: 500 };
        if let Some(Rows::Messages(page)) = ask(query)
            && !threaded
        {
            for row in &page.rows {
                inbox.push(row.subject.clone());
                if let Some(Rows::Message(view)) = ask(Query::Message(row.id)) {
                    texts += usize::from(matches!(view.body, Body::Here(_)));
                }
            }
        }
    }
    for text in ["letter", "from:ann subject:lett*", "body:text"] {
        ask(Query::Search { text: text.to_owned(), within: None, limit: 50 });
    }
    ask(Query::Mailboxes);
    ask(Query::Contacts { prefix: "a".to_owned(), limit: 5 });
    (seen.inbox, seen.texts) = (inbox, texts);
    Ok(seen)
}

/// Saves a draft and leaves it, as the composer does, without a connection.
pub fn draft(bed: &Bed, id: Option<DraftId>, subject: &str) -> DraftId {
    let file = bed.path("config.toml");
    let config = Config::parse(&fs::read_to_string(&file).unwrap(), &file, 0o600).unwrap();
    let setup = Setup { offline: true, ..Setup::new(config, Paths::of_profile(&bed.path("")), Mode::Live) };
    let engine = Engine::start(&setup).unwrap();
    let draft = Draft {
        from: Address::new("", "a@example.test"),
        to: vec![Address::new("", "b@x.example")],
        subject: subject.to_owned(),
        body: format!("Words of {subject}.\n"),
        ..Draft::default()
    };
    let save = Request::SaveDraft { id, account: AccountName::new("a"), draft: Box::new(draft) };
    let id = engine.perform(save).unwrap().draft.unwrap();
    engine.perform(Request::FileDraft(id)).unwrap();
    id
}

/// A profile whose inbox has shown its newest rows, before any mailbox was listed: the line breaks over each list, until the server is
/// healed. `more` are further lines of the account.
pub fn first_rows(server: &Server, more: &str) -> Bed {
    let mut bed = Bed::new();
    bed.account("a", server, None, more);
    server.always("LIST", vec![Act::Close]);
    let file = bed.path("config.toml");
    let config = Config::parse(&fs::read_to_string(&file).unwrap(), &file, 0o600).unwrap();
    let engine = Engine::start(&Setup::new(config, Paths::of_profile(&bed.path("")), Mode::Live)).unwrap();
    let rows = || {
        let query = Query::Messages { view: View::Inboxes, threaded: false, cursor: RowCursor::Newest, limit: 9 };
        matches!(engine.ask(&query), Ok(Rows::Messages(page)) if page.rows.len() == 3)
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !rows() {
        assert!(Instant::now() < end, "the first rows did not come: {:?}", server.heard());
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(engine);
    bed
}

/// Copies all files below a folder.
pub fn copy(from: &Path, to: &Path) {
    files(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    });
}

/// Numbers from a seed, the same each time.
pub struct Dice(pub u64);

impl Dice {
    /// Below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}
