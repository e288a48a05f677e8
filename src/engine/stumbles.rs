//! stumbles — messages on which we failed are tried once more, later (security F-10).
//! Owns: `again`. May import: store, and the engine's own.
//! Start reading at: `again`. `store/poison.rs` counts; who failed twice is left out by whoever reads messages (`words.rs`,
//! `fetch_parts.rs`, `texts.rs`).

use super::fault::Fault;
use super::fetch::read;
use super::shared::Shared;
use super::texts::Texts;
use crate::store::{messages, parts, poison};

/// Tries again what may be tried again. Where there is nothing, this is one question to the store.
///
/// # Errors
/// The store, the disk.
pub(super) fn again(shared: &Shared) -> Result<(), Fault> {
    let due = shared.store.read(poison::due)?;
    if due.is_empty() || !shared.owner {
        return Ok(());
    }
    let mut texts = Texts::new(&shared.store)?;
    for key in due {
        let (content, partly) = shared.store.read(|db| Ok((messages::content(db, key)?, parts::of(db, key)?)))?;
        let Some(message) = texts.message(key, &content.blob, partly.as_ref(), false, false)? else { continue };
        let reading = read((*message).clone());
        shared.store.cache(move |tx| poison::tried(tx, key, &reading))?;
    }
    Ok(())
}
