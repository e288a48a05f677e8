//! reader — the program itself left open in a terminal, on a line that breaks all the time, while four other clients change
//! things and a person presses keys: at each checkpoint and in the end every mailbox equals the server's, and the memory, the
//! open files and the threads of its process are where they were.
//! Start reading at: `left_open`. A few seconds in the ordinary run; `bash tests/run soak MINUTES` for longer.

use crate::mailhost::proxy::End;
use crate::others::{Over, Work, asked, at_work, begin, same_numbers, sweep};
use crate::person::{Memory, PATIENCE, Person, memory_of, there};
use crate::screen::Screen;
use crate::soak::{CHECK, RESETS, flat};
use crate::verbs::run;
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What a person's hands do: each from the list of an inbox, or of where they are just now, back to a list.
const HABITS: [&str; 14] = ["j", "jj", "k", "gg", "G", "gi", "ga", "gt", "e", "d", "s", "i", "u", "\r"];

/// So many lines of the program's log are told where it does not come to something.
const LAST: usize = 40;

fn verb(person: &Person, args: &[&str]) -> Value {
    let ran = run(person.dir.path(), args, "").code(0);
    serde_json::from_str(&ran.out).unwrap()
}

/// What the program lists in a mailbox, if it knows of it: subject and flags, in no order.
fn here(person: &Person, mailbox: &str) -> Option<Vec<String>> {
    let ran = run(person.dir.path(), &["list", mailbox, "--json", "--offline", "--limit", "5000"], "");
    if ran.err.contains("there is no mailbox") {
        return None;
    }
    let rows: Value = serde_json::from_str(&ran.code(0).out).unwrap();
    let one = |row: &Value| {
        let words =
            |name: &str| row[name].as_array().unwrap().iter().map(|f| format!(" {}", f.as_str().unwrap())).collect::<String>();
        format!("{}{}{}", row["subject"].as_str().unwrap(), words("flags"), words("keywords"))
    };
    let mut all: Vec<String> = rows.as_array().unwrap().iter().map(one).collect();
    all.sort();
    Some(all)
}

/// Nothing waits but what waits for the person.
fn waiting(person: &Person) -> (usize, usize) {
    let rows = verb(person, &["queue", "--json", "--offline"]);
    let rows = rows.as_array().unwrap();
    let parked = rows.iter().filter(|row| row["state"] == "parked").count();
    (rows.len() - parked, parked)
}

/// Waits for something the program comes to by itself.
fn in_time(person: &Person, screen: &mut Screen, mut done: impl FnMut(&mut Screen) -> Result<(), String>) {
    let begun = Instant::now();
    while let Err(why) = done(screen) {
        if begun.elapsed() >= PATIENCE {
            let log = std::fs::read_to_string(person.dir.path().join("state/postrider.log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(LAST).collect();
            panic!("{why}\n{}\nits log, the last line first:\n{}", screen.text(), last.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Both sides are the same: messages, flags, numbers. What could not be told without doubt is dropped by the person first, in the
/// list of what waits. How many these were.
fn both_agree(person: &Person, screen: &mut Screen, other: &mut ImapStore) -> usize {
    screen.press("\x0e");
    in_time(person, screen, |_| match waiting(person) {
        (0, _) => Ok(()),
        (n, _) => Err(format!("{n} wait for the server")),
    });
    let (_, parked) = waiting(person);
    if parked > 0 {
        screen.press("gogg");
        in_time(person, screen, |screen| {
            screen.press("d");
            let (_, left) = waiting(person);
            if left == 0 { Ok(()) } else { Err(format!("{left} wait for the person")) }
        });
        screen.press("gi");
    }
    in_time(person, screen, |_| {
        for listed in other.list().unwrap().into_iter().filter(|m| m.selectable) {
            // A flag of the system is called by its plain name there.
            let plain = |word: &str| word.strip_prefix('\\').map_or(word.to_owned(), str::to_lowercase);
            let mut theirs: Vec<String> = there(other, listed.path.as_str())
                .iter()
                .map(|row| row.split(' ').map(plain).collect::<Vec<_>>().join(" "))
                .collect();
            theirs.sort();
            let ours = here(person, listed.path.as_str());
            // Dovecot now and then lists a mailbox that it does not open any more, for one that was deleted or renamed just then.
            if ours.is_none() && other.select(&listed.path, true, None).is_err_and(|e| e.connection_lives()) {
                continue;
            }
            if ours.as_ref() != Some(&theirs) {
                return Err(format!("{}: here {ours:?}, there {theirs:?}", listed.path.as_str()));
            }
        }
        Ok(())
    });
    same_numbers(person, other);
    sweep(other);
    parked
}

/// Open files and threads of a process.
fn handles(process: u32) -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/{process}/{what}")).unwrap().count();
    (count("fd"), count("task"))
}

#[test]
fn left_open() {
    let (minutes, span, mut dice) = asked();
    let (person, mut other, proxy) = begin();
    let file = person.dir.path().join("config.toml");
    std::fs::write(&file, person.configuration()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut screen = Screen::start(person.dir.path());
    screen.shows("old36");
    let (begun, process, person) = (Instant::now(), screen.id(), &person);
    let (mut second, mut minute, mut check) = (begun, begun, begun);
    let (mut keys, mut resets, mut checks, mut given_up) = (0, 0, 0, 0);
    let mut thirds: Vec<(Memory, (usize, usize))> = Vec::new();
    let every = CHECK.min(span / 2);
    let work = Work::default();
    let work = &work;
    std::thread::scope(|threads| {
        let _over = Over(work);
        at_work(threads, person, work, dice.0);
        while begun.elapsed() < span {
            let habit = HABITS[dice.pick(HABITS.len())];
            let before = screen.text();
            screen.press(habit);
            if habit == "\r" {
                std::thread::sleep(Duration::from_millis(200));
                screen.press("q");
            }
            keys += 1;
            // `soak` measures this process.
            screen.forget_raw();
            let mut now = screen.text();
            // Deleting from the trash is asked about first.
            if now.contains("Esc keeps") {
                screen.press("\x1b");
                screen.shows_no("Esc keeps");
                now = screen.text();
            }
            // None of them writes a mail.
            assert!(!now.contains("C-s send"), "{habit:?}: {before}\n{now}");
            std::thread::sleep(Duration::from_millis(50 + dice.roll(100)));
            if second.elapsed() >= Duration::from_secs(1) {
                second = Instant::now();
                resets += proxy.end_some(RESETS, End::Reset, || dice.roll(100));
            }
            if begun.elapsed() >= span / 3 * (1 + u32::try_from(thirds.len()).unwrap()) {
                thirds.push((memory_of(process), handles(process)));
            }
            if minutes.is_some() && minute.elapsed() >= Duration::from_secs(60) {
                minute = Instant::now();
                let (files, tasks) = handles(process);
                println!(
                    "{:3} min: {keys} habits, {} acts of others, {checks} checks, {resets} resets, {} connections, {given_up} given up; \
                     {:?}, {files} files, {tasks} threads",
                    begun.elapsed().as_secs() / 60,
                    work.acts.load(Ordering::SeqCst),
                    proxy.connections(),
                    memory_of(process),
                );
            }
            if check.elapsed() >= every {
                let _still = work.still.write().unwrap();
                given_up += both_agree(person, &mut screen, &mut other);
                checks += 1;
                check = Instant::now();
            }
        }
    });
    thirds.push((memory_of(process), handles(process)));
    given_up += both_agree(person, &mut screen, &mut other);
    println!(
        "all mailboxes agree at {checks} checkpoints and in the end; {keys} habits, {} acts of others, {resets} resets, {given_up} \
         given up; at the ends of the thirds (memory, (open files, threads)): {thirds:?}",
        work.acts.load(Ordering::SeqCst)
    );
    flat(minutes, thirds.iter().map(|(memory, _)| *memory));
    // A line that comes and goes has a few of them more, or fewer; what is lost each time would be hundreds.
    let (_, (files, tasks)) = thirds[thirds.len() - 1];
    assert!(files < 128 && tasks < 32, "{files} open files, {tasks} threads");
    screen.press("Q");
    screen.ends();
}
