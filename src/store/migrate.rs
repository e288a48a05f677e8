//! migrate — brings a file's schema to the newest version, forward only.
//! Owns: `user_version`, the back-up before a migration. May import: base.
//! Start reading at: `run`. One `.sql` file a number, each in its own transaction; a file newer than we are is
//! left alone. Only the state is backed up: the cache can be fetched again (decisions 7).

use super::error::{Result, StoreError, StoreErrorKind};
use super::open::Kind;
use crate::base::crash;
use rusqlite::Connection;
use std::path::Path;

/// The tables whose ids start at a random height in a fresh cache (decisions 6).
const SEEDED: [&str; 3] = ["mailbox", "message", "placement"];

fn version(conn: &Connection) -> Result<usize> {
    let version: i64 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::new(StoreErrorKind::Corrupt, "user_version below 0"))
}

fn newer<K: Kind>() -> StoreError {
    StoreError::new(StoreErrorKind::Newer, K::NAME)
}

/// Fails unless the schema is exactly the one that we know.
pub(super) fn check<K: Kind>(conn: &Connection) -> Result<()> {
    match version(conn)? {
        v if v > K::MIGRATIONS.len() => Err(newer::<K>()),
        v if v < K::MIGRATIONS.len() => Err(StoreError::new(StoreErrorKind::Busy, "not yet migrated by its owner")),
        _ => Ok(()),
    }
}

/// Runs what is missing.
pub(super) fn run<K: Kind>(conn: &Connection, dir: &Path) -> Result<()> {
    let start = version(conn)?;
    if start > K::MIGRATIONS.len() {
        return Err(newer::<K>());
    }
    if start > 0 && start < K::MIGRATIONS.len() && !K::DISPOSABLE {
        back_up::<K>(conn, dir, start)?;
    }
    for (n, sql) in K::MIGRATIONS.iter().enumerate().skip(start) {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let stepped = step::<K>(conn, n, sql);
        if start > 0 {
            // Not durable yet: a death in the middle of an older file's.
            crash::step("migrating");
        }
        let done = stepped.and_then(|()| Ok(conn.execute_batch("COMMIT")?));
        if let Err(error) = done {
            // The first error is the one to tell; the transaction is gone either way.
            let _ = conn.execute_batch("ROLLBACK");
            return Err(error);
        }
        crash::step("migrated");
    }
    Ok(())
}

fn step<K: Kind>(conn: &Connection, n: usize, sql: &str) -> Result<()> {
    // Another process may have migrated between our look and our lock.
    if version(conn)? > n {
        return Ok(());
    }
    conn.execute_batch(sql)?;
    if n == 0 && K::SEEDED {
        let mut random = [0u8; 4];
        getrandom::fill(&mut random).map_err(|e| StoreError::new(StoreErrorKind::Io, &e.to_string()))?;
        // 20 bits above 2^32: 2^52 at most, so ids stay below 2^53 for 4,000 million rows.
        let seed = (i64::from(u32::from_le_bytes(random)) & 0xf_ffff) << 32;
        for table in SEEDED {
            conn.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (table, seed))?;
        }
    }
    conn.execute_batch(&format!("PRAGMA user_version = {}", n + 1))?;
    Ok(())
}

/// Keeps the state as it was, beside it.
fn back_up<K: Kind>(conn: &Connection, dir: &Path, version: usize) -> Result<()> {
    let path = dir.join(format!("{}.v{version}", K::NAME));
    // A back-up from a migration that was cut short may be half written: the original is still whole, so write anew.
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    // Made empty and private first: VACUUM INTO takes an empty file, and keeps its mode.
    std::os::unix::fs::OpenOptionsExt::mode(std::fs::OpenOptions::new().write(true).create_new(true), 0o600).open(&path)?;
    let name = path.to_str().ok_or_else(|| StoreError::invalid("a folder name that is not UTF-8"))?;
    conn.execute("VACUUM INTO ?1", [name])?;
    crash::step("backed up");
    Ok(())
}
