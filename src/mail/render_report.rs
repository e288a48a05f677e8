//! render_report — what became of a mail that was sent: delivery status (RFC 3464) and reading (RFC 8098) in words.
//! Owns: `blocks`.
//! May import: base.
//! Start reading at: `blocks`. All of it is the reporting server's claim, and may be forged like any mail.

use super::header::{self, Field};
use super::layout::{Block, Role};
use super::links::Links;
use super::render_text;

/// The most recipients that are shown.
const MAX_RECIPIENTS: usize = 50;

/// The report as a card; nothing if there is no recipient in it.
#[must_use]
pub fn blocks(raw: &[u8], links: &mut Links) -> Option<Vec<Block>> {
    let mut out = Vec::new();
    let (mut rest, mut count) = (raw, 0usize);
    while !rest.is_empty() {
        let block = header::scan(rest);
        if !block.fields.is_empty() {
            count += usize::from(recipient(&block.fields, count < MAX_RECIPIENTS, &mut out, links));
        }
        // Groups are divided by one blank line or more.
        match rest.get(block.body.max(1)..) {
            Some(next) if !block.fields.is_empty() || rest.first().is_some_and(u8::is_ascii_whitespace) => rest = next,
            _ => break,
        }
    }
    if count > MAX_RECIPIENTS {
        out.push(Block::of(&format!("[{} more recipients are in the report.]", count - MAX_RECIPIENTS), Role::Notice));
    }
    if out.is_empty() {
        return None;
    }
    Some(out)
}

/// Whether the group is about a recipient; if so, and it is to be shown, what became of the mail.
fn recipient(fields: &[Field], shown: bool, out: &mut Vec<Block>, links: &mut Links) -> bool {
    let get = |name: &'static str| header::named(fields, name).next().map_or("", |f| f.value.trim());
    // `rfc822; bob@example.org`: the type says nothing to a reader.
    let bare = |value: &'static str| get(value).split_once(';').map_or(get(value), |(_, v)| v).trim();
    let who = [bare("Original-Recipient"), bare("Final-Recipient")].into_iter().find(|w| !w.is_empty());
    let Some(who) = who else { return false };
    let action = get("Action").to_ascii_lowercase();
    let disposition = get("Disposition").rsplit(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let what = match (action.as_str(), disposition.split('/').next().unwrap_or_default()) {
        ("failed", _) => "Not delivered",
        ("delayed", _) => "Not delivered yet",
        ("delivered", _) => "Delivered",
        ("relayed", _) => "Passed on, to a server that sends no reports",
        ("expanded", _) => "Delivered to a list",
        (_, "displayed") => "Opened",
        (_, "deleted") => "Deleted unread",
        (_, "processed" | "dispatched") => "Processed without being shown",
        _ => "Reported",
    };
    if !shown {
        return true;
    }
    let mut title = Block::of(&format!("{what}: "), Role::FieldName);
    title.push(who, Role::Heading, None);
    out.push(title);
    let mut detail = |text: &str| {
        let mut block = Block { indent: 2, ..Block::default() };
        render_text::linked(&mut block, text, Role::Text, links);
        out.push(block);
    };
    let reason = bare("Diagnostic-Code");
    if !reason.is_empty() {
        detail(reason);
    } else if let Some(class) = get("Status").split('.').next().filter(|c| matches!(*c, "4" | "5")) {
        detail(if class == "4" { "The server says that this may pass." } else { "The server says that this will not change." });
    }
    let server = bare("Remote-MTA");
    if !server.is_empty() {
        detail(&format!("said by {server}"));
    }
    let until = get("Will-Retry-Until");
    if !until.is_empty() {
        detail(&format!("tried again until {until}"));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::layout;

    fn card(raw: &str) -> Option<String> {
        let blocks = blocks(raw.as_bytes(), &mut Links::default())?;
        Some(layout::lines(&blocks, 60).0.iter().map(|l| l.text() + "\n").collect())
    }

    #[test]
    fn what_became_of_it() {
        let got = card(
            "Reporting-MTA: dns; mx.example\r\nArrival-Date: x\r\n\r\nFinal-Recipient: rfc822; a@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\
             Remote-MTA: dns; mx.b.example\r\nDiagnostic-Code: smtp; 550-5.1.1 no such\r\n 550 5.1.1 user\r\n\r\n\r\n\
             Final-Recipient: rfc822;b@example.org\r\nAction: Delayed\r\nStatus: 4.2.2\r\nWill-Retry-Until: Fri, 20 Nov 2026 10:00:00 +0000\r\n",
        );
        let want = "Not delivered: a@example.org\n  550-5.1.1 no such 550 5.1.1 user\n  said by mx.b.example\n\
                    Not delivered yet: b@example.org\n  The server says that this may pass.\n  tried again until Fri, 20 Nov 2026 10:00:00 +0000\n";
        assert_eq!(got.unwrap(), want);
    }

    #[test]
    fn readings_many_and_nothing() {
        let read = card("Final-Recipient: rfc822;b@x\nDisposition: manual-action/MDN-sent-manually; displayed\n").unwrap();
        assert!(read.starts_with("Opened: b@x\n"), "{read}");
        for nothing in ["", "\n\n\n", "just text", "Reporting-MTA: dns; x\n\n"] {
            assert_eq!(card(nothing), None, "{nothing:?}");
        }
        let many = card(&"Final-Recipient: rfc822;b@x\nAction: failed\n\n".repeat(60)).unwrap();
        assert!(many.contains("[10 more recipients are in the report.]"));
        let hostile = card("Final-Recipient: rfc822;b@x\nAction: failed\nDiagnostic-Code: smtp; \x1b]0;PWN\x07\n").unwrap();
        assert!(!hostile.contains('\x1b'));
    }
}
