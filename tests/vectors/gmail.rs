//! gmail — a server whose mailboxes are labels (X-GM-EXT-1) and whose names are not English, and a person at it: a message is
//! one, wherever it shows.
//! Start reading at: the test; what such a server does is below it. `World::labels` switches it on.

use super::bed::Bed;
use super::imap::{Folder, World, letter};
use super::wire::Server;
use super::words::{self, Word};
use serde_json::Value;
use std::collections::BTreeSet;

const ALL: &str = "[Gmail]/Alle Nachrichten";
const TRASH: &str = "[Gmail]/Papierkorb";
/// What Gmail says of itself, as far as this server does it: not CONDSTORE, so that what changed in a mailbox shows when
/// something else in it does.
const CAPS: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS MOVE IDLE SPECIAL-USE LIST-EXTENDED X-GM-EXT-1";

/// Letters 1 to 3 in the inbox, 4 archived with a label.
fn gmail() -> Server {
    let server = Server::imap();
    let mut world = server.world();
    world.labels = true;
    world.caps = CAPS.to_owned();
    let role = |name, attributes| Folder { attributes, ..Folder::new(name) };
    let inbox = world.inbox().clone();
    let mut all = role(ALL, "\\All");
    all.next = 100;
    (1..=4).for_each(|n| {
        all.add(letter(n));
    });
    let mut work = Folder::new("Work");
    work.add(letter(4));
    world.folders = vec![
        inbox,
        role("[Gmail]", "\\Noselect \\HasChildren"),
        all,
        role(TRASH, "\\Trash"),
        role("[Gmail]/Gesendet", "\\Sent"),
        role("[Gmail]/Markiert", "\\Flagged"),
        work,
    ];
    drop(world);
    server
}

/// The numbers of the letters in a mailbox of the server, in order.
fn there(server: &Server, name: &str) -> Vec<String> {
    let mut all: Vec<String> = server.world().folder(name).mails.iter().map(|m| words::field(&m.raw, "Subject")).collect();
    all.sort();
    all
}

fn letters(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|n| format!("Letter {n}")).collect()
}

/// The subjects of what a search finds, in order.
fn found(bed: &Bed, args: &[&str]) -> Vec<String> {
    let rows = bed.run(args).code(0).json();
    let mut all: Vec<String> = rows.as_array().unwrap().iter().map(|r| r["subject"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

/// The tags of a letter where it shows.
fn tags(bed: &Bed, mailbox: &str, subject: &str) -> Vec<String> {
    let rows = bed.list(mailbox);
    let row = rows.iter().find(|r| r["subject"] == subject).unwrap_or_else(|| panic!("no {subject} in {rows:?}"));
    let words = row["keywords"].as_array().unwrap().iter().map(|k: &Value| k.as_str().unwrap().to_owned());
    words.collect()
}

#[test]
fn one_message_is_one_wherever_it_shows() {
    let server = gmail();
    let bed = Bed::at(&server);
    let sync = || drop(bed.run(&["sync", "--bodies", "all"]).code(0));
    let once = |numbers: &[u32]| {
        assert_eq!(found(&bed, &["--offline", "search", "letter", "--json"]), letters(numbers));
        assert_eq!(found(&bed, &["search", "--server", "letter", "--json"]), letters(numbers));
    };
    sync();
    assert_eq!(
        (bed.subjects("INBOX"), bed.subjects(ALL), bed.subjects("Work")),
        (letters(&[1, 2, 3]), letters(&[1, 2, 3, 4]), letters(&[4]))
    );
    assert_eq!(tags(&bed, ALL, "Letter 4"), ["Work"]);
    once(&[1, 2, 3, 4]);
    // Known by its use: the name says nothing.
    bed.run(&["archive", &bed.id("INBOX", "Letter 2")]).code(0);
    sync();
    assert_eq!((there(&server, "INBOX"), there(&server, ALL)), (letters(&[1, 3]), letters(&[1, 2, 3, 4])));
    assert_eq!((bed.subjects("INBOX"), bed.subjects(ALL)), (letters(&[1, 3]), letters(&[1, 2, 3, 4])));
    assert_eq!((server.count("UID MOVE"), server.count("CREATE"), server.count("UID COPY")), (1, 0, 0));
    // A tag is a label: the message shows in that mailbox, too.
    bed.run(&["flag", "--add", "Work", &bed.id("INBOX", "Letter 1")]).code(0);
    sync();
    assert_eq!((there(&server, "Work"), server.count("+X-GM-LABELS")), (letters(&[1, 4]), 1));
    sync();
    assert_eq!((bed.subjects("Work"), tags(&bed, "INBOX", "Letter 1")), (letters(&[1, 4]), vec!["Work".to_owned()]));
    once(&[1, 2, 3, 4]);
    // Deleted, it is nowhere but in the bin.
    bed.run(&["delete", &bed.id("INBOX", "Letter 3")]).code(0);
    sync();
    assert_eq!(
        (there(&server, "INBOX"), there(&server, ALL), there(&server, TRASH)),
        (letters(&[1]), letters(&[1, 2, 4]), letters(&[3]))
    );
    sync();
    assert_eq!(
        (bed.subjects("INBOX"), bed.subjects(ALL), bed.subjects(TRASH)),
        (letters(&[1]), letters(&[1, 2, 4]), letters(&[3]))
    );
    once(&[1, 2, 3, 4]);
    // Another client: one is archived, one gets another label, a new one comes.
    {
        let mut world = server.world();
        world.inbox().mails.clear();
        world.folders.push(Folder::new("Private"));
        world.folder("Private").add(letter(4));
        world.inbox().add(letter(5));
        world.folder(ALL).add(letter(5));
    }
    let before = server.heard().len();
    sync();
    assert_eq!(
        (bed.subjects("INBOX"), bed.subjects(ALL), bed.subjects("Private")),
        (letters(&[5]), letters(&[1, 2, 4, 5]), letters(&[4]))
    );
    assert_eq!(tags(&bed, ALL, "Letter 4"), ["Private", "Work"]);
    once(&[1, 2, 3, 4, 5]);
    // Nothing was told that nobody had wished, and no text came twice.
    let said = server.heard();
    let changes = ["STORE", "MOVE", "COPY", "APPEND", "EXPUNGE", "CREATE"];
    assert!(said.iter().skip(before).all(|h| changes.iter().all(|w| !h.line.contains(w))), "{:?}", &said[before..]);
    assert_eq!(server.world().told.len(), 5, "{:?}", server.world().told);
    assert!(server.world().told.values().all(|times| *times == 1), "{:?}", server.world().told);
}

/// Whose message it is: the same in all mailboxes.
pub fn id(raw: &[u8]) -> u64 {
    let name = words::field(raw, "Message-ID");
    name.bytes().fold(1_278_455_344_230_334_865_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b))) >> 1
}

/// A mailbox that is a label of a message which lies there.
fn is_label(folder: &Folder) -> bool {
    !["\\All", "\\Trash", "\\Flagged", "\\Noselect"].iter().any(|a| folder.attributes.contains(a))
}

fn label(folder: &Folder) -> Vec<u8> {
    match (&folder.name[..], folder.attributes) {
        (b"INBOX", _) => b"\"\\\\Inbox\"".to_vec(),
        (_, "\\Sent") => b"\"\\\\Sent\"".to_vec(),
        (name, _) => words::string(name),
    }
}

/// The items of FETCH that only such a server knows. The label of the mailbox itself is not told in it.
pub fn item(world: &World, place: &[u8], raw: &[u8], asked: &str) -> Option<Vec<u8>> {
    let has = |f: &&Folder| f.mails.iter().any(|m| id(&m.raw) == id(raw));
    match asked {
        "X-GM-MSGID" | "X-GM-THRID" => Some(format!("{asked} {}", id(raw)).into_bytes()),
        "X-GM-LABELS" => {
            let all: Vec<Vec<u8>> =
                world.folders.iter().filter(|f| is_label(f) && f.name != place).filter(has).map(label).collect();
            Some([b"X-GM-LABELS (", &all.join(&b' ')[..], b")"].concat())
        }
        _ => None,
    }
}

/// Puts a message into a mailbox, if it is not there. Its number there.
fn add(world: &mut World, to: &[u8], raw: &[u8], flags: &BTreeSet<String>) -> u32 {
    if world.folders.iter().all(|f| f.name != to) {
        world.folders.push(Folder { name: to.to_vec(), ..Folder::new("") });
    }
    let folder = world.folders.iter_mut().find(|f| f.name == to).unwrap();
    if let Some(known) = folder.mails.iter().find(|m| id(&m.raw) == id(raw)) {
        return known.uid;
    }
    let uid = folder.add(raw.to_vec());
    folder.mails.last_mut().unwrap().flags.clone_from(flags);
    uid
}

/// Takes a message out of mailboxes.
fn remove(world: &mut World, of: u64, from: impl Fn(&Folder) -> bool) {
    for folder in world.folders.iter_mut().filter(|f| from(f)) {
        folder.mails.retain(|m| id(&m.raw) != of);
    }
}

/// STORE: flags are the message's, in every mailbox; labels are mailboxes.
pub fn store(world: &mut World, raws: &[Vec<u8>], what: &str, words: &[String]) {
    let off = what.starts_with('-');
    for raw in raws {
        let of = id(raw);
        if !what.contains("X-GM-LABELS") {
            for mail in world.folders.iter_mut().flat_map(|f| &mut f.mails).filter(|m| id(&m.raw) == of) {
                match off {
                    true => mail.flags.retain(|flag| !words.contains(flag)),
                    false => mail.flags.extend(words.to_vec()),
                }
            }
            continue;
        }
        let flags = world.folder(ALL).mails.iter().find(|m| id(&m.raw) == of).map(|m| m.flags.clone()).unwrap_or_default();
        for word in words {
            let name = if word == "\\Inbox" { "INBOX" } else { word };
            match off {
                true => remove(world, of, |f| f.name == name.as_bytes()),
                false => drop(add(world, name.as_bytes(), raw, &flags)),
            }
        }
    }
}

/// MOVE and COPY: to All Mail it only loses the label, to the bin it loses all. The answer, and whether it left.
pub fn transfer(world: &mut World, from: &[u8], uids: &[u32], args: &[Word], moves: bool) -> (String, bool) {
    let to = args[1].bytes();
    let Some(target) = world.folders.iter().find(|f| f.name == to).cloned() else {
        return ("NO [TRYCREATE] no such mailbox".to_owned(), false);
    };
    let source = world.folders.iter().find(|f| f.name == from).unwrap().clone();
    let mut new = Vec::new();
    for uid in uids {
        let mail = source.mails.iter().find(|m| m.uid == *uid).unwrap();
        let of = id(&mail.raw);
        if target.attributes == "\\Trash" {
            remove(world, of, |f| f.name != to);
        } else {
            if moves {
                remove(world, of, |f| f.name == from && f.attributes != "\\All");
            }
            add(world, ALL.as_bytes(), &mail.raw, &mail.flags);
        }
        new.push(add(world, &to, &mail.raw, &mail.flags).to_string());
    }
    let old: Vec<String> = uids.iter().map(u32::to_string).collect();
    (format!("[COPYUID {} {} {}]", target.validity, old.join(","), new.join(",")), true)
}
