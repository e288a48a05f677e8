//! auth — every way of logging in that Dovecot knows, alone; tokens and certificates are scripted in `src/net/imap/tests_auth.rs`.

use crate::mailhost::{At, PASSWORD, host, user};
use crate::{Strings, imap_by};
use postrider::config::{AuthPolicy, Mechanism};
use postrider::net::error::NetErrorKind;
use postrider::net::session::{MailStore, TlsMode};

#[test]
fn each_way_alone_and_a_wrong_password() {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let ways = [Mechanism::Login, Mechanism::Plain, Mechanism::CramMd5, Mechanism::ScramSha1, Mechanism::ScramSha256];
    for way in ways {
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
