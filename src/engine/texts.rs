//! texts — messages parsed from what is here of them: whole, or in parts; the last ones are kept.
//! Owns: `Texts`. May import: store, mail.
//! Start reading at: `Texts::message`. What the disk lost is recorded as lost, so that it is fetched again.

use super::fault::Fault;
use crate::base::gate;
use crate::mail::body::{Flaw, Message};
use crate::mail::ids::MessageKey;
use crate::mail::outline::Pieces;
use crate::mail::parse;
use crate::mail::section::Section;
use crate::store::blobs::Blobs;
use crate::store::parts::{self, Partly};
use crate::store::{Store, StoreErrorKind, bodies};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// How many parsed messages are kept: the one that is read, and its neighbours.
const RECENT: usize = 8;
/// ... if they are not larger than this together, in octets.
const RECENT_OCTETS: usize = 32 * 1024 * 1024;

/// Parses messages, on one thread.
pub struct Texts {
    store: Store,
    blobs: Blobs,
    /// The last used first; by the file, or the number and the files of the parts.
    recent: VecDeque<(String, Arc<Message>)>,
}

impl Texts {
    /// Over `store`.
    ///
    /// # Errors
    /// The folder of the bodies cannot be used.
    pub fn new(store: &Store) -> Result<Self, Fault> {
        Ok(Self { store: store.clone(), blobs: Blobs::open(&store.places().cache)?, recent: VecDeque::new() })
    }

    /// The message whose whole bytes are in `blob`, or that is here `partly`. Nothing if it is not here, or not any more. One that is
    /// `left_out` is not taken apart; of one that is `untrue` it is said.
    ///
    /// # Errors
    /// What the disk says.
    pub fn message(
        &mut self,
        key: MessageKey,
        blob: &str,
        partly: Option<&Partly>,
        left_out: bool,
        untrue: bool,
    ) -> Result<Option<Arc<Message>>, Fault> {
        let mut name = match partly {
            _ if !blob.is_empty() => blob.to_owned(),
            Some(partly) => partly.held.iter().fold(key.0.to_string(), |name, held| name + "/" + &held.blob),
            None => return Ok(None),
        };
        for (is, sign) in [(left_out, '?'), (untrue, '!')] {
            name.extend(is.then_some(sign));
        }
        if let Some(at) = self.recent.iter().position(|(known, _)| *known == name)
            && let Some(known) = self.recent.remove(at)
        {
            let message = Arc::clone(&known.1);
            self.recent.push_front(known);
            return Ok(Some(message));
        }
        let parsed = match partly.filter(|_| blob.is_empty()) {
            Some(partly) => self.assemble(key, partly, left_out)?,
            None => self.read(key, blob, left_out)?,
        };
        let Some(mut parsed) = parsed else { return Ok(None) };
        parsed.flaws.extend(untrue.then_some(Flaw::Untrue));
        let parsed = Arc::new(parsed);
        self.recent.push_front((name, Arc::clone(&parsed)));
        let octets = |all: &VecDeque<(String, Arc<Message>)>| all.iter().map(|(_, m)| m.raw.len()).sum::<usize>();
        while self.recent.len() > 1 && (self.recent.len() > RECENT || octets(&self.recent) > RECENT_OCTETS) {
            self.recent.pop_back();
        }
        Ok(Some(parsed))
    }

    fn get(&self, blob: &str) -> Result<Option<Vec<u8>>, Fault> {
        match self.blobs.get(blob) {
            Ok(bytes) => Ok(Some(bytes)),
            // Somebody cleared the folder, or the disk did.
            Err(e) if e.kind == StoreErrorKind::Missing => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn read(&self, key: MessageKey, blob: &str, left_out: bool) -> Result<Option<Message>, Fault> {
        let Some(bytes) = self.get(blob)? else { return self.lost(key) };
        let _shut = gate::reading();
        Ok(Some(if left_out { parse::as_it_came(bytes) } else { parse::message(bytes) }))
    }

    fn assemble(&self, key: MessageKey, partly: &Partly, left_out: bool) -> Result<Option<Message>, Fault> {
        let texts: BTreeSet<Section> = partly.outline.to_read().into_iter().map(|(section, _)| section).collect();
        let (mut pieces, mut apart) = (Pieces::new(), BTreeSet::new());
        for held in &partly.held {
            match &held.section {
                Section::Part(path) if !texts.contains(&held.section) => {
                    if self.blobs.size(&held.blob).is_some() {
                        apart.insert(path.clone());
                    } else {
                        let section = held.section.clone();
                        self.store.cache(move |tx| parts::lost(tx, key, &section))?;
                    }
                }
                section => {
                    let Some(bytes) = self.get(&held.blob)? else { return self.lost(key) };
                    pieces.insert(section.clone(), bytes);
                }
            }
        }
        if !pieces.contains_key(&Section::Header) {
            return self.lost(key);
        }
        let _shut = gate::reading();
        if left_out {
            let header = pieces.remove(&Section::Header).unwrap_or_default();
            return Ok(Some(parse::as_it_came(pieces.into_values().fold(header, |all, piece| [all, piece].concat()))));
        }
        Ok(Some(partly.outline.message(&pieces, &apart)))
    }

    /// To be fetched again.
    fn lost<T>(&self, key: MessageKey) -> Result<Option<T>, Fault> {
        self.store.cache(move |tx| bodies::forget(tx, key))?;
        Ok(None)
    }
}
