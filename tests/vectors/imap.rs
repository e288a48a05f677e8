//! imap — what an honest IMAP server answers: rev1, UIDPLUS, MOVE, IDLE, SPECIAL-USE, and what `World::caps` says more.
//! Start reading at: `answer`. `World` is what all its connections share; tests change it at will.

use super::gmail;
use super::words::{self, Word};
use std::collections::{BTreeMap, BTreeSet};

/// A message on the server.
#[derive(Clone, Debug)]
pub struct Mail {
    pub uid: u32,
    pub flags: BTreeSet<String>,
    pub raw: Vec<u8>,
    /// EMAILID, where the server has OBJECTID.
    pub object: String,
    /// INTERNALDATE.
    pub date: String,
}

impl Mail {
    /// Without flags; one text has one EMAILID.
    pub fn new(uid: u32, raw: Vec<u8>) -> Self {
        let date = "12-Mar-2026 14:02:00 +0000".to_owned();
        Self { uid, flags: BTreeSet::new(), object: format!("M{}", gmail::id(&raw)), date, raw }
    }
}

/// A mailbox.
#[derive(Clone, Debug)]
pub struct Folder {
    /// As it goes over the wire.
    pub name: Vec<u8>,
    pub attributes: &'static str,
    pub validity: u32,
    pub next: u32,
    pub mails: Vec<Mail>,
    /// MAILBOXID, where the server has OBJECTID.
    pub object: String,
}

/// What the server has.
#[derive(Clone, Debug)]
pub struct World {
    pub folders: Vec<Folder>,
    /// After the login.
    pub caps: String,
    /// Before it.
    pub greeting_caps: String,
    /// What was submitted.
    pub sent: Vec<Vec<u8>>,
    /// Mailboxes are labels (`gmail.rs`).
    pub labels: bool,
    /// How often the whole text of each message was told, by its subject.
    pub told: BTreeMap<String, u32>,
    /// Each session goes on with the list of mailboxes that it was first told, as Dovecot 2.3.19 does at times.
    pub sticky: bool,
}

/// A letter with a body of one line.
pub fn letter(n: u32) -> Vec<u8> {
    let head = format!(
        "From: Ann {n} <a{n}@x.example>\r\nTo: dana@example.test\r\nSubject: Letter {n}\r\nMessage-ID: <{n}@x.example>\r\n"
    );
    format!("{head}Date: Thu, 12 Mar 2026 14:02:00 +0000\r\n\r\nThis is the text of letter {n}.\r\n").into_bytes()
}

impl Folder {
    pub fn new(name: &str) -> Self {
        let object = format!("F-{name}");
        Self { name: name.as_bytes().to_vec(), attributes: "", validity: 7, next: 1, mails: Vec::new(), object }
    }

    /// The next message.
    pub fn add(&mut self, raw: Vec<u8>) -> u32 {
        let uid = self.next;
        self.next += 1;
        self.mails.push(Mail::new(uid, raw));
        uid
    }

    fn asked(&self, set: &str) -> Vec<usize> {
        let highest = self.mails.iter().map(|m| m.uid).max().unwrap_or(0);
        let number = |n: &str| if n == "*" { highest } else { n.parse().unwrap_or(0) };
        let ranges: Vec<(u32, u32)> = set
            .split(',')
            .map(|part| part.split_once(':').map_or((number(part), number(part)), |(a, b)| (number(a), number(b))))
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect();
        let within = |uid: u32| ranges.iter().any(|(a, b)| (*a..=*b).contains(&uid));
        self.mails.iter().enumerate().filter(|(_, m)| within(m.uid)).map(|(n, _)| n).collect()
    }
}

impl World {
    pub fn new() -> Self {
        let mut inbox = Folder::new("INBOX");
        (1..=3).for_each(|n| {
            inbox.add(letter(n));
        });
        let role = |name, attributes| Folder { attributes, ..Folder::new(name) };
        let folders = vec![
            inbox,
            role("Sent", "\\Sent"),
            role("Trash", "\\Trash"),
            role("Archive", "\\Archive"),
            role("Drafts", "\\Drafts"),
        ];
        let caps = "IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS MOVE IDLE SPECIAL-USE LIST-EXTENDED".to_owned();
        let greeting_caps = "IMAP4rev1 AUTH=PLAIN SASL-IR".to_owned();
        Self { folders, caps, greeting_caps, sent: Vec::new(), labels: false, told: BTreeMap::new(), sticky: false }
    }

    /// The mailbox of that name.
    pub fn folder(&mut self, name: &str) -> &mut Folder {
        self.find(name.as_bytes()).unwrap()
    }

    pub fn inbox(&mut self) -> &mut Folder {
        self.folder("INBOX")
    }

    fn find(&mut self, name: &[u8]) -> Option<&mut Folder> {
        self.folders.iter_mut().find(|f| f.name == name)
    }
}

/// One connection.
#[derive(Default)]
pub struct Session {
    pub over: bool,
    pub starts_tls: bool,
    /// In IDLE: what ends it.
    pub idling: Option<Vec<u8>>,
    selected: Option<Vec<u8>>,
    told: usize,
    /// What LIST says first and, where the world is sticky, always.
    listed: Option<Vec<u8>>,
    /// It is told of new mailboxes (NOTIFY) behind so many.
    notified: Option<usize>,
}

/// The literal that a command announces at its end: its size, and whether the client waits for leave.
pub fn literal(command: &[u8]) -> Option<(usize, bool)> {
    let inner = command.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|b| *b == b'{')?;
    let digits = std::str::from_utf8(&inner[open + 1..]).ok()?;
    let waits = !digits.ends_with(['+', '-']);
    Some((digits.trim_end_matches(['+', '-']).parse().ok()?, waits))
}

/// What is new in the selected mailbox for one that idles.
pub fn news(world: &World, session: &mut Session) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(known) = session.notified.replace(world.folders.len()) {
        out = listed("LIST", world.folders.get(known..).unwrap_or_default());
    } else {
        session.notified = None;
    }
    let folder = world.folders.iter().find(|f| Some(&f.name) == session.selected.as_ref());
    let now = folder.map_or(session.told, |f| f.mails.len());
    if now > session.told {
        session.told = now;
        out.extend_from_slice(format!("* {now} EXISTS\r\n").as_bytes());
    }
    out
}

fn listed(verb: &str, folders: &[Folder]) -> Vec<u8> {
    let line = |f: &Folder| [format!("* {verb} ({}) \"/\" ", f.attributes).as_bytes(), &words::string(&f.name), b"\r\n"].concat();
    folders.iter().flat_map(line).collect()
}

/// The answer to a command with its literals; `start`: nothing but STARTTLS is to be had.
pub fn answer(world: &mut World, session: &mut Session, command: &[u8], start: bool) -> Vec<u8> {
    if command == super::wire::GREETING.as_bytes() {
        let caps = if start { "IMAP4rev1 STARTTLS LOGINDISABLED" } else { &world.greeting_caps };
        return format!("* OK [CAPABILITY {caps}] ready\r\n").into_bytes();
    }
    let words = words::read(command);
    let text = |n: usize| words.get(n).map(Word::text).unwrap_or_default();
    let tag = text(0);
    let by_uid = text(1).eq_ignore_ascii_case("UID");
    let at = if by_uid { 2 } else { 1 };
    let verb = text(at).to_ascii_uppercase();
    let args = words.get(at + 1..).unwrap_or_default();
    if start {
        session.starts_tls = verb == "STARTTLS";
        let word = if session.starts_tls { "OK" } else { "BAD" };
        return format!("{tag} {word} x\r\n").into_bytes();
    }
    let (mut out, objects) = (Vec::new(), world.caps.contains("OBJECTID"));
    let mut end = "OK done".to_owned();
    match verb.as_str() {
        "CAPABILITY" => out = format!("* CAPABILITY {}\r\n", world.caps).into_bytes(),
        "LOGIN" | "AUTHENTICATE" if args.len() > 1 => end = format!("OK [CAPABILITY {}] in", world.caps),
        "NOOP" | "SUBSCRIBE" | "UNSUBSCRIBE" | "CLOSE" | "UNSELECT" => {}
        "ENABLE" => {
            let told: Vec<String> = args.iter().map(Word::text).collect();
            out = format!("* ENABLED {}\r\n", told.join(" ")).into_bytes();
        }
        "LOGOUT" => {
            out = b"* BYE later\r\n".to_vec();
            session.over = true;
        }
        "LIST" | "LSUB" => {
            let now = listed(&verb, &world.folders);
            out = if world.sticky { session.listed.get_or_insert(now).clone() } else { now };
        }
        "NOTIFY" => session.notified = Some(world.folders.len()),
        "STATUS" => match args.first().and_then(|name| world.find(&name.bytes())) {
            Some(f) => out = status(f, args),
            None => end = "NO [NONEXISTENT] no such mailbox".to_owned(),
        },
        "SELECT" | "EXAMINE" => match args.first().and_then(|name| world.find(&name.bytes())) {
            Some(f) => {
                (session.selected, session.told) = (Some(f.name.clone()), f.mails.len());
                out = selected(f);
                if objects {
                    out.extend_from_slice(format!("* OK [MAILBOXID ({})] x\r\n", f.object).as_bytes());
                }
                end = if verb == "SELECT" { "OK [READ-WRITE] done" } else { "OK [READ-ONLY] done" }.to_owned();
            }
            None => end = "NO [NONEXISTENT] no such mailbox".to_owned(),
        },
        "RENAME" => match world.find(&args[0].bytes()) {
            Some(f) => f.name = args[1].bytes(),
            None => end = "NO [NONEXISTENT] no such mailbox".to_owned(),
        },
        "DELETE" => world.folders.retain(|f| f.name != args[0].bytes()),
        "CREATE" if world.find(&args[0].bytes()).is_some() => end = "NO [ALREADYEXISTS] it is there".to_owned(),
        "CREATE" => world.folders.push(Folder { name: args[0].bytes(), ..Folder::new("") }),
        "IDLE" => {
            session.idling = Some(format!("{tag} OK done\r\n").into_bytes());
            return b"+ idling\r\n".to_vec();
        }
        "APPEND" => end = append(world, args),
        _ if by_uid => match session.selected.clone() {
            Some(name) => end = by_number(world, &name, &verb, args, &mut out),
            None => end = "BAD nothing is selected".to_owned(),
        },
        _ => end = "BAD what?".to_owned(),
    }
    // What came meanwhile is told at the next chance.
    if verb != "LOGOUT" {
        out.extend_from_slice(&news(world, session));
    }
    out.extend_from_slice(format!("{tag} {end}\r\n").as_bytes());
    out
}

fn status(f: &Folder, args: &[Word]) -> Vec<u8> {
    let unseen = f.mails.iter().filter(|m| !m.flags.contains("\\Seen")).count();
    let asked = args.iter().filter_map(Word::list).flatten().any(|item| item.text() == "MAILBOXID");
    let object = if asked { format!(" MAILBOXID ({})", f.object) } else { String::new() };
    let (count, next, validity) = (f.mails.len(), f.next, f.validity);
    let counts = format!(" (MESSAGES {count} UNSEEN {unseen} UIDNEXT {next} UIDVALIDITY {validity}{object})\r\n");
    [b"* STATUS ", &words::string(&f.name)[..], counts.as_bytes()].concat()
}

fn selected(f: &Folder) -> Vec<u8> {
    let flags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
    format!(
        "* {} EXISTS\r\n* FLAGS ({flags})\r\n* OK [PERMANENTFLAGS ({flags} \\*)] x\r\n* OK [UIDVALIDITY {}] x\r\n* OK [UIDNEXT {}] x\r\n",
        f.mails.len(),
        f.validity,
        f.next
    )
    .into_bytes()
}

fn append(world: &mut World, args: &[Word]) -> String {
    let says = world.caps.contains("UIDPLUS");
    let Some(f) = world.find(&args[0].bytes()) else { return "NO [TRYCREATE] no such mailbox".to_owned() };
    let flags = args.iter().find_map(Word::list).unwrap_or_default();
    let uid = f.add(args.last().map(Word::bytes).unwrap_or_default());
    if let Some(mail) = f.mails.last_mut() {
        mail.flags = flags.iter().map(Word::text).collect();
        // Whoever says when it came finds it again by that (RFC 9051, 6.3.12).
        if let Some(date) = args.iter().rev().nth(1).filter(|_| args.len() > 2).map(Word::text).filter(|text| text.len() == 26) {
            mail.date = date;
        }
    }
    if says { format!("OK [APPENDUID {} {uid}] done", f.validity) } else { "OK done".to_owned() }
}

/// The commands behind UID; untagged lines go to `out`.
fn by_number(world: &mut World, name: &[u8], verb: &str, args: &[Word], out: &mut Vec<u8>) -> String {
    let set = args.first().map(Word::text).unwrap_or_default();
    let labels = world.labels;
    let Some(at) = world.folders.iter().position(|f| f.name == name) else { return "NO it is gone".to_owned() };
    let rows = world.folders[at].asked(&set);
    if verb == "FETCH" {
        fetch(world, at, &rows, args, out);
        return "OK done".to_owned();
    }
    let f = &mut world.folders[at];
    match verb {
        "SEARCH" => {
            let found = f.mails.iter().filter(|m| matches(f, m, args)).map(|m| format!(" {}", m.uid));
            *out = format!("* SEARCH{}\r\n", found.collect::<String>()).into_bytes();
        }
        "STORE" => {
            let flags: Vec<String> = args.get(2).and_then(Word::list).unwrap_or_default().iter().map(Word::text).collect();
            if labels {
                let raws: Vec<Vec<u8>> = rows.into_iter().map(|n| f.mails[n].raw.clone()).collect();
                gmail::store(world, &raws, &args[1].text(), &flags);
                return "OK done".to_owned();
            }
            for n in rows {
                let mail = &mut f.mails[n];
                match args[1].text().starts_with('-') {
                    true => mail.flags.retain(|flag| !flags.contains(flag)),
                    false => mail.flags.extend(flags.clone()),
                }
            }
        }
        "EXPUNGE" => {
            let gone = rows.into_iter().filter(|n| f.mails[*n].flags.contains("\\Deleted")).collect();
            take(f, gone, out);
        }
        "COPY" | "MOVE" => return transfer(world, name, rows, args, verb == "MOVE", out),
        _ => return "BAD what?".to_owned(),
    }
    "OK done".to_owned()
}

fn fetch(world: &mut World, at: usize, rows: &[usize], args: &[Word], out: &mut Vec<u8>) {
    let items = args.get(1).map(|w| w.list().unwrap_or_else(|| vec![w.clone()])).unwrap_or_default();
    let texts: Vec<String> = items.iter().map(Word::text).collect();
    for n in rows {
        let (f, mail) = (&world.folders[at], &world.folders[at].mails[*n]);
        let own = |asked: &String| world.labels.then(|| gmail::item(world, &f.name, &mail.raw, asked)).flatten();
        let shown: Vec<Vec<u8>> = texts.iter().filter_map(|i| own(i).or_else(|| words::item(mail, i))).collect();
        out.extend_from_slice(format!("* {} FETCH (", n + 1).as_bytes());
        out.extend_from_slice(&shown.join(&b' '));
        out.extend_from_slice(b")\r\n");
        if texts.iter().any(|i| i == "BODY.PEEK[]") {
            let subject = words::field(&mail.raw, "Subject");
            *world.told.entry(subject).or_default() += 1;
        }
    }
}

fn take(f: &mut Folder, rows: Vec<usize>, out: &mut Vec<u8>) {
    for n in rows.into_iter().rev() {
        f.mails.remove(n);
        out.extend_from_slice(format!("* {} EXPUNGE\r\n", n + 1).as_bytes());
    }
}

fn transfer(world: &mut World, name: &[u8], rows: Vec<usize>, args: &[Word], moves: bool, out: &mut Vec<u8>) -> String {
    let Some(from) = world.find(name).cloned() else { return "NO it is gone".to_owned() };
    if world.labels {
        let uids: Vec<u32> = rows.iter().map(|n| from.mails[*n].uid).collect();
        let (code, done) = gmail::transfer(world, name, &uids, args, moves);
        if moves && done {
            out.extend_from_slice(format!("* OK {code} x\r\n").as_bytes());
            rows.iter().rev().for_each(|n| out.extend_from_slice(format!("* {} EXPUNGE\r\n", n + 1).as_bytes()));
            return "OK done".to_owned();
        }
        return if done { format!("OK {code} done") } else { code };
    }
    let Some(to) = world.find(&args[1].bytes()) else { return "NO [TRYCREATE] no such mailbox".to_owned() };
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for n in &rows {
        let uid = to.add(from.mails[*n].raw.clone());
        to.mails.last_mut().unwrap().flags.clone_from(&from.mails[*n].flags);
        old.push(from.mails[*n].uid.to_string());
        new.push(uid.to_string());
    }
    let code = format!("[COPYUID {} {} {}]", to.validity, old.join(","), new.join(","));
    if moves {
        out.extend_from_slice(format!("* OK {code} x\r\n").as_bytes());
        take(world.find(name).unwrap(), rows, out);
        return "OK done".to_owned();
    }
    format!("OK {code} done")
}

fn matches(f: &Folder, mail: &Mail, args: &[Word]) -> bool {
    let mut args = args.iter();
    while let Some(word) = args.next() {
        let arg = |w: Option<&Word>| w.map(Word::text).unwrap_or_default();
        let holds = match word.text().to_ascii_uppercase().as_str() {
            "UID" => f.asked(&arg(args.next())).iter().any(|n| f.mails[*n].uid == mail.uid),
            "HEADER" => {
                let (name, value) = (arg(args.next()), arg(args.next()));
                words::field(&mail.raw, &name).contains(&value)
            }
            _ => true,
        };
        if !holds {
            return false;
        }
    }
    true
}
