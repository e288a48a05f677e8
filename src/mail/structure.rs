//! structure — which parts of a message are read, in which order, and which are attached.
//! Owns: `plan`, `Section`, `Prefer`.
//! May import: base.
//! Start reading at: `plan`. It recurses as deep as the tree, which `parse::MAX_DEPTH` bounds.

use super::body::{Attachment, Disposition, Encoding, Kept, Kind, Message, Part, PartIndex};
use super::{filename, header};

/// Which of several forms of one text is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Prefer {
    /// Plain text, HTML where there is nothing else.
    #[default]
    Plain,
    /// HTML, plain text where there is nothing else.
    Html,
}

/// One thing to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    /// A part as plain text.
    Text(PartIndex),
    /// A part as HTML.
    Html(PartIndex),
    /// The header of a message inside, before its text; the part is the one that holds the message.
    Head(PartIndex),
    /// A calendar, as a card.
    Invite(PartIndex),
    /// What became of a mail that was sent, as a card.
    Report(PartIndex),
}

/// How a message is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// What to read, in order.
    pub sections: Vec<Section>,
    /// What is attached, in order.
    pub attachments: Vec<Attachment>,
    /// Whether the other preference would show another text.
    pub alternative: bool,
    /// Whether a part is encrypted (RFC 1847), so that there may be nothing to read.
    pub encrypted: bool,
    /// The multipart/signed part, if there is one: its two children are what is signed and the signature.
    pub signed: Option<PartIndex>,
}

/// Decides what to read and what is attached.
#[must_use]
pub fn plan(message: &Message, prefer: Prefer) -> Plan {
    let mut walk = Walk { message, prefer, plan: Plan::default(), cards: Vec::new() };
    walk.part(0);
    let mut plan = walk.plan;
    // Cards say what the text beside them says, in fewer words: they go first.
    plan.sections.splice(0..0, walk.cards);
    // A text that is sent as an attachment and nothing else is still the message.
    if plan.sections.is_empty()
        && let Some(text) = plan.attachments.iter().find(|a| message.parts.get(a.part).is_some_and(|p| readable(p.kind)))
    {
        plan.sections.push(section(message, text.part));
    }
    plan
}

/// The attachments alone.
#[must_use]
pub fn attachments(message: &Message) -> Vec<Attachment> {
    plan(message, Prefer::Plain).attachments
}

fn readable(kind: Kind) -> bool {
    matches!(kind, Kind::Plain | Kind::Html | Kind::Text)
}

fn section(message: &Message, index: PartIndex) -> Section {
    match message.parts.get(index).map(|p| p.kind) {
        Some(Kind::Html) => Section::Html(index),
        _ => Section::Text(index),
    }
}

struct Walk<'a> {
    message: &'a Message,
    prefer: Prefer,
    plan: Plan,
    cards: Vec<Section>,
}

impl<'a> Walk<'a> {
    fn get(&self, index: PartIndex) -> Option<&'a Part> {
        self.message.parts.get(index)
    }

    fn part(&mut self, index: PartIndex) {
        let Some(part) = self.get(index) else { return };
        match part.kind {
            Kind::Multipart => self.multipart(index, part),
            Kind::Message => self.message_inside(index, part),
            Kind::Plain | Kind::Html => self.text(index, part),
            Kind::Text => self.other_text(index, part),
            Kind::Data => self.attach(index, false),
        }
    }

    fn multipart(&mut self, index: PartIndex, part: &'a Part) {
        match part.mime.as_str() {
            "multipart/alternative" => self.alternative(part),
            "multipart/related" => self.related(part),
            "multipart/signed" => {
                self.plan.signed.get_or_insert(index);
                for (n, child) in part.children.iter().enumerate() {
                    let signature = n == 1 && self.get(*child).is_some_and(|p| p.mime.contains("signature"));
                    if !signature {
                        self.part(*child);
                    }
                }
            }
            "multipart/encrypted" => {
                self.plan.encrypted = true;
                part.children.iter().skip(1).for_each(|c| self.attach(*c, false));
            }
            "multipart/report" => {
                for child in &part.children {
                    // The mail that is reported on is there to be looked at, not read again.
                    if self.get(*child).is_some_and(|p| p.kind == Kind::Message) {
                        self.attach(*child, false);
                    } else {
                        self.part(*child);
                    }
                }
            }
            _ => part.children.iter().for_each(|c| self.part(*c)),
        }
    }

    fn alternative(&mut self, part: &'a Part) {
        let with = |kind: Kind| part.children.iter().copied().rfind(|c| self.holds(*c, kind));
        let (plain, html) = (with(Kind::Plain), with(Kind::Html));
        let chosen = match self.prefer {
            Prefer::Plain => plain.or(html),
            Prefer::Html => html.or(plain),
        }
        .or_else(|| part.children.first().copied());
        self.plan.alternative |= plain.is_some() && html.is_some() && plain != html;
        for child in &part.children {
            if Some(*child) == chosen {
                self.part(*child);
            } else {
                self.leftovers(*child);
            }
        }
    }

    /// Whether there is text of that kind to read in a part. Plain text of nothing but space does not count: some writers
    /// put all they have into the HTML.
    fn holds(&self, index: PartIndex, kind: Kind) -> bool {
        let Some(part) = self.get(index) else { return false };
        if part.kind == Kind::Multipart {
            return part.children.iter().any(|c| self.holds(*c, kind));
        }
        part.kind == kind
            && part.disposition != Disposition::Attachment
            && (part.kept.octets() > 0 || self.message.encoded(part).iter().take(4_096).any(|b| !b.is_ascii_whitespace()))
    }

    /// The parts of an alternative that was not chosen that are no form of the text: a calendar, images.
    fn leftovers(&mut self, index: PartIndex) {
        let Some(part) = self.get(index) else { return };
        match part.kind {
            Kind::Multipart => part.children.iter().for_each(|c| self.leftovers(*c)),
            Kind::Plain | Kind::Html => {}
            // As a form of the text it is the card; the file, if one is wanted, comes with a name.
            Kind::Text if part.mime == "text/calendar" => self.invite(index, part.name.is_none()),
            _ => self.attach(index, part.content_id.is_some() && part.disposition != Disposition::Attachment),
        }
    }

    fn related(&mut self, part: &'a Part) {
        let start = part.param("start").trim_matches(['<', '>']);
        let named = part
            .children
            .iter()
            .copied()
            .find(|c| !start.is_empty() && self.get(*c).is_some_and(|p| p.content_id.as_deref() == Some(start)));
        let root = named.or_else(|| part.children.first().copied());
        for child in &part.children {
            let Some(other) = self.get(*child) else { continue };
            if Some(*child) == root || matches!(other.kind, Kind::Multipart | Kind::Message) {
                self.part(*child);
            } else {
                self.attach(*child, other.content_id.is_some() && other.disposition != Disposition::Attachment);
            }
        }
    }

    fn message_inside(&mut self, index: PartIndex, part: &'a Part) {
        // The messages of a digest are its text.
        let digest = part.parent.and_then(|p| self.get(p)).is_some_and(|p| p.mime == "multipart/digest");
        self.attach(index, digest);
        if part.disposition != Disposition::Attachment && !part.children.is_empty() {
            self.plan.sections.push(Section::Head(index));
            part.children.iter().for_each(|c| self.part(*c));
        }
    }

    fn text(&mut self, index: PartIndex, part: &'a Part) {
        let apart = part.disposition == Disposition::Attachment
            || (part.disposition == Disposition::Unsaid && part.name.is_some() && !self.plan.sections.is_empty());
        if apart || part.name.is_some() {
            self.attach(index, false);
        }
        if !apart {
            self.plan.sections.push(section(self.message, index));
        }
    }

    fn other_text(&mut self, index: PartIndex, part: &'a Part) {
        let apart = part.disposition == Disposition::Attachment;
        match part.mime.as_str() {
            "text/calendar" => self.invite(index, false),
            "message/delivery-status" | "message/disposition-notification" => {
                self.cards.push(Section::Report(index));
                if part.name.is_some() {
                    self.attach(index, false);
                }
            }
            "text/vcard" | "text/x-vcard" | "text/rfc822-headers" | "text/css" | "message/partial" | "message/external-body" => {
                self.attach(index, false);
            }
            _ => {
                if apart || part.name.is_some() {
                    self.attach(index, false);
                }
                if !apart {
                    self.plan.sections.push(Section::Text(index));
                }
            }
        }
    }

    /// A calendar is a card and a file. Invitations come with the same calendar twice: one card is enough.
    fn invite(&mut self, index: PartIndex, related: bool) {
        if !self.cards.iter().any(|c| matches!(c, Section::Invite(_))) {
            self.cards.push(Section::Invite(index));
        }
        self.attach(index, related);
    }

    fn attach(&mut self, index: PartIndex, related: bool) {
        let Some(part) = self.get(index) else { return };
        let encoded = self.message.encoded(part);
        if encoded.is_empty() && part.name.is_none() && part.kept == Kept::Within {
            return;
        }
        let size = match part.encoding {
            // Four letters stand for three octets, in lines of 76 letters and a line break.
            Encoding::Base64 if part.kept != Kept::Within => {
                usize::try_from(part.kept.octets().saturating_mul(57) / 78).unwrap_or(usize::MAX)
            }
            _ if part.kept != Kept::Within => usize::try_from(part.kept.octets()).unwrap_or(usize::MAX),
            Encoding::Base64 => {
                encoded.iter().filter(|b| b.is_ascii_alphanumeric() || **b == b'+' || **b == b'/').count() * 3 / 4
            }
            Encoding::Identity | Encoding::QuotedPrintable => encoded.len(),
        };
        let name = part.name.clone().unwrap_or_default();
        let safe_name = if name.is_empty() { self.default_name(part) } else { filename::safe(&name) };
        let (path, mime) = (part.path.clone(), part.mime.clone());
        let here = !matches!(part.kept, Kept::OnServer { .. });
        self.plan.attachments.push(Attachment { part: index, path, mime, name, safe_name, size: size as u64, related, here });
    }

    /// A name for a part that its sender gave none: a message is called by its subject.
    fn default_name(&self, part: &Part) -> String {
        let inside = part.children.first().filter(|_| part.kind == Kind::Message).and_then(|c| self.get(*c));
        let header = inside.and_then(|p| self.message.raw.get(p.header.clone())).unwrap_or_default();
        let fields = header::scan(header).fields;
        match header::named(&fields, "Subject").map(|f| f.value.trim()).find(|s| !s.is_empty()) {
            Some(subject) => filename::safe(&format!("{subject}.eml")),
            None => numbered_name(part),
        }
    }
}

fn numbered_name(part: &Part) -> String {
    let ext = match part.mime.as_str() {
        "message/rfc822" | "message/global" => "eml",
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "image/jpeg" => "jpg",
        "application/pgp-signature" => "asc",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        other => match other.split_once('/') {
            Some(("image" | "audio" | "video", sub)) if sub.len() <= 8 => sub,
            Some(("application", sub @ ("pdf" | "zip" | "json" | "xml"))) => sub,
            Some(("text", _)) => "txt",
            _ => "bin",
        },
    };
    filename::safe(&format!("part-{}.{ext}", part.path.to_string().replace('.', "-")))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn mail(content_type: &str, parts: &[&str]) -> Message {
        let body: String = parts.iter().map(|p| format!("--b\r\n{p}\r\n")).collect();
        parse::message(
            format!("Subject: x\r\nContent-Type: multipart/{content_type}; boundary=b\r\n\r\n{body}--b--\r\n").into_bytes(),
        )
    }

    const PLAIN: &str = "Content-Type: text/plain\r\n\r\nplain";
    const HTML: &str = "Content-Type: text/html\r\n\r\n<p>html";
    const PDF: &str = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=../a.pdf\r\n\r\nPDF";

    #[test]
    fn alternatives() {
        let m = mail("alternative", &[PLAIN, HTML]);
        let plain = plan(&m, Prefer::Plain);
        assert_eq!(plain.sections, [Section::Text(1)]);
        assert!(plain.alternative && plain.attachments.is_empty());
        assert_eq!(plan(&m, Prefer::Html).sections, [Section::Html(2)]);
        let blank = mail("alternative", &["Content-Type: text/plain\r\n\r\n \r\n", HTML]);
        assert_eq!(plan(&blank, Prefer::Plain).sections, [Section::Html(2)]);
    }

    #[test]
    fn an_invitation_is_one_card_and_a_file() {
        let calendar = "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR";
        let m = mail("alternative", &[PLAIN, HTML, calendar, calendar]);
        for (prefer, text) in [(Prefer::Plain, Section::Text(1)), (Prefer::Html, Section::Html(2))] {
            let plan = plan(&m, prefer);
            assert_eq!(plan.sections, [Section::Invite(3), text]);
            assert_eq!(plan.attachments[0].safe_name, "part-3.ics");
        }
    }

    #[test]
    fn attachments_have_safe_names() {
        let m = mail("mixed", &[PLAIN, PDF]);
        let plan = plan(&m, Prefer::Plain);
        assert_eq!(plan.sections, [Section::Text(1)]);
        assert_eq!(plan.attachments[0].safe_name, "a.pdf");
        assert_eq!((plan.attachments[0].name.as_str(), plan.attachments[0].size), ("../a.pdf", 3));
    }

    #[test]
    fn related_images_are_no_attachments_of_their_own() {
        let image = "Content-Type: image/png\r\nContent-ID: <i@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA";
        let m = mail("related", &[HTML, image]);
        let plan = plan(&m, Prefer::Plain);
        assert_eq!(plan.sections, [Section::Html(1)]);
        assert!(plan.attachments[0].related && plan.attachments[0].size == 3);
    }

    #[test]
    fn messages_inside_signatures_and_reports() {
        let inner = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntext";
        let m = mail("mixed", &[PLAIN, inner]);
        assert_eq!(plan(&m, Prefer::Plain).sections, [Section::Text(1), Section::Head(2), Section::Text(3)]);
        let m = mail("report", &[PLAIN, "Content-Type: message/delivery-status\r\n\r\nAction: failed", inner]);
        assert_eq!(plan(&m, Prefer::Plain).sections, [Section::Report(2), Section::Text(1)]);
        let m = mail("signed", &[PLAIN, "Content-Type: application/pgp-signature; name=s.asc\r\n\r\nSIG"]);
        let signed = plan(&m, Prefer::Plain);
        assert_eq!((signed.signed, signed.attachments.len()), (Some(0), 0));
        let m = mail("digest", &["\r\nSubject: one\r\n\r\n1", "\r\nSubject: two\r\n\r\n2"]);
        let digest = plan(&m, Prefer::Plain);
        assert_eq!(digest.sections.len(), 4);
        assert!(digest.attachments.iter().all(|a| a.related));
        assert_eq!(digest.attachments[1].safe_name, "two.eml");
    }

    #[test]
    fn a_lone_text_attachment_is_read() {
        let m = parse::message(&b"Subject: x\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nhello"[..]);
        let plan = plan(&m, Prefer::Plain);
        assert_eq!((plan.sections.len(), plan.attachments.len()), (1, 1));
    }
}
