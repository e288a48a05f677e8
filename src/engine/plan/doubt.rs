//! doubt — most of a mailbox is said to be gone (security S-13).
//! Owns: what is believed at once, and what is hidden and kept until the next pass says the same.
//! May import: mail.
//! Start reading at: `expunged`.

use super::MailboxSync;
use super::step::Record;
use crate::mail::uid::UidSet;

impl MailboxSync {
    /// Messages that the server says are no more. Those that are only put in doubt: what is missed twice is gone, but a server that
    /// lost most of a mailbox may find it again.
    pub(super) fn expunged(&mut self, vanished: &UidSet) -> UidSet {
        let mut uids = vanished.difference(&self.doubted);
        if self.is_most(&uids) {
            self.known = self.known.difference(&uids);
            let uidvalidity = self.selected.uidvalidity;
            self.record(Record::Doubted { uidvalidity, uids: uids.clone(), doubted: true });
        } else {
            uids = UidSet::new();
        }
        let sure = vanished.difference(&uids);
        if !sure.is_empty() {
            self.gone(&sure);
            self.moot(|uids| uids.difference(&sure).is_empty());
        }
        uids
    }

    /// Whether so many of the messages that are shown are doubtful.
    pub(super) fn is_most(&self, vanished: &UidSet) -> bool {
        let shown = self.known.difference(&self.doubted).len();
        vanished.len() > self.fetch.policy.doubtful && vanished.len() * 2 > shown
    }

    /// What was in doubt and is there all the same is shown again, with flags that have to be asked for.
    pub(super) fn back(&mut self, there: &UidSet) {
        let uids = std::mem::take(&mut self.doubted).intersection(there);
        if !uids.is_empty() {
            self.fetch.flags = self.fetch.flags.union(&uids);
            self.record(Record::Doubted { uidvalidity: self.selected.uidvalidity, uids, doubted: false });
        }
    }
}
