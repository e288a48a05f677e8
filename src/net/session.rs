//! session — what any mail store can do for us, whatever it speaks.
//! Owns: `MailStore`, `Bodies`, `Endpoint`, `Login`, `Idle`, `Traffic`.
//! May import: mail, base.
//! Start reading at: `MailStore`. One value is one connection: blocking, UID-only, without policy. Every wait in it
//! ends when its `Cancel` is thrown; `idle` also ends when its `Waker` is rung.

use super::error::{NetError, NetErrorKind, Result};
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use crate::config::{AuthPolicy, ClientCert};
use crate::mail::envelope::MessageId;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::outline::{Outline, Pieces};
use crate::mail::query::Query;
use crate::mail::rights::{Quota, Rights};
use crate::mail::section::Section;
use crate::mail::server::{
    Caps, CopiedUids, DetailsSeen, EnvelopeSeen, FlagsSeen, IdentitySeen, ListedMailbox, MailboxNews, MailboxStatus, Resync,
    Selected,
};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use std::io::{Read, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// The most rows in one part that a sink is given.
pub const PART: usize = 200;

/// Takes streamed rows while the socket is still read; an error of it ends the command (and the connection, where
/// the rest of the answer would have to be read).
pub type Sink<'a, T> = &'a mut dyn FnMut(Vec<T>) -> Result<()>;

/// The same for rows of which more are wanted than one answer is to hold: says of which the next ones are, once that is known. They
/// may be asked for while the rest of these come, and some of them come among these; whoever says so asks for them next, or for
/// nothing more.
pub type Windows<'a> = &'a mut dyn FnMut(Vec<EnvelopeSeen>) -> Result<Option<UidSet>>;

/// How a connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsMode {
    /// TLS from the first byte (993, 465).
    #[default]
    Implicit,
    /// STARTTLS, required: without it nothing is said (143, 587).
    StartTls,
    /// Not at all: to this machine itself, or where the person insisted in the configuration.
    None,
}

/// Where a server is and whom to believe that it is it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// A host name or an address; it must stand in the certificate.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How it is protected.
    pub tls: TlsMode,
    /// A PEM file of further authorities to believe, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the one certificate (DER) to believe, as lower case hex without colons. Then neither the
    /// authorities nor the name are asked.
    pub fingerprint: Option<String>,
    /// What is shown to the server where it wants to know who we are.
    pub client_cert: Option<ClientCert>,
}

/// Who logs in, and what they want of the server.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The name.
    pub user: &'a str,
    /// The password, or the token where only those are allowed.
    pub secret: &'a Secret,
    /// Words of CAPABILITY that are to be taken for not said (the account's `without`), in any case.
    pub without: &'a [String],
    /// Which ways of logging in are allowed.
    pub auth: &'a AuthPolicy,
}

/// Takes the texts of many messages one after the other.
pub trait Bodies {
    /// The text of `uid` begins, `size` octets of it. What came of one before that did not end is not a message.
    ///
    /// # Errors
    /// Ends the connection.
    fn begin(&mut self, uid: Uid, size: u64) -> Result<()>;
    /// More of it.
    ///
    /// # Errors
    /// Ends the connection.
    fn piece(&mut self, bytes: &[u8]) -> Result<()>;
    /// That was all of it: only now it is a message.
    ///
    /// # Errors
    /// Ends the connection.
    fn whole(&mut self) -> Result<()>;
    /// Asked before more messages are asked for: false if it is enough.
    fn go_on(&mut self) -> bool {
        true
    }
}

/// What is asked for of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt<'a> {
    /// Which section.
    pub section: &'a Section,
    /// Only these octets of it: of its encoded form, or of its decoded form with `decoded`.
    pub range: Option<Range<u64>>,
    /// The store takes the transfer encoding off, if it can (see [`PartGot::decoded`]: if it could not, `range` counted
    /// encoded octets).
    pub decoded: bool,
}

impl<'a> Excerpt<'a> {
    /// A whole section as it is.
    #[must_use]
    pub const fn of(section: &'a Section) -> Self {
        Self { section, range: None, decoded: false }
    }
}

/// What came of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartGot {
    /// How many octets were written.
    pub octets: u64,
    /// Whether the server took the transfer encoding off.
    pub decoded: bool,
}

/// How an IDLE ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// The server told of news: see [`MailStore::changed`].
    Changed,
    /// The waker was rung.
    Woken,
    /// Nothing came in time.
    TimedOut,
}

/// What a server told that cannot be (security S-09, S-10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Oddities {
    /// Rows that name no message of the mailbox: left out.
    pub rows: u64,
    /// Whether it contradicted itself: two messages with one UID, or UIDs in another order than the messages.
    pub contradicts: bool,
}

/// What went over the wire so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Bytes received, after decryption and before decompression.
    pub received: u64,
    /// Bytes sent, before encryption and after compression.
    pub sent: u64,
    /// How often an answer had to be waited for; commands that go out together are one.
    pub round_trips: u64,
}

/// One connection to a mail store. All methods but [`Self::caps`], [`Self::exists`], [`Self::changed`] and
/// [`Self::traffic`] block. After an error other than `No` and `Bad` the connection is not to be used again
/// (each further call fails).
pub trait MailStore: Send {
    /// What it can do (for IMAP: as read after the login).
    fn caps(&self) -> Caps;

    /// All mailboxes, subscribed or not, with counts where the server gives them along.
    fn list(&mut self) -> Result<Vec<ListedMailbox>>;

    /// The mailboxes of the level below `of`, or of the top and those of others, without counts. Stores that no line leads to
    /// tell all at once.
    fn list_level(&mut self, of: Option<&ListedMailbox>) -> Result<Vec<ListedMailbox>> {
        if of.is_some() { Ok(Vec::new()) } else { self.list() }
    }

    /// Counts of one mailbox, without selecting it.
    fn status(&mut self, path: &MailboxPath) -> Result<MailboxStatus>;

    /// Opens a mailbox; with `read_only` by EXAMINE. With `known` (needs `qresync`) the answer says what happened to it
    /// since, in the same turn, unless its `uidvalidity` is another one now (see [`Selected::resynced`]).
    fn select(&mut self, path: &MailboxPath, read_only: bool, known: Option<&Resync>) -> Result<Selected>;

    /// Leaves the selected mailbox; nothing in it is expunged by that. Without `unselect` it stays open.
    fn unselect(&mut self) -> Result<()>;

    /// The flags of `uids`; with `since` only of those that changed after that modification sequence (needs `condstore`).
    /// UIDs that the server does not have are left out; UIDs that were not asked for do not come.
    fn fetch_flags(&mut self, uids: &UidSet, since: Option<ModSeq>, sink: Sink<'_, FlagsSeen>) -> Result<()>;

    /// All UIDs from `from` on (1 for all).
    fn uids(&mut self, from: u32) -> Result<UidSet> {
        self.uids_between(from, u32::MAX)
    }

    /// Those from `from` to `to`.
    fn uids_between(&mut self, from: u32, to: u32) -> Result<UidSet>;

    /// All that list rows need of `uids`, in parts of at most [`PART`] in the server's order.
    fn fetch_envelopes(&mut self, uids: &UidSet, to: Windows<'_>) -> Result<()>;

    /// What rows that came without it can be shown without, to `all`; after an error that is what came whole until then. Those
    /// of which there is nothing to tell are left out.
    fn fetch_details(&mut self, _uids: &UidSet, _all: &mut Vec<DetailsSeen>) -> Result<()> {
        Ok(())
    }

    /// What tells messages apart when UIDs do not: for re-identifying and probing.
    fn identify(&mut self, uids: &UidSet) -> Result<Vec<IdentitySeen>> {
        let mut all = Vec::new();
        self.identify_in_parts(uids, &mut |rows| {
            all.extend(rows);
            Ok(())
        })?;
        Ok(all)
    }

    /// The same in parts of at most [`PART`], while they come; after an error that is what came whole until then.
    fn identify_in_parts(&mut self, uids: &UidSet, sink: Sink<'_, IdentitySeen>) -> Result<()>;

    /// Writes the whole message as it is on the server, without marking it read. Its size in bytes, or nothing if
    /// there is no such message. On any error what was written is not the message.
    fn fetch_body(&mut self, uid: Uid, to: &mut dyn Write) -> Result<Option<u64>>;

    /// Writes the whole texts of `uids`, without marking them read, with as few turns as the store can. Those that are gone
    /// are left out.
    fn fetch_bodies(&mut self, uids: &UidSet, to: &mut dyn Bodies) -> Result<()>;

    /// Writes a piece of a message. Nothing if there is no such message or section.
    fn fetch_part(&mut self, uid: Uid, piece: &Excerpt<'_>, to: &mut dyn Write) -> Result<Option<PartGot>>;

    /// The message's tree and its header, without marking it read, so that only parts of it need be fetched. Nothing if
    /// there is no such message, or the store has nothing to spare by parts.
    fn fetch_outline(&mut self, _uid: Uid) -> Result<Option<(Outline, Vec<u8>)>> {
        Ok(None)
    }

    /// Several sections of a message, none of them large, in one turn if the store can; those that are not there are left
    /// out. Nothing if there is no such message.
    fn fetch_sections(&mut self, uid: Uid, sections: &[Section]) -> Result<Option<Pieces>> {
        let mut all = Pieces::new();
        for section in sections {
            let mut text = Vec::new();
            if self.fetch_part(uid, &Excerpt::of(section), &mut text)?.is_some() {
                all.insert(section.clone(), text);
            }
        }
        Ok(Some(all))
    }

    /// The first words of messages (needs `preview`), at most 256 characters; untrusted. With `lazy` only those that the
    /// server has at hand: the others are left out. One without text has an empty one.
    fn fetch_previews(&mut self, _uids: &UidSet, _lazy: bool, _sink: Sink<'_, (Uid, String)>) -> Result<()> {
        Err(lacking("PREVIEW"))
    }

    /// When messages were put into this mailbox (needs `save_date`), in seconds since 1970; those are left out of which the
    /// server does not know.
    fn fetch_save_dates(&mut self, _uids: &UidSet, _sink: Sink<'_, (Uid, i64)>) -> Result<()> {
        Err(lacking("SAVEDATE"))
    }

    /// Which conversation messages belong to (needs `thread_id`), by the server's name for it; those without are left out.
    fn fetch_thread_ids(&mut self, _uids: &UidSet, _sink: Sink<'_, (Uid, String)>) -> Result<()> {
        Err(lacking("THREADID"))
    }

    /// The messages of the selected mailbox (among those of `among`, if told) that may answer `query`: none that does is
    /// missing, some may be too many where the server does not know a condition. `in:` and `account:` are taken as true.
    fn search(&mut self, _query: &Query, _among: Option<&UidSet>) -> Result<UidSet> {
        Err(lacking("SEARCH"))
    }

    /// The same, newest first: by arrival where the server tells (`sort`), else by UID.
    fn newest(&mut self, query: &Query, among: Option<&UidSet>) -> Result<Vec<Uid>> {
        let mut all: Vec<Uid> = self.search(query, among)?.iter().collect();
        all.reverse();
        Ok(all)
    }

    /// The conversations in the selected mailbox to which the messages with these Message-IDs belong, the members of each;
    /// without `thread` all in one, and perhaps some that only mention them.
    fn thread(&mut self, _ids: &[MessageId]) -> Result<Vec<Vec<Uid>>> {
        Err(lacking("THREAD"))
    }

    /// What limits the mailbox's size (needs `quota`).
    fn quota(&mut self, _path: &MailboxPath) -> Result<Vec<Quota>> {
        Err(lacking("QUOTA"))
    }

    /// What we may do to each of these mailboxes (needs `acl`), in one turn; for each what it is, or why it is not told.
    fn rights(&mut self, _paths: &[MailboxPath]) -> Result<Vec<Result<Rights>>> {
        Err(lacking("ACL"))
    }

    /// From now on news of every mailbox of the person end an [`Self::idle`] (needs `notify`), see [`Self::news`].
    /// Another call tells no more.
    fn notify(&mut self) -> Result<()> {
        Err(lacking("NOTIFY"))
    }

    /// What the server told of mailboxes since the last call, in its order; at most one counts for each.
    fn news(&mut self) -> Vec<MailboxNews> {
        Vec::new()
    }

    /// Changes flags, never sets them absolutely. UIDs that are gone are ignored.
    fn store_flags(&mut self, uids: &UidSet, delta: &FlagDelta) -> Result<()>;

    /// Moves (needs `moves`). The new UIDs, if the server told them and the counts agree.
    fn move_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>>;

    /// Copies. The new UIDs, if the server told them and the counts agree.
    fn copy_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>>;

    /// Removes those of `uids` that are marked `\Deleted`, and only those (needs `uidplus`).
    fn uid_expunge(&mut self, uids: &UidSet) -> Result<()>;

    /// Adds a message of exactly `size` bytes, with `received` as its date (seconds since 1970). Where it went, if told.
    fn append(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>>;

    /// Makes a mailbox; no error if it is there already.
    fn create(&mut self, path: &MailboxPath) -> Result<()>;

    /// Renames a mailbox and all below it.
    fn rename(&mut self, from: &MailboxPath, to: &MailboxPath) -> Result<()>;

    /// Deletes a mailbox and all mail in it, for ever. Those below it stay.
    fn delete(&mut self, path: &MailboxPath) -> Result<()>;

    /// Subscribes to a mailbox, or no more.
    fn subscribe(&mut self, path: &MailboxPath, on: bool) -> Result<()>;

    /// Waits for news of the selected mailbox (needs `idle`), at most `limit`; also ended by the waker. News that
    /// came before the call end it at once.
    fn idle(&mut self, limit: Duration) -> Result<Idle>;

    /// The UIDs in the selected mailbox whose Message-ID is `id`, as far as the server finds them.
    fn search_message_id(&mut self, id: &MessageId) -> Result<UidSet>;

    /// The same with what tells them apart; some may only hold `id` in theirs. One turn where the server can.
    fn find(&mut self, id: &MessageId) -> Result<Vec<IdentitySeen>> {
        let uids = self.search_message_id(id)?;
        self.identify(&uids)
    }

    /// How many messages the selected mailbox has, as last told (EXISTS minus EXPUNGE).
    fn exists(&self) -> u32;

    /// Whether the server told of news in the selected mailbox that no answer of ours contained, since the last call.
    fn changed(&mut self) -> bool;

    /// What the server wanted the person to read since the last call, at most a few short lines.
    fn alerts(&mut self) -> Vec<SafeText> {
        Vec::new()
    }

    /// Asks for news and keeps the connection alive.
    fn noop(&mut self) -> Result<()>;

    /// Says good-bye; the answer is waited for briefly and does not matter.
    fn logout(&mut self);

    /// What it told since the last call that cannot be.
    fn oddities(&mut self) -> Oddities {
        Oddities::default()
    }

    /// What went over the wire.
    fn traffic(&self) -> Traffic;
}

/// What a store says that cannot do something: the caller did not ask its `Caps`.
fn lacking(what: &str) -> NetError {
    NetError::new(NetErrorKind::No { code: "CANNOT".to_owned() }, &format!("this account has no {what}"))
}
