//! core — what the adapter below the `imap` crate and our own reading share.
//! Owns: `Core`, `Adapter`, `News`: tags, unasked-for news, the way in and out of IDLE.
//! May import: mail, base.
//! Start reading at: `Core::next`, then `Core::for_the_crate`, the view that the crate has of the same stream.

use super::frame::{self, KeepAll, Response, Taker};
use super::untagged::{self, Untagged};
use super::value::{self, KEPT_ROOM, Room, Word};
use crate::base::safetext::SafeText;
use crate::mail::server::MailboxNews;
use crate::mail::uid::Uid;
use crate::net::error::{MAX_TEXT, NetError, NetErrorKind, Result};
use crate::net::session::{Idle, Oddities};
use crate::net::wire::{Wait, Wire};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most texts for the person that are kept until somebody takes them (security T-06).
pub const MAX_ALERTS: usize = 8;
/// The most continuations that a login may ask for.
const MAX_CHALLENGES: u32 = 8;

/// What the server told without being asked.
#[derive(Clone, Copy, Default, Debug)]
pub struct News {
    /// Messages in the selected mailbox.
    pub exists: u32,
    /// Whether anything is new.
    pub changed: bool,
    /// How many EXPUNGE lines our own command explains.
    pub own_expunges: u64,
}

/// Shared by the adapter inside the crate and by us. Never locked while a caller's code runs.
pub struct Core {
    pub wire: Wire,
    pub news: News,
    /// CAPABILITY as last told, by response or code.
    pub caps: Option<Vec<String>>,
    bye: Option<String>,
    /// What the server wants the person to read.
    pub(super) alerts: Vec<SafeText>,
    /// The tags of the commands that are not answered yet, as the crate wrote them.
    tags: VecDeque<Vec<u8>>,
    /// Behind the OK with this tag both sides compress.
    pub(super) compress_after: Option<Vec<u8>>,
    /// Names come in UTF-8.
    pub(super) utf8: bool,
    /// NOTIFY is on: what nobody asked for is kept in `told`.
    pub(super) notifying: bool,
    pub(super) told: Vec<MailboxNews>,
    pub(super) last_tagged: Vec<u8>,
    /// What was told that cannot be.
    pub(super) odd: Oddities,
    /// The row before, in this answer: its place and UID.
    pub(super) last_row: Option<(u32, Uid)>,
    line_start: bool,
    /// For what is read.
    room: Room,
    /// For what is read next.
    spent: Response,
    /// For the crate to read.
    out: Vec<u8>,
    pub(super) challenges: u32,
    /// What the crate writes next answers a challenge: it is no command.
    challenged: bool,
    /// Set while the crate waits inside IDLE: how long the server may say nothing.
    pub(super) idling: Option<Duration>,
    /// When IDLE is over, however much the server says.
    pub(super) idle_until: Instant,
    /// How it ended.
    pub(super) idle_end: Option<Idle>,
    /// The server refused IDLE: the crate will write DONE all the same and read this.
    refused_idle: Option<Vec<u8>>,
    pub(super) expect_plus: bool,
}

impl Core {
    pub(super) fn new(wire: Wire) -> Self {
        Self {
            wire,
            news: News::default(),
            caps: None,
            bye: None,
            alerts: Vec::new(),
            tags: VecDeque::new(),
            compress_after: None,
            utf8: false,
            notifying: false,
            told: Vec::new(),
            last_tagged: Vec::new(),
            odd: Oddities::default(),
            last_row: None,
            line_start: true,
            room: Room::new(),
            spent: Response::default(),
            out: Vec::new(),
            challenges: 0,
            challenged: false,
            idling: None,
            idle_until: Instant::now(),
            idle_end: None,
            refused_idle: None,
            expect_plus: false,
        }
    }

    /// Reads one response and notes its news.
    pub(super) fn next(&mut self, taker: &mut dyn Taker) -> Result<Response> {
        let spent = std::mem::take(&mut self.spent);
        let response = match frame::read(&mut self.wire, taker, spent) {
            Ok(r) => r,
            Err(e) => return Err(self.after_bye(e)),
        };
        if response.is_untagged() {
            self.note(&response)?;
        } else if !response.is_continuation() {
            self.last_tagged.clone_from(&response.bytes);
            let (tag, rest) = value::split(&response.bytes);
            // A server may answer in another order where that makes no difference (RFC 9051, 5.5).
            let Some(at) = self.tags.iter().position(|t| t == tag) else {
                return Err(self.wire.fail(NetError::protocol("an answer to a command that was not given")));
            };
            self.tags.remove(at);
            if let Some(status) = value::status(rest) {
                if self.compress_after.as_deref() == Some(tag) {
                    self.compress_after = None;
                    if status.word == Word::Ok {
                        self.wire.compress();
                    }
                }
                match status.code.as_str() {
                    "CAPABILITY" => self.caps = Some(untagged::words(status.args)),
                    "ALERT" => self.alert(&status.text),
                    _ => {}
                }
            }
        }
        Ok(response)
    }

    /// Nobody needs this one any more: the next is read into its room.
    pub(super) fn done_with(&mut self, response: Response) {
        if response.bytes.capacity() <= KEPT_ROOM {
            self.spent = response;
        }
    }

    /// What an untagged response means, in the spelling of names that we know.
    pub(super) fn meaning<'r>(&mut self, response: &'r Response) -> Untagged<'r> {
        let data = untagged::read(&response.bytes, &mut self.room);
        if self.utf8 { data.in_utf8() } else { data }
    }

    /// A connection that ends after BYE ended because of it.
    pub(super) fn after_bye(&self, e: NetError) -> NetError {
        match &self.bye {
            Some(text) if matches!(e.kind, NetErrorKind::Io(_)) => NetError::new(NetErrorKind::Bye, text),
            _ => e,
        }
    }

    /// The tag of the command that was given last.
    pub(super) fn last_tag(&self) -> Vec<u8> {
        self.tags.back().cloned().unwrap_or_default()
    }

    /// The tag of the command that was answered last.
    pub(super) fn answered_tag(&self) -> Vec<u8> {
        value::split(&self.last_tagged).0.to_vec()
    }

    fn note(&mut self, response: &Response) -> Result<()> {
        if untagged::is_fetch(&response.bytes) {
            // The bulk of all responses; read once, by whoever asked.
            return Ok(());
        }
        match untagged::read(&response.bytes, &mut self.room) {
            Untagged::Exists(n) => {
                self.news.changed |= n != self.news.exists;
                self.news.exists = n;
            }
            Untagged::Expunge => {
                self.news.exists = self.news.exists.saturating_sub(1);
                if self.news.own_expunges > 0 {
                    self.news.own_expunges -= 1;
                } else {
                    self.news.changed = true;
                }
            }
            Untagged::Vanished { earlier: false, uids } => {
                let n = uids.len();
                self.news.exists = self.news.exists.saturating_sub(u32::try_from(n).unwrap_or(u32::MAX));
                self.news.changed |= n > self.news.own_expunges;
                self.news.own_expunges = self.news.own_expunges.saturating_sub(n);
            }
            Untagged::Capability(words) => self.caps = Some(words),
            Untagged::Status(s) if s.word == Word::Bye => self.bye = Some(s.text.into_owned()),
            Untagged::Status(s) if s.code == "ALERT" => self.alert(&s.text),
            Untagged::Status(s) if s.code == "CAPABILITY" => self.caps = Some(untagged::words(s.args)),
            Untagged::Insane => return Err(self.wire.fail(NetError::protocol("a number that cannot be"))),
            _ => {}
        }
        Ok(())
    }

    /// Keeps a text that the server wants the person to read (RFC 9051, 7.1), each once.
    fn alert(&mut self, text: &str) {
        let text = SafeText::line_max(text, MAX_TEXT);
        if self.alerts.len() < MAX_ALERTS && !text.is_empty() && !self.alerts.contains(&text) {
            self.alerts.push(text);
        }
    }

    /// The next line that the crate is to see.
    fn for_the_crate(&mut self) -> io::Result<()> {
        loop {
            if let Some(quiet) = self.idling {
                // Also what came before the server gave leave to wait: nobody says it again.
                if self.news.changed || !self.told.is_empty() {
                    return Err(self.end_idle(Idle::Changed));
                }
                let left = self.idle_until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    // A server that says now and then that it is there ends no wait by that.
                    return Err(self.end_idle(Idle::TimedOut));
                }
                match self.wire.wait(quiet.min(left))? {
                    Wait::Ready => {}
                    Wait::Woken => return Err(self.end_idle(Idle::Woken)),
                    Wait::TimedOut => return Err(self.end_idle(Idle::TimedOut)),
                }
            }
            let response = self.next(&mut KeepAll)?;
            if response.is_untagged() {
                let data = self.meaning(&response);
                self.news.changed |= matches!(data, Untagged::Fetch(_));
                self.tell(&data);
                continue;
            }
            if response.is_continuation() {
                self.challenges += 1;
                if self.challenges > MAX_CHALLENGES && !self.expect_plus {
                    return Err(self.wire.fail(NetError::protocol("the login never ends")).into());
                }
                self.challenged = !self.expect_plus;
                self.expect_plus = false;
            } else if self.expect_plus {
                // Here the crate would take DONE for needed, or panic on an OK.
                self.expect_plus = false;
                self.refused_idle = Some(response.bytes);
                return Err(io::ErrorKind::Unsupported.into());
            }
            self.give(&response.bytes);
            return Ok(());
        }
    }

    /// One line for the crate's parser, which chokes on anything but ASCII and on codes that it half knows.
    fn give(&mut self, bytes: &[u8]) {
        let plain = |b: u8| if b.is_ascii_graphic() || b == b' ' { b } else { b'?' };
        let (tag, rest) = value::split(bytes);
        match value::status(rest) {
            Some(status) if !bytes.starts_with(b"+") => {
                let word = match status.word {
                    Word::Ok | Word::Preauth => "OK",
                    Word::Bad => "BAD",
                    Word::No | Word::Bye => "NO",
                };
                self.out.extend(tag.iter().copied().map(plain));
                self.out.extend_from_slice(format!(" {word} .\r\n").as_bytes());
            }
            _ => {
                self.out.extend(bytes.iter().take(8192).copied().map(plain));
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// One `WouldBlock` makes the crate leave IDLE; what follows (DONE and its answer) is read as usual.
    fn end_idle(&mut self, how: Idle) -> io::Error {
        self.idling = None;
        self.idle_end = Some(how);
        io::ErrorKind::WouldBlock.into()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.refused_idle.is_some() && bytes.starts_with(b"DONE") {
            let held = self.refused_idle.take().unwrap_or_default();
            self.give(&held);
            return Ok(());
        }
        let challenged = std::mem::take(&mut self.challenged);
        if challenged {
            self.wire.traffic.round_trips += 1;
        } else if self.line_start && !bytes.starts_with(b"DONE") {
            if self.tags.is_empty() {
                // What is said while an answer is still to come costs no turn of its own.
                self.wire.traffic.round_trips += 1;
            }
            self.tags.push_back(value::split(bytes).0.to_vec());
        }
        self.line_start = bytes.ends_with(b"\n");
        Ok(self.wire.queue(bytes)?)
    }
}

/// The core, also after a panic elsewhere: its own state says whether it is usable.
pub(super) fn locked(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stream that the crate sees.
pub struct Adapter(pub(super) Arc<Mutex<Core>>);

impl Read for Adapter {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut core = locked(&self.0);
        if core.out.is_empty() {
            core.for_the_crate()?;
        }
        let n = core.out.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(core.out.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }
}

impl Write for Adapter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        locked(&self.0).write(buf)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl imap::extensions::idle::SetReadTimeout for Adapter {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> imap::error::Result<()> {
        // The crate calls this exactly when IDLE was accepted, and when it is over.
        locked(&self.0).idling = timeout;
        Ok(())
    }
}
