//! export — `postrider export QUERY --to PATH`: what a search finds, as an mbox, a maildir or single files.
//! Owns: how files are named; nothing that exists is ever replaced. May import: engine::api, mail, base, cli.
//! Start reading at: `run`. Texts that are not here are fetched first, unless nothing may connect.

use super::Door;
use super::exit::{self, Failure};
use super::look;
use super::mail_args::{Export, Format};
use super::output::Out;
use super::session::{Session, odd};
use crate::app::words::plural;
use crate::engine::api::{Body, MessageView, Piece, Query, Rows};
use crate::mail::body::Message;
use crate::mail::flags::Flag;
use crate::mail::{filename, mbox};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most messages of one export.
const MOST: u32 = 10_000_000;
/// The letters of a maildir's file names, in their order.
const LETTERS: [(char, Flag); 5] =
    [('D', Flag::Draft), ('F', Flag::Flagged), ('R', Flag::Answered), ('S', Flag::Seen), ('T', Flag::Deleted)];

/// Where messages go.
enum Target {
    Mbox(BufWriter<File>),
    Maildir(PathBuf),
    Eml(PathBuf),
}

/// Runs it. 1 if some messages could not be had, each said.
pub fn run(door: &Door, args: &Export, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    look::read_texts(&session)?;
    let query = Query::Search { text: args.query.join(" "), within: None, limit: MOST };
    let found = match session.ask(&query)? {
        Rows::Search(page) => match page.complaint {
            Some(complaint) => {
                return Err(Failure::new(exit::DATA, complaint.as_str(), "`postrider help search` shows the words"));
            }
            None => page.rows,
        },
        _ => return Err(odd()),
    };
    if found.is_empty() {
        return Err(Failure::new(exit::MISSING, "nothing matches", "`postrider search` takes the same words"));
    }
    let mut target = open(&args.to, args.format)?;
    let mut session = session;
    let mut live = false;
    let (mut written, mut missed) = (0_u64, 0_u64);
    // Oldest first, as they came.
    for row in found.iter().rev() {
        let mut view = session.message(row.id)?;
        if !is_whole(&view) && !door.options.offline {
            if !std::mem::replace(&mut live, true) {
                // One at a time holds the profile.
                drop(session);
                session = Session::live(door)?;
            }
            view = match session.piece(row.id, &Piece::Whole, is_whole) {
                Ok(view) => view,
                Err(failure) => {
                    failure.tell();
                    missed += 1;
                    continue;
                }
            };
        }
        match &view.body {
            Body::Here(body) if body.whole => {
                put(&mut target, &view, body).map_err(|e| cannot(&args.to, &e))?;
                written += 1;
            }
            Body::Failed(fault) => {
                Failure::from(fault.clone()).tell();
                missed += 1;
            }
            Body::Here(_) | Body::NotHere { .. } | Body::Coming { .. } => {
                exit::say(&format!("all of {} is not here. `postrider sync --bodies all` fetches it", row.id.0));
                missed += 1;
            }
        }
    }
    if let Target::Mbox(file) = &mut target {
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(|e| cannot(&args.to, &e))?;
    }
    if args.json {
        out.json(&json!({"done": "export", "path": args.to.to_string_lossy(), "count": written, "missed": missed}))?;
    } else {
        out.text_line(&format!("{} in {}", plural(written, "message", "messages"), args.to.display()))?;
    }
    Ok(match (missed, written) {
        (0, _) => exit::OK,
        (_, 0) => exit::TEMPORARY,
        _ => exit::SOME,
    })
}

/// Whether all of it is here: less than that is not written anywhere.
fn is_whole(view: &MessageView) -> bool {
    matches!(&view.body, Body::Here(body) if body.whole)
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(exit::CANNOT_WRITE, &format!("{} cannot be written ({error})", path.display()), "Choose a new name with --to")
}

fn open(path: &Path, format: Format) -> Result<Target, Failure> {
    let folder = |path: &Path| fs::DirBuilder::new().mode(0o700).recursive(true).create(path);
    let done = match format {
        Format::Mbox => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(|file| Target::Mbox(BufWriter::new(file)))
        }
        Format::Maildir => {
            ["cur", "new", "tmp"].iter().try_for_each(|part| folder(&path.join(part))).map(|()| Target::Maildir(path.to_owned()))
        }
        Format::Eml => folder(path).map(|()| Target::Eml(path.to_owned())),
    };
    done.map_err(|e| cannot(path, &e))
}

fn put(target: &mut Target, view: &MessageView, body: &Arc<Message>) -> std::io::Result<()> {
    let row = &view.row;
    match target {
        Target::Mbox(file) => {
            let sender = view.envelope.from.first().map_or("", |a| a.addr.as_str());
            mbox::write(file, &body.raw, sender, row.received, &row.flags)
        }
        Target::Maildir(dir) => {
            let flags: String = LETTERS.iter().filter(|(_, flag)| row.flags.has(*flag)).map(|(letter, _)| *letter).collect();
            let name = format!("{}.M{}P{}.postrider", row.received.max(0), row.id.0, std::process::id());
            let staged = dir.join("tmp").join(&name);
            write_new(&staged, &body.raw, row.received)?;
            fs::rename(staged, dir.join("cur").join(format!("{name}:2,{flags}")))
        }
        Target::Eml(dir) => {
            let subject = filename::safe(&row.subject);
            let subject: String = subject.chars().take(60).collect();
            write_new(&dir.join(format!("{}-{}.eml", row.id.0, subject.trim_matches(['.', ' ']))), &body.raw, row.received)
        }
    }
}

/// A file that was not there, with the message's own time.
fn write_new(path: &Path, bytes: &[u8], received: i64) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    let since = std::time::Duration::from_secs(u64::try_from(received).unwrap_or(0));
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + since)?;
    file.sync_all()
}
