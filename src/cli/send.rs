//! send — `postrider send`: a message on standard input goes into the outbox, as `sendmail` takes it.
//! Owns: whose account sends it, how long its fate is watched. May import: engine::api, config, mail, cli.
//! Start reading at: `run`. The command answers only after the mail is durable in the outbox; what happens to it there is
//! the engine's.

use super::Door;
use super::exit::{self, Failure};
use super::look::outgoing;
use super::mail_args::Send;
use super::session::{Session, no_account};
use crate::config::{AccountConfig, Config, Submission};
use crate::engine::api::{OutboxState, Request};
use crate::mail::address::Address;
use crate::mail::ids::OutboxId;
use crate::mail::ready::Addressing;
use crate::mail::{address_list, parse};
use std::io::{IsTerminal, Read, stdin};
use std::time::Duration;

/// The largest message: what most servers take is far below.
const MAX: u64 = 150 * 1024 * 1024;
/// How long the first try is watched without `--wait`.
const GLANCE: Duration = Duration::from_secs(4);
/// How long it is watched with `--wait`.
const WAIT: Duration = Duration::from_secs(120);

/// Runs it.
pub fn run(door: &Door, args: &Send) -> Result<u8, Failure> {
    if args.recipients.is_empty() && !args.from_headers {
        return Err(Failure::new(
            exit::USAGE,
            "there is nobody to send this to",
            "Name recipients, or take the header's with -t",
        ));
    }
    if stdin().is_terminal() {
        exit::say("the message is read from here; Ctrl-D ends it");
    }
    let mut raw = Vec::new();
    let read = stdin().lock().take(MAX + 1).read_to_end(&mut raw);
    read.map_err(|e| Failure::new(exit::DATA, &format!("standard input cannot be read ({e})"), "Nothing was sent"))?;
    if raw.len() as u64 > MAX {
        return Err(Failure::new(exit::DATA, "the message is larger than 150 MiB", "Nothing was sent"));
    }
    let message = parse::message(raw);
    let config = door.config()?;
    let author = args.from.as_deref().and_then(|from| address_list::parse(from).into_iter().next());
    let author = author.or_else(|| message.envelope.from.first().cloned());
    let account = account_of(&config, author.as_ref())?;
    let to = Addressing {
        recipients: args.recipients.clone(),
        from_headers: args.from_headers,
        sender: sender(account, args.from.as_deref(), author),
    };
    let session = if args.queue_only || door.options.offline { Session::open(door)? } else { Session::telling(door)? };
    let done = session.act(Request::SendReady { account: account.name.clone(), bytes: message.raw.to_vec(), to })?;
    let Some(id) = done.outbox else { return Ok(exit::OK) };
    if door.options.verbose > 0 {
        exit::say(&format!("mail {id} is in the outbox"));
    }
    if args.queue_only {
        return Ok(exit::OK);
    }
    fate(&session, id, args.wait, door.options.offline)
}

/// Watches what becomes of it.
fn fate(session: &Session, id: OutboxId, wait: bool, offline: bool) -> Result<u8, Failure> {
    let later = |why: &str| Failure::new(exit::TEMPORARY, why, "The mail is in the outbox and will be tried again");
    if offline {
        return if wait { Err(later("no connection is opened with --offline")) } else { Ok(exit::OK) };
    }
    let limit = if wait { WAIT } else { GLANCE };
    let end = session.watch(limit, |session| {
        let Some(row) = outgoing(session)?.into_iter().find(|r| r.id == id) else { return Ok(Some(Ok(exit::OK))) };
        Ok(match row.state {
            OutboxState::Accepted | OutboxState::Filed => Some(Ok(exit::OK)),
            OutboxState::Refused => {
                let what = format!("the mail was not sent: {}", row.fault);
                Some(Err(Failure::new(exit::DATA, &what, "It stays in the outbox; `postrider outbox` shows it")))
            }
            OutboxState::NeedsUser => {
                let code = session.faults().last().map_or(exit::TEMPORARY, crate::engine::api::Fault::exit);
                Some(Err(Failure::new(code, row.fault.as_str(), "The mail waits in the outbox")))
            }
            OutboxState::Deferred => Some(Err(later(row.fault.as_str()))),
            OutboxState::Unknown => {
                let what = "the line dropped at the very end; the mail may have been sent";
                Some(Err(Failure::new(exit::TEMPORARY, what, "It is not sent again by itself; `postrider outbox` shows it")))
            }
            OutboxState::Awaiting | OutboxState::Held | OutboxState::Queued | OutboxState::Sending | OutboxState::DotSent => None,
        })
    })?;
    match end {
        Some(Err(failure)) if !wait && failure.code == exit::TEMPORARY => Ok(exit::OK),
        Some(end) => end,
        None if wait => Err(later("the server did not accept it in time")),
        None => Ok(exit::OK),
    }
}

/// The account that writes as `author`, else the first that can send.
fn account_of<'c>(config: &'c Config, author: Option<&Address>) -> Result<&'c AccountConfig, Failure> {
    let mut able = config.accounts.iter().filter(|a| a.smtp != Submission::None);
    let own = author.and_then(|author| able.clone().find(|a| a.writes_as(&author.addr)));
    match own.or_else(|| able.next()) {
        Some(account) => Ok(account),
        None if config.accounts.is_empty() => Err(no_account()),
        None => Err(Failure::new(exit::CONFIG, "no account can send", "Give one an smtp server in the configuration")),
    }
}

/// The envelope sender: `-f` as it stands, else the author if the account writes as them, else the account's address.
fn sender(account: &AccountConfig, from: Option<&str>, author: Option<Address>) -> Address {
    let own = Address::new(&account.display_name, &account.address);
    match author {
        Some(author) if from.is_some() || account.writes_as(&author.addr) => author,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_author_chooses_the_account() {
        let text = "[account.read]\nmaildir = \"m\"\n[account.one]\naddress = \"ann@one.example\"\nmaildir = \"n\"\nsmtp = { local = true }\n\
                    [account.two]\naddress = \"ann@two.example\"\nname = \"Ann\"\nmaildir = \"o\"\nsmtp = { local = true }\n";
        let config = Config::parse(text, Path::new("c"), 0o600).unwrap();
        let of = |addr: &str| account_of(&config, Some(&Address::new("", addr))).unwrap().name.as_str().to_owned();
        assert_eq!((of("ANN@two.example"), of("ann@one.example"), of("x@y.example")), ("two".into(), "one".into(), "one".into()));
        let two = account_of(&config, Some(&Address::new("", "ann@two.example"))).unwrap();
        assert_eq!(sender(two, None, Some(Address::new("", "x@y.example"))), Address::new("Ann", "ann@two.example"));
        assert_eq!(sender(two, Some("x@y.example"), Some(Address::new("", "x@y.example"))).addr, "x@y.example");
        let read = Config::parse("[account.read]\nmaildir = \"m\"\n", Path::new("c"), 0o600).unwrap();
        assert_eq!(account_of(&read, None).unwrap_err().code, exit::CONFIG);
    }
}
