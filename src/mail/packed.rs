//! packed — an envelope as one text: what a list row carries from the server's line to the column that keeps it.
//! Owns: `Packed`, `Packer`, `Head`, `Kin`. May import: base.
//! Start reading at: `Packed`. A first sync has a hundred thousand of them: as an [`Envelope`] each is some fifteen pieces of
//! memory, made on one thread and given back on another. The text is also what the cache keeps (to write and to read it costs a
//! fifth of what JSON costs). Each text stands behind its length in octets, each list behind its number; what begins with `{` or
//! `[` is JSON of an older version and is read as that.

use super::address::Address;
use super::envelope::{Envelope, MessageId};
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

/// What a packed envelope begins with.
const MARK: char = '=';
/// What it ends with if the server had told another one.
const UNTRUE: char = '!';
/// How many of the first recipients a row shows.
const RECIPIENTS: usize = 3;
/// So much room most of them need.
const USUAL: usize = 512;
/// Of so many ids no set is made.
const FEW: usize = 16;
/// An empty list.
const NONE: &str = "0;";

/// An envelope in one text. One that was damaged where it was kept is an empty envelope: the row is still there to be fetched
/// again.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed {
    text: String,
    /// Where its ids begin: all before them is of no use to threading, and most of it.
    ids: usize,
}

impl Packed {
    /// Of an envelope.
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        let mut to = Packer::new(envelope.date, &envelope.subject);
        for all in [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc] {
            to.list(|to| all.iter().map(|one| to.address(&one.name, &[&one.addr])).count());
        }
        for all in [envelope.message_id.as_slice(), &envelope.in_reply_to, &envelope.references] {
            to.list(|to| all.iter().map(|id| to.id(id.as_str())).count());
        }
        to.done()
    }

    /// Of a message whose server had told another one (security S-28). Whoever knows nothing of that reads it as any other.
    #[must_use]
    pub fn untrue(envelope: &Envelope) -> Self {
        let mut packed = Self::of(envelope);
        packed.text.push(UNTRUE);
        packed
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// All of it.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        unpack(&self.text)
    }

    /// Its ids.
    #[must_use]
    pub fn kin(&self) -> Kin<'_> {
        Reader(self.text.get(self.ids..).unwrap_or_default()).kin().unwrap_or_default()
    }
}

impl Default for Packed {
    fn default() -> Self {
        Self::of(&Envelope::default())
    }
}

impl From<Envelope> for Packed {
    fn from(envelope: Envelope) -> Self {
        Self::of(&envelope)
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.envelope().fmt(f)
    }
}

/// Whether such a text is one of [`Packed::untrue`].
#[must_use]
pub fn is_untrue(text: &str) -> bool {
    let whole = |rest| {
        let mut reader = Reader(rest);
        reader.envelope()?;
        Some(reader.0.starts_with(UNTRUE))
    };
    text.ends_with(UNTRUE) && text.strip_prefix(MARK).and_then(whole) == Some(true)
}

/// The envelope of such a text.
#[must_use]
pub fn unpack(text: &str) -> Envelope {
    match text.strip_prefix(MARK) {
        Some(rest) => Reader(rest).envelope().unwrap_or_default(),
        None => serde_json::from_str(text).unwrap_or_default(),
    }
}

/// What a row of a list shows of an envelope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Untrusted.
    pub subject: String,
    /// The first author.
    pub from: Address,
    /// The first three recipients.
    pub to: Vec<Address>,
}

/// The same of such a text, without reading all of it.
#[must_use]
pub fn head(text: &str) -> Head {
    match text.strip_prefix(MARK) {
        Some(rest) => Reader(rest).head().unwrap_or_default(),
        None => {
            let envelope = unpack(text);
            let (from, to) = (envelope.from.into_iter().next(), envelope.to.into_iter().take(RECIPIENTS).collect());
            Head { subject: envelope.subject, from: from.unwrap_or_default(), to }
        }
    }
}

/// What a message is called and what it follows, as threading wants it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kin<'a> {
    /// `Message-ID`.
    pub own: Option<&'a str>,
    /// [`Envelope::ancestors`].
    pub ancestors: Vec<&'a str>,
}

impl<'a> Kin<'a> {
    /// One more ancestor, if it is one; `seen` are those that were taken, once they are many: few are looked through faster.
    fn follow(&mut self, id: &'a str, seen: &mut HashSet<&'a str>) {
        if self.own == Some(id) {
            return;
        }
        if seen.is_empty() && self.ancestors.len() >= FEW {
            seen.extend(&self.ancestors);
        }
        if if seen.is_empty() { !self.ancestors.contains(&id) } else { seen.insert(id) } {
            self.ancestors.push(id);
        }
    }
}

/// Writes a [`Packed`] piece by piece, in this order and no other: From, Sender, Reply-To, To, Cc, Bcc, each a list of addresses;
/// Message-ID (none or one), In-Reply-To, References, each a list of ids.
#[derive(Debug)]
pub struct Packer {
    text: String,
    lists: usize,
    ids: usize,
}

/// How many lists of addresses there are.
const PEOPLE: usize = 6;

impl Packer {
    /// Begins with what is no list.
    #[must_use]
    pub fn new(date: Option<i64>, subject: &str) -> Self {
        let mut to = Self { text: String::with_capacity(USUAL), lists: 0, ids: 0 };
        to.text.push(MARK);
        match date {
            Some(date) if date < 0 => {
                to.text.push('-');
                number(&mut to.text, date.unsigned_abs());
            }
            Some(date) => number(&mut to.text, date.unsigned_abs()),
            None => to.text.push(';'),
        }
        to.piece(&[subject]);
        to
    }

    /// The next list: `each` writes its items and says how many they are. Where it stands.
    pub fn list(&mut self, each: impl FnOnce(&mut Self) -> usize) -> Range<usize> {
        let at = self.text.len();
        if self.lists == PEOPLE {
            self.ids = at;
        }
        self.lists += 1;
        self.text.push_str(NONE);
        let count = each(self);
        if count > 0 {
            let mut said = String::new();
            number(&mut said, count as u64);
            self.text.replace_range(at..at + NONE.len(), &said);
        }
        at..self.text.len()
    }

    /// The same, empty if it says what the list at `other` says.
    pub fn list_unless(&mut self, other: Range<usize>, each: impl FnOnce(&mut Self) -> usize) {
        let this = self.list(each);
        if self.text.get(this.clone()) == self.text.get(other) {
            self.text.truncate(this.start);
            self.text.push_str(NONE);
        }
    }

    /// An item of a list of addresses; the pieces of its addr-spec.
    pub fn address(&mut self, name: &str, addr: &[&str]) {
        self.piece(&[name]);
        self.piece(addr);
    }

    /// An item of a list of ids.
    pub fn id(&mut self, id: &str) {
        self.piece(&[id]);
    }

    /// What was written.
    #[must_use]
    pub fn done(self) -> Packed {
        Packed { text: self.text, ids: self.ids }
    }

    fn piece(&mut self, parts: &[&str]) {
        number(&mut self.text, parts.iter().map(|part| part.len() as u64).sum());
        parts.iter().for_each(|part| self.text.push_str(part));
    }
}

fn number(to: &mut String, n: u64) {
    // One digit.
    let digit = |n: u64| char::from(b'0' + (n % 10) as u8);
    match n {
        // Nearly all are so.
        0..10 => to.push(digit(n)),
        10..100 => to.extend([digit(n / 10), digit(n)]),
        _ => to.push_str(&n.to_string()),
    }
    to.push(';');
}

/// What is left of a text.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn word(&mut self) -> Option<&'a str> {
        let (word, rest) = self.0.split_once(';')?;
        self.0 = rest;
        Some(word)
    }

    fn count(&mut self) -> Option<usize> {
        self.word()?.parse().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let count = self.count()?;
        let text = self.0.get(..count)?;
        self.0 = self.0.get(count..)?;
        Some(text)
    }

    /// Nothing is set aside for a number: it may be damaged.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(one(self)?);
        }
        Some(all)
    }

    fn address(&mut self) -> Option<Address> {
        Some(Address { name: self.text()?.to_owned(), addr: self.text()?.to_owned() })
    }

    fn addresses(&mut self) -> Option<Vec<Address>> {
        self.list(Self::address)
    }

    /// The first `most` of them, and none of the others.
    fn first(&mut self, most: usize) -> Option<Vec<Address>> {
        let count = self.count()?;
        let mut all = Vec::new();
        for n in 0..count {
            if n < most {
                all.push(self.address()?);
            } else {
                self.text()?;
                self.text()?;
            }
        }
        Some(all)
    }

    fn head(&mut self) -> Option<Head> {
        self.word()?;
        let subject = self.text()?.to_owned();
        let from = self.first(1)?.pop().unwrap_or_default();
        // Sender, Reply-To.
        self.first(0)?;
        self.first(0)?;
        Some(Head { subject, from, to: self.first(RECIPIENTS)? })
    }

    fn ids(&mut self) -> Option<Vec<MessageId>> {
        self.list(|r| MessageId::new(r.text()?))
    }

    /// From the ids on.
    fn kin(&mut self) -> Option<Kin<'a>> {
        let mut kin = Kin::default();
        self.each(|id| kin.own = kin.own.or(Some(id)))?;
        // What is answered stands first, and comes last.
        let answered = self.0;
        self.each(|_| {})?;
        let mut seen = HashSet::new();
        self.each(|id| kin.follow(id, &mut seen))?;
        Reader(answered).each(|id| kin.follow(id, &mut seen))?;
        Some(kin)
    }

    /// Each text of a list.
    fn each(&mut self, mut one: impl FnMut(&'a str)) -> Option<()> {
        for _ in 0..self.count()? {
            one(self.text()?);
        }
        Some(())
    }

    fn envelope(&mut self) -> Option<Envelope> {
        let date = self.word()?;
        Some(Envelope {
            date: if date.is_empty() { None } else { Some(date.parse().ok()?) },
            subject: self.text()?.to_owned(),
            from: self.addresses()?,
            sender: self.addresses()?,
            reply_to: self.addresses()?,
            to: self.addresses()?,
            cc: self.addresses()?,
            bcc: self.addresses()?,
            message_id: self.ids()?.into_iter().next(),
            in_reply_to: self.ids()?,
            references: self.ids()?,
        })
    }
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
