//! post — sends the mails of one account that are due, over one connection.
//! Owns: `all`. May import: net, store, engine.
//! Start reading at: `all`, then `submit`. Each step is durable before the next one can be seen from outside: claimed, then
//! dialled; recorded, then the final dot.

use super::sender::Inner;
use super::state::{self, Event};
use crate::base::cancel::Cancel;
use crate::base::crash;
use crate::base::gate::Reason;
use crate::base::secret::Secret;
use crate::config::{AccountConfig, AccountKind, Server, Submission};
use crate::engine::api::{Fault, Remedy, Task, Unit};
use crate::engine::connect;
use crate::engine::fault::{Kind, Retry};
use crate::engine::{password, translate};
use crate::mail::ids::AccountName;
use crate::mail::outgoing::{OutboxState, Outgoing};
use crate::net::error::{NetError, NetErrorKind};
use crate::net::local;
use crate::net::smtp::{Mail, Smtp, SmtpError, Why};
use crate::store::outbox;
use std::fs::File;

/// Sends what is due for `account`, oldest first, until nothing is due any more.
///
/// # Errors
/// Our own files. What the server says is recorded with each mail.
pub(super) fn all(inner: &Inner, account: &AccountName) -> Result<(), Fault> {
    let mut line: Option<Smtp> = None;
    // One mail may be stopped and the others go on.
    let mut switch = branch(inner)?;
    // What keeps the rest of this account's mails from being tried one by one.
    let mut barrier: Option<Event> = None;
    while !inner.cancel.is_set() {
        let now = inner.shared.now();
        let is_due = |m: &Outgoing| m.mail.account == *account && state::due(m, now).is_some_and(|at| at <= now);
        let Some(mail) = inner.shared.store.read_state(outbox::list)?.into_iter().find(is_due) else { break };
        let Some(mail) = inner.happened(&mail, Event::Start)? else { continue };
        let event = match (&barrier, inner.shared.account(account)) {
            (Some(event), _) => event.clone(),
            (None, None) => Event::NeedsUser("the account is not configured any more".to_owned()),
            (None, Some(config)) => {
                let what = format!("sending “{}”", mail.mail.subject);
                let job = inner.shared.begin(Task::Send(mail.id), account, &what, Unit::Octets, Some(&switch));
                job.at(0, mail.mail.size);
                let event = submit(inner, config, &mail, &mut line, &switch);
                match event {
                    Some(event) => event,
                    // Quitting: the mail stays claimed, and the next start decides by how far it came.
                    None if inner.cancel.is_set() => break,
                    // The person stopped it.
                    None => {
                        (line, switch) = (None, branch(inner)?);
                        Event::NeedsUser(state::STOPPED.to_owned())
                    }
                }
            }
        };
        let stopped = matches!(&event, Event::NeedsUser(why) if why == state::STOPPED);
        if matches!(event, Event::Unreachable(_) | Event::NeedsUser(_)) && !stopped {
            barrier = Some(event.clone());
        }
        if let Some(now) = inner.happened(&mail, event)? {
            tell(inner, &now);
        }
    }
    if let Some(line) = line {
        line.quit();
    }
    Ok(())
}

fn branch(inner: &Inner) -> Result<Cancel, Fault> {
    inner.cancel.branch().map_err(|e| Fault::bug(&e.to_string()))
}

/// One attempt. Nothing if `switch` was thrown meanwhile, and the final dot is not out.
fn submit(inner: &Inner, config: &AccountConfig, mail: &Outgoing, line: &mut Option<Smtp>, switch: &Cancel) -> Option<Event> {
    let mut bytes = match inner.shared.spool.get(&mail.mail.spool) {
        Ok(file) => file,
        Err(e) => return Some(Event::No(format!("its bytes cannot be read: {}", translate::store(&e).what))),
    };
    match &config.smtp {
        Submission::None => Some(Event::NeedsUser("this account has no server for sending".to_owned())),
        Submission::Local => Some(deliver(inner, config, mail, &mut bytes)),
        Submission::Smtp(server) => {
            if line.is_none() {
                match open(inner, config, server, switch) {
                    Ok(opened) => *line = Some(opened),
                    Err(fault) if switch.is_set() || fault.kind == Kind::Cancelled => return None,
                    Err(fault) => return Some(refused_at_the_door(&fault)),
                }
            }
            let smtp = line.as_mut()?;
            let envelope = Mail { sender: &mail.mail.sender, recipients: &mail.mail.recipients };
            match smtp.send(envelope, &mut bytes, &mut || dot(inner, mail)) {
                Ok(_) => {
                    crash::step("accepted");
                    Some(Event::Accepted)
                }
                Err(error) => {
                    if matches!(error.why, Why::Net(_) | Why::Unknown | Why::Later(421)) {
                        *line = None;
                    }
                    // Cancelled after the dot is "unknown" all the same; the record says which.
                    if error.why == Why::Net(NetErrorKind::Cancelled) {
                        return None;
                    }
                    Some(outcome(&error, server, config))
                }
            }
        }
    }
}

/// Makes durable that the final dot follows.
fn dot(inner: &Inner, mail: &Outgoing) -> Result<(), NetError> {
    match inner.happened(mail, Event::Dot) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(NetError::cancelled()),
        Err(fault) => Err(NetError::new(NetErrorKind::Io(std::io::ErrorKind::Other), fault.what.as_str())),
    }
}

fn open(inner: &Inner, config: &AccountConfig, server: &Server, switch: &Cancel) -> Result<Smtp, Fault> {
    let shared = &inner.shared;
    let endpoint = connect::endpoint(config, server);
    let typed = shared.typed.get(&config.name);
    let secret = password::of(config, typed.as_ref(), switch)?;
    let open = |secret: &Secret| -> Result<_, Fault> {
        let permit = connect::permit(Reason::Submission)?;
        Ok(Smtp::open(permit, &endpoint, Some(&connect::login(config, server, secret)), switch))
    };
    let opened = match open(&secret)? {
        Err(e) if e.why == Why::Net(NetErrorKind::LoginRefused) && typed.is_none() => {
            password::another(config, &secret, &shared.typed, switch).map_or(Ok(Err(e)), |token| open(&token))?
        }
        opened => opened,
    };
    opened.map_err(|e| smtp_fault(&e, server, config))
}

/// A failure of submission as a fault.
pub(crate) fn smtp_fault(error: &SmtpError, server: &Server, config: &AccountConfig) -> Fault {
    match &error.why {
        Why::Net(kind) => connect::fault(&NetError { kind: kind.clone(), text: error.text.clone() }, server, config),
        Why::Later(_) => Fault::new(Kind::Busy, &error.to_string()).of(&config.name),
        Why::Never(_) | Why::Unfit | Why::Unknown => Fault::new(Kind::Refused, &error.to_string()).of(&config.name),
    }
}

fn refused_at_the_door(fault: &Fault) -> Event {
    let text = sentence(fault);
    match fault.retry {
        Retry::NeedsUser => Event::NeedsUser(text),
        // Nobody took the mail, so it is none of its faults.
        _ => Event::Unreachable(text),
    }
}

fn sentence(fault: &Fault) -> String {
    match fault.causes.first() {
        Some(cause) => format!("{}: {cause}", fault.what),
        None => fault.what.as_str().to_owned(),
    }
}

fn outcome(error: &SmtpError, server: &Server, config: &AccountConfig) -> Event {
    match &error.why {
        Why::Net(_) => refused_at_the_door(&smtp_fault(error, server, config)),
        Why::Later(_) => Event::Later(error.to_string()),
        Why::Never(_) | Why::Unfit => Event::No(error.to_string()),
        Why::Unknown => Event::Lost,
    }
}

/// Puts the mail into the account's own inbox (decisions 24).
fn deliver(inner: &Inner, config: &AccountConfig, mail: &Outgoing, bytes: &mut File) -> Event {
    let AccountKind::Maildir(root) = &config.kind else {
        return Event::NeedsUser("local = true is for accounts on this machine".to_owned());
    };
    if let Err(e) = dot(inner, mail) {
        return Event::Unreachable(e.to_string());
    }
    match local::deliver(root, bytes) {
        Ok(()) => Event::Accepted,
        // It says that nothing was delivered then.
        Err(e) => Event::Later(e.to_string()),
    }
}

/// Tells the person what waits for them.
fn tell(inner: &Inner, mail: &Outgoing) {
    let (kind, what) = match mail.state {
        OutboxState::Refused => (Kind::Refused, "was not sent"),
        OutboxState::NeedsUser if mail.fault == state::STOPPED => return,
        OutboxState::NeedsUser => (Kind::Login, "cannot be sent"),
        OutboxState::Unknown => (Kind::Unreachable, "may have been sent"),
        _ => return,
    };
    let subject = if mail.mail.subject.is_empty() { "a mail without a subject" } else { &mail.mail.subject };
    let fault = Fault::new(kind, &format!("“{subject}” {what}: {}", mail.fault)).retrying(Retry::NeedsUser);
    inner.shared.fault(fault.remedied(Remedy::OpenOutbox(mail.id)).of(&mail.mail.account));
}
