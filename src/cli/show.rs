//! show — `postrider show ID` and `postrider attachments ID`: one message.
//! Owns: its forms as text and JSON. May import: engine::api, mail, base, cli.
//! Start reading at: `run`. Text is made safe; `--raw`, `--html` and JSON are the message's own.

use super::Door;
use super::exit::{self, Failure};
use super::mail_args::{Attachments, Show};
use super::output::Out;
use super::rows;
use super::session::Session;
use crate::app::words::size;
use crate::base::safetext::SafeText;
use crate::engine::api::{Body, MessageView, Piece, Request};
use crate::mail::address::Address;
use crate::mail::body::{Attachment, Kind, Message, PartPath};
use crate::mail::ids::{AccountName, PlacementKey};
use crate::mail::render;
use crate::mail::structure::{self, Prefer};
use crate::mail::{layout, parse};
use serde_json::{Value, json};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The width of the text where the output is no terminal.
const WIDTH: usize = 80;
/// The widest lines that are made of text without line breaks.
const MAX_WIDTH: usize = 100;

/// `postrider show`
pub fn run(door: &Door, args: &Show, out: &mut Out) -> Result<u8, Failure> {
    let form = &args.form;
    let (_, view, body) = if form.raw { whole(door, args.id)? } else { readable(door, args.id)? };
    if form.raw {
        out.raw(&body.raw)?;
    } else if form.headers {
        for field in &body.fields {
            out.text_line(&format!("{}: {}", field.name, field.value))?;
        }
    } else if form.html {
        let html = body.parts.iter().find(|p| p.kind == Kind::Html);
        let part = html.ok_or_else(|| Failure::new(exit::MISSING, "this message has no HTML", "Leave --html out"))?;
        out.raw(parse::text(&body, part).as_bytes())?;
    } else if form.structure {
        tree(&body, out)?;
    } else if form.json {
        out.json(&object(&view, &body))?;
    } else {
        if !form.text {
            header(&view, out)?;
        }
        for line in text(&body) {
            out.line(line.as_str())?;
        }
        if !form.text {
            attached(&body, out)?;
        }
    }
    Ok(exit::OK)
}

/// `postrider attachments`
pub fn attachments(door: &Door, args: &Attachments, out: &mut Out) -> Result<u8, Failure> {
    let (session, view, body) = readable(door, args.id)?;
    let wanted =
        match &args.part {
            None => None,
            Some(text) => Some(PartPath::parse(text).ok_or_else(|| {
                Failure::new(exit::USAGE, &format!("`{text}` is no part"), "Parts are numbers such as 2 or 2.1")
            })?),
        };
    let all = structure::attachments(&body);
    let some: Vec<_> = all.iter().filter(|a| wanted.as_ref().is_none_or(|w| a.path == *w)).collect();
    if let (Some(part), true) = (&wanted, some.is_empty()) {
        return Err(Failure::new(exit::MISSING, &format!("part {part} is no attachment"), "`attachments ID` lists them"));
    }
    let (saved, code) = match &args.save {
        Some(folder) => save(door, (session, &view.row.account), view.row.id, &some, folder)?,
        None => (vec![None; some.len()], exit::OK),
    };
    if args.json {
        let rows: Vec<Value> = some
            .iter()
            .zip(&saved)
            .map(|(a, saved)| {
                let mut row = attachment(a);
                row["saved"] = json!(saved.as_ref().map(|p| p.to_string_lossy()));
                row
            })
            .collect();
        out.json(&rows)?;
        return Ok(code);
    }
    for (a, saved) in some.iter().zip(&saved) {
        match saved {
            Some(path) => out.text_line(&path.to_string_lossy())?,
            // Why this one is not saved was said.
            None if args.save.is_some() => {}
            None => {
                let away = if a.here { "" } else { "  (on the server)" };
                out.text_line(&format!("{:6} {:>10}  {:28} {}{away}", a.path, size(a.size), a.mime, a.safe_name))?;
            }
        }
    }
    Ok(code)
}

/// Saves attachments into a folder, which is made if it is missing, and fetches those that are not here: the file of each that
/// could be saved, and the exit code. What went wrong with the others is said.
fn save(
    door: &Door,
    (mut session, account): (Session, &AccountName),
    message: PlacementKey,
    all: &[&Attachment],
    folder: &Path,
) -> Result<(Vec<Option<PathBuf>>, u8), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        let what = format!("the folder {} cannot be made ({error})", folder.display());
        Failure::new(exit::CANNOT_WRITE, &what, "Choose another with --save")
    })?;
    if all.iter().any(|a| !a.here) {
        session = online(door, session, account)?;
    }
    let one = |attachment: &&Attachment| -> Result<Option<PathBuf>, Failure> {
        let path = &attachment.path;
        if !attachment.here {
            let here = |view: &MessageView| match &view.body {
                Body::Here(m) => m.at(path).and_then(|i| m.parts.get(i)).is_some_and(|p| p.kept.is_here()),
                _ => false,
            };
            session.piece(message, &Piece::Part(path.clone()), here)?;
        }
        let (part, name) = (path.clone(), attachment.safe_name.clone());
        Ok(session.act(Request::SavePart { message, part, to_open: false, folder: folder.to_owned(), name })?.path)
    };
    let (mut code, mut saved) = (exit::OK, Vec::new());
    for attachment in all {
        saved.push(one(attachment).unwrap_or_else(|failure| {
            failure.tell();
            code = failure.code;
            None
        }));
    }
    let some = saved.iter().any(Option::is_some);
    Ok((saved, if code != exit::OK && some { exit::SOME } else { code }))
}

/// The message with all its bytes, which are fetched if they are not here.
fn whole(door: &Door, id: i64) -> Result<(Session, MessageView, Arc<Message>), Failure> {
    let (session, view, body) = readable(door, id)?;
    if body.whole {
        return Ok((session, view, body));
    }
    let session = online(door, session, &view.row.account)?;
    let all = |view: &MessageView| matches!(&view.body, Body::Here(message) if message.whole);
    let view = session.piece(PlacementKey(id), &Piece::Whole, all)?;
    match view.body.clone() {
        Body::Here(body) => Ok((session, view, body)),
        _ => Err(super::session::odd()),
    }
}

/// A session that can fetch what it is asked for of one account.
fn online(door: &Door, session: Session, account: &AccountName) -> Result<Session, Failure> {
    if door.options.offline {
        return Err(Failure::new(exit::TEMPORARY, "this is on the server only", "Leave --offline out"));
    }
    // One at a time holds the profile.
    drop(session);
    Session::errand(door, account)
}

/// The message with its text, which is fetched if it is not here.
fn readable(door: &Door, id: i64) -> Result<(Session, MessageView, Arc<Message>), Failure> {
    let id = PlacementKey(id);
    let mut session = Session::open(door)?;
    let mut view = session.message(id)?;
    if matches!(view.body, Body::NotHere { .. } | Body::Coming { .. }) && !door.options.offline {
        // One at a time holds the profile.
        drop(session);
        session = Session::errand(door, &view.row.account)?;
        view = session.body(id)?;
    }
    match view.body.clone() {
        Body::Here(body) => Ok((session, view, body)),
        Body::Failed(fault) => Err(fault.into()),
        Body::NotHere { .. } | Body::Coming { .. } => {
            Err(Failure::new(exit::TEMPORARY, "the text of this message is not here", "`postrider sync --bodies all` fetches it"))
        }
    }
}

fn header(view: &MessageView, out: &mut Out) -> io::Result<()> {
    let envelope = &view.envelope;
    let list = |all: &[Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let date = envelope.date.unwrap_or(view.row.received);
    for (name, value) in [
        ("From", list(&envelope.from)),
        ("To", list(&envelope.to)),
        ("Cc", list(&envelope.cc)),
        ("Date", rows::local(date)),
        ("Subject", envelope.subject.clone()),
    ] {
        if !value.is_empty() {
            out.text_line(&format!("{name}: {value}"))?;
        }
    }
    out.line("")
}

/// The text as lines.
fn text(body: &Message) -> Vec<SafeText> {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    let cells = if columns == 0 { WIDTH } else { columns.min(MAX_WIDTH) };
    render::render(body, cells, Prefer::Plain).lines.iter().map(|line: &layout::Line| SafeText::body_line(&line.text())).collect()
}

fn attached(body: &Message, out: &mut Out) -> io::Result<()> {
    let all = structure::attachments(body);
    if all.is_empty() {
        return Ok(());
    }
    out.line("")?;
    all.iter().try_for_each(|a| out.text_line(&format!("[{}] {} ({}, {})", a.path, a.safe_name, a.mime, size(a.size))))
}

fn tree(body: &Message, out: &mut Out) -> io::Result<()> {
    for (index, part) in body.parts.iter().enumerate() {
        let mut depth = 0;
        let mut up = part.parent;
        // Parents come before children, so this ends.
        while let Some(parent) = up.filter(|p| *p < index) {
            depth += 1;
            up = body.parts.get(parent).and_then(|p| p.parent);
        }
        let name = part.name.as_ref().map_or(String::new(), |n| format!("  {n}"));
        let path = part.path.to_string();
        let path = if path.is_empty() { "-" } else { &path };
        out.text_line(&format!(
            "{}{path} {}{name}  {}",
            "  ".repeat(depth),
            part.mime,
            size(part.body.len() as u64 + part.kept.octets())
        ))?;
    }
    Ok(())
}

fn object(view: &MessageView, body: &Message) -> Value {
    let mut all = rows::view(view);
    let text: Vec<String> = text(body).into_iter().map(SafeText::into_string).collect();
    all.insert("text".to_owned(), json!(text.join("\n")));
    all.insert("parts".to_owned(), structure::attachments(body).iter().map(attachment).collect());
    let headers = body.fields.iter().map(|f| json!([f.name, f.value]));
    all.insert("headers".to_owned(), headers.collect());
    Value::Object(all)
}

fn attachment(a: &Attachment) -> Value {
    json!({"part": a.path.to_string(), "mime": a.mime, "name": a.name, "safe_name": a.safe_name, "size": a.size, "here": a.here})
}
