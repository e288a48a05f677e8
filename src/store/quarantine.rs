//! quarantine — a damaged cache is put aside and begun anew; a state file never is.
//! Owns: the names of what is put aside. May import: base.
//! Start reading at: `open_cache`.

use super::error::{Result, StoreErrorKind};
use super::open::{self, Cache, Db, Kind};
use crate::base::log;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many damaged caches are kept for a look; older ones are removed.
const KEPT: usize = 2;

/// Opens the cache; what cannot be read or is of a newer schema is put aside first. True if it was begun anew
/// because of damage.
///
/// # Errors
/// What has nothing to do with the file's content: `Permission`, `Io`, `Full`, `Busy`.
pub(super) fn open_cache(dir: &Path) -> Result<(Db<Cache>, bool)> {
    match open::open_writer::<Cache>(dir) {
        Ok(db) => Ok((db, false)),
        // `Bug` here means tables that do not fit our SQL: a schema that is not ours.
        Err(e) if matches!(e.kind, StoreErrorKind::Corrupt | StoreErrorKind::Newer | StoreErrorKind::Bug) => {
            put_aside(dir)?;
            Ok((open::open_writer::<Cache>(dir)?, true))
        }
        Err(e) => Err(e),
    }
}

/// Renames the cache and its companions to `cache.sqlite.bad-<seconds>`. The connections to it must be closed
/// or are about to be: they go on reading the renamed file, harmlessly.
///
/// # Errors
/// As of renaming.
pub(super) fn put_aside(dir: &Path) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    // The database last: as long as it stands under its name, the next start finds the damage again.
    for suffix in ["-wal", "-shm", ""] {
        let from = dir.join(format!("{}{suffix}", Cache::NAME));
        let to = dir.join(format!("{}.bad-{now}{suffix}", Cache::NAME));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
    }
    log::warn("store", format_args!("the cache was damaged; it was put aside as {}.bad-{now}", Cache::NAME));
    crate::base::crash::step("quarantined");
    sweep(dir);
    Ok(())
}

/// Removes all but the newest few that were put aside. Failing is harmless.
fn sweep(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut bad: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.starts_with("cache.sqlite.bad-") && !n.ends_with("-wal") && !n.ends_with("-shm"))
        .collect();
    bad.sort_unstable();
    for name in bad.iter().rev().skip(KEPT) {
        for suffix in ["-wal", "-shm", ""] {
            let _ = fs::remove_file(dir.join(format!("{name}{suffix}")));
        }
    }
}
