//! gather — what several sources say of one address, until nothing better can come.
//! Owns: `Gathering`. May import: base, config.
//! Start reading at: `Gathering::heard`. Nothing jumps on the screen: a server is told once, when every source that would be believed
//! before it has ended.

use super::{Domain, Found, Offer, Offered, Place, Source};
use std::collections::BTreeMap;

/// Sources that were asked, and what they said.
#[derive(Clone, Debug)]
pub struct Gathering {
    domain: Domain,
    /// Every source that was asked; none: it has not answered yet.
    asked: BTreeMap<Source, Option<Offer>>,
}

impl Gathering {
    /// These are asked.
    #[must_use]
    pub fn new(domain: Domain, asked: &[Source]) -> Self {
        Self { domain, asked: asked.iter().map(|source| (*source, None)).collect() }
    }

    /// What a source says in the end; an empty offer if it knows nothing or cannot be reached. Who was not asked is not heard, and nobody
    /// is heard twice.
    pub fn heard(&mut self, source: Source, offer: Offer) {
        if let Some(place) = self.asked.get_mut(&source).filter(|place| place.is_none()) {
            *place = Some(offer);
        }
    }

    /// Whoever has not answered knows nothing: the time is over.
    pub fn over(&mut self) {
        for place in self.asked.values_mut() {
            place.get_or_insert_with(Offer::default);
        }
    }

    /// What was found, once no answer that is still to come would change it.
    #[must_use]
    pub fn settled(&self) -> Option<Found> {
        let (incoming, by) = self.first(|offer| offer.incoming.as_ref())?;
        let (outgoing, _) = self.first(|offer| offer.outgoing.as_ref())?;
        // What must be known to log in is said by whoever names the server to log in at.
        let mut said = by.into_iter().chain(self.asked.values().flatten());
        let note = if by.is_some() { by.and_then(|o| o.note.clone()) } else { said.find_map(|o| o.note.clone()) };
        Some(Found { incoming, outgoing, note })
    }

    /// The first by rank that is named, and who did; none while somebody before it may still name one.
    fn first(&self, pick: impl Fn(&Offer) -> Option<&Place>) -> Option<(Option<Offered>, Option<&Offer>)> {
        for (source, offer) in &self.asked {
            let offer = offer.as_ref()?;
            if let Some(place) = pick(offer) {
                return Some((Some(Offered::new(place.clone(), *source, &self.domain)), Some(offer)));
            }
        }
        Some((None, None))
    }
}
