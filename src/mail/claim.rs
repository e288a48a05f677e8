//! claim — what a server says that is attached to a message, by its structure alone, and whether the message itself has other files.
//! Owns: `Leaf`, `files`, `denies`. May import: base.
//! Start reading at: `denies`. BODYSTRUCTURE says less than the message: what is told of one is compared with what would be told of the
//! other, by the same rule (security S-28). What a reader calls attached, once the text is here, is `structure.rs`.

use super::body::{Disposition, Kind, Message, PartIndex};

/// The most files of a message that are told of.
pub const MAX_FILES: usize = 100;
/// The longest name kept, in characters.
pub const MAX_NAME: usize = 255;

/// What is told of a part that has no parts of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Leaf<'a> {
    /// `type/subtype` in lower case.
    pub mime: &'a str,
    /// Whether its Content-Disposition is "attachment".
    pub attached: bool,
    /// Whether it has a name.
    pub named: bool,
    /// Whether it has a Content-ID.
    pub identified: bool,
    /// Whether it is a part of a multipart/related.
    pub related: bool,
}

impl Leaf<'_> {
    /// Whether a person would call it an attachment.
    #[must_use]
    pub fn is_file(&self) -> bool {
        let signature =
            matches!(self.mime, "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature");
        let picture_of_text = self.related && self.identified && !self.attached;
        !signature && !picture_of_text && (self.attached || self.named || self.mime == "message/rfc822")
    }
}

/// The names of the files that a server tells of, which has `message`; "" for one without a name.
#[must_use]
pub fn files(message: &Message) -> Vec<String> {
    let (mut out, mut todo) = (Vec::new(), vec![(0, false)]);
    while let Some((index, related)) = todo.pop() {
        let Some(part) = message.parts.get(index).filter(|_| out.len() < MAX_FILES) else { continue };
        if part.kind == Kind::Multipart {
            let related = part.mime == "multipart/related";
            let below = part.children.iter().rev().filter(|child| after(index, **child));
            todo.extend(below.map(|child| (*child, related)));
            continue;
        }
        let leaf = Leaf {
            mime: &part.mime,
            attached: part.disposition == Disposition::Attachment,
            named: part.name.is_some(),
            identified: part.content_id.as_deref().is_some_and(|id| !id.trim().is_empty()),
            related,
        };
        if leaf.is_file() {
            out.push(part.name.as_deref().unwrap_or_default().chars().take(MAX_NAME).collect());
        }
    }
    out
}

/// Parents come before children: a tree that says otherwise does not go round.
const fn after(parent: PartIndex, child: PartIndex) -> bool {
    child > parent
}

/// Whether a server that told of the files `told` told of others than the message's `own`. What servers only write otherwise is the
/// same: of 1,899 mails, many of them broken on purpose, Dovecot tells four so that this says yes.
#[must_use]
pub fn denies(told: &[String], own: &[String]) -> bool {
    told.len() != own.len() || told.iter().zip(own).any(|(told, own)| is_another(told, own))
}

fn is_another(told: &str, own: &str) -> bool {
    let letters = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
    // Encoded words that nobody could read, octets that are no letters; or it ends at a blank that was to be quoted.
    let unread = |name: &str| name.starts_with("=?") || name.contains('\u{fffd}');
    let (told, own) = (letters(told), letters(own));
    let cut = !told.is_empty() && own.starts_with(&told);
    told != own && !cut && !unread(&told) && !unread(&own)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn mail(parts: &[&str]) -> Message {
        let body: String = parts.iter().map(|p| format!("--b\r\n{p}\r\n")).collect();
        parse::message(format!("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--\r\n").into_bytes())
    }

    #[test]
    fn files_are_those_that_bodystructure_tells() {
        let text = "Content-Type: text/plain\r\n\r\ntext";
        let pdf = "Content-Type: application/pdf; name=a.pdf\r\n\r\nPDF";
        let nameless = "Content-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\nPDF";
        let inner = "Content-Type: message/rfc822\r\n\r\nContent-Type: application/pdf; name=deep.pdf\r\n\r\nPDF";
        let signature = "Content-Type: application/pgp-signature; name=s.asc\r\n\r\nSIG";
        let logo = "Content-Type: image/png; name=l.png\r\nContent-ID: <l@x>\r\n\r\nPNG";
        let page = format!("Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\n{text}\r\n--r\r\n{logo}\r\n--r--");
        let invite = "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR";
        assert_eq!(files(&mail(&[text, pdf, nameless, inner, signature, invite, &page, logo])), ["a.pdf", "", "", "l.png"]);
        assert!(files(&mail(&[text])).is_empty());
        assert_eq!(files(&mail(&[pdf; 200])).len(), MAX_FILES);
    }

    #[test]
    fn what_is_only_written_otherwise_is_the_same() {
        let names = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let other = |told: &[&str], own: &[&str]| denies(&names(told), &names(own));
        assert!(
            other(&[], &["a.pdf"]) && other(&["a.pdf"], &[]) && other(&["a.pdf"], &["a.exe"]) && other(&["a", "b"], &["b", "a"])
        );
        assert!(!other(&["A .pdf"], &["a.PDF"]) && !other(&["Vietnam"], &["Vietnam Air.pdf"]) && !other(&["=?x?="], &["a"]));
        assert!(!other(&[], &[]) && !other(&["b\u{fffd}r"], &["bär"]) && other(&[""], &["a"]));
    }
}
