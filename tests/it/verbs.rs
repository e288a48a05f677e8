//! verbs — the built binary against the real servers: an account is added, mail comes, is sorted and answered; what goes wrong
//! has its exit code; the password is written nowhere.

use super::mailhost::{At, PASSWORD, host, user};
use super::person::{Person, put};
use postrider::net::session::{Endpoint, TlsMode};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub struct Ran {
    code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard output:\n{}standard error:\n{}", self.out, self.err);
        self
    }
}

pub fn run(profile: &Path, args: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postrider"))
        .args(["--log", "trace", "--profile"])
        .arg(profile)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn url(scheme: &str, endpoint: &Endpoint) -> String {
    format!("{scheme}://{}:{}", endpoint.host, endpoint.port)
}

/// Adds the user's account; `at` is the IMAP server's.
pub fn add(profile: &Path, user: &str, at: At, password: &str) -> Ran {
    let host = host();
    // Another server than Dovecot has only the port with TLS.
    let (scheme, tls) = match std::env::var_os("POSTRIDER_TEST_CYRUS") {
        Some(_) if at == At::Good => ("imaps", TlsMode::Implicit),
        _ => ("imap", TlsMode::StartTls),
    };
    let (imap, smtp) = (host.imap_at(at, tls), host.smtp_at(At::Good, TlsMode::Implicit));
    let mut args = vec!["account", "add", user, "--password-stdin", "--name", "work"];
    let (imap_url, smtp_url) = (url(scheme, &imap), url("smtps", &smtp));
    args.extend(["--imap", &imap_url, "--smtp", &smtp_url]);
    let ca = smtp.ca_file.unwrap().to_string_lossy().into_owned();
    args.extend(["--ca-file", &ca]);
    run(profile, &args, &format!("{password}\n"))
}

/// From now on the password comes from a file, not from a person.
pub fn keep_password(profile: &Path) {
    let config = profile.join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("{ ask = true }") && !text.contains(PASSWORD), "{text}");
    fs::write(profile.join("pw"), format!("{PASSWORD}\n")).unwrap();
    fs::write(&config, text.replace("{ ask = true }", "{ file = \"pw\" }")).unwrap();
}

pub fn rows(profile: &Path, mailbox: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(&run(profile, &["list", mailbox, "--json"], "").code(0).out).unwrap();
    all.as_array().unwrap().clone()
}

/// What a server refused is parked until the person has decided; that can be done from a shell, too.
#[test]
fn a_mailbox_that_the_server_refused_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    add(profile, &user(), At::Good, PASSWORD).code(0);
    keep_password(profile);
    run(profile, &["sync"], "").code(0);
    // Dovecot keeps it in a folder in whose name a dot divides.
    let refused = run(profile, &["mailbox", "create", "a.b", "--wait"], "").code(65);
    assert!(refused.err.contains("queue cancel"), "{}", refused.err);
    run(profile, &["mailbox", "create", "Well", "--wait"], "").code(0);
    let names = || run(profile, &["mailboxes"], "").code(0).out;
    let queue = || serde_json::from_str::<Value>(&run(profile, &["queue", "--json"], "").code(0).out).unwrap();
    assert_eq!(queue()[0]["state"], "parked", "{}", queue());
    let id = queue()[0]["id"].to_string();
    run(profile, &["queue", "retry", &id], "").code(0);
    run(profile, &["sync"], "");
    assert_eq!(queue()[0]["state"], "parked", "{}", queue());
    run(profile, &["queue", "cancel", &id], "").code(0);
    run(profile, &["sync"], "").code(0);
    assert_eq!((names().contains("work/a.b"), names().contains("work/Well"), queue()), (false, true, serde_json::json!([])));
}

/// Before the first list nobody knows what divides the parts of a name: what lies below a mailbox goes with it all the same, and what
/// was put there, before and after it was renamed, too.
#[test]
fn a_mailbox_renamed_before_the_first_list_takes_its_child_along() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    add(profile, &user(), At::Good, PASSWORD).code(0);
    keep_password(profile);
    let mail = |subject: &str| {
        let file = profile.join(subject);
        fs::write(&file, format!("From: a@x.test\nSubject: {subject}\n\nHigh at nine.\n")).unwrap();
        file.to_string_lossy().into_owned()
    };
    for args in [&["mailbox", "create", "A"][..], &["mailbox", "create", "A/B"], &["import", &mail("one"), "--into", "A/B"]] {
        run(profile, &[&["--offline"], args].concat(), "").code(0);
    }
    for args in [&["mailbox", "rename", "A", "X"][..], &["import", &mail("two"), "--into", "A/B"]] {
        run(profile, &[&["--offline"], args].concat(), "").code(0);
    }
    let synced = run(profile, &["sync"], "").code(0);
    let left = run(profile, &["queue"], "").out;
    let all = run(profile, &["mailboxes", "--json"], "").code(0).out;
    let names: Vec<String> =
        serde_json::from_str::<Vec<Value>>(&all).unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(left, "", "{}{}{names:?}", synced.out, synced.err);
    assert!(
        ["X", "X/B"].iter().all(|n| names.iter().any(|m| m == n)) && !names.iter().any(|n| n == "A" || n.starts_with("A/")),
        "{names:?}"
    );
    let subjects: Vec<_> = rows(profile, "X/B").iter().map(|row| row["subject"].to_string()).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
}

/// Whoever shows one message gets that one: nothing is listed, no other text is fetched, and what waits for the server waits on.
#[test]
fn one_message_is_shown_and_nothing_else_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    let person = Person::new(user());
    add(profile, &person.name, At::Good, PASSWORD).code(0);
    keep_password(profile);
    let mut other = person.other();
    (0..5).for_each(|n| put(&mut other, "INBOX", &format!("Tide-{n}")));
    run(profile, &["sync", "--bodies", "none"], "").code(0);
    let cached = || rows(profile, "INBOX").iter().filter(|row| row["cached"] == true).count();
    let all = rows(profile, "INBOX");
    assert_eq!((all.len(), cached()), (5, 0));
    let one = all.iter().find(|row| row["subject"] == "Tide-3").unwrap()["id"].to_string();
    run(profile, &["mailbox", "create", "Later"], "").code(0);
    let log = || fs::read_to_string(profile.join("state/postrider.log")).unwrap();
    let before = log().len();
    let shown = run(profile, &["show", &one], "").code(0);
    assert!(shown.out.contains("Subject: Tide-3"), "{}", shown.out);
    let said = log().split_off(before);
    let told = |words: &str| said.lines().filter(|line| line.contains("imap") && line.contains(words)).count();
    assert!(told("FETCH ") > 0, "{said}");
    assert_eq!((told("> LIST"), told("> CREATE"), told("> STATUS"), told("> IDLE"), cached()), (0, 0, 0, 0, 1), "{said}");
}

#[test]
fn a_day_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    let me = user();
    let added = add(profile, &me, At::Good, PASSWORD).code(0);
    assert!(added.out.contains("ok       work: submission login"), "{}", added.out);
    run(profile, &["sync"], "").code(77);
    keep_password(profile);
    let mail = format!("From: {me}\nTo: {me}\nBcc: {me}\nSubject: Tides\n\nHigh at nine.\n.\n");
    run(profile, &["send", "-t", "--wait"], &mail).code(0);
    run(profile, &["sync"], "").code(0);
    let inbox = rows(profile, "INBOX");
    assert_eq!((inbox.len(), &inbox[0]["subject"]), (1, &"Tides".into()));
    // Whether the server files it by itself is looked at for ten seconds.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(40);
    while rows(profile, "sent").is_empty() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_secs(1));
        run(profile, &["sync"], "").code(0);
    }
    assert_eq!(rows(profile, "sent").len(), 1, "filed once");
    let id = inbox[0]["id"].to_string();
    let text = run(profile, &["show", &id, "--raw"], "").code(0).out;
    assert!(text.contains("High at nine.\r\n.\r\n") && !text.to_lowercase().contains("\nbcc:"), "{text}");
    run(profile, &["flag", &id, "--add", "flagged", "--wait"], "").code(0);
    run(profile, &["archive", &id], "").code(0);
    run(profile, &["undo"], "").code(0);
    run(profile, &["delete", &id, "--wait"], "").code(0);
    run(profile, &["sync"], "").code(0);
    assert_eq!((rows(profile, "INBOX").len(), rows(profile, "archive").len(), rows(profile, "trash").len()), (0, 0, 1));
    assert_eq!(rows(profile, "trash")[0]["flags"], serde_json::json!(["flagged"]));
    let later = run(profile, &["send", "--wait", "later@example.test"], "Subject: x\n\nx\n").code(75);
    assert!(later.err.contains("451"), "{}", later.err);
    let never = run(profile, &["send", "--wait", "reject@example.test"], "Subject: x\n\nx\n").code(65);
    assert!(never.err.contains("No such user here"), "{}", never.err);
    secrets(profile);
}

#[test]
fn what_fails_has_its_code() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    let me = user();
    let wrong = add(profile, &me, At::Good, "S3CR3T-wrong").code(77);
    assert!(wrong.out.contains("fail     work: login") && !profile.join("config.toml").exists(), "{}", wrong.out);
    for (at, words) in [(At::Expired, "expired"), (At::OtherHost, "another host"), (At::Stranger, "does not know")] {
        let refused = add(profile, &me, at, PASSWORD).code(69);
        assert!(refused.out.contains("fail     work: encryption") && refused.out.contains(words), "{}", refused.out);
    }
    secrets(profile);
}

/// No file that the program wrote holds a password, as it is or as it goes over the wire.
fn secrets(profile: &Path) {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(PASSWORD);
    let mut folders = vec![profile.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.file_name().is_some_and(|name| name != "pw") {
                let bytes = fs::read(&entry).unwrap();
                for word in [PASSWORD, &encoded, "S3CR3T-wrong"] {
                    assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} in {}", entry.display());
                }
                looked += 1;
            }
        }
    }
    let log = profile.join("state/postrider.log");
    assert!(!log.exists() || fs::read_to_string(log).unwrap().contains("trace imap"), "{looked} files, but no trace");
}

#[test]
fn whoever_waits_for_a_server_is_told_at_once_why_it_does_not_agree() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    add(profile, &user(), At::Good, PASSWORD).code(0);
    keep_password(profile);
    run(profile, &["sync"], "").code(0);
    // What the server refuses was not made, and is not said to be.
    let ran = run(profile, &["mailbox", "create", "x/../y", "--wait"], "").code(65);
    assert!(ran.out.is_empty() && ran.err.contains("did not take it"), "{}{}", ran.out, ran.err);
    // Another command that waits is told nothing of that one.
    assert_eq!(run(profile, &["mailbox", "create", "Kept/Deep", "--wait"], "").code(0).out, "made work/Kept/Deep\n");
    // What it lies below came with it, and takes it along, without a pass between.
    run(profile, &["mailbox", "rename", "Kept", "Held", "--wait"], "").code(0);
    run(profile, &["mailbox", "create", "Held/Deep/Er", "--wait"], "").code(0);
    run(profile, &["mailbox", "delete", "Held/Deep", "--yes", "--wait"], "").code(0);
    run(profile, &["mailbox", "create", "Held", "--wait"], "").code(0);
    run(profile, &["sync"], "").code(0);
    let rows: Value = serde_json::from_str(&run(profile, &["mailboxes", "--json"], "").code(0).out).unwrap();
    let names: Vec<&str> = rows.as_array().unwrap().iter().filter_map(|r| r["name"].as_str()).collect();
    assert!(names.contains(&"Held") && !names.iter().any(|n| n.contains("Deep") || n.contains("Kept")), "{names:?}");
    let ran = run(profile, &["--offline", "mailbox", "create", "Later", "--wait"], "").code(75);
    assert!(ran.out.is_empty() && ran.err.contains("--offline. It is queued"), "{}{}", ran.out, ran.err);
    let file = profile.join("config.toml");
    let config = fs::read_to_string(&file).unwrap();
    let imap = config.lines().find(|line| line.starts_with("imap =")).unwrap();
    fs::write(&file, config.replace(imap, "imap = { host = \"127.0.0.1\", port = 9, tls = \"implicit\" }")).unwrap();
    let ran = run(profile, &["mailbox", "unsubscribe", "Held", "--wait"], "").code(75);
    assert!(ran.err.contains("127.0.0.1 cannot be reached. It is queued"), "{}", ran.err);
    fs::write(&file, config).unwrap();
    fs::write(profile.join("pw"), "wrong\n").unwrap();
    let ran = run(profile, &["mailbox", "create", "Never", "--wait"], "").code(77);
    assert!(ran.err.contains("refused the login name or the password. It is queued"), "{}", ran.err);
}

#[test]
fn doctor_shows_certificates_and_extensions_and_writes_down_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    add(profile, &user(), At::Good, PASSWORD).code(0);
    keep_password(profile);
    let config = fs::read_to_string(profile.join("config.toml")).unwrap();
    fs::write(profile.join("config.toml"), format!("{}\nwithout = [\"QRESYNC\"]\n", config.trim_end())).unwrap();
    let file = profile.join("said.txt");
    let said = file.to_str().unwrap();
    let ran = run(profile, &["doctor", "work", "--json", "--transcript", said], "").code(0);
    let steps: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let find = |name: &str, words: &str| {
        let fits = |s: &&Value| s["step"] == name && s["what"].as_str().unwrap().contains(words);
        assert!(steps.iter().find(fits).is_some(), "{name} {words}: {}", ran.out);
    };
    find("tls", "TLSv1.");
    find("certificate", "days left; sha256:");
    find("chain", "signed by");
    find("submission tls", "TLSv1.");
    find("extensions", "IDLE");
    find("extensions", "left out by `without`: QRESYNC");
    // In the order of the contract, and no word of the server's is cut off.
    let order =
        ["configuration", "files", "connection", "tls", "greeting", "capabilities", "login", "mailboxes", "submission login"];
    let places: Vec<_> = order.iter().map(|name| steps.iter().position(|s| s["step"] == **name)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?} {}", ran.out);
    let told = run(profile, &["account", "test", "work", "--json"], "").code(0).out;
    let told: Vec<Value> = serde_json::from_str(&told).unwrap();
    let caps = told.iter().find(|s| s["step"] == "capabilities").unwrap()["what"].as_str().unwrap();
    assert!(
        ["IDLE", "MOVE", "STATUS=SIZE"].iter().all(|word| caps.split(' ').any(|w| w == *word)) && !caps.contains('…'),
        "{caps}"
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("STARTTLS") && text.contains("(hidden)") && text.contains("S: * LIST"), "{text}");
    assert!(!text.contains(PASSWORD) && !text.contains("AHNlY3JldA"), "{text}");
    // Nothing that is there is replaced.
    run(profile, &["doctor", "--transcript", said], "").code(73);
}

#[test]
fn the_server_finds_words_in_texts_that_are_not_here() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path();
    let me = user();
    add(profile, &me, At::Good, PASSWORD).code(0);
    keep_password(profile);
    let config = fs::read_to_string(profile.join("config.toml")).unwrap();
    fs::write(profile.join("config.toml"), format!("{}\nkeep = {{ bodies = \"none\" }}\n", config.trim_end())).unwrap();
    for (subject, body) in [("Tides", "High at nine, says the harbour master."), ("Größe", "Über die Fähre.")] {
        let mail = format!(
            "From: {me}\nTo: {me}\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n"
        );
        run(profile, &["send", "-t", "--wait"], &mail).code(0);
    }
    run(profile, &["sync"], "").code(0);
    let subjects = |args: &[&str]| -> Vec<String> {
        let all: Value = serde_json::from_str(&run(profile, args, "").code(0).out).unwrap();
        all.as_array().unwrap().iter().map(|r| r["subject"].as_str().unwrap().to_owned()).collect()
    };
    assert!(subjects(&["search", "in:INBOX harbour", "--json"]).is_empty(), "the text is not here");
    assert_eq!(subjects(&["search", "harbour from:example.test is:unread", "--json", "--server"]), ["Tides"]);
    assert_eq!(subjects(&["search", "Fähre", "is:unread", "--json", "--server"]), ["Größe"]);
    assert!(subjects(&["search", "zebra", "--json", "--server"]).is_empty());
    run(profile, &["--offline", "search", "harbour", "--json", "--server"], "").code(1);
}
