//! sight — rows that the person looks at and that have no first words yet, where a server tells them (PREVIEW, RFC 8970).
//! Owns: `Sight`. May import: mail, base.
//! Start reading at: `Sight::look`. Where nobody can be asked a look costs nothing; no row wakes its account twice.

use crate::base::waker::Waker;
use crate::mail::ids::{AccountName, MailboxId, MessageKey};
use crate::mail::row::MessageRow;
use crate::mail::uid::Uid;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most rows that are remembered as asked for; beyond them it begins anew.
const MAX_ASKED: usize = 50_000;

/// A mailbox, and the first of the rows in it, by its place in the list; what follows is older.
pub type Place = (MailboxId, i64);

#[derive(Debug, Default)]
struct State {
    bells: BTreeMap<AccountName, Waker>,
    wanted: BTreeMap<AccountName, Place>,
    asked: HashSet<MessageKey>,
    /// Those that woke their account: whatever comes of it, they do not again.
    woke: HashSet<MessageKey>,
}

/// Where the person looks.
#[derive(Debug, Default)]
pub struct Sight(Mutex<State>);

impl Sight {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `account` is woken by `bell` when such rows are looked at; by none: its server is not asked.
    pub fn serve(&self, account: &AccountName, bell: Option<&Waker>) {
        let mut state = self.lock();
        match bell {
            Some(_) if state.bells.contains_key(account) => {}
            Some(bell) => {
                state.bells.insert(account.clone(), bell.clone());
            }
            None => {
                state.bells.remove(account);
                state.wanted.remove(account);
            }
        }
    }

    /// These rows are shown. Never blocks.
    pub fn look(&self, rows: &[MessageRow]) {
        let mut state = self.lock();
        let State { bells, wanted, asked, woke } = &mut *state;
        if bells.is_empty() {
            return;
        }
        let lacks = |r: &&MessageRow| r.preview.is_empty() && !r.cached && r.uid.is_some();
        let (mut seen, mut woken) = (HashSet::new(), Vec::new());
        for row in rows.iter().filter(lacks).filter(|r| !asked.contains(&r.message) && !woke.contains(&r.message)) {
            let Some(bell) = bells.get(&row.account).filter(|_| seen.insert(&row.account)) else { continue };
            if wanted.get(&row.account).is_some_and(|(mailbox, top)| *mailbox == row.mailbox && *top >= row.sort) {
                // What is to be looked into already reaches down to it.
                continue;
            }
            wanted.insert(row.account.clone(), (row.mailbox, row.sort));
            woken.push(row.message);
            bell.ring();
        }
        remember(woke, woken.into_iter());
    }

    /// Where the person looked at last, if that was not looked into yet.
    #[must_use]
    pub fn take(&self, account: &AccountName) -> Option<Place> {
        self.lock().wanted.remove(account)
    }

    /// Leaves out what was asked for.
    pub fn leave_out_asked(&self, rows: &mut Vec<(Uid, MessageKey)>) {
        let state = self.lock();
        rows.retain(|(_, message)| !state.asked.contains(message));
    }

    /// These were asked for, whatever came of it.
    pub fn asked(&self, messages: impl Iterator<Item = MessageKey>) {
        remember(&mut self.lock().asked, messages);
    }
}

fn remember(known: &mut HashSet<MessageKey>, more: impl Iterator<Item = MessageKey>) {
    if known.len() >= MAX_ASKED {
        known.clear();
    }
    known.extend(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fixtures::message;

    fn row(account: &AccountName, n: i64, preview: &str) -> MessageRow {
        let account = account.clone();
        MessageRow { account, uid: Some(7), sort: n, preview: preview.to_owned(), cached: false, ..message(n) }
    }

    #[test]
    fn each_row_wakes_its_account_once() {
        let (sight, bell, name) = (Sight::default(), Waker::new().unwrap(), AccountName::new("a"));
        let mut rows = vec![row(&name, 9, "words"), row(&name, 8, ""), row(&name, 7, ""), row(&AccountName::new("b"), 6, "")];
        let place = |n: usize, rows: &[MessageRow]| Some((rows[n].mailbox, rows[n].sort));
        sight.look(&rows);
        assert!(!bell.take() && sight.take(&name).is_none(), "nobody can be asked");
        sight.serve(&name, Some(&bell));
        sight.look(&rows);
        assert!(bell.take());
        sight.look(&rows);
        assert!(!bell.take(), "it is under way");
        assert_eq!(sight.take(&name), place(1, &rows));
        sight.asked([rows[1].message, rows[2].message].into_iter());
        sight.look(&rows);
        assert!(!bell.take() && sight.take(&name).is_none(), "all were asked for");
        rows.push(row(&name, 5, ""));
        for woken in [true, false] {
            sight.look(&rows);
            assert_eq!((bell.take(), sight.take(&name).is_some()), (woken, woken), "whatever came of it");
        }
        sight.serve(&name, None);
        sight.look(&[row(&name, 4, "")]);
        assert!(!bell.take());
    }
}
