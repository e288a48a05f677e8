//! packed — an envelope as the text of one column: to write and to read it costs a fifth of what JSON costs.
//! Owns: that encoding. May import: mail.
//! Start reading at: `pack`. Each text stands behind its length in octets, each list behind its number; what begins with `{` or `[`
//! is JSON of an older version and is read as that.

use crate::mail::address::Address;
use crate::mail::envelope::{Envelope, MessageId};

/// What a packed envelope begins with, and packed addresses.
const MARK: char = '=';
/// What it ends with if the server had told another one.
const UNTRUE: char = '!';
/// How many of the first recipients a row shows.
const RECIPIENTS: usize = 3;

/// The text of an envelope.
pub(super) fn pack(envelope: &Envelope) -> String {
    let mut to = String::with_capacity(512);
    to.push(MARK);
    match envelope.date {
        Some(date) if date < 0 => {
            to.push('-');
            number(&mut to, date.unsigned_abs());
        }
        Some(date) => number(&mut to, date.unsigned_abs()),
        None => to.push(';'),
    }
    text(&mut to, &envelope.subject);
    for all in [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc] {
        addresses(&mut to, all);
    }
    ids(&mut to, envelope.message_id.as_slice());
    ids(&mut to, &envelope.in_reply_to);
    ids(&mut to, &envelope.references);
    to
}

/// The same of a message whose server had told another one (security S-28). Whoever knows nothing of that reads it as any other.
pub(super) fn pack_untrue(envelope: &Envelope) -> String {
    let mut to = pack(envelope);
    to.push(UNTRUE);
    to
}

/// Whether such a text says so.
pub(super) fn is_untrue(text: &str) -> bool {
    let whole = |rest| {
        let mut reader = Reader(rest);
        reader.envelope()?;
        Some(reader.0.starts_with(UNTRUE))
    };
    text.ends_with(UNTRUE) && text.strip_prefix(MARK).and_then(whole) == Some(true)
}

/// The envelope of such a text. One that was damaged is empty: the row is still there to be fetched again.
pub(super) fn unpack(text: &str) -> Envelope {
    match text.strip_prefix(MARK) {
        Some(rest) => Reader(rest).envelope().unwrap_or_default(),
        None => serde_json::from_str(text).unwrap_or_default(),
    }
}

/// What a row of a list shows of an envelope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    pub subject: String,
    /// The first author.
    pub from: Address,
    /// The first [`RECIPIENTS`].
    pub to: Vec<Address>,
}

/// The same of such a text, without reading all of it.
pub(super) fn head(text: &str) -> Head {
    match text.strip_prefix(MARK) {
        Some(rest) => Reader(rest).head().unwrap_or_default(),
        None => {
            let envelope = unpack(text);
            let (from, to) = (envelope.from.into_iter().next(), envelope.to.into_iter().take(RECIPIENTS).collect());
            Head { subject: envelope.subject, from: from.unwrap_or_default(), to }
        }
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

fn text(to: &mut String, text: &str) {
    number(to, text.len() as u64);
    to.push_str(text);
}

fn addresses(to: &mut String, all: &[Address]) {
    number(to, all.len() as u64);
    for address in all {
        text(to, &address.name);
        text(to, &address.addr);
    }
}

fn ids(to: &mut String, all: &[MessageId]) {
    number(to, all.len() as u64);
    all.iter().for_each(|id| text(to, id.as_str()));
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
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn addresses() -> impl Strategy<Value = Vec<Address>> {
        vec((".{0,8}", ".{0,8}").prop_map(|(name, addr)| Address { name, addr }), 0..5)
    }

    fn ids() -> impl Strategy<Value = Vec<MessageId>> {
        vec("[!-;=?-~é]{1,9}".prop_filter_map("no id", |t| MessageId::new(&t)), 0..4)
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again_and_what_is_cut_is_no_harm(
            date in any::<Option<i64>>(), subject in "\\PC{0,20}|[;=0-9]{0,9}|(?s:.{0,9})",
            (from, sender, reply_to) in (addresses(), addresses(), addresses()),
            (to, cc, bcc) in (addresses(), addresses(), addresses()),
            message_id in ids(), in_reply_to in ids(), references in ids(), cut in 0usize..400,
        ) {
            let message_id = message_id.into_iter().next();
            let all = Envelope { date, subject, from, sender, reply_to, to, cc, bcc, message_id, in_reply_to, references };
            let packed = pack(&all);
            prop_assert_eq!(&unpack(&packed), &all);
            prop_assert_eq!(&unpack(&serde_json::to_string(&all).unwrap()), &all);
            let shown = Head {
                subject: all.subject.clone(),
                from: all.from.first().cloned().unwrap_or_default(),
                to: all.to.iter().take(RECIPIENTS).cloned().collect(),
            };
            prop_assert_eq!(&head(&packed), &shown);
            prop_assert_eq!(&head(&serde_json::to_string(&all).unwrap()), &shown);
            let end = (0..=cut.min(packed.len())).rev().find(|n| packed.is_char_boundary(*n)).unwrap();
            if end < packed.len() {
                prop_assert_eq!(unpack(&packed[..end]), Envelope::default());
            }
        }

        #[test]
        fn any_text_is_read_without_harm(text in "=[0-9;]{0,20}|=\\PC{0,30}") {
            let _ = (unpack(&text), head(&text));
        }
    }

    #[test]
    fn a_number_that_lies_costs_nothing() {
        assert_eq!(unpack("=;99999999999999999999;x"), Envelope::default());
        assert_eq!(head("=;0;18446744073709551615;1;a1;b"), Head::default());
        assert_eq!((unpack(""), unpack("{}x")), (Envelope::default(), Envelope::default()));
    }
}
