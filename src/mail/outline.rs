//! outline — a message of which only some parts are here: its tree as the server tells it, and what can be read of that.
//! Owns: `Outline`, `Node`. May import: base.
//! Start reading at: `Outline::message`. BODYSTRUCTURE decides what has to be fetched to read a mail: its header and its texts.
//! Everything else stays where it is until somebody asks for it. Once the whole message is here its own structure wins
//! (security S-28).

use super::body::{Disposition, Encoding, Kept, Kind, Message, Part, PartPath};
use super::section::Section;
use super::structure::{self, Prefer, Section as Read};
use super::{header, parse};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The largest text that is fetched to read a mail, in octets; a larger one is a file like others.
pub const MAX_TEXT: u64 = 4 * 1024 * 1024;
/// Files of so many octets together are left on the server; less comes along with the text.
pub const MAX_ALONG: u64 = 64 * 1024;

/// One part as the server tells it. All text is untrusted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Node {
    /// Its number: `1`, `2.1`; empty for the whole of a multipart message.
    pub path: String,
    /// Whose child, by its place among the nodes; none for the first.
    pub parent: Option<usize>,
    /// `type/subtype` in lower case.
    pub mime: String,
    /// Parameters of Content-Type, names in lower case, decoded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(String, String)>,
    /// `inline`, `attachment` or another word, in lower case; "" if not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub disposition: String,
    /// What the sender called it, decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Content-ID without brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// Content-Transfer-Encoding in lower case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encoding: String,
    /// Its size in octets, as it is encoded.
    #[serde(default)]
    pub octets: u64,
}

/// A message's tree: parents before children, the whole message first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Outline {
    /// The parts.
    pub nodes: Vec<Node>,
}

/// What is here of the pieces of a message, by section.
pub type Pieces = BTreeMap<Section, Vec<u8>>;

impl Outline {
    /// The message as far as `pieces` hold it. `apart` are the parts that are here, each in a file of its own.
    #[must_use]
    pub fn message(&self, pieces: &Pieces, apart: &BTreeSet<PartPath>) -> Message {
        let mut raw = Vec::new();
        let mut places: BTreeMap<&Section, Range<usize>> = BTreeMap::new();
        // The header first: fields are told by their place in the message.
        let header = pieces.get_key_value(&Section::Header);
        for (section, bytes) in header.into_iter().chain(pieces.iter().filter(|(s, _)| **s != Section::Header)) {
            let from = raw.len();
            raw.extend_from_slice(bytes);
            places.insert(section, from..raw.len());
        }
        let head = places.get(&Section::Header).cloned().unwrap_or_default();
        let block = header::scan(raw.get(head.clone()).unwrap_or_default());
        let envelope = parse::envelope(raw.get(head.clone()).unwrap_or_default());
        let mut parts: Vec<Part> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let path = PartPath::parse(&node.path).unwrap_or_default();
            let kind = node.kind();
            let parent = node.parent.filter(|p| *p < index);
            let inner = parent.and_then(|p| parts.get(p)).filter(|p| p.kind == Kind::Message).map(|p| p.path.clone());
            let header = match (index, inner) {
                (0, _) => head.clone(),
                (_, Some(of)) => places.get(&Section::HeaderOf(of)).cloned().unwrap_or_default(),
                _ => 0..0,
            };
            let body = places.get(&Section::Part(path.clone())).cloned();
            let kept = match &body {
                Some(_) => Kept::Within,
                None if kind == Kind::Multipart => Kept::Within,
                None if apart.contains(&path) => Kept::Apart { octets: node.octets },
                None => Kept::OnServer { octets: node.octets },
            };
            if let Some(parent) = parent.and_then(|p| parts.get_mut(p)) {
                parent.children.push(index);
            }
            parts.push(Part {
                path,
                parent,
                children: Vec::new(),
                kind,
                mime: node.mime.clone(),
                params: node.params.clone(),
                disposition: node.disposition(),
                name: node.name.clone(),
                content_id: node.content_id.clone(),
                description: None,
                encoding: node.encoding(),
                header,
                body: body.unwrap_or(0..0),
                kept,
            });
        }
        Message { raw: raw.into(), envelope, fields: block.fields, parts, flaws: Vec::new(), whole: false }
    }

    /// What has to be here to read the message, whichever of its texts is preferred; without its own header.
    #[must_use]
    pub fn to_read(&self) -> Vec<(Section, u64)> {
        let message = self.message(&Pieces::new(), &BTreeSet::new());
        let mut wanted = BTreeMap::new();
        for prefer in [Prefer::Plain, Prefer::Html] {
            for section in structure::plan(&message, prefer).sections {
                let (index, head) = match section {
                    Read::Text(i) | Read::Html(i) | Read::Invite(i) | Read::Report(i) => (i, false),
                    Read::Head(i) => (i, true),
                };
                let Some(part) = message.parts.get(index) else { continue };
                let octets = part.kept.octets();
                if head {
                    wanted.insert(Section::HeaderOf(part.path.clone()), 0);
                } else if octets <= MAX_TEXT {
                    wanted.insert(Section::Part(part.path.clone()), octets);
                }
            }
        }
        wanted.into_iter().collect()
    }

    /// Whether so much of the message is not its text that it is read by its parts.
    #[must_use]
    pub fn is_worth_it(&self) -> bool {
        let text: u64 = self.to_read().iter().map(|(_, octets)| octets).sum();
        let holds_parts: BTreeSet<usize> = self.nodes.iter().filter_map(|n| n.parent).collect();
        // What a part holds is counted with the parts in it, but for a message inside whose parts are not told.
        let leaves = self.nodes.iter().enumerate().filter(|(n, _)| !holds_parts.contains(n)).map(|(_, node)| node.octets);
        leaves.fold(0u64, u64::saturating_add).saturating_sub(text) > MAX_ALONG
    }

    /// The part of that number; of a message inside and its content, which share it, the first.
    #[must_use]
    pub fn node(&self, path: &PartPath) -> Option<&Node> {
        let path = path.to_string();
        self.nodes.iter().find(|node| node.path == path)
    }
}

impl Node {
    fn kind(&self) -> Kind {
        match self.mime.as_str() {
            m if m.starts_with("multipart/") => Kind::Multipart,
            "message/rfc822" | "message/global" => Kind::Message,
            "text/plain" => Kind::Plain,
            "text/html" | "application/xhtml+xml" => Kind::Html,
            m if m.starts_with("text/") || m.starts_with("message/") => Kind::Text,
            _ => Kind::Data,
        }
    }

    fn disposition(&self) -> Disposition {
        match self.disposition.as_str() {
            "" => Disposition::Unsaid,
            "inline" => Disposition::Inline,
            _ => Disposition::Attachment,
        }
    }

    /// How it is encoded on the server.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.encoding.as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::render;

    fn node(path: &str, parent: Option<usize>, mime: &str, octets: u64) -> Node {
        Node { path: path.into(), parent, mime: mime.into(), octets, ..Node::default() }
    }

    fn mail() -> Outline {
        let mut pdf = node("2", Some(0), "application/pdf", 5_000_000);
        pdf.name = Some("../plan.pdf".into());
        pdf.disposition = "attachment".into();
        pdf.encoding = "base64".into();
        let mut html = node("1.2", Some(1), "text/html", 900);
        html.params = vec![("charset".into(), "utf-8".into())];
        html.encoding = "quoted-printable".into();
        Outline {
            nodes: vec![
                node("", None, "multipart/mixed", 0),
                node("1", Some(0), "multipart/alternative", 0),
                node("1.1", Some(1), "text/plain", 40),
                html,
                pdf,
                node("3", Some(0), "message/rfc822", 80_000),
                node("3", Some(5), "multipart/mixed", 0),
                node("3.1", Some(6), "text/plain", 60),
                node("3.2", Some(6), "image/png", 79_000),
            ],
        }
    }

    fn at(text: &str) -> Section {
        Section::Part(PartPath::parse(text).unwrap())
    }

    #[test]
    fn its_texts_are_wanted_and_nothing_else() {
        let outline = mail();
        let wanted: Vec<String> = outline.to_read().iter().map(|(s, _)| s.to_string()).collect();
        assert_eq!(wanted, ["1.1", "1.2", "3.1", "3.HEADER"]);
        assert!(outline.is_worth_it());
        let mut small = mail();
        small.nodes[4].octets = 1_000;
        small.nodes[8].octets = 1_000;
        assert!(!small.is_worth_it(), "the rest comes along");
        let mut long = mail();
        long.nodes[2].octets = MAX_TEXT + 1;
        assert!(!long.to_read().iter().any(|(s, _)| *s == at("1.1")));
        let alone = Outline { nodes: vec![node("1", None, "text/plain", 3_000_000)] };
        assert!(!alone.is_worth_it());
    }

    #[test]
    fn what_is_here_is_read_and_what_is_not_is_a_file() {
        let outline = mail();
        let pieces: Pieces = [
            (Section::Header, b"Subject: plan\r\nFrom: a@b.example\r\n\r\n".to_vec()),
            (at("1.1"), b"The plan is attached.\r\n".to_vec()),
            (at("1.2"), b"<p>The plan =\r\nis attached.</p>".to_vec()),
            (at("3.1"), b"Inner words.\r\n".to_vec()),
            (Section::HeaderOf(PartPath::parse("3").unwrap()), b"Subject: within\r\n\r\n".to_vec()),
        ]
        .into();
        let message = outline.message(&pieces, &BTreeSet::new());
        assert_eq!((message.envelope.subject.as_str(), message.whole), ("plan", false));
        assert_eq!(message.field("from"), Some("a@b.example"));
        let page = render::render(&message, 60, Prefer::Plain);
        let text: Vec<String> = page.lines.iter().map(crate::mail::layout::Line::text).collect();
        let text = text.join("\n");
        assert!(text.contains("The plan is attached.") && text.contains("within") && text.contains("Inner words."), "{text}");
        assert!(page.plan.alternative);
        let files: Vec<_> = page.plan.attachments.iter().map(|a| (a.safe_name.as_str(), a.size, a.here)).collect();
        // Base64 in lines of 76 letters.
        assert_eq!(files, [("plan.pdf", 3_653_846, false), ("within.eml", 80_000, false), ("part-3-2.png", 79_000, false)]);
        let here = outline.message(&pieces, &[PartPath::parse("2").unwrap()].into());
        assert!(structure::attachments(&here)[0].here);
    }

    #[test]
    fn it_comes_back_from_the_disk_and_bad_trees_do_no_harm() {
        let outline = mail();
        let text = serde_json::to_string(&outline).unwrap();
        assert_eq!(serde_json::from_str::<Outline>(&text).unwrap(), outline);
        let odd = Outline { nodes: vec![node("x", Some(7), "multipart/mixed", 1), node("1", Some(1), "", u64::MAX)] };
        let message = odd.message(&Pieces::new(), &BTreeSet::new());
        assert_eq!(message.parts.len(), 2);
        assert!(odd.to_read().is_empty());
        let none = Outline::default().message(&Pieces::new(), &BTreeSet::new());
        assert!(none.parts.is_empty() && structure::attachments(&none).is_empty());
    }
}
