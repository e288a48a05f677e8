//! peers — T-14: whom the program speaks to when an account is added. Those that the person named, and nobody else; without a name, the
//! domain of the address itself, and servers that it tells of after the person agreed. `found.rs` has what it may be told.
//! Start reading at: `Calls`. strace tells every call to a network (`bash tests/setup mailhost` installs it).

use super::bed::{Bed, PASSWORD, Ran};
use super::cert::Identity;
use super::finder::Finder;
use super::wire::{Server, Tls};

pub const TRACE: &str = "trace=connect,sendto,sendmsg,sendmmsg,bind,listen";

/// What was said to networks, a line each.
pub struct Calls(pub Vec<String>);

impl Calls {
    pub fn of(bed: &Bed) -> Self {
        let text = std::fs::read_to_string(bed.path("calls")).unwrap();
        let outside = |line: &&str| !line.contains("AF_UNIX") && !line.contains("AF_NETLINK");
        Self(text.lines().filter(outside).map(str::to_owned).collect())
    }

    /// Ports of this machine that were called, each once.
    pub fn ports(&self) -> Vec<u16> {
        let number = |line: &str| line.split_once("htons(")?.1.split_once(')')?.0.parse().ok();
        let mut all: Vec<u16> = self.0.iter().filter(|l| l.contains(" connect(")).filter_map(|l| number(l)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn add(bed: &Bed, args: &[&str]) -> Ran {
    found(bed, None, &[&["me@example.test"], args].concat())
}

/// An account is added; servers are looked for at `finder`.
pub fn found(bed: &Bed, finder: Option<&Finder>, args: &[&str]) -> Ran {
    let calls = bed.path("calls").display().to_string();
    let words = ["-c", "exec \"$@\" <\"$HOME/pw\"", "sh", "strace", "-f", "-qq", "-s", "400", "-o", &calls, "-e", TRACE];
    let mut command = bed.command("sh", &words, &[&["account", "add", "--password-stdin"], args].concat());
    if let Some(finder) = finder {
        let (name, value) = finder.way(&bed.path("ca.pem"));
        command.env(name, value);
    }
    bed.finish(command)
}

/// Nobody is called where nobody may be, or nobody can have mail there, or it is known where the servers are.
#[test]
fn t_14_nobody_is_looked_for() {
    for args in [&["me@example.org"][..], &["me@localhost"], &["me@gmail.com", "--no-test", "--name", "g"]] {
        let bed = Bed::new();
        let ran = found(&bed, None, args);
        assert_eq!(Calls::of(&bed).0, Vec::<String>::new(), "{args:?}");
        if args.len() > 1 {
            ran.code(0).says("app password");
            let text = std::fs::read_to_string(bed.path("config.toml")).unwrap();
            assert!(text.contains("imap.gmail.com") && text.contains("smtp.gmail.com"), "{text}");
        } else {
            ran.code(64).says("--imap");
        }
    }
    let bed = Bed::new();
    let offline = ["-c", "exec \"$@\" <\"$HOME/pw\"", "sh", "strace", "-f", "-qq", "-o"];
    let calls = bed.path("calls").display().to_string();
    let words = [&offline[..], &[&calls, "-e", TRACE]].concat();
    bed.finish(bed.command("sh", &words, &["--offline", "account", "add", "me@vector.test", "--password-stdin"])).code(64);
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
