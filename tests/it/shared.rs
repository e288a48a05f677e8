//! shared — mailboxes of others and of everybody (NAMESPACE, RFC 2342), and what one may do there (ACL, RFC 4314; QUOTA,
//! RFC 9208), with and without.
//! Start reading at: any test.

use crate::extensions::open;
use crate::mailhost::{At, PASSWORD, host, user};
use crate::person::{Person, id, key, mailboxes, put, sees, there, until};
use crate::verbs::{add, keep_password, rows, run};
use postrider::engine::Engine;
use postrider::engine::api::{Kind, Request};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::rights::Right;
use postrider::mail::server::Space;
use postrider::net::session::MailStore;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// `owner` lets `guest` do `rights` in a mailbox: what no reader of mail needs to say, so it is said by hand.
fn share(owner: &str, mailbox: &str, guest: &str, rights: &str) {
    say(owner, &format!("SETACL {mailbox} {guest} {rights}"));
}

/// Says that as another client of `owner`; what was answered.
fn say(owner: &str, command: &str) -> Vec<String> {
    let stream = TcpStream::connect(("127.0.0.7", host().imap)).unwrap();
    let (mut out, mut lines) = (&stream, BufReader::new(&stream).lines());
    lines.next().unwrap().unwrap();
    let mut told = Vec::new();
    for (tag, line) in [("a", format!("LOGIN {owner} {PASSWORD}")), ("b", command.to_owned())] {
        write!(out, "{tag} {line}\r\n").unwrap();
        told.clear();
        while !told.last().is_some_and(|l: &String| l.starts_with(tag)) {
            told.push(lines.next().unwrap().unwrap());
        }
        assert!(told.last().unwrap().starts_with(&format!("{tag} OK")), "{told:?}");
    }
    told
}

fn refused(engine: &Engine, request: Request) -> String {
    engine.perform(request).unwrap_err().what.as_str().to_owned()
}

/// Another person's mailbox is listed among theirs, read, and changed as far as they let us.
#[test]
fn what_others_share_is_read_as_they_let() {
    let (owner, guest) = (Person::new(format!("ext{}", user())), Person::new(format!("ext{}", user())));
    let mut theirs = owner.other();
    for (name, rights) in [("Team", "lr"), ("Work", "lrswite")] {
        theirs.create(&MailboxPath::from_typed(name)).unwrap();
        put(&mut theirs, name, &format!("hello{name}"));
        share(&owner.name, name, &guest.name, rights);
    }
    put(&mut guest.other(), "INBOX", "mine");
    let engine = guest.start();
    let path = |name: &str| format!("Shared/{}/{name}", owner.name);
    let (team, work) = (path("Team"), path("Work"));
    until(&engine, "the mailboxes", |_| id(&engine, &team).zip(id(&engine, &work)));
    let listed = open(&guest.name, &[]).list().unwrap();
    let space = |path: &str| listed.iter().find(|m| m.path.as_str() == path).unwrap().space;
    assert_eq!((space(&team), space("Public/News"), space("INBOX")), (Space::Others, Space::Shared, Space::Personal));
    sees(&engine, &team, &["helloTeam"]);
    sees(&engine, &work, &["helloWork"]);
    sees(&engine, "INBOX", &["mine"]);
    let rights = |path: &str| mailboxes(&engine).into_iter().find(|m| m.path.as_str() == path).and_then(|m| m.rights);
    until(&engine, "the rights", |_| (rights(&team).is_some() && rights(&work).is_some()).then_some(()));
    assert!(!rights(&team).unwrap().can(Right::Write) && rights(&work).unwrap().can(Right::Expunge));
    let (read, change) = (key(&engine, &team, "helloTeam"), key(&engine, &work, "helloWork"));
    let flag = |target| Request::Flag { targets: vec![target], delta: FlagDelta::set(Flag::Flagged), automatic: false };
    assert_eq!(refused(&engine, flag(read)), format!("in {team} you may not change marks"));
    assert!(refused(&engine, Request::File { targets: vec![read], role: Role::Trash }).contains("may not delete"));
    engine.perform(flag(change)).unwrap();
    crate::person::settled(&engine);
    assert_eq!(there(&mut theirs, "Work"), ["helloWork \\Flagged"]);
    assert_eq!(there(&mut theirs, "Team"), ["helloTeam"]);
}

/// A pass without a screen knows what others let one do: a verb behind it is refused at once, and what may not be opened is no fault
/// of each pass, until it may be.
#[test]
fn a_pass_without_a_screen_learns_what_others_let() {
    let (owner, guest) = (format!("ext{}", user()), format!("ext{}", user()));
    let mut theirs = open(&owner, &[]);
    for (name, rights) in [("Team", "lr"), ("Shut", "l")] {
        theirs.create(&MailboxPath::from_typed(name)).unwrap();
        put(&mut theirs, name, &format!("hello{name}"));
        share(&owner, name, &guest, rights);
    }
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    add(profile, &guest, At::Good, PASSWORD).code(0);
    keep_password(profile);
    let sync = || run(profile, &["sync"], "").code(0).out;
    let told = sync();
    assert!(told.contains("/Team: 1 new") && !told.contains("Shut"), "{told}");
    let path = |name: &str| format!("Shared/{owner}/{name}");
    let id = rows(profile, &path("Team"))[0]["id"].to_string();
    let ran = run(profile, &["flag", &id, "--add", "flagged"], "").code(64);
    assert!(ran.err.contains("you may not change marks"), "{}", ran.err);
    share(&owner, "Shut", &guest, "lr");
    assert!(sync().contains("/Shut: 1 new"));
}

/// Who deletes a mailbox is not subscribed to it any more; what another client deleted, and the server lists all the same since there
/// are others below it, is no fault of each pass.
#[test]
fn of_a_deleted_mailbox_nothing_stays_behind() {
    let me = format!("ext{}", user());
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    add(profile, &me, At::Good, PASSWORD).code(0);
    keep_password(profile);
    run(profile, &["sync"], "").code(0);
    for name in ["Old/Er", "Top", "Top/Kid"] {
        run(profile, &["mailbox", "create", name, "--wait"], "").code(0);
    }
    let subscribed = || say(&me, "LSUB \"\" *").join("\n");
    assert!(subscribed().contains("Old/Er"));
    run(profile, &["mailbox", "delete", "Old", "--yes", "--wait"], "").code(0);
    assert!(!subscribed().contains("Old"), "{}", subscribed());
    say(&me, "DELETE Top");
    for _ in 0..2 {
        run(profile, &["sync"], "").code(0);
    }
    run(profile, &["mailbox", "rename", "Top/Kid", "Kid", "--wait"], "").code(0);
    run(profile, &["sync"], "").code(0);
}

/// NAMESPACE masked, others' mailboxes are listed where the server lists them under `*`, as one's own.
#[test]
fn without_namespaces_all_is_one_tree() {
    let name = format!("ext{}", user());
    let spaces = |without: &[&str]| -> Vec<Space> { open(&name, without).list().unwrap().into_iter().map(|l| l.space).collect() };
    assert!(spaces(&[]).contains(&Space::Shared));
    assert!(spaces(&["NAMESPACE"]).iter().all(|s| *s == Space::Personal));
}

/// ACL and QUOTA masked nothing is known before; what the server refuses is told then, and nothing is lost.
#[test]
fn without_rights_and_quotas_the_server_refuses() {
    let mut person = Person::new(format!("ext{}", user()));
    person.more = "without = [\"ACL\", \"QUOTA\"]".to_owned();
    let mut other = person.other();
    other.create(&MailboxPath::from_typed("Fixed")).unwrap();
    put(&mut other, "INBOX", "b");
    let file = person.maildir().join(".Fixed/dovecot-acl");
    std::fs::write(&file, "owner lrs\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let caps = open(&person.name, &["ACL", "QUOTA"]).caps();
    assert!(!caps.acl && !caps.quota && person.other().caps().acl && person.other().caps().quota);
    let engine = person.start();
    sees(&engine, "INBOX", &["b"]);
    let fixed = until(&engine, "the mailboxes", |_| id(&engine, "Fixed"));
    assert!(mailboxes(&engine).iter().all(|m| m.rights.is_none()));
    engine.perform(Request::Move { targets: vec![key(&engine, "INBOX", "b")], to: fixed }).unwrap();
    let told = until(&engine, "the refusal", |news| news.faults.iter().find(|f| f.kind == Kind::Refused).cloned());
    assert!(told.what.as_str().to_lowercase().contains("permission"), "{told:?}");
    assert_eq!(there(&mut other, "INBOX"), ["b"]);
}
