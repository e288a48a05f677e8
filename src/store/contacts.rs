//! contacts — the address history, for completion.
//! Owns: the table `contact`; it lies in the state, because no server can give it again. May import: mail.
//! Start reading at: `complete`.

use super::change::Topic;
use super::error::Result;
use super::open::{Db, State};
use super::writer::Tx;
use crate::mail::address::Address;

/// How a mail had to do with an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The person wrote to it.
    Sent,
    /// It wrote to the person.
    Seen,
}

/// How much more a mail to somebody says than one from them.
const SENT_WEIGHT: i64 = 20;

/// Notes addresses of one mail of that date (seconds since 1970). A name that the person's own mails used stays.
///
/// # Errors
/// As every transaction.
pub fn note(tx: &mut Tx<'_, State>, addresses: &[Address], role: Role, date: i64) -> Result<()> {
    let (sent, seen) = if role == Role::Sent { (1, 0) } else { (0, 1) };
    let sql = "INSERT INTO contact (address, name, sent, seen, last) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT DO UPDATE SET sent = sent + excluded.sent, seen = seen + excluded.seen,
                 last = max(last, excluded.last),
                 name = iif(excluded.name <> '' AND (name = '' OR sent = 0 OR excluded.sent > 0), excluded.name, name)";
    let mut statement = tx.conn().prepare_cached(sql)?;
    for address in addresses.iter().filter(|a| a.addr.contains('@')) {
        statement.execute((&address.addr, &address.name, sent, seen, date))?;
    }
    drop(statement);
    tx.note(Topic::Contacts);
    Ok(())
}

/// Addresses of which the address, its domain or a word of the name begins with `prefix`, the most used first, with weights.
///
/// # Errors
/// As every question.
pub fn complete(db: &Db<State>, prefix: &str, limit: u32) -> Result<Vec<(Address, i64)>> {
    // instr, not LIKE: `%` and `_` in what was typed are themselves (security K-08).
    let sql = format!(
        "SELECT address, name, sent * {SENT_WEIGHT} + seen AS weight FROM contact
         WHERE instr(' ' || lower(name) || ' ' || lower(replace(address, '@', ' @ ')), ' ' || ?1) > 0
            OR instr(lower(address), ?1) = 1
         ORDER BY sent > 0 DESC, weight DESC, last DESC, address LIMIT ?2"
    );
    let mut statement = db.conn().prepare_cached(&sql)?;
    let rows = statement
        .query_map((prefix.trim().to_lowercase(), limit), |r| Ok((Address { addr: r.get(0)?, name: r.get(1)? }, r.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, tests::quiet};

    #[test]
    fn whom_one_writes_to_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let ann = Address::new("Ann Smith", "ann@example.org");
        let list = Address::new("Annoying List", "list@ann.example");
        let odd = Address::new("100% _", "odd@x.example");
        store
            .state(move |tx| {
                (0..5).try_for_each(|_| note(tx, &[list.clone(), odd.clone()], Role::Seen, 9))?;
                note(tx, std::slice::from_ref(&ann), Role::Sent, 5)?;
                note(tx, &[Address::new("ANN (via list)", "Ann@example.org"), Address::new("", "broken")], Role::Seen, 6)
            })
            .unwrap();
        let names = |prefix: &str| -> Vec<String> {
            store.read_state(|db| complete(db, prefix, 9)).unwrap().into_iter().map(|(a, _)| a.name).collect()
        };
        assert_eq!(names("ANN"), ["Ann Smith", "Annoying List"]);
        assert_eq!(names("smi"), ["Ann Smith"]);
        assert_eq!(names("example"), ["Ann Smith"]);
        assert_eq!(names("%"), Vec::<String>::new());
        assert_eq!(names("_"), ["100% _"]);
    }
}
