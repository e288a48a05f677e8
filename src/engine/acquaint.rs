//! acquaint — whom the person has to do with, learnt from mail as it is listed: so that addresses complete.
//! Owns: `people`, `note`. May import: store, config, mail.
//! Start reading at: `people`. Of mail that the person sent the recipients, even from before Postrider; of mail that comes in
//! the author. What was here before the first look tells nothing about today, and robots are nobody.

use super::shared::Shared;
use crate::mail::address::Address;
use crate::mail::envelope::Envelope;
use crate::mail::ids::AccountName;
use crate::mail::mailbox::Role as Purpose;
use crate::mail::server::EnvelopeSeen;
use crate::store;
use crate::store::contacts::{self, Role};

/// The people in messages that were just listed in a mailbox for `purpose`; `first` if it was never listed before.
#[must_use]
pub(super) fn people(purpose: Option<Purpose>, first: bool, rows: &[EnvelopeSeen]) -> Option<(Role, Vec<(Address, i64)>)> {
    let of = |pick: fn(Envelope) -> Vec<Address>| {
        let dated = |row: &EnvelopeSeen| {
            let received = row.received;
            pick(row.envelope.envelope()).into_iter().map(move |address| (address, received))
        };
        rows.iter().flat_map(dated).filter(|(address, _)| !robot(&address.addr)).collect::<Vec<_>>()
    };
    let (role, all) = match purpose {
        Some(Purpose::Sent) => (Role::Sent, of(|envelope| envelope.to.into_iter().chain(envelope.cc).collect())),
        Some(Purpose::Junk | Purpose::Trash | Purpose::Drafts) => return None,
        _ if first => return None,
        _ => (Role::Seen, of(|envelope| envelope.from.into_iter().take(1).collect())),
    };
    (!all.is_empty()).then_some((role, all))
}

/// Addresses to which nobody wants to write.
fn robot(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let bare: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    ["noreply", "donotreply", "mailerdaemon", "bounce"].iter().any(|word| bare.contains(word))
}

/// Remembers them; the person's own addresses are left out.
///
/// # Errors
/// The store's.
pub(super) fn note(shared: &Shared, account: &AccountName, role: Role, people: Vec<(Address, i64)>) -> store::Result<()> {
    let own = |address: &str| shared.account(account).is_some_and(|config| config.writes_as(address));
    let people: Vec<(Address, i64)> = people.into_iter().filter(|(address, _)| !own(&address.addr)).collect();
    if people.is_empty() {
        return Ok(());
    }
    shared
        .store
        .state(move |tx| people.iter().try_for_each(|(one, date)| contacts::note(tx, std::slice::from_ref(one), role, *date)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::envelope::Envelope;
    use crate::mail::fixtures;

    fn row(from: &str, to: &str) -> EnvelopeSeen {
        let envelope = Envelope { from: vec![Address::new("", from)], to: vec![Address::new("", to)], ..Envelope::default() };
        EnvelopeSeen { received: 7, size: 1, envelope: envelope.into(), ..fixtures::seen(1) }
    }

    #[test]
    fn recipients_of_what_was_sent_and_authors_of_what_comes() {
        let rows = [row("ann@x", "bob@x"), row("No-Reply@shop", "bob@x")];
        let names = |purpose, first| {
            people(purpose, first, &rows).map(|(role, all)| (role, all.into_iter().map(|(a, _)| a.addr).collect::<Vec<_>>()))
        };
        assert_eq!(names(Some(Purpose::Inbox), false), Some((Role::Seen, vec!["ann@x".to_owned()])), "robots are nobody");
        assert_eq!(names(Some(Purpose::Inbox), true), None);
        assert_eq!(names(Some(Purpose::Junk), false), None);
        assert_eq!(names(Some(Purpose::Sent), true), Some((Role::Sent, vec!["bob@x".to_owned(), "bob@x".to_owned()])));
    }
}
