//! it — what speaks to servers, against a real Dovecot and a real Postfix.
//! Start reading at: `store.rs`, one suite for every kind of mail store.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../mailhost/mod.rs"]
mod mailhost;

mod accounts;
mod drafts;
mod extensions;
mod faults;
mod jobs;
mod limits;
mod line;
mod live;
mod model;
mod notify;
mod parts;
mod person;
mod rounds;
mod smtp;
mod soak;
mod start;
mod store;
mod tls;
mod verbs;
mod wake;
mod watch;

use mailhost::{At, PASSWORD, host};
use postrider::base::cancel::Cancel;
use postrider::base::gate::{Permit, Reason};
use postrider::base::secret::Secret;
use postrider::base::waker::Waker;
use postrider::net::error::Result;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Endpoint, Login, TlsMode};

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
    let permit = Permit::ask(Reason::MailServer).unwrap();
    let without: Vec<String> = without.iter().map(|w| (*w).to_owned()).collect();
    let secret = Secret::new(password.to_owned());
    let login = Login { user, secret: &secret, without: &without };
    ImapStore::open(permit, endpoint, &login, &strings.waker, &strings.cancel)
}

/// Logs in at the good server.
fn imap(user: &str, strings: &Strings) -> ImapStore {
    imap_to(&host().imap_at(At::Good, TlsMode::Implicit), user, PASSWORD, strings).unwrap()
}
