//! identity — who the person is in an account, and which of these names a reply carries.
//! Owns: `Identity`, `choose`, `is_own`.
//! May import: base.
//! Start reading at: `choose`. A reply goes out from the address that received the mail (security O-10): a private
//! address must not leak because it happens to be the account's first.

use super::address::Address;
use super::envelope::Envelope;

/// One name under which the person writes.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// What stands in `From`.
    pub address: Address,
    /// The text below `-- `, without that line; "" for none.
    pub signature: String,
}

/// Whether `address` is one of the person's, directly or with a tag (`me+shop@…` belongs to `me@…`, RFC 5233).
#[must_use]
pub fn is_own(identities: &[Identity], address: &Address) -> bool {
    find(identities, address).is_some()
}

/// The identity that `envelope` was addressed to, and under which a reply is written: the index of the first one named in
/// `To`, then `Cc`, `Bcc`, then `delivered` (`Delivered-To`, `X-Original-To`: the only trace in a mail that came by Bcc or
/// by a list). A mail that the person wrote keeps its author. Else 0, the account's first.
#[must_use]
pub fn choose(identities: &[Identity], envelope: &Envelope, delivered: &[Address]) -> usize {
    [&envelope.from, &envelope.to, &envelope.cc, &envelope.bcc]
        .into_iter()
        .flatten()
        .chain(delivered)
        .find_map(|a| find(identities, a))
        .unwrap_or(0)
}

fn find(identities: &[Identity], address: &Address) -> Option<usize> {
    let exact = identities.iter().position(|i| i.address.same(address));
    exact.or_else(|| {
        let bare = untagged(&address.addr)?;
        identities.iter().position(|i| i.address.addr.eq_ignore_ascii_case(&bare))
    })
}

/// `me+shop@example.org` as `me@example.org`; nothing without a tag.
fn untagged(addr: &str) -> Option<String> {
    let (local, domain) = addr.rsplit_once('@')?;
    let (user, _) = local.split_once('+')?;
    (!user.is_empty()).then(|| format!("{user}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(addr: &str) -> Address {
        Address::new("", addr)
    }

    fn ids() -> Vec<Identity> {
        ["dana@example.org", "dana@work.example", "D.Roth@Uni.Example"]
            .into_iter()
            .map(|a| Identity { address: who(a), signature: String::new() })
            .collect()
    }

    #[test]
    fn the_address_that_received_the_mail_answers() {
        let mut mail = Envelope { to: vec![who("x@y.example"), who("DANA@work.example")], ..Envelope::default() };
        assert_eq!(choose(&ids(), &mail, &[]), 1);
        mail.to.truncate(1);
        assert_eq!(choose(&ids(), &mail, &[]), 0);
        mail.cc = vec![who("d.roth+list@uni.example")];
        assert_eq!(choose(&ids(), &mail, &[]), 2);
        mail.cc.clear();
        assert_eq!(choose(&ids(), &mail, &[who("dana@work.example")]), 1);
        mail.from = vec![who("d.roth@uni.example")];
        assert_eq!(choose(&ids(), &mail, &[who("dana@work.example")]), 2);
        assert_eq!(choose(&[], &mail, &[]), 0);
    }

    #[test]
    fn a_tag_alone_is_nobody() {
        assert!(is_own(&ids(), &who("dana+shop@example.org")));
        assert!(!is_own(&ids(), &who("+shop@example.org")));
        assert!(!is_own(&ids(), &who("dana@example.org.evil.example")));
        assert!(!is_own(&ids(), &who("")));
    }
}
