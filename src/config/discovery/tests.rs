//! tests — what sources say of an address, honest and hostile.
//! Start reading at: `file`.

use super::autoconfig::{Refused, Who, read};
use super::gather::Gathering;
use super::srv::Srv;
use super::*;
use proptest::prelude::*;

const ANN: Who<'_> = Who { address: "ann@work.net" };

fn server(kind: &str, host: &str, port: &str, socket: &str) -> String {
    let tag = if kind == "smtp" { "outgoingServer" } else { "incomingServer" };
    format!(
        "<{tag} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>\
         <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></{tag}>"
    )
}

fn file(servers: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"work.net\">\
         <domain>work.net</domain><displayName>Work &amp; Co</displayName>{servers}</emailProvider></clientConfig>\n"
    )
}

fn incoming(servers: &str) -> Option<Place> {
    read(file(servers).as_bytes(), ANN).unwrap().incoming
}

fn domain() -> Domain {
    Domain::of_address("ann@work.net").unwrap()
}

fn place(host: &str) -> Place {
    Place { host: host.into(), port: 993, secure: Secure::Implicit, user: None }
}

fn one(host: &str) -> Offer {
    Offer { incoming: Some(place(host)), outgoing: Some(place(host)), note: None }
}

#[test]
fn a_file_of_a_provider_is_read() {
    let pop = server("pop3", "pop.work.net", "995", "SSL");
    let imap = server("imap", "IMAP.%EMAILDOMAIN%", " 993 ", "SSL");
    let second = server("imap", "imap2.work.net", "143", "STARTTLS");
    let smtp = server("smtp", "smtp.work.net", "587", "STARTTLS").replace("%EMAILADDRESS%", "%EMAILLOCALPART%");
    let offer = read(file(&format!("{pop}<!-- first -->{imap}{second}{smtp}")).as_bytes(), ANN).unwrap();
    assert_eq!(offer.incoming, Some(place("imap.work.net")));
    let out = Place { host: "smtp.work.net".into(), port: 587, secure: Secure::StartTls, user: Some("ann".into()) };
    assert_eq!((offer.outgoing, offer.note), (Some(out), None));
    let user = server("imap", "h.net", "993", "SSL").replace("%EMAILADDRESS%", "<![CDATA[a<]]>&amp;&#x42;");
    assert_eq!(incoming(&user).unwrap().user.as_deref(), Some("a<&B"));
    let token = imap.replace("password-cleartext", "OAuth2");
    assert!(read(file(&token).as_bytes(), ANN).unwrap().note.is_some());
}

/// T-14: a server without encryption is none, whatever else is said of it; the next that is encrypted is taken.
#[test]
fn t_14_plain_is_never_taken() {
    for socket in ["plain", "PLAIN", "", "none", "SSL/TLS ", "starttls-if-available"] {
        let plain = server("imap", "imap.work.net", "143", socket);
        assert_eq!(incoming(&plain), None, "{socket}");
        let both = format!("{plain}{}", server("imap", "safe.work.net", "993", "SSL"));
        assert_eq!(incoming(&both).unwrap().host, "safe.work.net");
    }
    let without = server("imap", "imap.work.net", "143", "SSL").replace("<socketType>SSL</socketType>", "");
    assert_eq!(incoming(&without), None);
}

#[test]
fn what_names_no_server_is_none() {
    for host in ["", "a b", "work.net/", "a@b", "-a.net", "%USER%.net", "a..b", "x\u{202e}y", "1.2.3", "[::1", &"a".repeat(64)] {
        assert_eq!(incoming(&server("imap", host, "993", "SSL")), None, "{host}");
    }
    for port in ["0", "65536", "-1", "", "993x", "imaps"] {
        assert_eq!(incoming(&server("imap", "h.net", port, "SSL")), None, "{port}");
    }
    for user in ["a\u{202e}b", "a\u{1b}[2J", "%REALNAME%", &"u".repeat(300)] {
        let text = server("imap", "h.net", "993", "SSL").replace("%EMAILADDRESS%", user);
        match read(file(&text).as_bytes(), ANN) {
            Ok(offer) => assert_eq!(offer.incoming.unwrap().user, None, "{user}"),
            Err(refused) => assert_eq!(refused, Refused::Malformed, "{user}"),
        }
    }
    // What the person typed is put in once, and not looked at again.
    let odd = Who { address: "%EMAILDOMAIN%@work.net" };
    let text = server("imap", "h.net", "993", "SSL").replace("%EMAILADDRESS%", "%EMAILLOCALPART%");
    assert_eq!(read(file(&text).as_bytes(), odd).unwrap().incoming.unwrap().user, None);
}

#[test]
fn a_file_that_wants_more_than_to_be_read_is_refused() {
    let whole = file(&server("imap", "h.net", "993", "SSL"));
    let bomb = whole.replace("<clientConfig", "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><clientConfig");
    assert_eq!(read(bomb.as_bytes(), ANN), Err(Refused::Declares));
    assert_eq!(read(whole.replace("h.net", "&b;").as_bytes(), ANN), Err(Refused::Declares));
    assert_eq!(read(whole.replace("h.net", "&#0;").as_bytes(), ANN).ok().and_then(|o| o.incoming), None);
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    assert_eq!(read(whole.replace("<domain>", &format!("{deep}<domain>")).as_bytes(), ANN), Err(Refused::TooLarge));
    assert_eq!(read(file(&server("imap", "h.net", "993", "SSL").repeat(40)).as_bytes(), ANN), Err(Refused::TooLarge));
    assert_eq!(read(whole.replace("h.net", &"a".repeat(5_000)).as_bytes(), ANN), Err(Refused::TooLarge));
    assert_eq!(read(&vec![b' '; autoconfig::MAX_FILE + 1], ANN), Err(Refused::TooLarge));
    assert_eq!(read(b"<html><body>Not found</body></html>", ANN), Err(Refused::Other));
    assert_eq!(read(&[whole.as_bytes(), b"\xff"].concat(), ANN), Err(Refused::Malformed));
    assert_eq!(read(&[whole.as_bytes(), whole.as_bytes()].concat(), ANN), Err(Refused::Other));
    for end in 0..whole.trim_end().len() {
        assert!(read(&whole.as_bytes()[..end], ANN).is_err(), "half a file is none: {end}");
    }
    // Elsewhere than where servers stand, they are none.
    let elsewhere = whole.replace("emailProvider", "webMail");
    assert!(read(elsewhere.as_bytes(), ANN).unwrap().is_empty());
}

#[test]
fn services_are_chosen_by_priority_and_weight() {
    let srv = |priority, weight, port, target: &str| Srv { priority, weight, port, target: target.into() };
    let imap = [srv(5, 0, 143, "Start.work.net.")];
    let smtp = [srv(20, 9, 587, "c.net"), srv(10, 1, 587, "b.net"), srv(10, 60, 588, "a.net")];
    let offer = srv::offer([&[srv(0, 0, 0, "")], &imap, &[], &smtp]);
    let got = offer.incoming.unwrap();
    assert_eq!((got.host.as_str(), got.port, got.secure), ("start.work.net", 143, Secure::StartTls), "`.` is no offer");
    let got = offer.outgoing.unwrap();
    assert_eq!((got.host.as_str(), got.port, got.secure), ("a.net", 588, Secure::StartTls));
    let both = srv::offer([&[srv(0, 0, 993, "tls.net")], &imap, &[srv(0, 0, 465, "1.2.3.4")], &[]]);
    assert_eq!(both.incoming.unwrap().host, "tls.net", "encrypted from the first byte before STARTTLS");
    assert_eq!(both.outgoing, None, "a target is a name (RFC 2782)");
    assert!(srv::offer([&[srv(0, 0, 993, "a b")], &[srv(0, 0, 0, "x.net")], &[], &[]]).is_empty());
}

#[test]
fn nothing_is_told_that_a_better_answer_would_change() {
    let mut all = Gathering::new(domain(), &[Source::Autoconfig, Source::WellKnown, Source::Srv, Source::Mx]);
    all.heard(Source::Srv, one("srv.work.net"));
    assert_eq!(all.settled(), None);
    all.heard(Source::Providers, one("not.asked.net"));
    all.heard(Source::WellKnown, Offer::default());
    assert_eq!(all.settled(), None);
    let half = Offer { outgoing: None, note: Some(SafeText::of("note")), ..one("auto.work.net") };
    all.heard(Source::Autoconfig, half);
    all.heard(Source::Autoconfig, one("twice.net"));
    let found = all.settled().unwrap();
    let (to, from) = (found.incoming.clone().unwrap(), found.outgoing.clone().unwrap());
    assert_eq!((to.host(), to.source()), ("auto.work.net", Source::Autoconfig));
    assert_eq!((from.host(), from.source()), ("srv.work.net", Source::Srv), "what one does not name, the next may");
    assert_eq!(found.note, Some(SafeText::of("note")));
    let mut none = Gathering::new(domain(), &Source::ALL);
    assert_eq!(none.settled(), None);
    none.over();
    assert_eq!(none.settled(), Some(Found::default()));
}

/// T-14: a server of another domain goes to no account before the person agreed; the domain's own and those in the list do.
#[test]
fn t_14_others_need_the_persons_consent() {
    let offered = |host: &str| Offered::new(place(host), Source::Srv, &domain());
    for host in ["work.net", "imap.work.net", "imap.gmail.com"] {
        assert_eq!(offered(host).accepted(Protocol::Imap, Consent::Nobody).unwrap().host, host);
    }
    for host in ["imap.other.net", "evilwork.net", "work.net.evil.com", "127.0.0.1", "net"] {
        let back = offered(host).accepted(Protocol::Imap, Consent::Nobody).unwrap_err();
        assert_eq!((back.host(), back.standing()), (host, Standing::Other));
        assert_eq!(back.accepted(Protocol::Imap, Consent::Person).unwrap().tls, Tls::Implicit);
    }
    let found = Found { incoming: Some(offered("a.net")), outgoing: Some(offered("a.net")), note: None };
    assert_eq!(found.foreign(), ["a.net"]);
    assert_eq!(offered("::1").url(Protocol::Smtp), "smtps://[::1]:993");
}

#[test]
fn only_domains_that_can_have_mail_are_looked_for() {
    assert_eq!(Domain::of_address("ann@Bücher.DE").unwrap().as_str(), "xn--bcher-kva.de");
    for address in
        ["ann", "ann@localhost", "ann@example.org", "ann@mail.example", "a@[1.2.3.4]", "a@1.2.3.4", "a@x.local", "a@-.de"]
    {
        assert_eq!(Domain::of_address(address), None, "{address}");
    }
    assert!(Domain::of_address("me@vector.test").is_some());
}

proptest! {
    #[test]
    fn no_file_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..600), cut in 0usize..700, at in 0usize..700) {
        let _ = read(&bytes, ANN);
        // One that was whole, damaged.
        let whole = file(&server("imap", "h.net", "993", "SSL")).into_bytes();
        let (cut, at) = (cut.min(whole.len()), at.min(whole.len()));
        let damaged = [&whole[..cut], &bytes[..bytes.len().min(20)], &whole[at..]].concat();
        if let Ok(offer) = read(&damaged, ANN) {
            for place in offer.incoming.iter().chain(&offer.outgoing) {
                prop_assert_eq!(host_name(&place.host), Some(place.host.clone()));
                prop_assert!(place.port > 0);
            }
        }
    }

    #[test]
    fn names_of_hosts_are_plain(text in "\\PC{0,300}") {
        if let Some(name) = host_name(&text) {
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b)));
            prop_assert_eq!(host_name(&name), Some(name.clone()));
        }
        let _ = Domain::of_address(&text);
    }
}
