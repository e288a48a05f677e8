//! crew — the accounts and the sender at work, as the desk calls on them.
//! Owns: `Hand`, `Crew`. May import: store, mail, and the engine's own.
//! Start reading at: `Crew`. Calls never block; an account that is not here (`--offline`, another process holds the
//! profile) is simply not called: what was written down is done when somebody works on it again.

use super::account::{Account, Bell};
use super::api::{Done, Fault, Password, Piece, Task};
use super::jolt::Jolt;
use super::outbox::Sender;
use super::setup::Errand;
use super::shared::Shared;
use super::wished::Wish;
use crate::base::cancel::Cancel;
use crate::config::AccountConfig;
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::query::Query;
use crate::store::{StoreErrorKind, mailboxes, placements};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// One account at work. No call blocks.
pub trait Hand: Send {
    /// Whose.
    fn name(&self) -> &AccountName;
    /// The journal has new operations.
    fn intents(&self);
    /// The person looks at this mailbox.
    fn opened(&self, mailbox: MailboxId);
    /// Look at the server now, all mailboxes; forget pauses.
    fn refresh(&self);
    /// Get this body before everything else.
    fn fetch(&self, wish: Wish);
    /// Log in with this from now on.
    fn password(&self, password: Password);
    /// Get the rows of this message's conversation, where its mailbox is not all here.
    fn kin(&self, message: PlacementKey);
    /// Ask the server for what a search looks for.
    fn ask(&self, query: &Query, serial: u64, stop: &Cancel);
}

/// Sends what is in the outbox. No call blocks.
pub trait Post: Send {
    /// The outbox changed, or what stood in the way of sending may be gone.
    fn outgoing(&self);
}

/// All that work.
#[derive(Default)]
pub struct Crew {
    /// In the order of the configuration.
    pub accounts: Vec<Box<dyn Hand>>,
    /// One for all accounts.
    pub sender: Option<Box<dyn Post>>,
    /// Hears of the world outside.
    pub jolt: Option<Jolt>,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.accounts.iter().map(|a| a.name())).finish()
    }
}

/// Notes that somebody waits for something of a message. Whose it is, and the wish.
///
/// # Errors
/// `Missing` where there is no such message.
pub(super) fn wanted(shared: &Shared, placement: PlacementKey, piece: &Piece) -> Result<(AccountName, Wish), Fault> {
    let found = shared.store.read(|db| {
        let place = placements::get(db, placement)?;
        Ok((place.message, mailboxes::get(db, place.mailbox)?.account))
    });
    let (message, account) = found.map_err(|e| match e.kind {
        StoreErrorKind::Missing => Fault::missing("this message is not here any more"),
        _ => e.into(),
    })?;
    let stopped = shared.jobs.forget(&Task::Piece(message, piece.clone()));
    if shared.awaited.ask(message, piece, &account, stopped) {
        shared.text_changed(message);
    }
    Ok((account, Wish { message, place: placement, piece: piece.clone() }))
}

/// Whether all rows of a message's mailbox are here; also where that cannot be told.
fn whole(shared: &Shared, message: PlacementKey) -> bool {
    let row = shared.store.read(|db| mailboxes::get(db, placements::get(db, message)?.mailbox));
    row.is_ok_and(|row| row.synced_at > 0)
}

impl Crew {
    /// Lets all accounts of the configuration begin, or the one that an errand is about.
    ///
    /// # Errors
    /// No threads or file descriptors left.
    pub fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let start = |config: &AccountConfig| Account::start(config.clone(), Arc::clone(shared));
        let only = match &shared.errand {
            Some(Errand::Fetch(only)) => Some(only),
            Some(Errand::Tell) | None => None,
        };
        let works = |config: &&AccountConfig| only.is_none_or(|only| *only == config.name);
        let accounts = shared.config.accounts.iter().filter(works).map(start).collect::<io::Result<Vec<_>>>()?;
        let hand = |account| -> Box<dyn Hand> { Box::new(account) };
        if only.is_some() {
            // What is to be sent is sent by somebody who stays.
            return Ok(Self { accounts: accounts.into_iter().map(hand).collect(), ..Self::default() });
        }
        let bells: Vec<_> = accounts.iter().map(Account::bell).collect();
        let filed = move |name: &AccountName| bells.iter().filter(|bell| bell.account() == name).for_each(Bell::intents);
        let sender = Sender::start(Arc::clone(shared), filed)?;
        let (bells, post) = (accounts.iter().map(Account::bell).collect::<Vec<_>>(), sender.bell());
        let jolt = Jolt::start(move |kind| {
            for bell in &bells {
                bell.jolted(kind);
            }
            post.ring();
        })?;
        Ok(Self { accounts: accounts.into_iter().map(hand).collect(), sender: Some(Box::new(sender)), jolt: Some(jolt) })
    }

    fn call(&self, account: &AccountName, what: impl FnOnce(&dyn Hand)) {
        if let Some(hand) = self.accounts.iter().find(|a| a.name() == account) {
            what(hand.as_ref());
        }
    }

    /// Whether anybody of them would fetch anything.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// These accounts have new operations to push.
    pub fn intents(&self, accounts: &BTreeSet<AccountName>) {
        accounts.iter().for_each(|account| self.call(account, |hand| hand.intents()));
    }

    /// Another process wrote something into the state.
    pub fn wake(&self) {
        self.accounts.iter().for_each(|hand| hand.intents());
        self.outgoing();
    }

    /// One account, or all, are to look at their servers now.
    pub fn refresh(&self, account: Option<&AccountName>) {
        self.accounts.iter().filter(|hand| account.is_none_or(|a| hand.name() == a)).for_each(|hand| hand.refresh());
        self.outgoing();
    }

    /// The person looks at a mailbox.
    ///
    /// # Errors
    /// `Missing` where there is no such mailbox.
    pub fn opened(&self, shared: &Shared, mailbox: MailboxId) -> Result<Done, Fault> {
        let row = shared.store.read(|db| mailboxes::get(db, mailbox));
        let row = row.map_err(|e| match e.kind {
            StoreErrorKind::Missing => Fault::missing("there is no such mailbox any more"),
            _ => e.into(),
        })?;
        self.call(&row.account, |hand| hand.opened(mailbox));
        Ok(Done::default())
    }

    /// The person waits for something of a message.
    ///
    /// # Errors
    /// `Missing` where there is no such message.
    pub fn fetch(&self, shared: &Shared, message: PlacementKey, piece: &Piece) -> Result<Done, Fault> {
        let (account, wish) = wanted(shared, message, piece)?;
        self.call(&account, |hand| {
            hand.fetch(wish);
            if *piece == Piece::Text && !whole(shared, message) {
                hand.kin(message);
            }
        });
        Ok(Done::default())
    }

    /// Ask the server of an account for what a search looks for.
    pub fn ask(&self, account: &AccountName, query: &Query, serial: u64, stop: &Cancel) {
        self.call(account, |hand| hand.ask(query, serial, stop));
    }

    /// The person entered a password: both ways, reading and sending, may work now.
    pub fn password(&self, account: &AccountName, password: Password) {
        self.call(account, |hand| hand.password(password));
        self.outgoing();
    }

    /// The outbox changed.
    pub fn outgoing(&self) {
        if let Some(sender) = &self.sender {
            sender.outgoing();
        }
    }
}
