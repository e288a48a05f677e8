//! cuts — F-12: pass after pass over a line that is cut somewhere, while the person and another client go on: nothing is there twice,
//! nothing is lost, and as soon as the line is good both sides are the same.
//! Start reading at: `random_cuts_make_nothing_twice`. `POSTRIDER_CUTS=1000` makes so many.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Dice, Person, agree, flag, id, put, rows, there};
use postrider::base::cancel::Cancel;
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::api::{Brought, Query, Request, Rows};
use postrider::engine::sync::{Scope, sync_once};
use postrider::engine::{Engine, Mode, Setup};
use postrider::mail::flags::{Flag, Flags};
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::net::session::MailStore;
use std::collections::BTreeMap;

/// How often the line is cut in the ordinary run.
const CUTS: u32 = 40;
/// Octets before anything is said, from the server and to it.
const FIRST: (u64, u64) = (1_200, 500);

fn start(person: &Person, port: u16) -> Engine {
    let ca = host().dir.join("tls/ca.pem");
    let text = format!(
        "[account.me]\naddress = {:?}\npassword = {:?}\nca-file = {ca:?}\nkeep = {{ bodies = \"all\" }}\n\
         imap = {{ host = \"127.0.0.1\", port = {port} }}\n",
        person.name, person.password
    );
    let config = Config::parse(&text, &person.dir.path().join("config.toml"), 0o600).unwrap();
    // No accounts run by themselves: what happens is what is asked for here.
    Engine::start(&Setup::new(config, Paths::of_profile(person.dir.path()), Mode::Still)).unwrap()
}

fn pass(engine: &Engine) -> u8 {
    sync_once(engine.shared(), &Scope::default(), &Cancel::new().unwrap()).exit()
}

/// The person does one thing; what they append is a mail of their own.
fn ours(engine: &Engine, dice: &mut Dice, n: u32) {
    let place = ["INBOX", "Archive", "Lists"][dice.pick(3)];
    let all = rows(engine, place);
    if all.is_empty() || dice.roll(4) == 0 {
        let bytes = format!("From: a@b.example\r\nSubject: o{n}\r\nMessage-ID: <o{n}@b>\r\n\r\nHello o{n}.\r\n").into_bytes();
        let messages = vec![Brought { bytes, flags: Flags::new(), received: 1_600_000_000 }];
        engine.perform(Request::Import { mailbox: id(engine, place).unwrap(), messages }).unwrap();
        return;
    }
    let target = all[dice.pick(all.len())].id;
    match dice.roll(4) {
        0 => flag(engine, target, Flag::Flagged),
        1 => drop(engine.perform(Request::File { targets: vec![target], role: Role::Archive })),
        _ => drop(
            engine.perform(Request::Move { targets: vec![target], to: id(engine, ["INBOX", "Lists"][dice.pick(2)]).unwrap() }),
        ),
    }
}

#[test]
fn random_cuts_make_nothing_twice() {
    let wanted: u32 = std::env::var("POSTRIDER_CUTS").ok().map_or(CUTS, |n| n.parse().unwrap());
    let person = Person::new(user());
    let mut other = person.other();
    other.create(&MailboxPath::from_typed("Lists")).unwrap();
    (0..10).for_each(|n| put(&mut other, "INBOX", &format!("old{n}")));
    let proxy = Proxy::start(host().imaps, Line::default());
    let engine = start(&person, proxy.port);
    // How many octets a pass takes.
    let whole = || {
        let before = proxy.bytes();
        assert_eq!(pass(&engine), 0);
        (proxy.bytes().0 - before.0, proxy.bytes().1 - before.1)
    };
    whole();
    let mut size = whole();
    let mut dice = Dice(u64::from(wanted));
    let (mut cuts, mut rounds, mut theirs) = (0, 0, 10);
    while cuts < wanted {
        rounds += 1;
        assert!(rounds < 4 * wanted, "{cuts} of {wanted} passes were cut");
        ours(&engine, &mut dice, rounds);
        if dice.roll(6) == 0 {
            put(&mut other, "INBOX", &format!("new{rounds}"));
            theirs += 1;
        }
        let (how, up) = (if dice.roll(2) == 0 { End::Close } else { End::Reset }, dice.roll(2) == 0);
        let (first, last) = if up { (FIRST.1, size.1) } else { (FIRST.0, size.0) };
        let cut = Some((first + dice.roll(last.saturating_sub(first).max(1)), how));
        proxy.set(if up { Line { cut_up: cut, ..Line::default() } } else { Line { cut, ..Line::default() } });
        cuts += u32::from(pass(&engine) != 0);
        // Now and then a whole one, or the queue would only grow.
        if rounds % 8 == 0 {
            proxy.set(Line::default());
            whole();
            size = whole();
        }
    }
    proxy.set(Line::default());
    for _ in 0..3 {
        assert_eq!(pass(&engine), 0);
    }
    let Ok(Rows::Queue(left)) = engine.ask(&Query::Queue) else { panic!() };
    assert!(left.is_empty(), "{left:?}");
    agree(&engine, &mut other);
    // Each mail is at one place, once: those that were there, those of the other client, those that the person brought.
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for mailbox in other.list().unwrap().into_iter().filter(|m| m.selectable) {
        for row in there(&mut other, mailbox.path.as_str()) {
            *count.entry(row.split(' ').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    let twice: Vec<_> = count.iter().filter(|(_, n)| **n != 1).collect();
    println!("{cuts} cuts in {rounds} passes, {} mails, {} connections: none twice", count.len(), proxy.connections());
    assert!(twice.is_empty(), "{twice:?}");
    let of = |letter: &str| count.keys().filter(|subject| subject.starts_with(letter) && !subject.starts_with("old")).count();
    assert_eq!(count.keys().filter(|s| s.starts_with("old")).count() + of("new"), theirs);
    assert!(of("o") > 0);
}
