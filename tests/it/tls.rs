//! tls — servers that are not who they should be get nothing: no name, no password, no mail.
//! Start reading at: `refused`.

use crate::mailhost::{At, PASSWORD, host, user};
use crate::{Strings, imap_to};
use postrider::net::error::{NetErrorKind, TlsReason};
use postrider::net::session::{Endpoint, MailStore, TlsMode};
use postrider::net::smtp::Why;
use postrider::net::tls::fingerprint;

fn refused(endpoint: &Endpoint) -> NetErrorKind {
    imap_to(endpoint, &user(), PASSWORD, &Strings::new()).err().unwrap().kind
}

#[test]
fn imap_certificates() {
    let host = host();
    let wrong = [
        (At::Expired, TlsReason::Expired),
        (At::OtherHost, TlsReason::WrongHost),
        (At::Stranger, TlsReason::UnknownIssuer),
        (At::Itself, TlsReason::SelfSigned),
    ];
    for (at, reason) in wrong {
        for tls in [TlsMode::Implicit, TlsMode::StartTls] {
            assert_eq!(refused(&host.imap_at(at, tls)), NetErrorKind::Tls(reason), "{at:?} {tls:?}");
        }
    }
    let nosan = refused(&host.imap_at(At::NoSan, TlsMode::Implicit));
    assert!(matches!(nosan, NetErrorKind::Tls(TlsReason::NoSan | TlsReason::WrongHost)), "{nosan:?}");
    assert_eq!(refused(&host.imap_at(At::NoTls, TlsMode::StartTls)), NetErrorKind::Tls(TlsReason::NoStartTls));
    let unknown = Endpoint { ca_file: None, ..host.imap_at(At::Good, TlsMode::Implicit) };
    assert_eq!(refused(&unknown), NetErrorKind::Tls(TlsReason::UnknownIssuer));
    let nowhere = Endpoint { ca_file: Some("/nonexistent".into()), ..unknown };
    assert_eq!(refused(&nowhere), NetErrorKind::Tls(TlsReason::BadCaFile));
}

#[test]
fn a_pin_stands_for_one_certificate() {
    let host = host();
    let pem = std::fs::read(host.dir.join("tls/itself.pem")).unwrap();
    let pin = fingerprint(&openssl::x509::X509::from_pem(&pem).unwrap().to_der().unwrap());
    let pinned = |at: At| Endpoint { fingerprint: Some(pin.clone()), ..host.imap_at(at, TlsMode::Implicit) };
    imap_to(&pinned(At::Itself), &user(), PASSWORD, &Strings::new()).unwrap().logout();
    assert_eq!(refused(&pinned(At::Good)), NetErrorKind::Tls(TlsReason::PinMismatch));
}

#[test]
fn a_wrong_password_is_told_apart() {
    for tls in [TlsMode::Implicit, TlsMode::StartTls] {
        let endpoint = host().imap_at(At::Good, tls);
        let e = imap_to(&endpoint, &user(), "wrong", &Strings::new()).err().unwrap();
        assert_eq!(e.kind, NetErrorKind::LoginRefused);
    }
}

#[test]
fn smtp_certificates() {
    let host = host();
    let why = |at: At, tls: TlsMode| crate::smtp_to(&host.smtp_at(at, tls), "u@example.test", PASSWORD).err().unwrap().why;
    let tls = |reason| Why::Net(NetErrorKind::Tls(reason));
    assert_eq!(why(At::Expired, TlsMode::Implicit), tls(TlsReason::Expired));
    assert_eq!(why(At::Expired, TlsMode::StartTls), tls(TlsReason::Expired));
    assert_eq!(why(At::OtherHost, TlsMode::Implicit), tls(TlsReason::WrongHost));
    assert_eq!(why(At::Stranger, TlsMode::Implicit), tls(TlsReason::UnknownIssuer));
    assert_eq!(why(At::NoTls, TlsMode::StartTls), tls(TlsReason::NoStartTls));
}
