//! rows — message rows and other answers as text for people and as JSON for programs.
//! Owns: the JSON of interface.md, with an example of each in assets/doc/json.
//! May import: engine::api, mail, base, cli.
//! Start reading at: `message`. Names are promises; what is foreign is made safe in text and left as it is in JSON, where
//! it is escaped.

use super::output::Out;
use crate::app::words::plural;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::engine::api::{MessageView, OutboxRow, QueueRow};
use crate::mail::address::Address;
use crate::mail::flags::{Flag, Flags, Keyword};
use crate::mail::mailbox::MailboxPath;
use crate::mail::row::{MailboxRow, MessageRow};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::io;

/// The greatest row number takes so many cells: it is below 2^53.
const ID: usize = 16;

/// Seconds since 1970 as RFC 3339 in UTC; null for 0 and for what no calendar has.
pub fn time(seconds: i64) -> Value {
    match Timestamp::from_second(seconds) {
        Ok(time) if seconds != 0 => json!(time.to_string()),
        _ => Value::Null,
    }
}

/// Seconds since 1970 for people, in their time zone.
pub fn local(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| " ".repeat(16), |t| t.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string())
}

/// `[{"name","address"}]`
pub fn people(addresses: &[Address]) -> Value {
    json!(addresses)
}

/// `flags` and `keywords`.
fn flags(flags: &Flags) -> (Vec<&'static str>, Vec<&str>) {
    (flags.system().map(Flag::word).collect(), flags.keywords().map(Keyword::as_str).collect())
}

/// A message row; `mailbox` is where it lies, if that is known.
pub fn message(row: &MessageRow, mailbox: Option<&MailboxPath>) -> Value {
    let (flags, keywords) = flags(&row.flags);
    json!({
        "id": row.id, "account": row.account, "mailbox": mailbox.map(MailboxPath::decoded), "uid": row.uid,
        "message_id": row.message_id, "thread": row.thread, "date": time(row.received), "from": row.from, "to": row.to,
        "subject": row.subject, "flags": flags, "keywords": keywords, "size": row.size, "attachments": row.attachments,
        "preview": row.preview, "cached": row.cached,
    })
}

/// A message row in a line: number, date, marks, author, subject.
///
/// # Errors
/// If it cannot be written.
pub fn message_line(row: &MessageRow, out: &mut Out) -> io::Result<()> {
    let mark = |on: bool, c: char| if on { c } else { ' ' };
    let marks: String = [
        mark(!row.flags.has(Flag::Seen), 'N'),
        mark(row.flags.has(Flag::Flagged), '*'),
        mark(row.flags.has(Flag::Answered), 'r'),
        mark(row.attachments > 0, '@'),
    ]
    .into_iter()
    .collect();
    let from = width::pad(SafeText::line(row.from.short()).as_str(), 24);
    out.text_line(format!("{:>ID$}  {}  {marks}  {from}  {}", row.id.0, local(row.received), row.subject).trim_end())
}

/// A mailbox.
pub fn mailbox(row: &MailboxRow) -> Value {
    json!({
        "id": row.id, "account": row.account, "name": row.path.decoded(), "delimiter": row.delimiter,
        "role": row.role.map(crate::mail::mailbox::Role::word), "selectable": row.selectable, "subscribed": row.subscribed,
        "total": row.total, "unread": row.unread, "synced": time(row.synced_at),
    })
}

/// A mailbox in a line: unread, total, freshness, role, name.
///
/// # Errors
/// If it cannot be written.
pub fn mailbox_line(row: &MailboxRow, out: &mut Out) -> io::Result<()> {
    let fresh = if row.synced_at == 0 { "never           ".to_owned() } else { local(row.synced_at) };
    let role = row.role.map_or("", crate::mail::mailbox::Role::word);
    let counts = if row.selectable { format!("{:>7} {:>7}", row.unread, row.total) } else { " ".repeat(15) };
    out.text_line(&format!("{counts}  {fresh}  {role:8} {}/{}", row.account, row.path.decoded()))
}

/// An outgoing mail.
pub fn outbox(row: &OutboxRow) -> Value {
    json!({
        "id": row.id, "account": row.account, "state": row.state.word(), "message_id": row.message_id, "sender": row.sender,
        "recipients": row.recipients, "subject": row.subject, "attempts": row.attempts, "due": time(row.due),
        "fault": text_or_null(&row.fault), "created": time(row.created),
    })
}

/// An outgoing mail in a line, and a second one for what is wrong.
///
/// # Errors
/// If it cannot be written.
pub fn outbox_line(row: &OutboxRow, out: &mut Out) -> io::Result<()> {
    let to = width::pad(SafeText::line(&row.recipients.join(", ")).as_str(), 28);
    out.text_line(&format!("{:>5}  {:10}  {}  {to}  {}", row.id.0, row.state.word(), local(row.created), row.subject))?;
    if row.fault.is_empty() { Ok(()) } else { out.line(&format!("       {}", row.fault)) }
}

/// An operation that the server has not confirmed.
pub fn queued(row: &QueueRow) -> Value {
    json!({
        "id": row.id, "group": row.group, "account": row.account, "mailbox": row.mailbox.decoded(), "kind": row.kind,
        "detail": row.detail.as_str(), "count": row.count, "state": row.state.word(), "attempts": row.attempts,
        "fault": text_or_null(&row.fault), "created": time(row.created),
    })
}

/// An operation in a line, and a second one for what is wrong.
///
/// # Errors
/// If it cannot be written.
pub fn queued_line(row: &QueueRow, out: &mut Out) -> io::Result<()> {
    let what = if row.is_about_tree() {
        format!("{} ({})", row.detail, row.account)
    } else {
        let messages = plural(row.count.into(), "message", "messages");
        format!("{}: {messages} in {}/{}", row.detail, row.account, row.mailbox.decoded())
    };
    out.text_line(&format!("{:>5}  {:9}  {}  {what}", row.id.0, row.state.word(), local(row.created)))?;
    if row.fault.is_empty() { Ok(()) } else { out.line(&format!("       {}", row.fault)) }
}

fn text_or_null(text: &SafeText) -> Value {
    if text.is_empty() { Value::Null } else { json!(text.as_str()) }
}

/// A message to read, without its text: the row's keys and all that its header says.
pub fn view(view: &MessageView) -> Map<String, Value> {
    let envelope = &view.envelope;
    let mut all = match message(&view.row, Some(&view.mailbox)) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let ids = |ids: &[crate::mail::envelope::MessageId]| json!(ids);
    for (key, value) in [
        ("sent", envelope.date.map_or(Value::Null, time)),
        ("from_all", people(&envelope.from)),
        ("sender", people(&envelope.sender)),
        ("reply_to", people(&envelope.reply_to)),
        ("to", people(&envelope.to)),
        ("cc", people(&envelope.cc)),
        ("bcc", people(&envelope.bcc)),
        ("in_reply_to", ids(&envelope.in_reply_to)),
        ("references", ids(&envelope.references)),
    ] {
        all.insert(key.to_owned(), value);
    }
    all
}
