//! store — IMAP as a [`MailStore`]: connection-wide verbs.
//! Owns: `ImapStore`, capabilities, mailboxes, IDLE.
//! May import: mail, base.
//! Start reading at: `ImapStore::open`. The verbs are in `mailboxes.rs`, `select.rs`, `fetch.rs`, `bodies.rs`, `change.rs`, `find.rs`.

use super::caps::Offer;
use super::conn::{COMPRESS, Command, Conn, Done};
use super::login;
use super::quirks::Quirks;
use super::untagged::{Namespace, Untagged};
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::log;
use crate::base::safetext::SafeText;
use crate::base::waker::Waker;
use crate::mail::envelope::MessageId;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::outline::{Outline, Pieces};
use crate::mail::query::Query;
use crate::mail::rights::{Quota, Rights};
use crate::mail::section::Section;
use crate::mail::server::{
    Caps, CopiedUids, DetailsSeen, FlagsSeen, IdentitySeen, ListedMailbox, MailboxNews, MailboxStatus, Resync, Selected,
};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use crate::net::error::Result;
use crate::net::session::{Bodies, Endpoint, Excerpt, Idle, Login, MailStore, Oddities, PartGot, Sink, Traffic, Windows};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// What ID says beside our name.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest IDLE; servers log a silent client out after 30 minutes (RFC 2177).
pub const MAX_IDLE: Duration = Duration::from_secs(28 * 60);
/// How long a server may say nothing in IDLE before it is asked whether it is there. With [`NO_PROGRESS`] for its answer a dead
/// line is found within five minutes, also where something on the way still acknowledges what we send. It costs a turn of some
/// 60 octets each time; servers that say by themselves that they are there (Dovecot: every two minutes) are never asked.
///
/// [`NO_PROGRESS`]: crate::net::wire::NO_PROGRESS
pub const QUIET: Duration = Duration::from_secs(210);
/// A turn within this time is one to a server in the same house. The shortest one counts: on a busy machine most take longer.
const QUICK_TURN: Duration = Duration::from_millis(5);
/// Where connecting and logging in took longer, and no turn of it was quick, it is not in the same house: nothing has to be tried.
const FAR_DOOR: Duration = Duration::from_millis(150);
/// How long a good-bye is waited for.
const LOGOUT: Duration = Duration::from_secs(2);

/// A logged-in IMAP connection.
pub struct ImapStore {
    pub(super) conn: Conn,
    pub(super) caps: Caps,
    offer: Offer,
    pub(super) selected: Option<Selected>,
    pub(super) namespaces: Vec<Namespace>,
    /// Names are spelt in UTF-8 on this line.
    pub(super) utf8: bool,
    enabled: Vec<String>,
    pub(super) quirks: Quirks,
    /// See [`QUIET`].
    quiet: Duration,
}

/// A server that refuses one of what it was asked to switch on works without.
fn told(answers: &[Result<Done>]) {
    for refused in answers.iter().filter_map(|a| a.as_ref().err()) {
        log::info("imap", format_args!("{refused}"));
    }
}

fn compress() -> Command {
    Command::new(&String::from_utf8_lossy(COMPRESS))
}

impl ImapStore {
    /// Connects, logs in, and agrees with the server on what both can do, in one turn.
    ///
    /// # Errors
    /// See [`NetErrorKind`]; `LoginRefused` for a wrong password.
    ///
    /// [`NetErrorKind`]: crate::net::error::NetErrorKind
    pub fn open(permit: Permit, endpoint: &Endpoint, login: &Login<'_>, waker: &Waker, cancel: &Cancel) -> Result<Self> {
        Self::begin(permit, endpoint, login, false, waker, cancel)
    }

    /// The same for whoever is about to read very much: over a quick line nothing is compressed. There COMPRESS (RFC 4978) spares
    /// nobody anything and takes the server several times as long; the octets of a far line are worth it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_read_much(
        permit: Permit,
        endpoint: &Endpoint,
        login: &Login<'_>,
        waker: &Waker,
        cancel: &Cancel,
    ) -> Result<Self> {
        Self::begin(permit, endpoint, login, true, waker, cancel)
    }

    fn begin(permit: Permit, endpoint: &Endpoint, login: &Login<'_>, much: bool, waker: &Waker, cancel: &Cancel) -> Result<Self> {
        let begun = Instant::now();
        let (conn, offer) = login::open(permit, endpoint, login, waker, cancel)?;
        let caps = offer.caps();
        let mut store = Self {
            conn,
            caps,
            offer,
            selected: None,
            namespaces: Vec::new(),
            utf8: false,
            enabled: Vec::new(),
            quirks: Quirks::default(),
            quiet: QUIET,
        };
        store.conn.allow(store.offer.literals());
        let try_turn = much && (begun.elapsed() < FAR_DOOR || store.is_near());
        store.agree(!try_turn)?;
        if try_turn && !store.is_near() && store.has("COMPRESS=DEFLATE") {
            told(&store.conn.run_all(&[compress()], &mut |_| Ok(false))?);
        }
        Ok(store)
    }

    /// Whether the server seems to be in the same house.
    fn is_near(&self) -> bool {
        self.conn.core().wire.shortest_turn() < QUICK_TURN
    }

    /// From now on a server that says nothing in IDLE is asked after so long whether it is there; [`QUIET`] if never called.
    pub const fn ask_after(&mut self, quiet: Duration) {
        self.quiet = quiet;
    }

    /// Tells who we are, switches on what changes answers, asks whose mailboxes there are.
    fn agree(&mut self, compressed: bool) -> Result<()> {
        let mut commands = Vec::new();
        // What SELECT tells of flags has no labels in it.
        let qresync = self.has("QRESYNC") && !self.caps.labels;
        // One command for each: a server that chokes on one of them has the others all the same.
        for (word, wanted) in [
            ("QRESYNC", qresync),
            ("IMAP4rev2", self.has("IMAP4REV2")),
            ("UTF8=ACCEPT", self.has("UTF8=ACCEPT") || self.has("UTF8=ONLY")),
        ] {
            if wanted && self.has("ENABLE") {
                commands.push(Command::new(&format!("ENABLE {word}")));
            }
        }
        if self.has("ID") {
            commands.push(Command::new("ID (\"name\" \"postrider\" \"version\" ").string(VERSION.as_bytes()).text(")"));
        }
        if self.has("NAMESPACE") {
            commands.push(Command::new("NAMESPACE"));
        }
        if compressed && self.has("COMPRESS=DEFLATE") {
            commands.push(compress());
        }
        let (mut enabled, mut namespaces, mut quirks) = (Vec::<String>::new(), Vec::new(), Quirks::default());
        let answers = self.conn.run_all(&commands, &mut |data| {
            match data {
                Untagged::Namespaces(all) => namespaces = all,
                Untagged::Enabled(words) => enabled.extend(words),
                Untagged::Id(name) => quirks = Quirks::of(&name),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        told(&answers);
        self.enabled = enabled;
        self.caps.qresync = self.is_on("QRESYNC");
        self.utf8 = self.is_on("UTF8=ACCEPT") || self.is_on("IMAP4REV2");
        self.conn.core().utf8 = self.utf8;
        self.namespaces = namespaces;
        self.quirks = quirks;
        Ok(())
    }

    /// Whether the server said that `word`, in upper case, is switched on now (ENABLE, RFC 5161).
    #[must_use]
    pub fn is_on(&self, word: &str) -> bool {
        self.enabled.iter().any(|w| w == word)
    }

    /// What the server said it can do, in upper case.
    #[must_use]
    pub fn words(&self) -> &[String] {
        self.offer.words()
    }

    /// Whether both sides compress what they say.
    #[must_use]
    pub fn compressed(&self) -> bool {
        self.conn.core().wire.is_compressed()
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.offer.has(word)
    }

    /// Runs a command whose untagged data mean nothing to it.
    pub(super) fn simply(&mut self, command: &Command) -> Result<()> {
        self.conn.run(command, &mut |_| Ok(false)).map(drop)
    }
}

impl MailStore for ImapStore {
    fn caps(&self) -> Caps {
        self.caps
    }

    fn list(&mut self) -> Result<Vec<ListedMailbox>> {
        self.list_all()
    }

    fn list_level(&mut self, of: Option<&ListedMailbox>) -> Result<Vec<ListedMailbox>> {
        self.list_below(of)
    }

    fn status(&mut self, path: &MailboxPath) -> Result<MailboxStatus> {
        self.counts(path)
    }

    fn select(&mut self, path: &MailboxPath, read_only: bool, known: Option<&Resync>) -> Result<Selected> {
        self.open_mailbox(path, read_only, known)
    }

    fn unselect(&mut self) -> Result<()> {
        self.leave_mailbox()
    }

    fn fetch_flags(&mut self, uids: &UidSet, since: Option<ModSeq>, sink: Sink<'_, FlagsSeen>) -> Result<()> {
        self.fetch_flags_of(uids, since, sink)
    }

    fn uids_between(&mut self, from: u32, to: u32) -> Result<UidSet> {
        self.numbers_between(from, to)
    }

    fn fetch_envelopes(&mut self, uids: &UidSet, to: Windows<'_>) -> Result<()> {
        self.fetch_windows(uids, to)
    }

    fn fetch_details(&mut self, uids: &UidSet, all: &mut Vec<DetailsSeen>) -> Result<()> {
        self.fetch_details_of(uids, all)
    }

    fn oddities(&mut self) -> Oddities {
        std::mem::take(&mut self.conn.core().odd)
    }

    fn identify_in_parts(&mut self, uids: &UidSet, sink: Sink<'_, IdentitySeen>) -> Result<()> {
        self.identify_all(uids, sink)
    }

    fn fetch_body(&mut self, uid: Uid, to: &mut dyn Write) -> Result<Option<u64>> {
        self.fetch_whole(uid, to)
    }

    fn fetch_bodies(&mut self, uids: &UidSet, to: &mut dyn Bodies) -> Result<()> {
        self.fetch_many(uids, to)
    }

    fn fetch_outline(&mut self, uid: Uid) -> Result<Option<(Outline, Vec<u8>)>> {
        self.fetch_tree(uid)
    }

    fn fetch_sections(&mut self, uid: Uid, sections: &[Section]) -> Result<Option<Pieces>> {
        self.fetch_pieces(uid, sections)
    }

    fn fetch_part(&mut self, uid: Uid, piece: &Excerpt<'_>, to: &mut dyn Write) -> Result<Option<PartGot>> {
        self.fetch_section(uid, piece, to)
    }

    fn fetch_previews(&mut self, uids: &UidSet, lazy: bool, sink: Sink<'_, (Uid, String)>) -> Result<()> {
        self.previews(uids, lazy, sink)
    }

    fn fetch_save_dates(&mut self, uids: &UidSet, sink: Sink<'_, (Uid, i64)>) -> Result<()> {
        self.save_dates(uids, sink)
    }

    fn fetch_thread_ids(&mut self, uids: &UidSet, sink: Sink<'_, (Uid, String)>) -> Result<()> {
        self.thread_ids(uids, sink)
    }

    fn store_flags(&mut self, uids: &UidSet, delta: &FlagDelta) -> Result<()> {
        self.change_flags(uids, delta)
    }

    fn move_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        self.transfer("UID MOVE ", uids, to)
    }

    fn copy_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        self.transfer("UID COPY ", uids, to)
    }

    fn uid_expunge(&mut self, uids: &UidSet) -> Result<()> {
        self.expunge_only(uids)
    }

    fn append(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>> {
        self.append_stream(path, flags, received, size, from)
    }

    fn create(&mut self, path: &MailboxPath) -> Result<()> {
        self.make(path)
    }

    fn rename(&mut self, from: &MailboxPath, to: &MailboxPath) -> Result<()> {
        self.rename_to(from, to)
    }

    fn delete(&mut self, path: &MailboxPath) -> Result<()> {
        self.destroy(path)
    }

    fn quota(&mut self, path: &MailboxPath) -> Result<Vec<Quota>> {
        self.limits(path)
    }

    fn rights(&mut self, paths: &[MailboxPath]) -> Result<Vec<Result<Rights>>> {
        self.my_rights(paths)
    }

    fn subscribe(&mut self, path: &MailboxPath, on: bool) -> Result<()> {
        let verb = if on { "SUBSCRIBE " } else { "UNSUBSCRIBE " };
        let command = self.naming(Command::new(verb), path);
        self.simply(&command)
    }

    fn notify(&mut self) -> Result<()> {
        self.tell_all()
    }

    fn news(&mut self) -> Vec<MailboxNews> {
        let told = std::mem::take(&mut self.conn.core().told);
        told.into_iter().map(|news| self.placed(news)).collect()
    }

    fn idle(&mut self, limit: Duration) -> Result<Idle> {
        self.conn.idle(limit.min(MAX_IDLE), self.quiet)
    }

    fn search(&mut self, query: &Query, among: Option<&UidSet>) -> Result<UidSet> {
        self.search_query(query, among)
    }

    fn newest(&mut self, query: &Query, among: Option<&UidSet>) -> Result<Vec<Uid>> {
        self.newest_of(query, among)
    }

    fn thread(&mut self, ids: &[MessageId]) -> Result<Vec<Vec<Uid>>> {
        self.threads_of(ids)
    }

    fn search_message_id(&mut self, id: &MessageId) -> Result<UidSet> {
        self.search_id(id)
    }

    fn find(&mut self, id: &MessageId) -> Result<Vec<IdentitySeen>> {
        self.find_id(id)
    }

    fn exists(&self) -> u32 {
        self.conn.core().news.exists
    }

    fn changed(&mut self) -> bool {
        std::mem::take(&mut self.conn.core().news.changed)
    }

    fn alerts(&mut self) -> Vec<SafeText> {
        std::mem::take(&mut self.conn.core().alerts)
    }

    fn noop(&mut self) -> Result<()> {
        self.simply(&Command::new("NOOP"))
    }

    fn logout(&mut self) {
        self.conn.core().wire.set_limit(LOGOUT);
        // Whatever it answers, we go.
        let _ = self.simply(&Command::new("LOGOUT"));
    }

    fn traffic(&self) -> Traffic {
        self.conn.core().wire.traffic
    }
}
