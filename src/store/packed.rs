//! packed — an envelope as the text of one column: to write and to read it costs a fifth of what JSON costs.
//! Owns: that encoding. May import: mail.
//! Start reading at: `pack`. Each text stands behind its length in octets, each list behind its number; what begins with `{` or `[`
//! is JSON of an older version and is read as that.

use crate::mail::address::Address;
use crate::mail::envelope::{Envelope, MessageId};

/// What a packed envelope begins with, and packed addresses.
const MARK: char = '=';

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

/// The text of some addresses.
pub(super) fn pack_addresses(all: &[Address]) -> String {
    let mut to = String::with_capacity(64);
    to.push(MARK);
    addresses(&mut to, all);
    to
}

/// The envelope of such a text. One that was damaged is empty: the row is still there to be fetched again.
pub(super) fn unpack(text: &str) -> Envelope {
    match text.strip_prefix(MARK) {
        Some(rest) => Reader(rest).envelope().unwrap_or_default(),
        None => serde_json::from_str(text).unwrap_or_default(),
    }
}

/// The addresses of such a text; none if it was damaged.
pub(super) fn unpack_addresses(text: &str) -> Vec<Address> {
    match text.strip_prefix(MARK) {
        Some(rest) => Reader(rest).addresses().unwrap_or_default(),
        None => serde_json::from_str(text).unwrap_or_default(),
    }
}

fn number(to: &mut String, n: u64) {
    let (mut digits, mut at, mut n) = ([0; 20], 20, n);
    loop {
        at -= 1;
        // One digit.
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 || at == 0 {
            break;
        }
    }
    to.extend(digits[at..].iter().map(|d| char::from(*d)));
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

    fn addresses(&mut self) -> Option<Vec<Address>> {
        self.list(|r| Some(Address { name: r.text()?.to_owned(), addr: r.text()?.to_owned() }))
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
        vec((".{0,8}", ".{0,8}").prop_map(|(name, addr)| Address { name, addr }), 0..3)
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
            prop_assert_eq!(&unpack_addresses(&pack_addresses(&all.to)), &all.to);
            prop_assert_eq!(&unpack_addresses(&serde_json::to_string(&all.to).unwrap()), &all.to);
            let end = (0..=cut.min(packed.len())).rev().find(|n| packed.is_char_boundary(*n)).unwrap();
            if end < packed.len() {
                prop_assert_eq!(unpack(&packed[..end]), Envelope::default());
            }
        }

        #[test]
        fn any_text_is_read_without_harm(text in "=[0-9;]{0,20}|=\\PC{0,30}") {
            let _ = (unpack(&text), unpack_addresses(&text));
        }
    }

    #[test]
    fn a_number_that_lies_costs_nothing() {
        assert_eq!(unpack("=;99999999999999999999;x"), Envelope::default());
        assert_eq!(unpack_addresses("=18446744073709551615;1;a1;b"), []);
        assert_eq!((unpack(""), unpack("{}x")), (Envelope::default(), Envelope::default()));
    }
}
