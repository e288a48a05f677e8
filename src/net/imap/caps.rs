//! caps — what the server can do, less what the account wants to do without.
//! Owns: `Offer`.
//! May import: mail, base.
//! Start reading at: `Offer::new`. Every list of capabilities passes here before anybody looks at it, so that a masked
//! extension is not there at all.

use super::command::Literals;
use crate::mail::server::Caps;

/// Words that an account cannot do without: they forbid something.
const NEVER_MASKED: [&str; 1] = ["LOGINDISABLED"];
/// What a server that says IMAP4rev2 can do without saying so (RFC 9051, appendix E).
const REV2: [&str; 15] = [
    "ENABLE",
    "IDLE",
    "SASL-IR",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "ESEARCH",
    "SEARCHRES",
    "MOVE",
    "UIDPLUS",
    "NAMESPACE",
    "UNSELECT",
    "STATUS=SIZE",
    "LITERAL-",
    "BINARY",
];

/// The words of CAPABILITY, in upper case.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    words: Vec<String>,
}

impl Offer {
    /// What the server said, without the words in `without` (in any case).
    #[must_use]
    pub fn new(mut said: Vec<String>, without: &[String]) -> Self {
        let masked = |word: &str| without.iter().any(|w| w.eq_ignore_ascii_case(word)) && !NEVER_MASKED.contains(&word);
        if said.iter().any(|w| w == "IMAP4REV2") && !masked("IMAP4REV2") {
            for implied in REV2 {
                if !said.iter().any(|w| w == implied) {
                    said.push(implied.to_owned());
                }
            }
        }
        said.retain(|w| !masked(w));
        Self { words: said }
    }

    /// Whether it says this word.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }

    /// All of them.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Which literals go out without leave.
    #[must_use]
    pub fn literals(&self) -> Literals {
        match (self.has("LITERAL+"), self.has("LITERAL-")) {
            (true, _) => Literals::Plus,
            (false, true) => Literals::Minus,
            (false, false) => Literals::Ask,
        }
    }

    /// As the rest of the program asks.
    #[must_use]
    pub fn caps(&self) -> Caps {
        let has = |word: &str| self.has(word);
        Caps {
            moves: has("MOVE"),
            uidplus: has("UIDPLUS"),
            condstore: has("CONDSTORE") || has("QRESYNC"),
            // Only once it is enabled.
            qresync: false,
            idle: has("IDLE"),
            special_use: has("SPECIAL-USE"),
            esearch: has("ESEARCH"),
            list_status: has("LIST-STATUS") && has("LIST-EXTENDED"),
            object_id: has("OBJECTID") || has("X-GM-EXT-1"),
            notify: has("NOTIFY"),
            status_size: has("STATUS=SIZE"),
            quota: has("QUOTA") || self.words.iter().any(|w| w.starts_with("QUOTA=")),
            acl: has("ACL"),
            binary: has("BINARY"),
            unselect: has("UNSELECT"),
            sort: has("SORT"),
            thread: has("THREAD=REFS") || has("THREAD=REFERENCES"),
            preview: has("PREVIEW"),
            save_date: has("SAVEDATE"),
            labels: has("X-GM-EXT-1"),
            thread_id: has("OBJECTID") || has("X-GM-EXT-1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(said: &str, without: &[&str]) -> Offer {
        let without: Vec<String> = without.iter().map(|w| (*w).to_owned()).collect();
        Offer::new(said.split(' ').map(str::to_owned).collect(), &without)
    }

    #[test]
    fn masks_words_but_not_prohibitions() {
        let some = offer("IMAP4REV1 MOVE QRESYNC LOGINDISABLED", &["move", "LOGINDISABLED"]);
        assert!(!some.caps().moves && some.caps().condstore && some.has("LOGINDISABLED"));
    }

    #[test]
    fn the_second_revision_implies_much() {
        let rev2 = offer("IMAP4REV1 IMAP4REV2", &["ESEARCH"]);
        assert!(rev2.caps().moves && rev2.caps().unselect && !rev2.caps().esearch);
        assert!(!offer("IMAP4REV1 IMAP4REV2", &["imap4rev2"]).caps().moves);
        assert_eq!(offer("IMAP4REV1 LITERAL+ LITERAL-", &["literal+"]).literals(), Literals::Minus);
    }
}
