//! quirks — what single servers do otherwise than they say, as far as we have to know it beforehand.
//! Owns: `Quirks`, and how ID (RFC 2971) tells who is there.
//! May import: the room's own.
//! Start reading at: `Quirks`. What is met on the way is handled and written down where it is met: `change.rs` (a MOVE that tells
//! UIDs in an untagged OK), `append.rs` (UTF8=ACCEPT without APPEND UTF8), `mailboxes.rs` (CREATE of what is there), `bodies.rs`
//! (compressed literals that do not end). Nobody is treated otherwise for a name unless there is no other way.

use super::value::{self, Room, Value};

/// What is not to be asked of this server.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Quirks {
    /// STATUS (MAILBOXID) tells memory that is already freed: some octets of rubbish, line ends and all, by which the whole answer
    /// cannot be read any more. Seen in Cyrus 3.6.1 (Debian 12), with LIST-STATUS and alone; SELECT tells the right one.
    pub rubbish_mailbox_ids: bool,
}

impl Quirks {
    /// Of a server that calls itself so.
    #[must_use]
    pub fn of(name: &str) -> Self {
        // Whatever its version: between mailboxes that have ids UIDVALIDITY tells them apart, too.
        Self { rubbish_mailbox_ids: name.to_ascii_lowercase().starts_with("cyrus") }
    }
}

/// What the answer to ID says is its name; "" if it says none.
#[must_use]
pub fn name(tail: &[u8]) -> String {
    let room = Room::new();
    let items = value::parse(tail, &room);
    let fields = items.first().map(Value::items).unwrap_or_default();
    let name = fields
        .chunks_exact(2)
        .find(|pair| pair.first().and_then(Value::text).is_some_and(|key| key.eq_ignore_ascii_case("name")));
    name.and_then(|pair| pair.get(1)?.text()).map_or_else(String::new, std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_there() {
        let cyrus = br#"("name" "Cyrus IMAPD" "version" "3.6.1-Debian-3.6.1-4+deb12u5" "vendor" "Project Cyrus")"#;
        assert!(Quirks::of(&name(cyrus)).rubbish_mailbox_ids);
        for other in [&br#"("version" "Cyrus" "name" "Dovecot")"#[..], b"(\"name\" NIL)", b"(\"name\")", b"NIL", b""] {
            assert_eq!(Quirks::of(&name(other)), Quirks::default(), "{other:?}");
        }
    }
}
