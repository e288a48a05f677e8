//! wake — after the machine slept, lines are dead without knowing: each account is back within seconds.
//! Start reading at: the one test.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{PASSWORD, host, user};
use crate::person::{Person, put};
use postrider::base::inbox::Inbox;
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::account::{Account, Nudge};
use postrider::engine::{Mode, Setup, setup};
use postrider::mail::mailbox::Role;
use postrider::store::mailboxes;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn lines_that_died_in_sleep_are_replaced_at_once() {
    let person = Person::new(user());
    let mut other = person.other();
    put(&mut other, "INBOX", "a");
    let proxy = Proxy::start(host().imaps, Line::default());
    let text = format!(
        "[account.me]\naddress = {:?}\npassword = {PASSWORD:?}\nca-file = {:?}\nimap = {{ host = \"127.0.0.1\", port = {} }}\n",
        person.name,
        host().dir.join("tls/ca.pem"),
        proxy.port
    );
    let config = Config::parse(&text, &person.dir.path().join("config.toml"), 0o600).unwrap();
    let setup = Setup::new(config.clone(), Paths::of_profile(person.dir.path()), Mode::Live);
    let lock = setup::lock(&setup).unwrap();
    let shared = Arc::new(setup::open(&setup, &Inbox::new().unwrap(), lock.is_some(), || ()).unwrap());
    let account = Account::start(config.accounts[0].clone(), Arc::clone(&shared)).unwrap();
    let name = &config.accounts[0].name;
    let total = || shared.store.read(|db| mailboxes::by_role(db, name, Role::Inbox)).unwrap().map_or(0, |row| row.total);
    let wait = |count: u32, limit: u64| {
        let begun = Instant::now();
        while total() != count {
            assert!(begun.elapsed() < Duration::from_secs(limit), "{count} after {:?}", begun.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait(1, 20);
    std::thread::sleep(Duration::from_secs(1));
    // At rest, and in the middle of a command.
    for (count, busy) in [(2, false), (3, true)] {
        if busy {
            proxy.set(Line { latency: Duration::from_millis(300), ..Line::default() });
            account.nudge(Nudge::Refresh(None));
            std::thread::sleep(Duration::from_millis(100));
        }
        proxy.end_all(End::Silence);
        proxy.set(Line::default());
        put(&mut other, "INBOX", &format!("n{count}"));
        account.nudge(Nudge::Woke);
        wait(count, 10);
    }
}
