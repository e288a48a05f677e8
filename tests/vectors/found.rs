//! found — T-14: what the domain of an address may tell of its servers, and what the program does of it: never without encryption, never
//! by http, and no password to a server of another domain before the person agreed.
//! Start reading at: `who`. Only builds for tests can be led to `finder.rs`.

use super::bed::{Bed, PASSWORD};
use super::cert::Identity;
use super::finder::{AUTOCONFIG, Finder, Tells, file, here};
use super::peers::{Calls, TRACE, found};
use super::screen::Screen;
use super::wire::{Server, Tls};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const AT: &str = "autoconfig.vector.test";
const ME: &str = "bo-peep@vector.test";

fn page(page: String) -> Tells {
    Tells { pages: vec![(AUTOCONFIG, page)], ..Tells::default() }
}

fn encrypted() -> (Server, Server) {
    (Server::imap_over(Tls::Implicit(Identity::good())), Server::smtp_over(Tls::Implicit(Identity::good())))
}

/// The ports that were called, but for those of the finder.
fn others(bed: &Bed, finder: &Finder) -> Vec<u16> {
    let calls = Calls::of(bed);
    assert!(calls.0.iter().filter(|l| l.contains("connect(")).all(|l| l.contains("127.0.0.1")), "{:?}", calls.0);
    calls.ports().into_iter().filter(|port| !finder.ports().contains(port)).collect()
}

/// The domain's web server at two names, its four services, who takes its mail; and nobody hears who asks.
#[test]
fn t_14_who_is_asked_and_what_they_hear() {
    let bed = Bed::new();
    let finder = Finder::start(AT, Tells::default());
    found(&bed, Some(&finder), &[ME]).code(64).says("--imap");
    assert_eq!(others(&bed, &finder), Vec::<u16>::new());
    let heard = finder.heard();
    let mut names: Vec<&str> = heard.iter().filter_map(|h| h.strip_prefix("dns ")).collect();
    names.sort_unstable();
    let wanted = ["_imap._tcp", "_imaps._tcp", "_submission._tcp", "_submissions._tcp"];
    let mut wanted: Vec<String> = wanted.iter().map(|s| format!("TYPE(SRV) {s}.vector.test")).collect();
    wanted.insert(0, "TYPE(MX) vector.test".to_owned());
    assert_eq!(names, wanted);
    // The other name was not proven, so it heard no question.
    let pages: Vec<&String> = heard.iter().filter(|h| h.starts_with("https ")).collect();
    assert!(pages.len() == 1 && pages[0].starts_with("https GET /mail/config-v1.1.xml HTTP/1.1\r\n"), "{pages:?}");
    assert!(!heard.iter().any(|h| h.contains("bo-peep") || h.contains(PASSWORD)), "{heard:?}");
    let calls = Calls::of(&bed);
    assert!(!calls.0.iter().any(|l| l.contains("bo-peep") || l.contains(" listen(")), "{:?}", calls.0);
}

#[test]
fn t_14_plain_is_never_taken() {
    let bed = Bed::new();
    let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::None));
    let tells = page(here(&file(("127.0.0.1", imap.port, "plain"), ("127.0.0.1", smtp.port, "plain"))));
    let finder = Finder::start(AT, tells);
    found(&bed, Some(&finder), &[ME, "--yes"]).code(64).says("--imap");
    assert_eq!(others(&bed, &finder), Vec::<u16>::new());
    assert!(imap.came().is_empty() && smtp.came().is_empty() && !bed.path("config.toml").exists());
    // Said to speak STARTTLS, and it does not: it hears no password, and nothing is tried in another way.
    let tells = page(here(&file(("127.0.0.1", imap.port, "STARTTLS"), ("127.0.0.1", smtp.port, "STARTTLS"))));
    let finder = Finder::start(AT, tells);
    let ran = found(&bed, Some(&finder), &[ME, "--yes"]);
    assert!(ran.code != 0 && !bed.path("config.toml").exists(), "{ran:?}");
    let said = |server: &Server| server.heard().iter().any(|h| h.line.contains("AUTH") || h.line.contains("LOGIN"));
    assert!(!said(&imap) && !said(&smtp), "{:?} {:?}", imap.heard(), smtp.heard());
}

#[test]
fn t_14_no_redirect_leads_away_from_https() {
    let good = here(&file(("imap.vector.test", 993, "SSL"), ("smtp.vector.test", 465, "SSL")));
    let moved = |to: &str| format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    for to in
        ["http://autoconfig.vector.test/there.xml", "https://autoconfig.vector.test:8443/there.xml", "/mail/config-v1.1.xml"]
    {
        let bed = Bed::new();
        let pages = vec![(AUTOCONFIG, moved(to)), ("/there.xml", good.clone())];
        let finder = Finder::start(AT, Tells { pages, ..Tells::default() });
        found(&bed, Some(&finder), &[ME, "--no-test"]).code(64).says("--imap");
        assert_eq!(others(&bed, &finder), Vec::<u16>::new(), "{to}");
        let times = if to.starts_with('/') { 4 } else { 1 };
        assert_eq!(finder.heard().iter().filter(|h| h.starts_with("https ")).count(), times, "{to}");
    }
    let bed = Bed::new();
    let pages = vec![(AUTOCONFIG, moved("https://AUTOCONFIG.vector.test/there.xml")), ("/there.xml", good)];
    let finder = Finder::start(AT, Tells { pages, ..Tells::default() });
    found(&bed, Some(&finder), &[ME, "--no-test"]).code(0).says("the domain's autoconfig");
    let text = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    assert!(text.contains("host = \"imap.vector.test\", port = 993, tls = \"implicit\""), "{text}");
}

/// Anybody on the line may have written an answer of the name service: where it leads out of the domain, the person is asked.
#[test]
fn t_14_records_that_lead_elsewhere() {
    let bed = Bed::new();
    let srv = vec![("_imaps._tcp", "imap.evil.test", 993), ("_submission._tcp", "smtp.vector.test", 587)];
    let finder = Finder::start(AT, Tells { srv, ..Tells::default() });
    found(&bed, Some(&finder), &[ME]).code(64).says("not of vector.test").says("--yes");
    assert_eq!(others(&bed, &finder), Vec::<u16>::new(), "not even its address is asked for");
    assert!(!bed.path("config.toml").exists());
    found(&bed, Some(&finder), &[ME, "--yes", "--no-test"]).code(0).says("SRV");
    let text = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    assert!(text.contains("imap.evil.test") && text.contains("port = 587, tls = \"starttls\""), "{text}");
    // Of the domain itself, and of a provider in the list, nobody has to be asked.
    let bed = Bed::new();
    let finder = Finder::start(AT, Tells { mx: Some("alt1.aspmx.l.google.com"), ..Tells::default() });
    found(&bed, Some(&finder), &[ME, "--no-test"]).code(0).says("MX").says("app password");
    assert!(std::fs::read_to_string(bed.path("config.toml")).unwrap().contains("imap.gmail.com"));
}

#[test]
fn t_14_no_password_before_consent() {
    let bed = Bed::new();
    let (imap, smtp) = encrypted();
    let finder = Finder::start(AT, page(here(&file(("127.0.0.1", imap.port, "SSL"), ("127.0.0.1", smtp.port, "SSL")))));
    let ca = bed.path("ca.pem").display().to_string();
    found(&bed, Some(&finder), &[ME, "--ca-file", &ca]).code(64).says("127.0.0.1").says("not of vector.test");
    assert_eq!(others(&bed, &finder), Vec::<u16>::new());
    assert!(imap.came().is_empty() && smtp.came().is_empty() && !bed.path("config.toml").exists());
    found(&bed, Some(&finder), &[ME, "--ca-file", &ca, "--yes"]).code(0);
    let mut named = vec![imap.port, smtp.port];
    named.sort_unstable();
    assert_eq!(others(&bed, &finder), named);
    for server in [&imap, &smtp] {
        let heard = server.heard();
        assert!(!heard.is_empty() && heard.iter().all(|h| h.tls), "{heard:?}");
    }
}

/// With somebody at the terminal each server is a proposal, with whose it is; Enter agrees, and before that nobody there is called.
#[test]
fn t_14_each_server_is_a_question() {
    let bed = Bed::new();
    let (imap, smtp) = encrypted();
    let finder = Finder::start(AT, page(here(&file(("127.0.0.1", imap.port, "SSL"), ("127.0.0.1", 9, "SSL")))));
    let (name, value) = finder.way(&bed.path("ca.pem"));
    let (ca, soon) = (bed.path("ca.pem").display().to_string(), Duration::from_secs(100));
    let words = ["account", "add", ME, "--ca-file", &ca, "--password-command", &format!("echo {PASSWORD}")];
    let mut screen = Screen::run(&bed.path(""), &words, &[(name, &value)]);
    screen.until("the first question", soon, |text| text.contains("Server for reading [imaps://127.0.0.1:"));
    let text = screen.text();
    assert!(text.contains("by the domain's autoconfig, which is not of vector.test"), "{text}");
    assert!(imap.came().is_empty());
    screen.press("\r");
    screen.shows("Server for sending [smtps://127.0.0.1:9]");
    assert!(imap.came().is_empty(), "the other one was not agreed to yet");
    // What is typed wins over what was found.
    screen.press(&format!("smtps://127.0.0.1:{}", smtp.port));
    screen.press("\r");
    screen.until("the end", soon, |text| text.contains("is saved in"));
    let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    assert!(config.contains(&format!("port = {}", smtp.port)) && !config.contains("port = 9,"), "{config}");
    assert!(!imap.came().is_empty() && !smtp.came().is_empty());
}

/// Servers that say nothing are not waited for longer than the deadline, and what is named is not looked for.
#[test]
fn t_14_nobody_answers() {
    let bed = Bed::new();
    let (udp, tcp) = (std::net::UdpSocket::bind("127.0.0.1:0").unwrap(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let way = format!("{} {} /nowhere", udp.local_addr().unwrap(), tcp.local_addr().unwrap());
    let mut command = bed.command(super::bed::BINARY, &[], &["account", "add", ME, "--password-command", "true"]);
    command.env("POSTRIDER_DISCOVERY", way);
    let ran = bed.finish(command).code(64).says("--imap");
    assert!(ran.took < Duration::from_secs(40), "{:?}", ran.took);
}

/// The form: nobody is called before the person has left the field of the address; what was found is shown with whose it is, and no
/// test runs before the person went on in spite of that.
#[test]
fn t_14_the_form_asks_first() {
    let bed = Bed::new();
    let (imap, smtp) = encrypted();
    let finder = Finder::start(AT, page(here(&file(("127.0.0.1", imap.port, "SSL"), ("127.0.0.1", smtp.port, "SSL")))));
    let (name, value) = finder.way(&bed.path("ca.pem"));
    let mut screen = Screen::start_with(&bed.path(""), &[(name, &value)]);
    screen.shows("Its domain is asked for the servers");
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
    screen.press(ME);
    screen.shows("imap.vector.test");
    assert_eq!(finder.heard(), Vec::<String>::new());
    assert_eq!(others(&bed, &finder), Vec::<u16>::new());
    screen.press("\t");
    let soon = Duration::from_secs(100);
    screen.until("the servers were found", soon, |text| text.contains("Found by the domain's autoconfig"));
    screen.shows("not of vector.test");
    // To the password, upwards.
    screen.press("\x1b[Z\x1b[Z");
    screen.paste(PASSWORD);
    screen.press("\r");
    screen.shows("Enter again sends your password there");
    assert_eq!(others(&bed, &finder), Vec::<u16>::new());
    assert!(imap.came().is_empty() && smtp.came().is_empty());
    screen.press("\r");
    // Whose certificate is of an authority that only the finder's way believes: the account's own test does not.
    screen.until("the test has ended", soon, |text| text.contains("is not trusted"));
    assert_eq!(others(&bed, &finder).len(), 2, "both were tried");
    let heard = [imap.heard(), smtp.heard()].concat();
    assert!(!heard.iter().any(|h| h.line.contains("AUTH") || h.line.contains("LOGIN")), "{heard:?}");
    screen.kill();
    strace.wait().unwrap();
}
