//! keywords — flags as two columns: system bits, and keywords as words between blanks.
//! Owns: that encoding, the list of known keywords. May import: mail.
//! Start reading at: `flags`. A keyword is an IMAP atom, so it holds no blank; ` word ` is found in ` a word b `.

use super::error::Result;
use super::open::{Cache, Db};
use crate::mail::flags::{Flags, Keyword};
use crate::mail::ids::AccountName;
use std::collections::BTreeSet;

/// The columns of `flags`: bits, and ` word word ` or nothing.
pub(super) fn columns(flags: &Flags) -> (u8, String) {
    let mut words = String::new();
    for keyword in flags.keywords() {
        if words.is_empty() {
            words.push(' ');
        }
        words.push_str(keyword.as_str());
        words.push(' ');
    }
    (flags.bits(), words)
}

/// The flags of two columns.
pub(super) fn flags(bits: u8, words: &str) -> Flags {
    let mut flags = Flags::from_bits(bits);
    for keyword in words.split(' ').filter_map(Keyword::new) {
        flags.insert_keyword(keyword);
    }
    flags
}

/// The keywords in use, for completion; looks at the newest few thousand messages that have any.
///
/// # Errors
/// As every question.
pub fn known(db: &Db<Cache>, account: &AccountName) -> Result<Vec<Keyword>> {
    let sql = "SELECT DISTINCT words FROM (SELECT p.words FROM placement p INDEXED BY placement_words CROSS JOIN mailbox b
                 ON b.id = p.mailbox
               WHERE p.hidden = 0 AND p.words <> '' AND b.account = ?1 ORDER BY p.sort DESC LIMIT 5000)";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut rows = statement.query([account.as_str()])?;
    let mut known = BTreeSet::new();
    while let Some(row) = rows.next()? {
        known.extend(row.get_ref(0)?.as_str().unwrap_or_default().split(' ').filter_map(Keyword::new));
    }
    Ok(known.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back() {
        let set = Flags::from_words(["\\Seen", "$Forwarded", "work", "%", "a b"]);
        let (bits, words) = columns(&set);
        assert_eq!(words, " $Forwarded work ");
        assert_eq!(flags(bits, &words), set);
        assert_eq!(columns(&Flags::new()), (0, String::new()));
    }
}
