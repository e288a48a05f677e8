//! check — will this send as the person thinks: what stops a mail, and what is doubtful about it.
//! Owns: `Problem`, `problems`. May import: mail, base.
//! Start reading at: `problems`. What stops it is said when one sends; what is doubtful is said while one writes, too.

use super::Compose;
use crate::base::safetext::SafeText;
use crate::mail::address_list;
use crate::mail::draft::{About, Draft};

/// Something about a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Whether it cannot be sent so.
    pub stops: bool,
    /// A sentence without a full stop.
    pub text: SafeText,
}

fn stop(text: &str) -> Problem {
    Problem { stops: true, text: SafeText::line_max(text, 200) }
}

fn doubt(text: &str) -> Problem {
    Problem { stops: false, text: SafeText::line_max(text, 200) }
}

/// All that is wrong, what stops it first.
#[must_use]
pub fn problems(draft: &Draft) -> Vec<Problem> {
    let mut found = Vec::new();
    let people = [&draft.to, &draft.cc, &draft.bcc];
    if people.iter().all(|p| p.is_empty()) {
        found.push(stop("Nobody is named: whom is it for?"));
    }
    for address in people.into_iter().flatten() {
        if let Err(bad) = address_list::wire(&address.addr) {
            found.push(stop(&bad.to_string()));
        }
    }
    if let Some(word) = forgotten(draft) {
        found.push(doubt(&format!("You wrote \"{word}\", but nothing is attached")));
    }
    if draft.subject.trim().is_empty() {
        found.push(doubt("There is no subject"));
    }
    if own_lines(&draft.body).all(|l| l.trim().is_empty()) && draft.attachments.is_empty() && draft.about.is_none() {
        found.push(doubt("There is no text"));
    }
    found
}

/// What the person wrote: no quotes, no signature, nothing below the head of a forwarded mail.
fn own_lines(body: &str) -> impl Iterator<Item = &str> {
    body.lines().take_while(|l| *l != "-- " && !l.starts_with("---------- ")).filter(|l| !l.starts_with('>'))
}

/// Words that announce a file, in lower case. Whole words, so that "attachment theory" is a false alarm and "reattached" is none.
const WORDS: [&str; 28] = [
    "attached",
    "attachment",
    "attachments",
    "enclosed",
    "anbei",
    "angehängt",
    "anhang",
    "beigefügt",
    "beiliegend",
    "ci-joint",
    "ci-jointe",
    "pièce jointe",
    "adjunto",
    "adjunta",
    "adjuntos",
    "allegato",
    "allegati",
    "in allegato",
    "em anexo",
    "bijlage",
    "bijgevoegd",
    "w załączniku",
    "приложении",
    "прикрепил",
    "прикрепила",
    "添付",
    "附件",
    "첨부",
];

/// The word that announces a file, where there is none.
fn forgotten(draft: &Draft) -> Option<&'static str> {
    if !draft.attachments.is_empty() || matches!(draft.about, Some(About::Forward(_))) {
        return None;
    }
    own_lines(&draft.body).chain([draft.subject.as_str()].into_iter().filter(|_| draft.in_reply_to.is_none())).find_map(|line| {
        let line = line.to_lowercase();
        WORDS.into_iter().find(|word| {
            line.match_indices(word).any(|(at, _)| {
                let spaced = word.chars().next().is_some_and(|c| u32::from(c) < 0x1100);
                let before = line.get(..at).and_then(|s| s.chars().next_back());
                let behind = line.get(at + word.len()..).and_then(|s| s.chars().next());
                !spaced || (!before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric))
            })
        })
    })
}

impl Compose {
    /// Looks for a doubt that is worth saying while one writes: at a pause, because it reads the whole text.
    pub(super) fn reconsider(&mut self, draft: &Draft) {
        self.doubt = forgotten(draft).map(|word| SafeText::line(&format!("you wrote \"{word}\", but nothing is attached")));
    }

    /// What was doubtful at the last pause.
    #[must_use]
    pub const fn doubt(&self) -> Option<&SafeText> {
        self.doubt.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::address::Address;
    use crate::mail::draft::DraftAttachment;

    fn draft(to: &str, subject: &str, body: &str) -> Draft {
        Draft { to: address_list::parse(to), subject: subject.to_owned(), body: body.to_owned(), ..Draft::default() }
    }

    fn said(draft: &Draft) -> Vec<String> {
        problems(draft).into_iter().map(|p| format!("{}{}", if p.stops { "!" } else { "" }, p.text)).collect()
    }

    #[test]
    fn what_stops_a_mail_and_what_is_doubtful() {
        assert!(said(&draft("ann@x.example", "Hi", "Text")).is_empty());
        assert_eq!(said(&draft("", "Hi", "Text")), ["!Nobody is named: whom is it for?"]);
        assert!(said(&draft("ann", "Hi", "Text"))[0].starts_with("!\"ann\" is not an address"));
        assert_eq!(said(&draft("a@x.example", " ", "Text")), ["There is no subject"]);
        assert_eq!(said(&draft("a@x.example", "Hi", "\n\n-- \nDana")), ["There is no text"]);
        let mut hidden = draft("", "Hi", "Text");
        hidden.bcc = vec![Address::new("", "a@x.example")];
        assert!(said(&hidden).is_empty(), "Bcc alone is somebody");
    }

    #[test]
    fn a_promised_file_is_missed_in_many_languages_but_not_in_quotes() {
        for text in [
            "The plan is attached.",
            "Anbei die Pläne",
            "ci-joint le plan",
            "資料を添付します。",
            "附件是合同",
            "План в приложении.",
        ] {
            assert!(said(&draft("a@x.example", "Hi", text))[0].contains("nothing is attached"), "{text}");
        }
        for text in ["> it is attached", "unattached", "Hi\n-- \nattached", "reattachments"] {
            let text = format!("Hello\n{text}");
            assert!(said(&draft("a@x.example", "Hi", &text)).is_empty(), "{text}");
        }
        let mut with = draft("a@x.example", "Hi", "is attached");
        with.attachments = vec![DraftAttachment {
            spool: "x".to_owned(),
            name: "x".to_owned(),
            mime: "text/plain".to_owned(),
            size: 1,
            away: None,
        }];
        assert!(said(&with).is_empty());
    }
}
