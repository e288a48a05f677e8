//! auth — every way of logging in that Dovecot knows, alone; tokens and certificates are scripted in `src/net/imap/tests_auth.rs`.

use crate::mailhost::{At, PASSWORD, host, user};
use crate::{Strings, imap_by, smtp_by};
use postrider::config::{AuthPolicy, Mechanism};
use postrider::net::error::NetErrorKind;
use postrider::net::session::{MailStore, TlsMode};
use postrider::net::smtp::Why;

const WAYS: [Mechanism; 5] =
    [Mechanism::Login, Mechanism::Plain, Mechanism::CramMd5, Mechanism::ScramSha1, Mechanism::ScramSha256];

#[test]
fn each_way_alone_and_a_wrong_password() {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    for way in WAYS {
        for without in [&[][..], &["SASL-IR"], &["AUTH=LOGIN"]] {
            let auth = AuthPolicy { named: Some(vec![way]), least: None };
            let mut store = imap_by(&endpoint, &user(), PASSWORD, &Strings::new(), without, &auth).unwrap();
            store.list().unwrap();
            let e = imap_by(&endpoint, &user(), "wrong", &Strings::new(), without, &auth).err().unwrap();
            assert_eq!(e.kind, NetErrorKind::LoginRefused, "{way:?} {e}");
        }
    }
}

/// What the account does not allow is not done, whatever the server offers.
#[test]
fn nothing_weaker_than_allowed() {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let auth = AuthPolicy { named: None, least: Some(Mechanism::ScramSha1) };
    imap_by(&endpoint, &user(), PASSWORD, &Strings::new(), &[], &auth).unwrap();
    let without = ["AUTH=SCRAM-SHA-1", "AUTH=SCRAM-SHA-256"];
    let e = imap_by(&endpoint, &user(), PASSWORD, &Strings::new(), &without, &auth).err().unwrap();
    assert_eq!(e.kind, NetErrorKind::LoginRefused);
}

/// The same at the submission server; what it does not offer is not tried, nor anything weaker.
#[test]
fn submission_by_each_way() {
    let policy = |way| AuthPolicy { named: Some(vec![way]), least: None };
    let endpoint = host().smtp_at(At::Good, TlsMode::StartTls);
    for way in WAYS {
        smtp_by(&endpoint, &user(), PASSWORD, &policy(way)).unwrap().quit();
        let e = smtp_by(&endpoint, &user(), "wrong", &policy(way)).unwrap_err();
        assert_eq!(e.why, Why::Net(NetErrorKind::LoginRefused), "{way:?} {e}");
        assert!(e.to_string().contains(way.word()), "{e}");
    }
    // LOGIN only.
    let old = host().smtp_at(At::Strict, TlsMode::StartTls);
    smtp_by(&old, &user(), PASSWORD, &AuthPolicy::default()).unwrap().quit();
    for auth in [policy(Mechanism::ScramSha256), AuthPolicy { named: None, least: Some(Mechanism::CramMd5) }] {
        assert_eq!(smtp_by(&old, &user(), PASSWORD, &auth).unwrap_err().why, Why::Net(NetErrorKind::LoginRefused));
    }
}

/// SASL-IR (RFC 4959) spares the turn in which the server would ask for the first words.
#[test]
fn a_first_answer_goes_with_the_command() {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let turns = |way, without: &[&str]| {
        let auth = AuthPolicy { named: Some(vec![way]), least: None };
        imap_by(&endpoint, &user(), PASSWORD, &Strings::new(), without, &auth).unwrap().traffic().round_trips
    };
    for way in [Mechanism::Plain, Mechanism::ScramSha256] {
        assert_eq!(turns(way, &["SASL-IR"]), turns(way, &[]) + 1, "{way:?}");
    }
}
