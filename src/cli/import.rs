//! import — `postrider import PATH --into MAILBOX`: the messages of an mbox, a maildir, or single files.
//! Owns: how files are told apart and read. May import: engine::api, mail, base, cli.
//! Start reading at: `run`. All is durable here before the verb answers 0; the server gets it as it can.

use super::change::agreed;
use super::exit::{self, Failure};
use super::mail_args::Import;
use super::output::Out;
use super::session::Session;
use super::{Door, place};
use crate::app::words::plural;
use crate::engine::api::{Brought, Request};
use crate::mail::compose::crlf;
use crate::mail::flags::{Flag, Flags};
use crate::mail::ids::MailboxId;
use crate::mail::{mbox, parse};
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// So many messages, or so many octets, are handed over at once.
const BATCH: (usize, usize) = (200, 16 << 20);
/// The letters of a maildir's file names.
const LETTERS: [(char, Flag); 4] = [('D', Flag::Draft), ('F', Flag::Flagged), ('R', Flag::Answered), ('S', Flag::Seen)];

/// Runs it.
pub fn run(door: &Door, args: &Import, out: &mut Out) -> Result<u8, Failure> {
    let session = if args.wait { Session::telling(door)? } else { Session::open(door)? };
    let all = session.mailboxes()?;
    let account = args.account.as_deref().map(|name| session.account(name)).transpose()?;
    let into = place::find(&all, &args.into, account.as_ref())?;
    let mut desk = Batches { session: &session, mailbox: into.id, waiting: Vec::new(), octets: 0, count: 0, groups: Vec::new() };
    read(&args.path, &mut |message| desk.add(message))?;
    desk.hand_in()?;
    let (count, groups) = (desk.count, desk.groups);
    if count == 0 {
        return Err(Failure::new(exit::DATA, &format!("{} holds no message", args.path.display()), ""));
    }
    if args.wait {
        agreed(&session, &groups)?;
    }
    if args.json {
        out.json(&json!({"done": "import", "account": into.account, "mailbox": into.path.decoded(), "count": count}))?;
    } else {
        let shown = format!("{}/{}", into.account, into.path.decoded());
        out.text_line(&format!("{} for {shown}", plural(count, "message", "messages")))?;
    }
    Ok(exit::OK)
}

/// Messages on their way to the engine.
struct Batches<'a> {
    session: &'a Session,
    mailbox: MailboxId,
    waiting: Vec<Brought>,
    octets: usize,
    count: u64,
    groups: Vec<crate::mail::ids::GroupId>,
}

impl Batches<'_> {
    fn add(&mut self, message: Brought) -> Result<(), Failure> {
        self.octets += message.bytes.len();
        self.waiting.push(message);
        if self.waiting.len() >= BATCH.0 || self.octets >= BATCH.1 { self.hand_in() } else { Ok(()) }
    }

    fn hand_in(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let messages = std::mem::take(&mut self.waiting);
        self.octets = 0;
        let done = self.session.act(Request::Import { mailbox: self.mailbox, messages })?;
        self.count += u64::from(done.count);
        self.groups.extend(done.group);
        Ok(())
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    let code = if error.kind() == std::io::ErrorKind::NotFound { exit::MISSING } else { exit::DATA };
    Failure::new(code, &format!("{} cannot be read ({error})", path.display()), "It may be an mbox, a maildir, or a message")
}

/// Reads whatever is there: a maildir, a folder of messages, an mbox, a single message.
fn read(path: &Path, each: &mut dyn FnMut(Brought) -> Result<(), Failure>) -> Result<(), Failure> {
    if path.join("cur").is_dir() {
        return ["cur", "new"].iter().try_for_each(|part| folder(&path.join(part), true, each));
    }
    if path.is_dir() {
        return folder(path, false, each);
    }
    let mut start = [0; 5];
    let mut file = File::open(path).map_err(|e| cannot(path, &e))?;
    let mbox = file.read_exact(&mut start).is_ok() && &start == b"From ";
    if !mbox {
        return each(single(path, Flags::default())?);
    }
    let file = File::open(path).map_err(|e| cannot(path, &e))?;
    for entry in mbox::Reader::new(BufReader::new(file)) {
        let entry = entry.map_err(|e| cannot(path, &e))?;
        each(brought(entry.bytes, entry.flags, entry.received, path)?)?;
    }
    Ok(())
}

/// All files of a folder by name, so that twice is the same order.
fn folder(path: &Path, maildir: bool, each: &mut dyn FnMut(Brought) -> Result<(), Failure>) -> Result<(), Failure> {
    let entries = fs::read_dir(path).map_err(|e| cannot(path, &e))?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| cannot(path, &e))?.path();
        let hidden = entry.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if entry.is_file() && !hidden && (maildir || entry.extension().is_some_and(|e| e == "eml")) {
            files.push(entry);
        }
    }
    files.sort();
    for file in files {
        let name = file.to_string_lossy();
        let letters = name.rsplit_once(":2,").filter(|_| maildir).map_or("", |(_, letters)| letters);
        let mut flags = Flags::new();
        LETTERS.iter().filter(|(letter, _)| letters.contains(*letter)).for_each(|(_, flag)| flags.insert(*flag));
        each(single(&file, flags)?)?;
    }
    Ok(())
}

fn single(path: &Path, flags: Flags) -> Result<Brought, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| cannot(path, &e))?;
    let modified = file.metadata().and_then(|m| m.modified()).ok();
    file.take(mbox::MAX_MESSAGE as u64 + 1).read_to_end(&mut bytes).map_err(|e| cannot(path, &e))?;
    if bytes.len() > mbox::MAX_MESSAGE {
        return Err(Failure::new(exit::DATA, &format!("{} is larger than 256 MiB", path.display()), ""));
    }
    let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let received = since.map(|s| s.as_secs().cast_signed());
    brought(crlf(&bytes), flags, received, path)
}

/// A message has a header; something else is no message, and is said to be none.
fn brought(bytes: Vec<u8>, flags: Flags, received: Option<i64>, path: &Path) -> Result<Brought, Failure> {
    let envelope = {
        let _reading = crate::base::gate::reading();
        parse::envelope(&bytes)
    };
    let known =
        envelope.date.is_some() || !envelope.from.is_empty() || !envelope.subject.is_empty() || envelope.message_id.is_some();
    if !known {
        let what = format!("{} holds something that is no message", path.display());
        return Err(Failure::new(exit::DATA, &what, "What came before it is imported"));
    }
    Ok(Brought { bytes, flags, received: received.or(envelope.date).unwrap_or(0) })
}
