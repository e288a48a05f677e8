//! finding_tests — what was found comes into the form, and what the person wrote stays.
//! Start reading at: `found`, which the screens take too.

use super::tests::press;
use super::*;
use crate::config::discovery::gather::Gathering;
use crate::config::discovery::{Domain, Found, Offer, Place, Secure, Source};

/// What one source says of work.net.
pub fn found(source: Source, imap: &str, smtp: &str, note: Option<&'static str>) -> Found {
    let place = |host: &str, port, secure| Place { host: host.to_owned(), port, secure, user: Some("ann".to_owned()) };
    let incoming = (!imap.is_empty()).then(|| place(imap, 143, Secure::StartTls));
    let outgoing = (!smtp.is_empty()).then(|| Place { user: None, ..place(smtp, 465, Secure::Implicit) });
    let mut all = Gathering::new(Domain::of_address("ann@work.net").unwrap(), &[source]);
    all.heard(source, Offer { incoming, outgoing, note: note.map(SafeText::of) });
    all.settled().unwrap()
}

fn asked() -> Form {
    let mut form = Form::new(vec![]);
    press(&mut form, "\"ann@work.net");
    assert_eq!(form.to_find(), None, "not before the field was left");
    press(&mut form, "Tab");
    assert_eq!(form.to_find().as_deref(), Some("ann@work.net"));
    assert_eq!(form.to_find(), None, "once");
    assert!(form.finding().unwrap().as_str().starts_with("Looking"));
    form
}

fn texts(form: &Form) -> [&str; 5] {
    [Field::Incoming, Field::IncomingPort, Field::Outgoing, Field::OutgoingPort, Field::Login].map(|f| form.line(f).text())
}

#[test]
fn what_was_found_is_filled_in() {
    let mut form = asked();
    form.found("bob@work.net", found(Source::Srv, "other.work.net", "other.work.net", None));
    assert_eq!(texts(&form), ["imap.work.net", "993", "smtp.work.net", "465", "ann@work.net"], "for another address");
    form.found("ann@work.net", found(Source::Srv, "in.work.net", "out.work.net", Some("an app password")));
    assert_eq!(texts(&form), ["in.work.net", "143", "out.work.net", "465", "ann"]);
    assert_eq!(form.choice(Field::IncomingTls), Some("STARTTLS"));
    assert_eq!(form.finding().unwrap().as_str(), "Found by the domain's SRV records");
    assert_eq!(form.advice(), None);
    let Wish::Try(account, _) = press(&mut form, "Up Up \"secret Enter") else { panic!("{:?}", form.trial) };
    assert_eq!(form.advice().unwrap().as_str(), "an app password");
    let (imap, smtp) = (account.imap.unwrap(), account.smtp.unwrap());
    assert_eq!((imap.host.as_str(), imap.tls, account.user.as_deref()), ("in.work.net", Tls::StartTls, Some("ann")));
    assert_eq!((smtp.host.as_str(), smtp.user.as_deref()), ("out.work.net", Some("ann@work.net")), "its own login name");
    // Another address, other servers.
    press(&mut form, "Esc");
    form.point(Field::Address as usize);
    press(&mut form, "\"x Tab");
    assert_eq!(texts(&form), ["imap.work.netx", "993", "smtp.work.netx", "465", "ann@work.netx"]);
    assert_eq!(form.to_find().as_deref(), Some("ann@work.netx"));
}

#[test]
fn what_the_person_wrote_stays() {
    let mut form = asked();
    press(&mut form, "Tab \"my.host.net Tab Tab \"1143 Down Down Space");
    form.found("ann@work.net", found(Source::Autoconfig, "in.evil.net", "out.work.net", None));
    assert_eq!(
        texts(&form),
        ["my.host.net", "1143", "out.work.net", "587", "ann@work.net"],
        "the port fits the way that was chosen"
    );
    assert_eq!((form.choice(Field::IncomingTls), form.choice(Field::OutgoingTls)), (Some("TLS"), Some("STARTTLS")));
    assert_eq!(form.foreign(Field::Incoming), None, "it is the person's own word");
    // Written over what was found.
    form.point(Field::Outgoing as usize);
    press(&mut form, "C-u \"my.smtp.net");
    form.point(Field::Login as usize);
    press(&mut form, "\"me");
    let Wish::Try(account, _) = press(&mut form, "Tab Tab \"secret Enter") else { panic!("{:?}", form.trial) };
    let smtp = account.smtp.unwrap();
    assert_eq!((smtp.host.as_str(), smtp.user, account.user.as_deref()), ("my.smtp.net", None, Some("me")));
}

/// T-14: the form names the domain that a server is not of, and no test runs before the person went on in spite of it.
#[test]
fn t_14_another_domain_is_agreed_to_first() {
    let mut form = asked();
    form.found("ann@work.net", found(Source::Srv, "in.other.net", "out.work.net", None));
    assert_eq!(form.foreign(Field::Incoming).unwrap().as_str(), "not of work.net");
    assert_eq!(form.foreign(Field::Outgoing), None);
    assert!(form.complete().is_err());
    assert!(matches!(press(&mut form, "Up Up \"secret Enter"), Wish::None));
    assert!(matches!(&form.trial, Trial::Incomplete(why) if why.as_str().starts_with("in.other.net is not of work.net")));
    let Wish::Try(account, _) = press(&mut form, "Enter") else { panic!("{:?}", form.trial) };
    assert_eq!(account.imap.unwrap().host, "in.other.net");
    // What comes later was not agreed to.
    press(&mut form, "Esc");
    form.point(Field::Address as usize);
    press(&mut form, "\"x Backspace Tab");
    assert_eq!(form.to_find(), None, "the same address");
    form.found("ann@work.net", found(Source::Srv, "evil.net", "evil.net", None));
    assert!(matches!(press(&mut form, "Up Up Enter"), Wish::None));
    assert!(matches!(&form.trial, Trial::Incomplete(why) if why.as_str().starts_with("evil.net is not")));
}

#[test]
fn a_test_that_runs_is_not_changed_and_the_next_one_knows() {
    let mut form = asked();
    let Wish::Try(..) = press(&mut form, "Up Up \"secret Enter") else { panic!("{:?}", form.trial) };
    form.found("ann@work.net", found(Source::Mx, "imap.gmail.com", "smtp.gmail.com", None));
    assert_eq!(form.line(Field::Incoming).text(), "imap.work.net");
    form.failed(SafeText::of("connection"), Fault::new(Kind::Unreachable, "nobody is there"), false);
    assert_eq!(form.line(Field::Incoming).text(), "imap.gmail.com");
}

#[test]
fn nothing_found_and_nothing_to_log_in_to_are_said() {
    let mut form = asked();
    form.found("ann@work.net", Found::default());
    assert_eq!(form.finding().unwrap().as_str(), "Nothing was found for work.net: the servers are guesses");
    assert_eq!(form.line(Field::Incoming).text(), "imap.work.net");
    let mut form = asked();
    form.found("ann@work.net", found(Source::Mx, "", "", Some("no IMAP there")));
    assert_eq!(
        (form.finding().unwrap().as_str(), form.advice().unwrap().as_str()),
        ("Nothing to log in to was found", "no IMAP there")
    );
    let mut form = Form::new(vec![]);
    press(&mut form, "\"ann@example.org Tab");
    assert_eq!(form.to_find(), None, "nobody has mail there");
    assert_eq!(form.finding().unwrap().as_str(), "Nothing was found for example.org: the servers are guesses");
    let mut form = Form::new(vec![]);
    press(&mut form, "\"ann Tab");
    assert_eq!((form.to_find(), form.finding()), (None, None), "no address yet");
}
