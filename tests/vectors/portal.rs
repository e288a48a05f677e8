//! portal — F-12: a network that leads elsewhere: a captive portal with a certificate of its own, a name that leads nowhere, a port at
//! which nobody listens, a host that takes the call and says nothing. Nothing is said there; what was done waits, and is done
//! as soon as the server is reached again.
//! Start reading at: `elsewhere`.

use super::bed::Bed;
use super::cert::{Identity, Spec};
use super::wire::{Act, GREETING, Server, Tls};
use super::wishes::{act, queue};
use std::time::Duration;

/// Where the account is looked for instead of its server, with this exit code; then its server is there again.
fn elsewhere(what: &str, host: &str, port: u16, code: i32) {
    let server = Server::imap_over(Tls::Implicit(Identity::good()));
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    let there =
        config.replace(&format!("host = \"127.0.0.1\", port = {}", server.port), &format!("host = \"{host}\", port = {port}"));
    assert_ne!(there, config);
    bed.write("config.toml", &there);
    act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
    act(&bed, "archive", "Letter 2", &[]);
    for _ in 0..2 {
        assert_eq!(bed.run(&["sync"]).code, code, "{what}");
    }
    // What is here is read, and what was done is shown.
    assert_eq!(bed.subjects("INBOX"), ["Letter 1", "Letter 3"], "{what}");
    assert!(bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 3")]).code(0).out.contains("the text of letter 3"), "{what}");
    assert!(queue(&bed).len() == 2 && queue(&bed).iter().all(|(_, state)| state == "queued"), "{what}: {:?}", queue(&bed));
    server.world().inbox().add(super::imap::letter(4));
    bed.write("config.toml", &config);
    bed.run(&["sync"]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!((queue(&bed), bed.subjects("INBOX").len()), (vec![], 3), "{what}");
    let mut world = server.world();
    assert!(world.inbox().mails[0].flags.contains("\\Flagged"), "{what}");
    assert_eq!((world.inbox().mails.len(), world.folder("Archive").mails.len()), (3, 1), "{what}: once");
}

#[test]
fn f_12_networks_that_lead_elsewhere() {
    // A portal answers every call, with a certificate that nobody vouches for.
    let portal = Server::imap_over(Tls::Implicit(Identity::new(&Spec { own: true, ..Spec::GOOD })));
    elsewhere("a portal", "127.0.0.1", portal.port, 69);
    assert!(portal.heard().iter().all(|h| !h.tls), "nothing is said there");
    elsewhere("a name that leads nowhere", "no-such-host.invalid", 993, 69);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    elsewhere("a port at which nobody listens", "127.0.0.1", closed, 69);
    let rude = Server::imap_over(Tls::Implicit(Identity::good()));
    rude.always(GREETING, vec![Act::Stall(Duration::from_millis(200)), Act::Reset]);
    elsewhere("a host that hangs up", "127.0.0.1", rude.port, 69);
    assert!(rude.heard().is_empty());
}
