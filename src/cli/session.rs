//! session — the engine as a head-less verb uses it: ask and wait for the answer, act and wait until it is durable.
//! Owns: `Session`. May import: engine, mail, config, cli.
//! Start reading at: `Session::open`. A verb that only looks or leaves an intent connects to nothing; one that waits for
//! a server keeps the accounts live while it does.

use super::Door;
use super::exit::{self, Failure};
use crate::config::{AccountConfig, AccountKind, Config};
use crate::engine::Engine;
use crate::engine::api::{Body, Connectivity, Done, Fault, Kind, MessageView, Piece, PieceState, Query, Request, Retry, Rows};
use crate::engine::rescue::{Rescued, rescue};
use crate::engine::setup::{Errand, Mode, Setup};
use crate::mail::ids::{AccountName, PlacementKey};
use crate::mail::row::MailboxRow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(120);
/// How long a file may take to come.
const PIECE: Duration = Duration::from_secs(4 * 3600);
/// How often what another process does is looked at.
const PACE: Duration = Duration::from_millis(100);

/// The engine and what it told without being asked.
pub struct Session {
    engine: Engine,
    config: Config,
    faults: RefCell<Vec<Fault>>,
    /// Why an account has no connection.
    cut: RefCell<BTreeMap<AccountName, Cut>>,
}

/// Why an account has no connection.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The reason.
    pub fault: Fault,
    /// It is not tried again before the person has done something.
    pub for_good: bool,
}

impl Session {
    /// For looking and for leaving intents: nothing connects.
    ///
    /// # Errors
    /// 78 for the configuration or no account, 73 for our own files.
    pub fn open(door: &Door) -> Result<Self, Failure> {
        Self::start(door, Mode::Still, None)
    }

    /// For waiting for a server.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn live(door: &Door) -> Result<Self, Failure> {
        Self::start(door, Mode::Live, None)
    }

    /// For fetching what is asked for of messages of one account, and nothing else.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn errand(door: &Door, account: &AccountName) -> Result<Self, Failure> {
        Self::start(door, Mode::Live, Some(Errand::Fetch(account.clone())))
    }

    /// For waiting until the servers were told what is wished, or have what is to be sent.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn telling(door: &Door) -> Result<Self, Failure> {
        Self::start(door, Mode::Live, Some(Errand::Tell))
    }

    fn start(door: &Door, mode: Mode, errand: Option<Errand>) -> Result<Self, Failure> {
        let config = door.config()?;
        if config.accounts.is_empty() {
            return Err(no_account());
        }
        door.log();
        let mut setup = Setup::new(config.clone(), door.paths.clone(), mode);
        (setup.offline, setup.errand) = (door.options.offline, errand);
        Ok(Self { engine: start(&setup)?, config, faults: RefCell::default(), cut: RefCell::default() })
    }

    /// The engine itself.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The account of that name.
    ///
    /// # Errors
    /// 64 if there is none.
    pub fn account(&self, name: &str) -> Result<AccountName, Failure> {
        self.config.accounts.iter().find(|a| a.name.as_str() == name).map(|a| a.name.clone()).ok_or_else(|| no_such_account(name))
    }

    /// All accounts, in the order of the file.
    pub fn accounts(&self) -> Vec<AccountName> {
        self.config.accounts.iter().map(|a| a.name.clone()).collect()
    }

    /// What our files answer.
    ///
    /// # Errors
    /// The fault of the answer.
    pub fn ask(&self, query: &Query) -> Result<Rows, Failure> {
        Ok(self.engine.ask(query)?)
    }

    /// Does something, and comes back when it is durable here.
    ///
    /// # Errors
    /// The fault of the outcome.
    pub fn act(&self, request: Request) -> Result<Done, Failure> {
        Ok(self.engine.perform(request)?)
    }

    /// Asks `again` at every change, and now and then, since another process may do the work; `None` when `limit` is over.
    ///
    /// # Errors
    /// Those of `again`.
    pub fn watch<T>(
        &self,
        limit: Duration,
        mut again: impl FnMut(&Self) -> Result<Option<T>, Failure>,
    ) -> Result<Option<T>, Failure> {
        let end = Instant::now() + limit;
        loop {
            if let Some(found) = again(self)? {
                return Ok(Some(found));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            let mut news = self.engine.wait(PACE);
            self.faults.borrow_mut().append(&mut news.faults);
            for (account, state) in news.connectivity {
                let cut = match state {
                    Connectivity::Waiting { fault, .. } => Cut { fault, for_good: false },
                    Connectivity::NeedsUser(fault) => Cut { fault, for_good: true },
                    Connectivity::Live { .. } | Connectivity::Polled { .. } => {
                        self.cut.borrow_mut().remove(&account);
                        continue;
                    }
                    // A new try undoes nothing of what ended the last one.
                    Connectivity::Connecting | Connectivity::Off | Connectivity::Elsewhere => continue,
                };
                self.cut.borrow_mut().insert(account, cut);
            }
        }
    }

    /// Whether nothing can be told to the account's server: it has one, and `--offline` keeps it shut.
    pub fn is_shut(&self, account: &AccountName) -> bool {
        let remote = |a: &AccountConfig| a.name == *account && matches!(a.kind, AccountKind::Imap(_));
        self.engine.shared().offline && self.config.accounts.iter().any(remote)
    }

    /// Why that account has no connection, as far as [`Self::watch`] heard.
    pub fn cut(&self, account: &AccountName) -> Option<Cut> {
        self.cut.borrow().get(account).cloned()
    }

    /// What went wrong meanwhile, newest last.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.borrow().clone()
    }

    /// All mailboxes of all accounts.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn mailboxes(&self) -> Result<Vec<MailboxRow>, Failure> {
        match self.ask(&Query::Mailboxes)? {
            Rows::Mailboxes(rows) => Ok(rows),
            _ => Err(odd()),
        }
    }

    /// One message, with its body if that is here.
    ///
    /// # Errors
    /// 66 if there is none.
    pub fn message(&self, id: PlacementKey) -> Result<MessageView, Failure> {
        match self.ask(&Query::Message(id)) {
            Ok(Rows::Message(view)) => Ok(*view),
            Ok(_) => Err(odd()),
            Err(failure) if failure.code == exit::MISSING => Err(Failure::new(
                exit::MISSING,
                &format!("there is no message {}", id.0),
                "`postrider list` prints the numbers that are valid now",
            )),
            Err(failure) => Err(failure),
        }
    }

    /// Fetches the body of a message and waits for it.
    ///
    /// # Errors
    /// Why it did not come.
    pub fn body(&self, id: PlacementKey) -> Result<MessageView, Failure> {
        self.act(Request::FetchBody(id))?;
        let here = self.watch(BODY, |session| {
            let view = session.message(id)?;
            let failed = session.faults().pop();
            let cut = session.cut(&view.row.account).map(|cut| cut.fault);
            match (&view.body, failed.or(cut)) {
                (Body::Here(_) | Body::Failed(_), _) => Ok(Some(view)),
                (_, Some(fault)) => Err(fault.into()),
                _ => Ok(None),
            }
        })?;
        here.map_or_else(|| self.message(id), Ok)
    }

    /// Fetches something of a message whose text is here, until it is `here`; how far it is goes to a terminal.
    ///
    /// # Errors
    /// Why it did not come.
    pub fn piece(&self, id: PlacementKey, piece: &Piece, here: impl Fn(&MessageView) -> bool) -> Result<MessageView, Failure> {
        self.act(Request::FetchPart { message: id, piece: piece.clone() })?;
        let shown = stderr().is_terminal();
        let came = self.watch(PIECE, |session| {
            let view = session.message(id)?;
            if here(&view) {
                return Ok(Some(view));
            }
            let cut = session.cut(&view.row.account).map(|cut| cut.fault);
            match (view.pieces.iter().find(|(p, _)| p == piece).map(|(_, state)| state), cut) {
                (Some(PieceState::Failed(fault)), _) => Err(fault.clone().into()),
                (Some(PieceState::Waits), Some(fault)) => Err(fault.into()),
                (Some(PieceState::Coming { done, total }), _) if shown && *total > 0 => {
                    // Whoever looks may have gone away.
                    let _ = write!(stderr(), "\r\x1b[K{} %", done * 100 / total);
                    Ok(None)
                }
                _ => Ok(None),
            }
        });
        if shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
        if !matches!(came, Ok(Some(_))) {
            // Whoever runs a command does not expect it to go on behind its back.
            self.act(Request::ForgetPart { message: id, piece: piece.clone() })?;
        }
        came?.ok_or_else(|| {
            Failure::new(exit::TEMPORARY, "the server is too slow", "What came is kept: the next try goes on there")
        })
    }
}

/// Starts the engine.
///
/// # Errors
/// Its own; a damaged file is named, and what moving it away would cost.
pub fn start(setup: &Setup) -> Result<Engine, Failure> {
    Engine::start(setup).map_err(|fault| {
        // One byte of its head wrong, and SQLite thinks that the file may only be read.
        let ours = fault.kind == Kind::Store || fault.kind == Kind::Disk && fault.retry == Retry::NeedsUser;
        let failure = Failure::from(fault);
        if !ours {
            return failure;
        }
        // The cache mends itself, so it is the other one.
        let file = setup.paths.data.join("state.sqlite");
        let kept = match rescue(&setup.paths.data) {
            Ok(Rescued { mails: 0, .. }) => "No mail could be read from it".to_owned(),
            Ok(saved) => format!("What could be read of it, {} of your mails, lies in {}", saved.mails, saved.folder.display()),
            Err(e) => format!("Nothing could be saved from it ({e})"),
        };
        let hint = format!(
            "It is left as it is. Queued changes, drafts and the outbox are in it: move it away only if you have no copy. {kept}"
        );
        Failure::new(failure.code, &format!("{} cannot be used ({})", file.display(), failure.what), &hint)
    })
}

/// 78, with the way out.
pub fn no_account() -> Failure {
    Failure::new(exit::CONFIG, "there is no account yet", "`postrider account add ADDRESS` adds one, `postrider demo` needs none")
}

/// 64: an account that the configuration does not name.
pub fn no_such_account(name: &str) -> Failure {
    Failure::new(exit::USAGE, &format!("there is no account `{name}`"), "`postrider account list` shows them")
}

/// An answer to another question than was asked.
pub fn odd() -> Failure {
    Failure::new(exit::SOFTWARE, "an answer does not belong to its question", "This is a mistake of ours: please tell us")
}
