//! account_find — `account add ADDRESS` without servers: they are looked for, shown, and agreed to.
//! Owns: what the command line asks about found servers. May import: engine, config, cli.
//! Start reading at: `servers`. With somebody at the terminal each server is a proposal that Enter agrees to. With nobody there, the
//! domain's own servers and those of providers in the list are taken; others only with `--yes`.

use super::args::AccountAdd;
use super::exit::{self, Failure};
use super::prompt;
use crate::base::cancel::Cancel;
use crate::config::discovery::{Consent, Found, Offered, Standing};
use crate::config::server_url::{Protocol, ServerUrl};
use crate::engine::discover::{self, Ways};

/// The server for reading, and that for sending if it was not named.
pub type Servers = (ServerUrl, Option<ServerUrl>);

/// Finds the servers of `address`.
///
/// # Errors
/// 64: they are not known, or of another domain and nobody said that they are right; what was answered is no server.
pub fn servers(address: &str, args: &AccountAdd, offline: bool) -> Result<Servers, Failure> {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let found = if offline { Found::default() } else { look(address, domain, args)? };
    if let Some(note) = &found.note {
        exit::say(note.as_str());
    }
    let Found { incoming, outgoing, .. } = found;
    let outgoing = if args.smtp.is_none() { Some(outgoing) } else { None };
    let (mut imap, mut smtp) = if prompt::somebody() {
        let imap = ask("Server for reading", Protocol::Imap, incoming, domain)?;
        let smtp = outgoing.map(|found| ask("Server for sending", Protocol::Smtp, found, domain)).transpose()?;
        (imap, smtp)
    } else {
        let hint = "Say them with --imap URL and --smtp URL";
        let unknown = || Failure::new(exit::USAGE, &format!("the servers of {domain} are not known"), hint);
        let no_way_out = || {
            let hint = "Say it with --smtp URL";
            Failure::new(exit::USAGE, &format!("the server of {domain} for sending is not known"), hint)
        };
        let imap = take(Protocol::Imap, incoming.ok_or_else(unknown)?, domain, args.yes)?;
        let smtp = match outgoing {
            Some(found) => Some(take(Protocol::Smtp, found.ok_or_else(no_way_out)?, domain, args.yes)?),
            None => None,
        };
        (imap, smtp)
    };
    // Who says a login name means that one.
    if args.user.is_some() {
        imap.user = None;
        smtp = smtp.map(|smtp| ServerUrl { user: None, ..smtp });
    }
    Ok((imap, smtp))
}

fn look(address: &str, domain: &str, args: &AccountAdd) -> Result<Found, Failure> {
    if prompt::somebody() {
        exit::say(&format!("looking for the servers of {domain}…"));
    }
    let stop = Cancel::new().map_err(|e| Failure::new(exit::TEMPORARY, &format!("nothing can be looked for ({e})"), ""))?;
    Ok(discover::address(address, &Ways::of_system(args.ca_file.as_deref()), &stop))
}

fn told(protocol: Protocol, found: &Offered, domain: &str) -> String {
    let what = if protocol == Protocol::Smtp { "sending" } else { "reading" };
    let whose = if found.standing() == Standing::Other { format!(", which is not of {domain}") } else { String::new() };
    format!("for {what} {} was found by {}{whose}", found.url(protocol), found.source().words())
}

/// Proposes it; an empty answer agrees.
fn ask(question: &str, protocol: Protocol, found: Option<Offered>, domain: &str) -> Result<ServerUrl, Failure> {
    let proposal = match &found {
        Some(found) => {
            exit::say(&told(protocol, found, domain));
            found.url(protocol)
        }
        None => format!("{0}s://{0}.{domain}", protocol.word()),
    };
    let answer = prompt::ask(question, &proposal)?;
    match found.filter(|_| answer == proposal).map(|found| found.accepted(protocol, Consent::Person)) {
        Some(Ok(url)) => Ok(url),
        _ => ServerUrl::parse(&answer, protocol).map_err(|(what, hint)| Failure::new(exit::USAGE, &what, &hint)),
    }
}

/// Takes it, if nobody has to be asked or `yes` was said.
fn take(protocol: Protocol, found: Offered, domain: &str, yes: bool) -> Result<ServerUrl, Failure> {
    let text = told(protocol, &found, domain);
    let url = found.accepted(protocol, if yes { Consent::Person } else { Consent::Nobody });
    let url = url.map_err(|_| {
        let hint = "If your provider says that it is right, say --yes, or name the servers with --imap URL and --smtp URL";
        Failure::new(exit::USAGE, &text, hint)
    })?;
    exit::say(&text);
    Ok(url)
}
