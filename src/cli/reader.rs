//! reader — `postrider` and `postrider demo`: the engine and the screen are joined, and parted again.
//! Owns: what both are started with. May import: every room.
//! Start reading at: `open`.

use super::Door;
use super::args::Reader as Wishes;
use super::demo::Demo;
use super::exit::{self, Failure};
use super::rescue;
use crate::app;
use crate::app::msg::Refusal;
use crate::base::cancel::Cancel;
use crate::base::log;
use crate::base::safetext::SafeText;
use crate::base::spawn::spawn;
use crate::config::Config;
use crate::config::discovery::Found;
use crate::config::edit::{self, NewAccount};
use crate::engine::Engine;
use crate::engine::api::{Fault, Kind, News, Password, Query, Request, Slot, Ticket};
use crate::engine::check::{self, Verdict};
use crate::engine::connect;
use crate::engine::discover::{self, Ways};
use crate::engine::owner::{Knock, ring};
use crate::engine::setup::{Mode, Setup};
use crate::mail::ids::AccountName;
use crate::ui::terminal::{self, Terminal};
use crate::ui::theme::Theme;
use crate::ui::{End, Host, Link, Look, Reader};
use jiff::tz::TimeZone;
use rustix::fd::BorrowedFd;
use std::io::{IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the cursor rests on a row before the message pane follows (decisions 17).
const FOLLOW: Duration = Duration::from_millis(150);

impl Link for Engine {
    fn request(&self, request: Request) -> Ticket {
        Self::request(self, request)
    }
    fn query(&self, slot: Slot, query: Query) -> u64 {
        Self::query(self, slot, query)
    }
    fn fd(&self) -> BorrowedFd<'_> {
        Self::fd(self)
    }
    fn take(&self) -> News {
        Self::take(self)
    }
}

/// `postrider`
pub fn open(door: &Door, wishes: &Wishes) -> Result<u8, Failure> {
    somebody()?;
    let config = door.config()?;
    let named = |name: &String| config.accounts.iter().find(|a| a.name.as_str() == name).map(|a| a.name.clone());
    let account = match &wishes.account {
        None => None,
        Some(name) => Some(named(name).ok_or_else(|| super::session::no_such_account(name))?),
    };
    run(door, config, account, wishes, Vec::new())
}

/// `postrider compose`: in the reader that runs on this profile, else in one of its own.
pub fn compose(door: &Door, to: &[String]) -> Result<u8, Failure> {
    let config = door.config()?;
    if config.accounts.is_empty() {
        return Err(super::session::no_account());
    }
    let (links, people): (Vec<&String>, Vec<&String>) = to.iter().partition(|t| t.to_ascii_lowercase().starts_with("mailto:"));
    let mut mails: Vec<String> = links.into_iter().cloned().collect();
    if !people.is_empty() || mails.is_empty() {
        mails.push(people.into_iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    }
    // Each that a running reader heard of is its own from now on.
    mails.retain(|mail| !ring(&door.paths.socket(), &Knock::Compose(mail.clone())));
    if mails.is_empty() {
        return Ok(exit::OK);
    }
    somebody()?;
    run(door, config, None, &Wishes::default(), mails)
}

/// `postrider demo`
pub fn demo(door: &Door, wishes: &Wishes) -> Result<u8, Failure> {
    somebody()?;
    let demo = Demo::create()?;
    let door = Door { paths: demo.paths(), options: door.options.clone() };
    let config = door.config()?;
    run(&door, config, None, wishes, Vec::new())
}

fn run(
    door: &Door,
    mut config: Config,
    mut account: Option<AccountName>,
    wishes: &Wishes,
    mut compose: Vec<String>,
) -> Result<u8, Failure> {
    door.log();
    log::info("start", env!("CARGO_PKG_VERSION"));
    let no_terminal = |e: std::io::Error| Failure::new(exit::USAGE, &format!("the terminal cannot be used ({e})"), "");
    let mut password = None;
    let mut terminal = None;
    let mut lost = Vec::new();
    // Once, and once more for each account that is made in the form.
    loop {
        let mut setup = Setup::new(config.clone(), door.paths.clone(), Mode::Live);
        setup.offline = door.options.offline;
        setup.typed = password.take();
        if !setup.offline {
            let accounts = config.accounts.clone();
            // Beside the opening of our own files. Where no thread is to be had, whoever connects does it.
            drop(spawn("prepare", move || connect::prepare(accounts.iter())));
        }
        let engine = super::session::start(&setup)?;
        let screen = match &mut terminal {
            Some(screen) => screen,
            None => terminal.insert(Terminal::open().map_err(no_terminal)?),
        };
        let (setup, look) = appearance(door, config, account, wishes);
        let setup = app::Setup { compose: std::mem::take(&mut compose), ..setup };
        let host = Arc::new(AccountDesk { file: door.paths.config.clone(), offline: door.options.offline });
        let reader = Reader::new(&engine, host, screen, setup, look).and_then(|r| r.opening_in(&door.paths.run));
        let ended = reader.and_then(|r| r.run(&mut lost));
        if let Ok(End::Reopen(made, typed)) = ended {
            drop(engine);
            config = Config::load(&door.paths.config)?;
            password = typed.map(|typed| (made.clone(), typed.secret().clone()));
            account = Some(made);
            continue;
        }
        // The terminal first: what is said after it must be seen.
        drop(terminal);
        drop(engine);
        let saved = rescue::keep(&lost, &door.paths);
        if let End::Failed(why) = ended.map_err(no_terminal)? {
            let what = format!("a mistake of ours ended the reader ({why})");
            return Err(Failure::new(exit::SOFTWARE, &what, "What you wrote is kept. Please tell us"));
        }
        log::info("end", "");
        return saved;
    }
}

fn appearance(door: &Door, config: Config, account: Option<AccountName>, wishes: &Wishes) -> (app::Setup, Look) {
    let folder = door.paths.config.parent().map(|dir| dir.join("themes"));
    let look = Look::from_env(folder.clone());
    let size = terminal::size();
    let setup = app::Setup {
        signatures: config.signatures(),
        compose: Vec::new(),
        config,
        zone: TimeZone::system(),
        size: (size.width, size.height),
        follow: (!look.bar_only).then_some(FOLLOW),
        account,
        mailbox: wishes.mailbox.clone(),
        read_only: wishes.read_only,
        themes: themes(folder.as_deref()),
    };
    (setup, look)
}

/// Where the form's accounts are tested and saved.
struct AccountDesk {
    file: PathBuf,
    /// `--offline`: nobody is asked for servers.
    offline: bool,
}

impl Host for AccountDesk {
    fn find_servers(&self, address: &str, stop: &Cancel) -> Found {
        if self.offline { Found::default() } else { discover::address(address, &Ways::of_system(None), stop) }
    }

    fn try_account(&self, account: &NewAccount, password: Option<&Password>, stop: &Cancel) -> Result<AccountName, Refusal> {
        let saving = |what: String| Refusal {
            step: SafeText::of("saving"),
            fault: Box::new(Fault::new(Kind::Config, &what)),
            outgoing: false,
        };
        // A relative file is meant as the person's shell would.
        let here = std::env::current_dir().unwrap_or_default();
        let ca_file = account.ca_file.as_ref().map(|f| if f.starts_with("~") { f.clone() } else { here.join(f) });
        let account = &NewAccount { ca_file, ..account.clone() };
        // As it will stand in the file, with the file's own checks.
        let config = edit::with(&self.file, account).map_err(|e| saving(e.to_string()))?;
        let made = config.account(&account.name).ok_or_else(|| saving("the account is not in the file".to_owned()))?;
        let mut refusal = None;
        check::account(made, password.map(Password::secret), stop, &mut |step| {
            let outgoing = step.name.starts_with("submission");
            if let (Verdict::Fail, Some(fault), None) = (step.verdict, step.fault, &refusal) {
                refusal = Some(Refusal { step: SafeText::of(step.name), fault: Box::new(fault), outgoing });
            }
        });
        if stop.is_set() {
            return Err(Refusal {
                step: SafeText::of("testing"),
                fault: Box::new(Fault::new(Kind::Cancelled, "stopped")),
                outgoing: false,
            });
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        edit::add(&self.file, account).map_err(|e| saving(e.to_string()))?;
        Ok(made.name.clone())
    }
}

/// The themes that are built in, and the person's own.
fn themes(folder: Option<&Path>) -> Vec<String> {
    let mut all: Vec<String> = Theme::BUILT_IN.iter().map(ToString::to_string).collect();
    let own = folder.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten();
    for path in own.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn somebody() -> Result<(), Failure> {
    if stdin().is_terminal() && stdout().is_terminal() {
        return Ok(());
    }
    let hint = "Verbs such as `postrider list` and `postrider sync` work without one";
    Err(Failure::new(exit::USAGE, "the reader needs a terminal", hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Tls;
    use crate::config::server_url::{Protocol, ServerUrl};
    use std::time::Instant;

    #[test]
    fn a_test_that_hangs_is_stopped_within_a_second_and_saves_nothing() {
        // The quickest of some: what is slower than a second only now and then is the machine.
        let all: Vec<Duration> = std::iter::repeat_with(stopped).take(5).collect();
        assert!(all.iter().min().is_some_and(|took| *took < Duration::from_secs(1)), "{all:?}");
    }

    /// How long a test of an account takes to end at a server that says nothing.
    fn stopped() -> Duration {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let imap = ServerUrl { protocol: Protocol::Imap, tls: Tls::Implicit, host: "127.0.0.1".into(), port, user: None };
        let account = NewAccount { name: "a".into(), address: "a@example.org".into(), imap: Some(imap), ..NewAccount::default() };
        let stop = Cancel::new().unwrap();
        let (desk, password) = (AccountDesk { file: file.clone(), offline: true }, Password::new("x".to_owned()));
        let theirs = stop.clone();
        let test = std::thread::spawn(move || desk.try_account(&account, Some(&password), &theirs));
        // Its first words are here, and it waits for ours.
        let (mut line, _) = silent.accept().unwrap();
        assert!(std::io::Read::read(&mut line, &mut [0; 1024]).unwrap() > 0 && !test.is_finished());
        let begin = Instant::now();
        stop.ring();
        assert_eq!(test.join().unwrap().unwrap_err().fault.kind, Kind::Cancelled);
        assert!(!file.exists());
        begin.elapsed()
    }
}
