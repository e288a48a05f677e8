//! it — what speaks to servers, against a real Dovecot and a real Postfix.
//! Start reading at: `store.rs`, one suite for every kind of mail store.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../mailhost/mod.rs"]
mod mailhost;
#[path = "../day/screen.rs"]
mod screen;

mod accounts;
mod asked;
mod auth;
mod crumbs;
mod cuts;
mod details;
mod drafts;
mod extensions;
mod extras;
mod faults;
mod forward;
mod jobs;
mod limits;
mod line;
mod live;
mod model;
mod notify;
mod others;
mod parts;
mod person;
mod rare;
mod reach;
mod reader;
mod renamed;
mod rounds;
mod shared;
mod smtp;
mod soak;
mod start;
mod store;
mod suspend;
mod table;
mod thin;
mod tls;
mod tree;
mod verbs;
mod wake;
mod watch;

use mailhost::{At, PASSWORD, host};
use postrider::base::cancel::Cancel;
use postrider::base::gate::{Permit, Reason};
use postrider::base::secret::Secret;
use postrider::base::waker::Waker;
use postrider::config::AuthPolicy;
use postrider::net::error::Result;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Endpoint, Login, TlsMode};
use postrider::net::smtp::{Smtp, SmtpError};

/// What can wake or stop a connection.
#[derive(Clone, Debug)]
struct Strings {
    waker: Waker,
    cancel: Cancel,
}

impl Strings {
    fn new() -> Self {
        Self { waker: Waker::new().unwrap(), cancel: Cancel::new().unwrap() }
    }
}

/// Logs in.
fn imap_to(endpoint: &Endpoint, user: &str, password: &str, strings: &Strings) -> Result<ImapStore> {
    imap_without(endpoint, user, password, strings, &[])
}

/// Logs in, with words of CAPABILITY taken for not said.
fn imap_without(endpoint: &Endpoint, user: &str, password: &str, strings: &Strings, without: &[&str]) -> Result<ImapStore> {
    imap_by(endpoint, user, password, strings, without, &AuthPolicy::default())
}

/// The same by certain ways of logging in.
fn imap_by(
    endpoint: &Endpoint,
    user: &str,
    password: &str,
    strings: &Strings,
    without: &[&str],
    auth: &AuthPolicy,
) -> Result<ImapStore> {
    let permit = Permit::ask(Reason::MailServer).unwrap();
    let without: Vec<String> = without.iter().map(|w| (*w).to_owned()).collect();
    let secret = Secret::new(password.to_owned());
    let login = Login { user, secret: &secret, without: &without, auth };
    ImapStore::open(permit, endpoint, &login, &strings.waker, &strings.cancel)
}

/// Logs in at the good server.
fn imap(user: &str, strings: &Strings) -> ImapStore {
    imap_to(&host().imap_at(At::Good, TlsMode::Implicit), user, PASSWORD, strings).unwrap()
}

/// Logs in at a submission server.
fn smtp_to(endpoint: &Endpoint, user: &str, password: &str) -> std::result::Result<Smtp, SmtpError> {
    smtp_by(endpoint, user, password, &AuthPolicy::default())
}

/// The same by certain ways of logging in.
fn smtp_by(endpoint: &Endpoint, user: &str, password: &str, auth: &AuthPolicy) -> std::result::Result<Smtp, SmtpError> {
    let secret = Secret::new(password.to_owned());
    let login = Login { user, secret: &secret, without: &[], auth };
    Smtp::open(Permit::ask(Reason::Submission).unwrap(), endpoint, Some(&login), &Cancel::new().unwrap())
}
