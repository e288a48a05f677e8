//! settings — what the person switched in the reader: it holds until it is switched back, also after a restart.
//! Owns: the table `setting`. May import: nothing.
//! Start reading at: `put`. What has no row is off.

use super::error::Result;
use super::open::{Db, State};
use super::writer::Tx;
use rusqlite::OptionalExtension;

/// A switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// The line costs money: nothing is fetched ahead of need.
    Metered,
}

impl Setting {
    const fn name(self) -> &'static str {
        match self {
            Self::Metered => "metered",
        }
    }
}

/// Switches one.
///
/// # Errors
/// As every transaction.
pub fn put(tx: &mut Tx<'_, State>, setting: Setting, on: bool) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
    tx.conn().prepare_cached(sql)?.execute((setting.name(), on))?;
    Ok(())
}

/// Whether one is on.
///
/// # Errors
/// As every question.
pub fn is_on(db: &Db<State>, setting: Setting) -> Result<bool> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let value: Option<bool> = db.conn().prepare_cached(sql)?.query_row([setting.name()], |r| r.get(0)).optional()?;
    Ok(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, tests::quiet};

    #[test]
    fn a_switch_stays_as_it_was_put() {
        let dir = tempfile::tempdir().unwrap();
        let is_on = |store: &Store| store.read_state(|db| is_on(db, Setting::Metered)).unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        assert!(!is_on(&store));
        store.state(|tx| put(tx, Setting::Metered, true)).unwrap();
        drop(store);
        let store = Store::open(dir.path(), quiet()).unwrap();
        assert!(is_on(&store));
        store.state(|tx| put(tx, Setting::Metered, false)).unwrap();
        assert!(!is_on(&store));
    }
}
