//! connect — from an account's configuration to a connection that is logged in.
//! Owns: `open`, `endpoint`, `login`, `fault`, `host`. May import: net, store, config.
//! Start reading at: `open`. The password is asked for anew each time (see `password.rs`).

use super::api::{Fault, Remedy};
use super::offline;
use super::password;
use super::shared::Shared;
use super::translate;
use crate::base::cancel::Cancel;
use crate::base::gate::{Permit, Reason};
use crate::base::log;
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use crate::base::spawn::guarded;
use crate::base::waker::Waker;
use crate::config::{AccountConfig, AccountKind, Server, Tls};
use crate::mail::mailbox::MailboxPath;
use crate::net::error::{NetError, NetErrorKind};
use crate::net::imap::ImapStore;
use crate::net::local::LocalStore;
use crate::net::session::{Endpoint, Login, MailStore, TlsMode};
use crate::net::tls;
use crate::store::{base, mailboxes};

/// What a person calls the other side: the server's name, or the folder.
#[must_use]
pub fn host(config: &AccountConfig) -> String {
    match &config.kind {
        AccountKind::Imap(imap) => imap.server.host.clone(),
        AccountKind::Maildir(dir) => dir.display().to_string(),
    }
}

/// Where `server` is and whom to believe that it is it.
#[must_use]
pub fn endpoint(config: &AccountConfig, server: &Server) -> Endpoint {
    let tls = match server.tls {
        Tls::Implicit => TlsMode::Implicit,
        Tls::StartTls => TlsMode::StartTls,
        Tls::None => TlsMode::None,
    };
    let fingerprint = server.fingerprint.map(|pin| pin.iter().map(|b| format!("{b:02x}")).collect());
    Endpoint {
        host: server.host.clone(),
        port: server.port,
        tls,
        ca_file: config.ca_file.clone(),
        fingerprint,
        client_cert: config.client_cert.clone(),
    }
}

/// Who logs in at `server`, and how.
#[must_use]
pub fn login<'a>(config: &'a AccountConfig, server: &'a Server, secret: &'a Secret) -> Login<'a> {
    Login { user: &server.user, secret, without: &config.without, auth: &config.auth }
}

/// Why `server` could not be used, in words that fit how the account logs in.
#[must_use]
pub fn fault(error: &NetError, server: &Server, config: &AccountConfig) -> Fault {
    let fault = translate::net(error, &server.host, &config.name);
    if error.kind != NetErrorKind::LoginRefused {
        return fault;
    }
    if config.auth.wants_token() {
        return Fault { what: SafeText::line_max(&format!("{} refused the login name or the token", server.host), 400), ..fault };
    }
    if config.auth.wants_secret() {
        return fault;
    }
    // No password would help.
    let what = SafeText::line_max(&format!("{} lets nobody in by this account's certificate", server.host), 400);
    Fault { what, remedy: Some(Remedy::EditAccount(config.name.clone())), ..fault }
}

/// Reads whom to believe, for connections that are about to be opened: that takes as long as all else of one. What fails here
/// is met again, and told, by whoever connects.
pub fn prepare<'a>(accounts: impl Iterator<Item = &'a AccountConfig>) {
    for config in accounts {
        if let AccountKind::Imap(imap) = &config.kind
            && imap.server.tls != Tls::None
        {
            let endpoint = endpoint(config, &imap.server);
            if let Ok(Err(e)) = guarded(|| tls::prepare(&endpoint)) {
                log::info("net", format_args!("{e}"));
            }
        }
    }
}

/// Opens a connection for `config`; `waker` ends its IDLE, `cancel` everything.
///
/// # Errors
/// With what the person can do about it.
pub fn open(shared: &Shared, config: &AccountConfig, waker: &Waker, cancel: &Cancel) -> Result<Box<dyn MailStore>, Fault> {
    open_for(shared, config, false, waker, cancel)
}

/// Whether nothing of the account's inbox was ever read: then all of it is about to be.
#[must_use]
pub fn is_first(shared: &Shared, config: &AccountConfig) -> bool {
    let base = shared.store.read(|db| match mailboxes::find(db, &config.name, &MailboxPath::inbox())? {
        Some(inbox) => Ok(base::load(db, inbox)?.uidnext),
        None => Ok(0),
    });
    // Whoever cannot read it finds that out elsewhere.
    base.is_ok_and(|uidnext| uidnext == 0)
}

/// The same; `much` if very much is about to be read, and the line costs nothing.
///
/// # Errors
/// As [`open`].
pub fn open_for(
    shared: &Shared,
    config: &AccountConfig,
    much: bool,
    waker: &Waker,
    cancel: &Cancel,
) -> Result<Box<dyn MailStore>, Fault> {
    match &config.kind {
        AccountKind::Imap(imap) => {
            let endpoint = endpoint(config, &imap.server);
            let name = &config.name;
            let typed = shared.typed.get(name);
            let secret = password::of(config, typed.as_ref(), cancel)?;
            let much = much && !offline::is_metered(shared, config);
            let open = if much { ImapStore::open_to_read_much } else { ImapStore::open };
            let open = |secret: &Secret| -> Result<_, Fault> {
                Ok(open(permit(Reason::MailServer)?, &endpoint, &login(config, &imap.server, secret), waker, cancel))
            };
            let opened = match open(&secret)? {
                Err(e) if e.kind == NetErrorKind::LoginRefused && typed.is_none() => {
                    password::another(config, &secret, &shared.typed, cancel).map_or(Ok(Err(e)), |token| open(&token))?
                }
                opened => opened,
            };
            let mut store = opened.map_err(|e| {
                if e.kind == NetErrorKind::LoginRefused {
                    shared.typed.forget(name);
                }
                fault(&e, &imap.server, config)
            })?;
            store.ask_after(shared.pace.quiet);
            Ok(Box::new(store))
        }
        AccountKind::Maildir(dir) => {
            let opened = LocalStore::open(dir, waker, cancel);
            Ok(Box::new(opened.map_err(|e| translate::net(&e, &host(config), &config.name))?))
        }
    }
}

/// Leave to go outside.
///
/// # Errors
/// A mistake of ours: a mail is being read on this thread.
pub fn permit(reason: Reason) -> Result<Permit, Fault> {
    Permit::ask(reason).map_err(|e| Fault::bug(&e.to_string()))
}
