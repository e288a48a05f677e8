//! conn — one connection: the `imap` crate writes commands and logs in, we read all that comes back.
//! Owns: `Conn`, `Fresh`. What is said while another answer is still read: `ahead.rs`.
//! May import: mail, base.
//! Start reading at: `Conn::run`. The crate sees tagged lines and continuations only, in ASCII; each untagged response
//! is diverted to us, so that no response it cannot parse costs the connection.

use super::ahead::Owed;
pub(super) use super::command::Command;
use super::command::Literals;
use super::core::{Adapter, Core, locked};
use super::frame::{KeepAll, Response, Taker};
use super::untagged::Untagged;
use super::value::{self, Word};
use crate::base::log;
use crate::net::error::{NetError, NetErrorKind, Result};
use crate::net::session::Idle;
use crate::net::wire::{NO_PROGRESS, Wire};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Behind its OK both sides compress (RFC 4978): nothing may be said until it came, so it stands last.
pub const COMPRESS: &[u8] = b"COMPRESS DEFLATE";

/// The tagged OK of a command.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Its code in upper case, "" without one.
    pub code: String,
    /// What stood behind the code.
    pub args: Vec<u8>,
}

/// What to do with untagged responses: true if it was expected, so no news.
pub type OnData<'a> = &'a mut dyn FnMut(Untagged<'_>) -> Result<bool>;

/// A logged-in connection.
pub struct Conn {
    session: imap::Session<Adapter>,
    core: Arc<Mutex<Core>>,
    literals: Literals,
    /// A command that was said before its time, and how it ended if it has.
    pub(super) owed: Option<Owed>,
}

/// A connection that is not logged in.
pub struct Fresh {
    client: imap::Client<Adapter>,
    core: Arc<Mutex<Core>>,
}

impl Fresh {
    /// Over a wire whose greeting was read.
    #[must_use]
    pub fn over(wire: Wire) -> Self {
        let core = Arc::new(Mutex::new(Core::new(wire)));
        let mut client = imap::Client::new(Adapter(Arc::clone(&core)));
        client.greeting_read = true;
        Self { client, core }
    }

    /// Asks what the server can do before the login.
    ///
    /// # Errors
    /// A broken connection.
    pub fn capabilities(&mut self) -> Result<Vec<String>> {
        locked(&self.core).caps = None;
        let asked = self.client.capabilities();
        if let Err(e) = asked {
            return Err(fault(&self.core, e));
        }
        Ok(locked(&self.core).caps.clone().unwrap_or_default())
    }

    /// What the crate and we share.
    #[must_use]
    pub(super) fn core(&self) -> Arc<Mutex<Core>> {
        Arc::clone(&self.core)
    }

    /// Logs in by `how`, which is given the crate's client.
    ///
    /// # Errors
    /// What the server said.
    pub fn login(
        self,
        how: impl FnOnce(imap::Client<Adapter>) -> std::result::Result<imap::Session<Adapter>, Box<imap::Error>>,
    ) -> Result<Conn> {
        {
            let mut core = locked(&self.core);
            (core.caps, core.challenges) = (None, 0);
        }
        match how(self.client) {
            Ok(session) => Ok(Conn { session, core: self.core, literals: Literals::Ask, owed: None }),
            Err(e) => Err(fault(&self.core, *e)),
        }
    }
}

/// What really went wrong, behind the crate's words.
fn fault(core: &Mutex<Core>, e: imap::Error) -> NetError {
    let mut core = locked(core);
    if let Some(broken) = core.wire.broken().cloned() {
        return core.after_bye(broken);
    }
    match e {
        imap::Error::No(_) | imap::Error::Bad(_) | imap::Error::Bye(_) => {
            let (_, rest) = value::split(&core.last_tagged);
            refused(rest).unwrap_or_else(|| NetError::protocol("an answer that is none"))
        }
        imap::Error::Io(e) => core.wire.fail(e.into()),
        // The crate's words may quote what it sent, a password among it.
        _ => core.wire.fail(NetError::protocol("an answer that is none")),
    }
}

/// A refusal as a value; what breaks the connection as an error.
pub(super) fn kept(result: Result<Done>) -> Result<Result<Done>> {
    match result {
        Err(e) if !e.connection_lives() => Err(e),
        other => Ok(other),
    }
}

/// The error in a tagged status behind its tag; nothing for OK.
fn refused(rest: &[u8]) -> Option<NetError> {
    let status = value::status(rest)?;
    let kind = match status.word {
        Word::Ok | Word::Preauth => return None,
        Word::No => NetErrorKind::No { code: status.code },
        Word::Bad => NetErrorKind::Bad,
        Word::Bye => NetErrorKind::Bye,
    };
    Some(NetError::new(kind, &status.text))
}

impl Conn {
    /// The shared state: lock it for one look, never across a call of ours.
    pub fn core(&self) -> MutexGuard<'_, Core> {
        locked(&self.core)
    }

    /// From now on these literals go out without leave.
    pub const fn allow(&mut self, literals: Literals) {
        self.literals = literals;
    }

    /// Says a command, up to where its answer, or the literal that it leaves open, is to come.
    ///
    /// # Errors
    /// What the server says instead.
    pub fn say(&mut self, command: &Command, on: OnData<'_>) -> Result<()> {
        for (n, said) in command.said(self.literals).enumerate() {
            if n == 0 {
                self.start(&said.line)?;
            } else {
                let mut core = self.core();
                core.wire.queue(&said.line)?;
                core.wire.queue(b"\r\n")?;
            }
            if said.waits {
                self.until_plus(on)?;
            }
            if let Some(literal) = said.literal {
                self.core().wire.queue(literal)?;
            }
        }
        Ok(())
    }

    /// Whether a command can be said as a whole, without leave of the server.
    #[must_use]
    pub fn at_once(&self, command: &Command) -> bool {
        command.is_one_go(self.literals)
    }

    /// Runs `command` to its tagged answer; each untagged response goes to `on`.
    ///
    /// # Errors
    /// `No` and `Bad` leave the connection usable. An error of `on` ends it.
    pub fn run(&mut self, command: &Command, on: OnData<'_>) -> Result<Done> {
        self.run_with(command, &mut KeepAll, on)
    }

    /// As [`Self::run`], with somebody for large literals.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_with(&mut self, command: &Command, taker: &mut dyn Taker, on: OnData<'_>) -> Result<Done> {
        self.say(command, on)?;
        self.finish(taker, on)
    }

    /// Says all of `commands` at once, if none waits for leave, and reads all answers: one turn. What each command was
    /// answered stands in its place; untagged responses go to `on`, whichever command they answer.
    ///
    /// # Errors
    /// What broke the connection.
    pub fn run_all(&mut self, commands: &[Command], on: OnData<'_>) -> Result<Vec<Result<Done>>> {
        let mut answers = Vec::with_capacity(commands.len());
        if commands.iter().any(|c| !c.is_one_go(self.literals)) {
            for command in commands {
                answers.push(kept(self.run(command, on))?);
            }
            return Ok(answers);
        }
        let mut tags = Vec::with_capacity(commands.len());
        for command in commands {
            self.say(command, on)?;
            let mut core = self.core();
            let tag = core.last_tag();
            if command.is(COMPRESS) {
                core.compress_after = Some(tag.clone());
            }
            tags.push(tag);
        }
        let mut told = Vec::with_capacity(commands.len());
        for _ in &tags {
            let done = kept(self.finish(&mut KeepAll, on))?;
            told.push((self.core().answered_tag(), done));
        }
        for tag in tags {
            let at = told.iter().position(|(t, _)| *t == tag);
            let at = at.ok_or_else(|| self.core().wire.fail(NetError::protocol("an answer that is none")))?;
            answers.push(told.swap_remove(at).1);
        }
        Ok(answers)
    }

    /// Writes the first line of a command, with a tag of the crate's.
    ///
    /// # Errors
    /// A broken connection.
    pub fn start(&mut self, line: &[u8]) -> Result<()> {
        self.settle()?;
        if let Some(e) = self.core().wire.broken().cloned() {
            return Err(e);
        }
        // Lines hold text of ours and quoted ASCII only.
        let line = String::from_utf8_lossy(line);
        // Logins do not pass here: the crate writes them.
        log::trace("imap", format_args!("> {line}"));
        let result = self.session.run_command(&line);
        result.map_err(|e| fault(&self.core, e))
    }

    /// Waits until the server wants the literal.
    ///
    /// # Errors
    /// What it says instead; then the literal must not be sent.
    pub fn until_plus(&mut self, on: OnData<'_>) -> Result<()> {
        // To wait for leave is a turn of its own.
        self.core().wire.traffic.round_trips += 1;
        loop {
            let response = self.core().next(&mut KeepAll)?;
            if response.is_continuation() {
                return Ok(());
            }
            if !response.is_untagged() {
                let (_, rest) = value::split(&response.bytes);
                return Err(refused(rest).unwrap_or_else(|| self.core().wire.fail(NetError::protocol("done before it began"))));
            }
            self.hand(&response, on)?;
        }
    }

    /// Reads to the tagged answer.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn finish(&mut self, taker: &mut dyn Taker, on: OnData<'_>) -> Result<Done> {
        self.begin();
        loop {
            if let Some(ended) = self.read(taker, on)? {
                return ended;
            }
        }
    }

    /// An answer is waited for now.
    pub(super) fn begin(&mut self) {
        let mut core = self.core();
        core.wire.begin();
        core.last_row = None;
    }

    /// Reads one response: nothing if it is untagged, else how the command ended that [`Core::answered_tag`] names.
    ///
    /// # Errors
    /// What broke the connection.
    pub(super) fn read(&mut self, taker: &mut dyn Taker, on: OnData<'_>) -> Result<Option<Result<Done>>> {
        let response = self.core().next(taker)?;
        if response.is_untagged() {
            self.hand(&response, on)?;
            self.core().done_with(response);
            return Ok(None);
        }
        let (_, rest) = value::split(&response.bytes);
        log::trace("imap", format_args!("< {}", String::from_utf8_lossy(rest).trim_end()));
        if response.is_continuation() {
            return Err(self.core().wire.fail(NetError::protocol("it waits for more where there is none")));
        }
        match (refused(rest), value::status(rest)) {
            (Some(e), _) if e.connection_lives() => Ok(Some(Err(e))),
            (Some(e), _) => Err(e),
            (None, Some(s)) => Ok(Some(Ok(Done { code: s.code, args: s.args.to_vec() }))),
            (None, None) => Err(self.core().wire.fail(NetError::protocol("an answer that is none"))),
        }
    }

    fn hand(&mut self, response: &Response, on: OnData<'_>) -> Result<()> {
        let data = {
            let mut core = self.core();
            let data = core.meaning(response);
            if !core.is_sane(&data) {
                return Ok(());
            }
            data
        };
        let is_fetch = matches!(data, Untagged::Fetch(_));
        // Only these can be news of other mailboxes (NOTIFY); nothing else is read twice.
        let of_mailboxes = matches!(data, Untagged::List(..) | Untagged::Counts { .. } | Untagged::Status(_));
        match on(data) {
            Ok(false) if is_fetch => {
                self.core().news.changed = true;
                Ok(())
            }
            Ok(false) if of_mailboxes && self.core().notifying => {
                let mut core = self.core();
                let data = core.meaning(response);
                core.tell(&data);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(e) => Err(self.core().wire.fail(e)),
        }
    }

    /// IDLE until news, a ring or `limit`. A server that said nothing for `quiet` is asked whether it is there, by DONE and a
    /// new IDLE, and has as long to answer: a line on which nothing comes any more is found out by nothing else.
    ///
    /// # Errors
    /// A broken connection, or a server that refuses.
    pub fn idle(&mut self, limit: Duration, quiet: Duration) -> Result<Idle> {
        let end = Instant::now() + limit;
        self.core().wire.set_limit(quiet.min(NO_PROGRESS));
        let how = loop {
            match self.idle_once(end, quiet) {
                // It answered.
                Ok(Idle::TimedOut) if Instant::now() < end => {}
                how => break how,
            }
        };
        self.core().wire.set_limit(NO_PROGRESS);
        how
    }

    fn idle_once(&mut self, end: Instant, quiet: Duration) -> Result<Idle> {
        self.settle()?;
        {
            let mut core = self.core();
            if let Some(e) = core.wire.broken() {
                return Err(e.clone());
            }
            if core.news.changed || !core.told.is_empty() {
                return Ok(Idle::Changed);
            }
            (core.idle_end, core.expect_plus, core.idle_until) = (None, true, end);
        }
        {
            let mut handle = self.session.idle();
            handle.timeout(quiet).keepalive(false);
            // The outcome is ours to know; leaving the scope says DONE and reads its answer.
            let _ = handle.wait_while(|_| true);
        }
        let mut core = self.core();
        core.idling = None;
        if let Some(e) = core.wire.broken().cloned() {
            return Err(core.after_bye(e));
        }
        let end = core.idle_end.take();
        let (_, rest) = value::split(&core.last_tagged);
        match (end, core.news.changed || !core.told.is_empty(), refused(rest)) {
            (_, true, _) => Ok(Idle::Changed),
            (Some(how), ..) => Ok(how),
            (None, _, Some(e)) => Err(e),
            (None, _, None) => Err(core.wire.fail(NetError::protocol("IDLE ended by itself"))),
        }
    }
}
