//! people — who stands in the mail that is here, for completion beside the address history.
//! Owns: nothing; it reads. May import: mail.
//! Start reading at: `seen`. The index finds the newest mails that name somebody of that beginning; nothing is counted ahead.

use super::error::Result;
use super::open::{Cache, Db};
use crate::mail::address::Address;
use crate::mail::packed;
use crate::mail::words::words;

/// How many of the newest mails are looked at.
const NEWEST: u32 = 300;
/// Addresses that nobody reads.
const NOBODY: [&str; 6] = ["noreply", "no-reply", "donotreply", "do-not-reply", "mailer-daemon", "notifications"];

/// People in From, To and Cc of cached mail of whom the name or the address has `prefix` at the start of a word; those in most of the
/// newest mails first, with the number of these mails. At most `limit`.
///
/// # Errors
/// As every question.
pub fn seen(db: &Db<Cache>, prefix: &str, limit: usize) -> Result<Vec<(Address, i64)>> {
    let wanted = words(prefix);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // Words hold letters and digits alone: nothing in them could end the quotes.
    let matching = format!("{{sender recipients}} : \"{}\" *", wanted.join(" "));
    let sql = "SELECT envelope FROM message WHERE sort IN
               (SELECT rowid FROM message_fts WHERE message_fts MATCH ?1 ORDER BY rowid DESC LIMIT ?2) ORDER BY sort DESC";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mails = statement.query_map((matching, NEWEST), |r| Ok(packed::unpack(r.get_ref(0)?.as_str()?)))?;
    let mut found: Vec<(Address, i64)> = Vec::new();
    for envelope in mails {
        let envelope = envelope?;
        for address in [&envelope.from, &envelope.to, &envelope.cc].into_iter().flatten() {
            if let Some((known, count)) = found.iter_mut().find(|(a, _)| a.same(address)) {
                *count += 1;
                if known.name.is_empty() {
                    known.name.clone_from(&address.name);
                }
            } else if address.addr.contains('@') && !is_nobody(&address.addr) && begins(address, &wanted) {
                found.push((address.clone(), 1));
            }
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found.truncate(limit);
    Ok(found)
}

fn is_nobody(addr: &str) -> bool {
    let local = addr.split('@').next().unwrap_or_default().to_ascii_lowercase();
    NOBODY.iter().any(|n| local.starts_with(n))
}

/// Whether the words stand side by side in the name or the address, the last one as the beginning of a word.
fn begins(address: &Address, wanted: &[String]) -> bool {
    let Some((last, whole)) = wanted.split_last() else { return false };
    [&address.name, &address.addr].into_iter().any(|text| {
        words(text)
            .windows(wanted.len())
            .any(|w| w.split_last().is_some_and(|(end, before)| before == whole && end.starts_with(last.as_str())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::envelope::Envelope;
    use crate::mail::fixtures;

    use crate::mail::ids::AccountName;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::{Store, mailboxes, messages, search, tests::quiet};

    #[test]
    fn whoever_stands_in_the_mail_that_is_here() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        store
            .cache(move |tx| {
                let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
                let mail = |uid: u32, from: Address, cc: Address| EnvelopeSeen {
                    received: i64::from(uid),
                    size: 9,
                    envelope: Envelope { from: vec![from], cc: vec![cc], ..Envelope::default() }.into(),
                    ..fixtures::seen(uid)
                };
                let ann = || Address::new("Ann Berger", "ann@x.example");
                let (list, robot) = (Address::new("Annals", "annals@y.example"), Address::new("Ann's shop", "noreply@z.example"));
                let rows = [mail(3, robot, ann()), mail(2, ann(), list), mail(1, ann(), Address::new("Bo", "bo@x.example"))];
                messages::record_new(tx, inbox, UidValidity(7), &rows)?;
                Ok(())
            })
            .unwrap();
        let begun = std::time::Instant::now();
        while store.read(search::unindexed_count).unwrap() > 0 {
            assert!(begun.elapsed().as_secs() < 30, "their words are not in the index");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let names = |prefix: &str| -> Vec<(String, i64)> {
            let found = store.read(|db| seen(db, prefix, 9)).unwrap();
            found.into_iter().map(|(a, n)| (a.addr, n)).collect()
        };
        assert_eq!(names("ann"), [("ann@x.example".to_owned(), 3), ("annals@y.example".to_owned(), 1)]);
        assert_eq!(names("BERG"), [("ann@x.example".to_owned(), 3)]);
        assert!(names("\"").is_empty() && names("nobody").is_empty());
    }

    #[test]
    fn beginnings_of_words() {
        let kenji = Address::new("佐藤 健", "kenji.sato@hikari.example");
        let is = |prefix: &str| begins(&kenji, &words(prefix));
        assert!(is("kenji") && is("sat") && is("hik") && is("佐") && is("佐藤") && is("kenji.sa") && is("Kenji.Sato@hikari"));
        assert!(!is("enji") && !is("藤") && !is("sato kenji"));
        assert!(is_nobody("no-reply+7@x.example") && !is_nobody("noel@x.example"));
    }
}
