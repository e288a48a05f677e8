//! reader — `postrider` and `postrider demo`: the engine and the screen are joined, and parted again.
//! Owns: what both are started with. May import: every room.
//! Start reading at: `open`.

use super::Door;
use super::args::Reader as Wishes;
use super::demo::Demo;
use super::exit::{self, Failure};
use crate::app;
use crate::base::log;
use crate::config::Config;
use crate::engine::Engine;
use crate::engine::api::{News, Query, Request, Slot, Ticket};
use crate::engine::owner::{Knock, ring};
use crate::engine::setup::{Mode, Setup};
use crate::mail::ids::AccountName;
use crate::ui::terminal::{self, Terminal};
use crate::ui::theme::Theme;
use crate::ui::{Link, Look, Reader};
use jiff::tz::TimeZone;
use rustix::fd::BorrowedFd;
use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;
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

fn run(door: &Door, config: Config, account: Option<AccountName>, wishes: &Wishes, compose: Vec<String>) -> Result<u8, Failure> {
    door.log();
    log::info("start", env!("CARGO_PKG_VERSION"));
    let mut setup = Setup::new(config.clone(), door.paths.clone(), Mode::Live);
    setup.offline = door.options.offline;
    let engine = super::session::start(&setup)?;
    let folder = door.paths.config.parent().map(|dir| dir.join("themes"));
    let look = Look::from_env(folder.clone());
    let size = terminal::size();
    let follow = (!look.bar_only).then_some(FOLLOW);
    let themes = themes(folder.as_deref());
    let setup = app::Setup {
        signatures: config.signatures(),
        compose,
        config,
        zone: TimeZone::system(),
        size: (size.width, size.height),
        follow,
        account,
        mailbox: wishes.mailbox.clone(),
        read_only: wishes.read_only,
        themes,
    };
    let no_terminal = |e: std::io::Error| Failure::new(exit::USAGE, &format!("the terminal cannot be used ({e})"), "");
    let mut terminal = Terminal::open().map_err(no_terminal)?;
    let ended = Reader::new(&engine, &mut terminal, setup, look).opening_in(&door.paths.run).and_then(|mut reader| reader.run());
    // The terminal first: what is said after it must be seen.
    drop(terminal);
    drop(engine);
    ended.map_err(no_terminal)?;
    log::info("end", "");
    Ok(exit::OK)
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
