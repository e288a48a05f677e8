//! peers — T-14, as far as it can be true while servers are not discovered: whom the program speaks to when an account is added are
//! those that the person named, by name, encrypted, and nobody before they were named.
//! Start reading at: `Calls`. strace tells every call to a network (`bash tests/setup mailhost` installs it).

use super::bed::{Bed, PASSWORD, Ran};
use super::cert::Identity;
use super::screen::Screen;
use super::wire::{Server, Tls};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TRACE: &str = "trace=connect,sendto,sendmsg,sendmmsg,bind,listen";

/// What was said to networks, a line each.
struct Calls(Vec<String>);

impl Calls {
    fn of(bed: &Bed) -> Self {
        let text = std::fs::read_to_string(bed.path("calls")).unwrap();
        let outside = |line: &&str| !line.contains("AF_UNIX") && !line.contains("AF_NETLINK");
        Self(text.lines().filter(outside).map(str::to_owned).collect())
    }

    /// Ports of this machine that were called, each once.
    fn ports(&self) -> Vec<u16> {
        let number = |line: &str| line.split_once("htons(")?.1.split_once(')')?.0.parse().ok();
        let mut all: Vec<u16> = self.0.iter().filter(|l| l.contains(" connect(")).filter_map(|l| number(l)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn add(bed: &Bed, args: &[&str]) -> Ran {
    let calls = bed.path("calls").display().to_string();
    let words = ["-c", "exec \"$@\" <\"$HOME/pw\"", "sh", "strace", "-f", "-qq", "-s", "400", "-o", &calls, "-e", TRACE];
    let all = [&["account", "add", "me@example.test", "--password-stdin"], args].concat();
    bed.finish(bed.command("sh", &words, &all))
}

/// Nobody is called to find out who might be: neither `autoconfig.example.test` nor a name service.
#[test]
fn t_14_nobody_is_looked_for() {
    let bed = Bed::new();
    let ran = add(&bed, &[]).code(64);
    assert!(ran.err.contains("--imap"), "{}", ran.err);
    assert_eq!(Calls::of(&bed).0, Vec::<String>::new());
}

/// Those that are named, on their ports, and all that they hear is encrypted; the profile is closed to others.
#[test]
fn t_14_those_that_are_named_and_encrypted() {
    let bed = Bed::new();
    let (imap, smtp) = (Server::imap_over(Tls::Implicit(Identity::good())), Server::smtp_over(Tls::Implicit(Identity::good())));
    let (to, from) = (format!("imaps://127.0.0.1:{}", imap.port), format!("smtps://127.0.0.1:{}", smtp.port));
    let ca = bed.path("ca.pem").display().to_string();
    add(&bed, &["--imap", &to, "--smtp", &from, "--ca-file", &ca]).code(0);
    let calls = Calls::of(&bed);
    let mut named = [imap.port, smtp.port];
    named.sort_unstable();
    assert_eq!(calls.ports(), named, "{:?}", calls.0);
    assert!(calls.0.iter().filter(|l| l.contains("connect(")).all(|l| l.contains("127.0.0.1")), "{:?}", calls.0);
    assert!(!calls.0.iter().any(|l| l.contains(" bind(") || l.contains(" listen(")), "{:?}", calls.0);
    for server in [&imap, &smtp] {
        let heard = server.heard();
        assert!(!heard.is_empty() && heard.iter().all(|h| h.tls), "{heard:?}");
    }
    // A server that only speaks in the clear hears no word of it, and is not asked in another way.
    let bed = Bed::new();
    let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::None));
    let (to, from) = (format!("imap://127.0.0.1:{}", imap.port), format!("smtp://127.0.0.1:{}", smtp.port));
    let ran = add(&bed, &["--imap", &to, "--smtp", &from]);
    assert!(ran.code != 0, "{ran:?}");
    let said = |server: &Server| server.heard().iter().any(|h| h.line.contains("AUTH") || h.line.contains("LOGIN"));
    assert!(!said(&imap) && !said(&smtp) && !bed.path("config.toml").exists(), "{:?} {:?}", imap.heard(), smtp.heard());
}

/// Only the name itself is asked of the name service, as it was typed.
#[test]
fn t_14_no_name_but_the_one_that_was_typed() {
    let bed = Bed::new();
    let server = "imaps://post.example.invalid";
    let ran = add(&bed, &["--imap", server, "--smtp", "smtps://127.0.0.1:9"]);
    assert!(ran.code != 0, "{ran:?}");
    let calls = Calls::of(&bed);
    let asked: Vec<&String> = calls.0.iter().filter(|l| l.contains("iov_base=") || l.contains(" sendto(")).collect();
    assert!(asked.iter().all(|l| l.contains("\\4post\\7example\\7invalid")), "{asked:?}");
    assert!(calls.ports().iter().all(|port| [9, 53].contains(port)), "{:?}", calls.0);
    assert!(!calls.0.iter().any(|l| l.contains("autoconfig") || l.contains("_imap") || l.contains(PASSWORD)), "{:?}", calls.0);
}

/// The form of the first start: names are guessed of the address and shown, and nobody is called before the person says so.
#[test]
fn t_14_a_guess_is_shown_first() {
    let bed = Bed::new();
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Servers and login are guessed from it");
    let calls = bed.path("calls").display().to_string();
    let pid = screen.id().to_string();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-s", "400", "-o", &calls, "-e", TRACE, "-p", &pid]).stdin(Stdio::null());
    let mut strace = strace.stderr(Stdio::null()).spawn().unwrap();
    let attached = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().any(|l| l.starts_with("TracerPid:") && !l.ends_with("\t0"))
    };
    let begun = Instant::now();
    while !attached() {
        assert!(begun.elapsed() < Duration::from_secs(20), "strace did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
    screen.press("me@example.test\t");
    screen.shows("imap.example.test");
    screen.press("\t\t\t\t");
    std::thread::sleep(Duration::from_secs(1));
    screen.kill();
    strace.wait().unwrap();
    assert_eq!(Calls::of(&bed).0.iter().filter(|l| l.contains("AF_INET")).collect::<Vec<_>>(), Vec::<&String>::new());
}
