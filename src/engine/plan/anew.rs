//! anew — a mailbox that counts from a lower number on than it did: another one that has the name now and is numbered alike, or a server
//! that forgot how far it was. What is here under a number may be another message there.
//! Owns: whether it is so, which of our rows are still those messages.
//! May import: mail.
//! Start reading at: `MailboxSync::counts_anew`. Under one UIDVALIDITY numbers only grow (RFC 9051, 2.3.1.1), so this never is where
//! all is well; and a server whose numbers are above what it says is next only says it wrongly (security S-08).

use super::MailboxSync;
use crate::mail::server::{Fingerprint, IdentitySeen};
use crate::mail::uid::{ModSeq, Uid, UidSet};
use std::collections::HashMap;

impl MailboxSync {
    /// Whether the server says that it gives numbers which it has given already.
    pub(super) fn counts_anew(&self) -> bool {
        let (then, now) = (self.base.uidnext, self.selected.uidnext);
        let same = self.base.uidvalidity == self.selected.uidvalidity;
        same && now > 0 && now < then && !self.known.is_empty()
    }

    /// Whether that can be so, as far as the numbers that are `there` tell.
    pub(super) fn may_count_anew(&self, there: &UidSet) -> bool {
        self.counts_anew() && there.bounds().is_none_or(|(_, high)| high < self.selected.uidnext)
    }

    /// Of what is `here`, only what is the same message `there` stays; the others are read as new ones. Nothing that was known of the
    /// mailbox before counts any more.
    pub(super) fn keep_the_same(&mut self, there: &[IdentitySeen], here: &[IdentitySeen]) {
        let of: HashMap<Uid, &Fingerprint> = there.iter().map(|seen| (seen.uid, &seen.print)).collect();
        let same = |seen: &&IdentitySeen| of.get(&seen.uid).is_some_and(|print| is_same(&seen.print, print));
        let same: UidSet = here.iter().filter(same).map(|seen| seen.uid).collect();
        let others = self.known.difference(&same);
        if !others.is_empty() {
            self.gone(&others);
        }
        self.doubted = self.doubted.intersection(&same);
        self.base.highestmodseq = ModSeq(0);
    }
}

/// Whether two of one number are the same message. One without a name is, if all else is the same.
fn is_same(a: &Fingerprint, b: &Fingerprint) -> bool {
    let named = !a.object_id.is_empty() && !b.object_id.is_empty();
    let alike = || a.message_id == b.message_id && a.size == b.size && a.received == b.received;
    if named { a.object_id == b.object_id } else { alike() }
}
