//! asked — a file that was asked for and a mail that is sent on with it, killed in the middle of what brings them: the file is
//! made once and whole, the mail goes once, and then nothing is left to do.
//! Start reading at: `what_was_asked_for_survives_each_death`. `POSTRIDER_FULL=1` takes every step, else they are taken evenly.

use super::day::{Day, Kind, Run};
use super::mailhost;
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::api::Request;
use postrider::engine::{Engine, Mode, Setup};
use postrider::mail::address::Address;
use postrider::mail::body::PartPath;
use postrider::mail::draft::{About, Draft};
use postrider::mail::ids::{AccountName, PlacementKey};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How many steps are taken in the ordinary run.
const SAMPLES: u64 = 6;

/// No word of it is like another, so that no piece can stand for another one.
fn figures() -> String {
    (0..30_000u64).map(|n| format!("{:08x};{n}\r\n", n.wrapping_mul(0x9e37_79b9) & 0xffff_ffff)).collect()
}

fn mail() -> String {
    format!(
        "From: Ann <ann@example.org>\r\nTo: dana@example.org\r\nSubject: figures\r\nMessage-ID: <figures@example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nThe figures.\r\n\
         --b\r\nContent-Type: application/octet-stream; name=figures.csv\r\nContent-Disposition: attachment; filename=figures.csv\r\n\r\n{}\r\n\
         --b--\r\n",
        figures()
    )
}

fn sync(day: &Day) {
    assert_eq!(day.run(&pass(), None), 0, "{}", day.said());
}

fn pass() -> Run {
    Run::of(&["sync", "--bodies", "none"])
}

fn folder(day: &Day) -> PathBuf {
    day.home().join("files")
}

/// Without a line: the file is to be saved, and the mail is sent on with it.
fn ask(day: &Day, id: PlacementKey) {
    let file = day.home().join("config.toml");
    let config = Config::parse(&fs::read_to_string(&file).unwrap(), &file, 0o600).unwrap();
    let setup = Setup { offline: true, ..Setup::new(config, Paths::of_profile(&day.home()), Mode::Live) };
    let engine = Engine::start(&setup).unwrap();
    let part = PartPath::parse("2").unwrap();
    let save =
        Request::SavePart { message: id, part: part.clone(), folder: folder(day), name: "figures.csv".into(), to_open: false };
    assert!(engine.perform(save).unwrap().later);
    let attachments = engine.perform(Request::AttachParts { message: id, parts: vec![part] }).unwrap().attachments;
    assert!(attachments[0].away.is_some());
    let me = Address::new("", day.me());
    let about = Some(About::Forward(id));
    let draft = Draft {
        from: me.clone(),
        to: vec![me],
        subject: "sent on".into(),
        body: "x\n".into(),
        attachments,
        about,
        ..Draft::default()
    };
    let send = Request::Send { id: None, account: AccountName::new("home"), draft: Box::new(draft), hold: 0 };
    assert!(engine.perform(send).unwrap().later);
}

/// The mails that were sent on and came.
fn came(day: &Day) -> Vec<String> {
    let inbox = day.folder("INBOX");
    let files = ["new", "cur"].into_iter().flat_map(|part| fs::read_dir(inbox.join(part)).unwrap());
    // One may be moved from new to cur meanwhile.
    files
        .filter_map(|file| fs::read_to_string(file.unwrap().path()).ok())
        .filter(|text| text.contains("\nSubject: sent on"))
        .collect()
}

/// What is not sent yet: of what the server has taken only the copy in Sent is left to do.
fn unsent(day: &Day) -> Option<Value> {
    day.json(&["outbox"]).as_array().unwrap().iter().find(|mail| mail["state"] != "accepted").cloned()
}

/// Whether the mail came, for which it has so long.
fn arrived(day: &Day, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while came(day).is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    !came(day).is_empty()
}

/// Passes until nothing is to be sent; of a mail whose outcome is not known the person says whether it came.
fn finish(day: &Day, at: u64) {
    sync(day);
    for _ in 0..4 {
        let Some(mail) = unsent(day) else { break };
        if mail["state"] == "unknown" {
            // What was taken is there now; what is not there was not taken.
            mailhost::delivered();
            let verb = if came(day).is_empty() { "resend" } else { "mark-sent" };
            assert_eq!(day.run(&Run::of(&["outbox", verb, &mail["id"].to_string()]), None), 0, "{}", day.said());
        }
        sync(day);
    }
    assert_eq!(unsent(day), None, "killed after step {at}: {}", day.said());
    assert!(arrived(day, Duration::from_secs(30)), "killed after step {at}");
}

#[test]
fn what_was_asked_for_survives_each_death() {
    let day = Day::new(Kind::Dovecot);
    // Nothing is got ahead of need: else the verb that shows the text may get all of the mail, where the machine is slow.
    let file = day.home().join("config.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, config.replacen("keep = ", "metered = true\nkeep = ", 1)).unwrap();
    day.put("INBOX", "1770000099.M99P1.host", &mail());
    fs::create_dir(folder(&day)).unwrap();
    sync(&day);
    let rows = day.json(&["list", "INBOX"]);
    let row = rows.as_array().unwrap().iter().find(|row| row["message_id"] == "figures@example.org").unwrap();
    let id = row["id"].as_i64().unwrap();
    assert_eq!(day.run(&Run::of(&["show", &id.to_string()]), None), 0, "{}", day.said());
    ask(&day, PlacementKey(id));
    let start = day.save();

    let steps = day.steps(&pass());
    let full = std::env::var_os("POSTRIDER_FULL").is_some();
    let stride = if full { 1 } else { (steps / SAMPLES).max(1) };
    let (mut kills, mut at) = (0, 0);
    while at <= steps {
        // The first time it is not killed.
        day.restore(&start);
        if at > 0 {
            let code = day.run(&pass(), Some(at));
            assert!(code == 100 || code == 0, "step {at}: {}", day.said());
            kills += u64::from(code == 100);
            day.run(&pass(), Some(at.wrapping_mul(0x9e37_79b9) % steps + 1));
        }
        finish(&day, at);
        let saved: Vec<PathBuf> = fs::read_dir(folder(&day)).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(saved, [folder(&day).join("figures.csv")], "killed after step {at}");
        assert!(fs::read_to_string(&saved[0]).unwrap() == figures(), "killed after step {at}");
        let mails = came(&day);
        assert_eq!(mails.len(), 1, "killed after step {at}");
        assert!(mails[0].contains("filename=\"figures.csv\"") || mails[0].contains("filename=figures.csv"));
        // It is done with.
        fs::remove_file(&saved[0]).unwrap();
        sync(&day);
        assert_eq!((fs::read_dir(folder(&day)).unwrap().count(), came(&day).len()), (0, 1), "killed after step {at}");
        at += if at == 0 { 1 } else { stride };
    }
    println!("a file asked for and sent on: {steps} steps, {kills} killed at");
}
