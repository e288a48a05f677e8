//! bulk — many whole messages ahead of need: asked for in few commands, kept and recorded beside the line.
//! Owns: `Fetcher::many`, `Rules` (what is wanted of which mailbox). May import: store, net, config.
//! Start reading at: `Fetcher::many`. The line is read on this thread; another one writes the bytes into packs and records the messages,
//! many in one transaction; what they say is read later (`words.rs`). Nothing is forced to the disk here: what the disk loses is
//! noticed, and fetched again.

use super::api::Fault;
use super::fetch::{Fetcher, Got};
use super::kept;
use super::offline;
use super::round::Halt;
use super::shared::Shared;
use crate::base::spawn::guarded;
use crate::config::{AccountConfig, KeepBodies};
use crate::mail::ids::{AccountName, MailboxId, MessageKey};
use crate::mail::section::Section;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::{NetError, NetErrorKind, Result as Net};
use crate::net::session::{Bodies, MailStore};
use crate::store::blobs::{Blobs, Incoming};
use crate::store::bodies::Wanted;
use crate::store::{mailboxes, words};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How many messages are recorded in one transaction.
const BATCH: usize = 100;
/// How many messages may wait to be kept; then the line waits.
const AHEAD: usize = 64;
/// Larger messages have files of their own, which are written as they come, in octets.
const PACKED: usize = 128 * 1024;

/// Which bodies are wanted of which mailbox.
#[derive(Clone, Debug)]
pub struct Rules {
    usual: KeepBodies,
    special: HashMap<MailboxId, KeepBodies>,
    now: i64,
}

impl Rules {
    /// Those of the account; `only` overrules them all. Nothing is wanted over a line that costs money.
    ///
    /// # Errors
    /// The store.
    pub fn of(shared: &Shared, config: &AccountConfig, only: Option<KeepBodies>) -> Result<Self, Halt> {
        let metered = offline::is_metered(shared, config);
        let usual = only.unwrap_or(if metered { KeepBodies::None } else { config.keep.bodies });
        let mut special = HashMap::new();
        let chosen = if metered || only.is_some() { None } else { offline::chosen(shared, config).map_err(Halt::Store)? };
        if let Some(choices) = chosen {
            for row in shared.store.read(|db| mailboxes::list(db, Some(&config.name)))? {
                special.insert(row.id, offline::bodies_of(config, &choices, &row.path));
            }
        }
        Ok(Self { usual, special, now: shared.now() })
    }

    /// What is wanted of a mailbox.
    #[must_use]
    pub fn rule(&self, mailbox: MailboxId) -> KeepBodies {
        self.special.get(&mailbox).copied().unwrap_or(self.usual)
    }

    /// The earliest arrival that may be wanted of a mailbox, seconds since 1970; nothing if nothing is.
    #[must_use]
    pub fn since(&self, rule: KeepBodies) -> Option<i64> {
        match rule {
            KeepBodies::None => None,
            KeepBodies::All => Some(i64::MIN),
            KeepBodies::For(age) => Some(self.now.saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX))),
        }
    }

    /// The earliest arrival that may be wanted at all.
    #[must_use]
    pub fn earliest(&self) -> Option<i64> {
        std::iter::once(self.usual).chain(self.special.values().copied()).filter_map(|rule| self.since(rule)).min()
    }
}

/// A message that came whole.
struct Came {
    message: MessageKey,
    what: What,
}

/// Its bytes.
enum What {
    /// To be put into a pack.
    Bytes(Vec<u8>),
    /// The name of their own file, and how many they are.
    File(String, u64),
}

/// The one that is coming.
enum Now {
    Memory(Vec<u8>),
    File(Incoming),
}

impl Fetcher<'_> {
    /// Gets whole messages of one mailbox, as long as `go_on` says so. How many came, and which of `wanted` did not though
    /// they were asked for.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub(super) fn many(
        &mut self,
        conn: &mut dyn MailStore,
        mailbox: MailboxId,
        wanted: &[Wanted],
        go_on: &dyn Fn() -> bool,
    ) -> Result<(u64, Vec<MessageKey>), Halt> {
        if !self.select(conn, mailbox)? {
            return Ok((0, wanted.iter().map(|w| w.message).collect()));
        }
        let keys: HashMap<Uid, MessageKey> = wanted.iter().filter_map(|w| Some((Uid::new(w.uid)?, w.message))).collect();
        let uids = UidSet::from_iter(keys.keys().copied());
        let (send, take) = sync_channel(AHEAD);
        let (shared, account, blobs) = (self.shared, &self.account, &self.blobs);
        let (ended, kept, stopped, cut) = thread::scope(|scope| {
            let keeper = thread::Builder::new().name("bodies".to_owned()).spawn_scoped(scope, move || {
                guarded(|| keep(shared, account, blobs, &take)).unwrap_or_else(|panic| Err(Fault::bug(&panic)))
            });
            let mut arriving = Arriving { blobs, keys: &keys, now: None, send, go_on, stopped: false };
            let ended = conn.fetch_bodies(&uids, &mut arriving);
            let (stopped, cut) = (arriving.stopped, arriving.now.take().map(|(message, _)| message));
            // The keeper ends with the last of them.
            drop(arriving);
            let kept = match keeper {
                Ok(keeper) => keeper.join().unwrap_or_else(|_| Err(Fault::bug("the reader of messages"))),
                Err(e) => Err(Fault::bug(&e.to_string())),
            };
            (ended, kept, stopped, cut)
        });
        let kept = kept.map_err(Halt::Store)?;
        self.gained |= !kept.is_empty();
        match ended {
            Ok(()) => {}
            // It does not give them all at once: each by itself.
            Err(e) if e.connection_lives() => {
                let mut came = kept.len() as u64;
                let mut missing = Vec::new();
                for one in wanted.iter().filter(|w| !kept.contains(&w.message)) {
                    if !go_on() {
                        break;
                    }
                    match self.ahead(conn, *one, true)? {
                        Got::Here => came += 1,
                        _ => missing.push(one.message),
                    }
                }
                return Ok((came, missing));
            }
            Err(e) => {
                // A line that breaks in the same message each time would bring nothing behind it: it comes last, in pieces.
                // Where nothing at all came, so does one after the other.
                let newest = || wanted.iter().filter(|_| kept.is_empty()).max_by_key(|w| w.uid).map(|w| w.message);
                if let Some(message) = cut.or_else(newest) {
                    self.blobs.resume(message, &Section::Whole, false)?;
                }
                return Err(e.into());
            }
        }
        let missing = keys.values().copied().filter(|key| !stopped && !kept.contains(key)).collect();
        Ok((kept.len() as u64, missing))
    }
}

/// Keeps and records what comes; which messages.
fn keep(shared: &Shared, account: &AccountName, blobs: &Blobs, take: &Receiver<Came>) -> Result<HashSet<MessageKey>, Fault> {
    let (mut all, mut batch, mut octets) = (HashSet::new(), Vec::with_capacity(BATCH), 0);
    let (mut pack, _coming) = (blobs.pack(), shared.words.coming());
    loop {
        let next = take.recv();
        let over = next.is_err();
        if let Ok(Came { message, what }) = next {
            let (blob, length) = match what {
                What::Bytes(bytes) => (pack.put(&bytes)?, bytes.len() as u64),
                What::File(blob, length) => (blob, length),
            };
            all.insert(message);
            octets += length;
            batch.push((message, blob, length));
        }
        if batch.len() >= BATCH || (over && !batch.is_empty()) {
            let rows: Vec<(MessageKey, String, u64)> = std::mem::take(&mut batch);
            shared
                .store
                .cache(move |tx| rows.iter().try_for_each(|(message, blob, length)| words::kept(tx, *message, blob, *length)))?;
            shared.words.ring();
            kept::grew(shared, account, std::mem::take(&mut octets))?;
        }
        if over {
            return Ok(all);
        }
    }
}

/// Takes messages from the line.
struct Arriving<'a> {
    blobs: &'a Blobs,
    keys: &'a HashMap<Uid, MessageKey>,
    now: Option<(MessageKey, Now)>,
    send: SyncSender<Came>,
    go_on: &'a dyn Fn() -> bool,
    /// Whether it ended before all were asked for.
    stopped: bool,
}

/// The disk is full, or the like: the line is of no use then.
fn disk(error: &dyn std::fmt::Display) -> NetError {
    NetError::new(NetErrorKind::Io(std::io::ErrorKind::Other), &error.to_string())
}

impl Bodies for Arriving<'_> {
    fn begin(&mut self, uid: Uid, size: u64) -> Net<()> {
        // What came of one before that did not end leaves nothing.
        self.now = None;
        let Some(message) = self.keys.get(&uid) else { return Ok(()) };
        let now = match usize::try_from(size) {
            Ok(size) if size <= PACKED => Now::Memory(Vec::with_capacity(size)),
            _ => Now::File(self.blobs.begin().map_err(|e| disk(&e))?),
        };
        self.now = Some((*message, now));
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8]) -> Net<()> {
        let Some((_, now)) = &mut self.now else { return Ok(()) };
        if let Now::Memory(memory) = now
            && memory.len() + bytes.len() > PACKED
        {
            // It is larger than was said.
            let mut file = self.blobs.begin().map_err(|e| disk(&e))?;
            file.write_all(memory).map_err(|e| disk(&e))?;
            *now = Now::File(file);
        }
        match now {
            Now::Memory(memory) => memory.extend_from_slice(bytes),
            Now::File(file) => file.write_all(bytes).map_err(|e| disk(&e))?,
        }
        Ok(())
    }

    fn whole(&mut self) -> Net<()> {
        let Some((message, now)) = self.now.take() else { return Ok(()) };
        let what = match now {
            Now::Memory(bytes) => What::Bytes(bytes),
            Now::File(file) => {
                let (blob, length) = file.finish_lazily().map_err(|e| disk(&e))?;
                What::File(blob, length)
            }
        };
        // The keeper has failed: it says why.
        self.send.send(Came { message, what }).map_err(|e| disk(&e))
    }

    fn go_on(&mut self) -> bool {
        let on = (self.go_on)();
        self.stopped |= !on;
        on
    }
}
