//! draft — a message being written, and how a reply or a forward begins.
//! Owns: `Draft`, `Original`, `Draft::{reply, forward, edit_as_new}`.
//! May import: base.
//! Start reading at: `Draft`. It is what autosave stores and what `compose.rs` freezes. All text that comes from the
//! original is untrusted and goes through `SafeText` before it is text of ours (security O-01, D-06).

use super::address::Address;
pub use super::enclosed::{Away, DraftAttachment};
use super::envelope::{Envelope, MessageId};
use super::identity::{Identity, is_own};
use super::ids::PlacementKey;
use crate::base::safetext::SafeText;
use crate::base::width;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// How lines of the body are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `format=flowed` (RFC 3676): a line of the body is a paragraph, and the reader's program wraps it.
    #[default]
    Flowed,
    /// Lines go out as they are: patches, tables.
    Fixed,
}

/// What the draft is about, so that the original can be marked once the message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// It gets `\Answered`.
    Reply(PlacementKey),
    /// It gets `$Forwarded`.
    Forward(PlacementKey),
}

/// A message being written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The author: the address of an [`Identity`].
    pub from: Address,
    /// May hold half-typed names until the message is sent, see `address_list`.
    pub to: Vec<Address>,
    /// As `to`.
    pub cc: Vec<Address>,
    /// As `to`. Only in the envelope, never in the message.
    pub bcc: Vec<Address>,
    /// One line.
    pub subject: String,
    /// Lines divided by `\n`.
    pub body: String,
    /// In order.
    pub attachments: Vec<DraftAttachment>,
    /// What it answers.
    pub in_reply_to: Option<MessageId>,
    /// Its ancestors, oldest first.
    pub references: Vec<MessageId>,
    /// How the body is sent.
    pub format: Format,
    /// What it answers or forwards, here.
    pub about: Option<About>,
    /// The message in Drafts, perhaps of another program, that it goes on with.
    pub copy_of: Option<PlacementKey>,
}

/// Whom a reply goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// The author, or whom he names in `Reply-To`.
    Sender,
    /// Everybody who had the mail, without the person.
    All,
    /// The mailing list (`List-Post`); everybody where it is none.
    List,
}

/// The message that is answered or forwarded. All text is untrusted.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Where it lies, if it is one of ours.
    pub id: Option<PlacementKey>,
    /// Its headers.
    pub envelope: &'a Envelope,
    /// The text of its body as shown: decoded, a flowed paragraph in one line, lines divided by `\n`.
    pub text: &'a str,
    /// When it was written, for people: `Fri 20 Nov, 14:02`.
    pub when: &'a str,
    /// `Mail-Followup-To`.
    pub followup_to: &'a [Address],
    /// The address in `List-Post`.
    pub list_post: Option<&'a Address>,
    /// Its attachments, copied to the spool already (forward and edit-as-new only).
    pub attachments: &'a [DraftAttachment],
}

impl Draft {
    /// The most ids written into `References`: the first and the newest ones (RFC 5537, 3.4.4, does the same).
    pub const MAX_REFERENCES: usize = 40;

    /// An empty message by `me`, with its signature.
    #[must_use]
    pub fn new(me: &Identity) -> Self {
        Self { from: me.address.clone(), body: with_signature(String::new(), me), ..Self::default() }
    }

    /// A reply, the quoted text below two empty lines for the answer.
    #[must_use]
    pub fn reply(original: &Original<'_>, audience: Audience, identities: &[Identity], me: &Identity) -> Self {
        let (to, cc) = recipients(original, audience, identities);
        let mut draft = Self {
            from: me.address.clone(),
            to,
            cc,
            subject: format!("Re: {}", bare_subject(&original.envelope.subject)),
            body: with_signature(format!("\n\n{}", quote(original)), me),
            about: original.id.map(About::Reply),
            ..Self::default()
        };
        draft.follow(original.envelope);
        draft
    }

    /// A forward: the message inline below its headers, attachments kept. It starts a conversation of its own.
    #[must_use]
    pub fn forward(original: &Original<'_>, me: &Identity) -> Self {
        let e = original.envelope;
        let mut body = String::from("\n\n---------- Forwarded message ----------\n");
        let mut field = |name: &str, text: &str| {
            if !text.is_empty() {
                // Writing to a String cannot fail.
                let _ = writeln!(body, "{name}: {}", SafeText::line(text));
            }
        };
        field("From", &people(&e.from));
        field("Date", original.when);
        field("Subject", &e.subject);
        field("To", &people(&e.to));
        field("Cc", &people(&e.cc));
        body.push('\n');
        for line in original.text.trim_end().lines() {
            body.push_str(SafeText::body_line(line).as_str());
            body.push('\n');
        }
        Self {
            from: me.address.clone(),
            subject: format!("Fwd: {}", bare_subject(&e.subject)),
            body: with_signature(body, me),
            attachments: original.attachments.iter().map(clean_attachment).collect(),
            about: original.id.map(About::Forward),
            ..Self::default()
        }
    }

    /// The same message once more, as a new one: recipients, subject, text and attachments, no ties to the old one.
    #[must_use]
    pub fn edit_as_new(original: &Original<'_>, me: &Identity) -> Self {
        let e = original.envelope;
        let lines = original.text.lines().map(|l| SafeText::body_line(l).into_string());
        Self {
            from: me.address.clone(),
            to: clean(&e.to),
            cc: clean(&e.cc),
            bcc: clean(&e.bcc),
            subject: SafeText::line(&e.subject).into_string(),
            body: lines.collect::<Vec<_>>().join("\n"),
            attachments: original.attachments.iter().map(clean_attachment).collect(),
            ..Self::default()
        }
    }

    /// Goes on with a message that lies in Drafts, from whatever program: as it is, with its ties and half-typed
    /// recipients. `me` only stands in where it names no author.
    #[must_use]
    pub fn go_on(original: &Original<'_>, me: &Identity) -> Self {
        let e = original.envelope;
        // What was no address yet stands as a name.
        let people = |list: &[Address]| -> Vec<Address> {
            let one = |a: &Address| if a.addr.is_empty() { Address::new("", &a.name) } else { a.clone() };
            clean(&list.iter().map(one).collect::<Vec<_>>())
        };
        let new = Self::edit_as_new(original, me);
        Self {
            from: people(&e.from).into_iter().next().unwrap_or_else(|| new.from.clone()),
            to: people(&e.to),
            cc: people(&e.cc),
            bcc: people(&e.bcc),
            in_reply_to: e.in_reply_to.first().cloned(),
            references: e.references.clone(),
            copy_of: original.id,
            ..new
        }
    }

    /// Puts another author in place, and exchanges the old signature for the new one if it stands there unchanged.
    pub fn change_identity(&mut self, old: &Identity, new: &Identity) {
        self.from = new.address.clone();
        let old = with_signature(String::new(), old);
        let old = old.trim_start_matches('\n');
        if old.is_empty() {
            self.body = with_signature(std::mem::take(&mut self.body), new);
        } else if let Some(text) = self.body.strip_suffix(old) {
            self.body = with_signature(text.to_owned(), new);
        }
    }

    /// Whether nothing was put in that would be missed: no recipient, subject, attachment, nor any text beside the
    /// signature of `me`.
    #[must_use]
    pub fn is_blank(&self, me: &Identity) -> bool {
        let text = self.body.trim();
        let untouched = text.is_empty() || text == with_signature(String::new(), me).trim();
        self.to.is_empty()
            && self.cc.is_empty()
            && self.bcc.is_empty()
            && self.subject.trim().is_empty()
            && self.attachments.is_empty()
            && untouched
    }

    fn follow(&mut self, parent: &Envelope) {
        let Some(id) = &parent.message_id else { return };
        let mut chain: Vec<MessageId> = parent.references.clone();
        // RFC 5322, 3.6.4: without References, a single In-Reply-To stands for them.
        if let ([], [one]) = (chain.as_slice(), parent.in_reply_to.as_slice()) {
            chain.push(one.clone());
        }
        chain.retain(|r| r != id);
        chain.push(id.clone());
        if chain.len() > Self::MAX_REFERENCES {
            chain.drain(1..=chain.len() - Self::MAX_REFERENCES);
        }
        self.in_reply_to = Some(id.clone());
        self.references = chain;
    }
}

fn recipients(original: &Original<'_>, audience: Audience, identities: &[Identity]) -> (Vec<Address>, Vec<Address>) {
    let e = original.envelope;
    // "Reply" to one's own mail continues it: to those who had it.
    if e.from.first().is_some_and(|a| is_own(identities, a)) && !e.to.is_empty() {
        let cc = if audience == Audience::Sender { Vec::new() } else { distinct(&e.cc, &e.to, &[]) };
        return (distinct(&e.to, &[], &[]), cc);
    }
    // A list that sets Reply-To to itself must not turn a private answer into a public one.
    let munged = original.list_post.is_some_and(|list| e.reply_to.iter().all(|r| r.same(list)));
    let author = if e.reply_to.is_empty() || (munged && audience == Audience::Sender) { &e.from } else { &e.reply_to };
    match (audience, original.list_post) {
        (Audience::List, Some(list)) => (clean(std::slice::from_ref(list)), Vec::new()),
        (Audience::Sender, _) => (distinct(author, &[], &[]), Vec::new()),
        _ if !original.followup_to.is_empty() => (distinct(original.followup_to, &[], identities), Vec::new()),
        _ => {
            let others: Vec<Address> = e.to.iter().chain(&e.cc).cloned().collect();
            let to = distinct(author, &[], identities);
            let cc = distinct(&others, &to, identities);
            // All is own where one writes to oneself.
            if to.is_empty() && cc.is_empty() { (distinct(author, &[], &[]), cc) } else { (to, cc) }
        }
    }
}

/// `list` cleaned, each address once, without those in `but` and the person's own.
fn distinct(list: &[Address], but: &[Address], own: &[Identity]) -> Vec<Address> {
    let mut out: Vec<Address> = Vec::new();
    let mut seen: std::collections::HashSet<String> = but.iter().map(|a| a.addr.to_ascii_lowercase()).collect();
    for a in clean(list) {
        if !is_own(own, &a) && seen.insert(a.addr.to_ascii_lowercase()) {
            out.push(a);
        }
    }
    out
}

fn clean(list: &[Address]) -> Vec<Address> {
    let one = |a: &Address| Address::new(SafeText::line(&a.name).as_str().trim(), SafeText::line(&a.addr).as_str().trim());
    list.iter().filter(|a| !a.addr.is_empty()).map(one).collect()
}

/// The name as one path component: what else a received name says is nobody's business (M-34).
fn clean_attachment(a: &DraftAttachment) -> DraftAttachment {
    let safe = SafeText::line(&a.name);
    let name = safe.as_str().rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let name = if name.trim_matches('.').is_empty() { "attachment" } else { name };
    DraftAttachment { name: name.to_owned(), ..a.clone() }
}

fn people(list: &[Address]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The subject without any `Re:`, `Fwd:` and what other programs write in their place.
fn bare_subject(subject: &str) -> String {
    const MARKS: [&str; 13] = ["re", "aw", "sv", "vs", "antw", "antwort", "rif", "odp", "fwd", "fw", "wg", "tr", "rv"];
    let safe = SafeText::line(subject);
    let mut rest = safe.as_str().trim();
    while let Some((mark, behind)) = rest.split_once(':') {
        // `Re[2]:` counts.
        let word = mark.trim_end().trim_end_matches(|c: char| c.is_ascii_digit() || c == '[' || c == ']');
        if !MARKS.iter().any(|m| m.eq_ignore_ascii_case(word)) {
            break;
        }
        rest = behind.trim_start();
    }
    rest.to_owned()
}

/// A quoted line that takes more cells is broken again.
const WHOLE_LINE: usize = 78;
/// To so many, with its marks.
const QUOTE_CELLS: usize = 72;

/// How deep a line is quoted, and its text: `> > a` is 2 and `a`.
pub fn marks(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    loop {
        let inner = rest.strip_prefix(' ').filter(|r| depth > 0 && r.starts_with('>')).unwrap_or(rest);
        match inner.strip_prefix('>') {
            Some(behind) => (depth, rest) = (depth + 1, behind),
            None => return (depth, if depth > 0 { rest.strip_prefix(' ').unwrap_or(rest) } else { rest }),
        }
    }
}

/// The attribution and the quoted text, without the author's signature.
fn quote(original: &Original<'_>) -> String {
    let author = original.envelope.from.first().map_or("Somebody", Address::short);
    let author = SafeText::line_max(author, 80);
    let mut out = match original.when {
        "" => format!("{author} wrote:\n"),
        when => format!("{author} wrote on {}:\n", SafeText::line_max(when, 40)),
    };
    let lines: Vec<&str> = original.text.trim_end().lines().collect();
    let end = lines.iter().rposition(|l| *l == "-- ").unwrap_or(lines.len());
    let body = lines.get(..end).unwrap_or_default();
    let last = body.iter().rposition(|l| !l.trim().is_empty()).map_or(0, |n| n + 1);
    for line in body.iter().take(last).skip_while(|l| l.trim().is_empty()) {
        let text = SafeText::body_line(line);
        let text = text.as_str().trim_end();
        // `> > text` becomes `>>> text`: marks that stand apart are text to a reader of flowed mail (RFC 3676, 4.5).
        let (depth, rest) = marks(text);
        let mark = format!("{}{}", ">".repeat(depth + 1), if rest.is_empty() { "" } else { " " });
        // A paragraph in one line would lose its marks where a screen wraps it; a line of code or of a patch is left whole.
        let rows = if mark.len() + width::width(rest) > WHOLE_LINE {
            width::wrap(rest, QUOTE_CELLS.saturating_sub(mark.len()).max(20))
        } else {
            std::iter::once(0..rest.len()).collect()
        };
        for row in rows {
            out.extend([&mark, rest.get(row).unwrap_or_default(), "\n"]);
        }
    }
    out
}

fn with_signature(mut body: String, me: &Identity) -> String {
    let signature = me.signature.trim_end();
    if !signature.is_empty() {
        if body.is_empty() {
            body.push_str("\n\n");
        } else if !body.ends_with("\n\n") {
            body.push('\n');
        }
        body.push_str("-- \n");
        body.push_str(signature);
        body.push('\n');
    }
    body
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
