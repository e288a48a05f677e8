//! rescue — a state file that cannot be used is left as it is; what the person wrote is put beside it as mails.
//! Owns: `Rescued`, `rescue`. May import: store, mail, base.
//! Start reading at: `rescue`. Any mail program opens what is written; nothing of ours is changed or removed.

use crate::base::paths::write_private;
use crate::mail::compose::{self, Stamp};
use crate::mail::filename;
use crate::store::State;
use crate::store::open::private_folder;
use crate::store::rescue::read;
use crate::store::spool::Spool;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The most octets of a frozen mail that are read to write it elsewhere.
const MOST: u64 = 256 * 1024 * 1024;
/// The most mails that are looked for where no row can be read.
const MOST_MAILS: usize = 10_000;

/// What was put beside a damaged state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rescued {
    /// The folder.
    pub folder: PathBuf,
    /// How many mails are in it.
    pub mails: usize,
}

/// Writes unfinished and outgoing mails of the state in `data` as `.eml` into a folder beside it, which only its owner can
/// enter. The same damage is met at each start: then what was written before is told again.
///
/// # Errors
/// No room, no permission.
pub fn rescue(data: &Path) -> io::Result<Rescued> {
    let changed = fs::metadata(data.join(<State as crate::store::open::Kind>::NAME))?.modified()?;
    let second = changed.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let folder = data.join(format!("rescued-{second}"));
    if folder.is_dir() {
        let mails = fs::read_dir(&folder)?.count();
        return Ok(Rescued { folder, mails });
    }
    let broken = |e: crate::store::StoreError| io::Error::other(e.to_string());
    let spool = Spool::open(data).map_err(broken)?;
    let remains = read(data);
    let mut mails: Vec<(String, Vec<u8>)> = Vec::new();
    let mut told = HashSet::new();
    for mail in &remains.outgoing {
        if let Ok(bytes) = frozen(&spool, &mail.mail.spool) {
            told.insert(mail.mail.spool.clone());
            mails.push((name("outgoing", mail.id.0, &mail.mail.subject), bytes));
        }
    }
    for saved in &remains.drafts {
        let files = &saved.draft.attachments;
        told.extend(files.iter().map(|a| a.spool.clone()));
        let mut draft = saved.draft.clone();
        let mut bytes = Vec::new();
        // Without the files that cannot be read, rather than not at all.
        draft.attachments.retain(|a| frozen(&spool, &a.spool).map(|b| bytes.push(b)).is_ok());
        let stamp = Stamp { date: saved.saved, random: saved.id.0.to_be_bytes().repeat(2).try_into().unwrap_or_default() };
        if let Ok((text, _)) = compose::unfinished(&draft, &bytes, &stamp) {
            mails.push((name("draft", saved.id.0, &saved.draft.subject), text));
        }
    }
    if remains.partly {
        // Rows are gone, their bytes are not: what looks like a mail is one.
        for name in spool.names().map_err(broken)?.into_iter().filter(|n| !told.contains(n)).take(MOST_MAILS) {
            if let Ok(bytes) = frozen(&spool, &name)
                && is_mail(&bytes)
            {
                mails.push((format!("spool-{}.eml", name.get(..8).unwrap_or(&name)), bytes));
            }
        }
    }
    private_folder(&folder).map_err(broken)?;
    for (name, bytes) in &mails {
        write_private(&folder.join(name), bytes)?;
    }
    Ok(Rescued { folder, mails: mails.len() })
}

fn frozen(spool: &Spool, name: &str) -> io::Result<Vec<u8>> {
    let file = spool.get(name).map_err(|e| io::Error::other(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `draft-3-Ferry.eml`
fn name(kind: &str, id: i64, subject: &str) -> String {
    filename::safe(&format!("{kind}-{id}-{}.eml", subject.chars().take(60).collect::<String>()))
}

/// Whether it begins with the header of a mail that we froze.
fn is_mail(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8 * 1024)];
    let first = head.split(|b| *b == b':').next().unwrap_or_default();
    let field = !first.is_empty() && first.len() < 80 && first.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    field && head.windows(12).any(|w| w.eq_ignore_ascii_case(b"\nMessage-ID:") || w.eq_ignore_ascii_case(b"Message-ID: "))
}
