//! asked — a file that is asked for without a line, or just before the end, comes later by itself: once, whole, in little memory.
//! Start reading at: `what_was_asked_for_without_a_line_comes_after_a_restart`.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{At, PASSWORD, user};
use crate::parts::{before, file, mail, opened, path, put, view};
use crate::person::{Person, key, live, sees, until};
use crate::verbs::{add, keep_password, rows, run};
use postrider::engine::Engine;
use postrider::engine::api::{Connectivity, Job, JobState, Kind, Piece, PieceState, Query, Request, Rows, Task};
use postrider::mail::ids::PlacementKey;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

pub fn jobs(engine: &Engine) -> Vec<Job> {
    let Ok(Rows::Jobs(mut jobs)) = engine.ask(&Query::Jobs) else { panic!() };
    jobs.retain(|job| matches!(job.task, Task::Piece(..)));
    jobs
}

pub fn waiting(engine: &Engine) -> Option<Job> {
    jobs(engine).pop().filter(|job| job.state == JobState::Waiting)
}

fn save(message: PlacementKey, folder: &Path) -> Request {
    Request::SavePart { message, part: path("2"), folder: folder.to_owned(), name: "plan.pdf".into(), to_open: false }
}

fn no_line(proxy: &Proxy, engine: &Engine) {
    proxy.set(Line { refuse: true, ..Line::default() });
    proxy.end_all(End::Reset);
    until(engine, "the end of the line", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::Waiting { .. })).then_some(())
    });
}

/// A person without a line, before whom lies a mail whose file is on the server.
pub fn cut_off(bytes: &[u8]) -> (Person, Proxy, Engine, PlacementKey) {
    // What was read stays.
    let (person, proxy, engine, id) = before("metered = true\nkeep = { bodies = \"all\" }", bytes);
    opened(&engine, id);
    no_line(&proxy, &engine);
    (person, proxy, engine, id)
}

#[test]
fn what_was_asked_for_without_a_line_comes_after_a_restart() {
    let bytes = file(700_000);
    let (person, proxy, engine, id) = cut_off(&bytes);
    let folder = tempfile::tempdir().unwrap();
    engine.request(save(id, folder.path()));
    let job = until(&engine, "what waits", |_| waiting(&engine));
    assert_eq!(job.what.as_str(), "fetching plan.pdf");
    drop(engine);
    // Still no line: it is shown as asked for.
    let engine = person.start();
    let shown = |engine: &Engine| view(engine, id).pieces.into_iter().any(|(_, state)| state == PieceState::Waits);
    until(&engine, "the same again", |_| (shown(&engine) && waiting(&engine).is_some()).then_some(()));
    // It is stopped, and asked for again.
    engine.perform(Request::StopJob(waiting(&engine).unwrap().id)).unwrap();
    until(&engine, "nothing", |_| jobs(&engine).is_empty().then_some(()));
    let failed =
        view(&engine, id).pieces.into_iter().any(|(_, s)| matches!(s, PieceState::Failed(f) if f.kind == Kind::Cancelled));
    assert!(failed);
    engine.request(save(id, folder.path()));
    until(&engine, "what waits", |_| waiting(&engine));
    drop(engine);
    proxy.set(Line::default());
    let engine = person.start();
    let saved = folder.path().join("plan.pdf");
    until(&engine, "the word that it is saved", |news| {
        let said = |f: &postrider::engine::api::Fault| f.kind == Kind::Notice && f.what.as_str().contains("plan.pdf");
        news.faults.iter().any(said).then_some(())
    });
    assert_eq!(std::fs::read(&saved).unwrap(), bytes);
    until(&engine, "nothing more to do", |_| jobs(&engine).is_empty().then_some(()));
    drop(engine);
    let engine = person.start();
    live(&engine);
    assert!(jobs(&engine).is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "once");
}

/// Without a line it is only asked for: nothing is opened by itself later, and who looks again finds it here.
#[test]
fn a_file_that_is_to_be_opened_without_a_line_is_here_when_one_looks_again() {
    let bytes = file(300_000);
    let (person, proxy, engine, id) = cut_off(&bytes);
    let folder = tempfile::tempdir().unwrap();
    let open = |engine: &Engine| {
        let (part, folder) = (path("2"), folder.path().to_owned());
        engine.perform(Request::SavePart { message: id, part, folder, name: "plan.pdf".into(), to_open: true }).unwrap()
    };
    let done = open(&engine);
    assert!(done.later && done.path.is_none() && waiting(&engine).is_some());
    drop(engine);
    proxy.set(Line::default());
    let engine = person.start();
    until(&engine, "the file", |_| {
        let postrider::engine::api::Body::Here(message) = view(&engine, id).body else { return None };
        let here = message.parts.get(message.at(&path("2"))?)?.kept.is_here();
        (here && jobs(&engine).is_empty()).then_some(())
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nobody looked at it");
    assert_eq!(std::fs::read(open(&engine).path.unwrap()).unwrap(), bytes);
}

/// The line comes back while the program runs: whoever asked hears of it, and the message may have been moved meanwhile.
#[test]
fn it_comes_with_the_line_also_from_where_the_message_is_now() {
    let bytes = file(300_000);
    let (person, proxy, engine, id) = cut_off(&bytes);
    let part = Piece::Part(path("2"));
    engine.perform(Request::FetchPart { message: id, piece: part }).unwrap();
    engine.perform(Request::File { targets: vec![id], role: postrider::mail::mailbox::Role::Archive }).unwrap();
    drop(engine);
    proxy.set(Line::default());
    let engine = person.start();
    sees(&engine, "Archive", &["plan"]);
    let moved = key(&engine, "Archive", "plan");
    until(&engine, "the file", |_| {
        let postrider::engine::api::Body::Here(message) = view(&engine, moved).body else { return None };
        let part = message.at(&path("2"))?;
        message.parts.get(part)?.kept.is_here().then_some(())
    });
    until(&engine, "nothing more to do", |_| jobs(&engine).is_empty().then_some(()));
}

/// Without any connection to wait for it is a promise for the next one; `postrider sync` keeps it, too.
#[test]
fn a_pass_brings_what_was_asked_for() {
    brought_by_a_pass(true);
}

/// Also where nothing of the message is here but its row.
#[test]
fn a_pass_brings_a_file_of_a_mail_that_was_never_read() {
    brought_by_a_pass(false);
}

fn brought_by_a_pass(read: bool) {
    let dir = tempfile::tempdir().unwrap();
    let (profile, me) = (dir.path(), user());
    add(profile, &me, At::Good, PASSWORD).code(0);
    keep_password(profile);
    let bytes = file(200_000);
    put(&Person::new(me), &bytes);
    run(profile, &["sync", "--bodies", "none"], "").code(0);
    let id = PlacementKey(rows(profile, "INBOX")[0]["id"].as_i64().unwrap());
    if read {
        run(profile, &["show", &id.to_string()], "").code(0);
    }
    let folder = tempfile::tempdir().unwrap();
    {
        use postrider::base::paths::Paths;
        use postrider::config::Config;
        use postrider::engine::{Mode, Setup};
        let file = profile.join("config.toml");
        let config = Config::parse(&std::fs::read_to_string(&file).unwrap(), &file, 0o600).unwrap();
        let setup = Setup { offline: true, ..Setup::new(config, Paths::of_profile(profile), Mode::Live) };
        let engine = Engine::start(&setup).unwrap();
        let done = engine.perform(save(id, folder.path())).unwrap();
        assert!(done.later && done.path.is_none());
    }
    run(profile, &["sync", "--bodies", "none"], "").code(0);
    assert_eq!(std::fs::read(folder.path().join("plan.pdf")).unwrap(), bytes);
}

/// What a file of 40 MB costs in memory on its way from the server into a folder.
#[test]
fn a_large_file_takes_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let (profile, me) = (dir.path(), user());
    add(profile, &me, At::Good, PASSWORD).code(0);
    keep_password(profile);
    let bytes = file(40_000_000);
    Person::new(me).deliver("plan", &mail(&bytes));
    run(profile, &["sync", "--bodies", "none"], "").code(0);
    let id = rows(profile, "INBOX")[0]["id"].to_string();
    let folder = tempfile::tempdir().unwrap();
    let begun = std::time::Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_postrider"))
        .args(["--profile".as_ref(), profile.as_os_str(), "attachments".as_ref(), id.as_ref(), "--save".as_ref()])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0u64;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.wait().unwrap().success());
    eprintln!("a file of 40 MB: {most} kB resident at most, {:?}", begun.elapsed());
    assert!(std::fs::read(folder.path().join("plan.pdf")).unwrap() == bytes);
    assert!(most > 1_000 && most < 50_000, "{most} kB");
}
