//! tls_tests — every kind of wrong certificate is refused for its own reason (security T-10, decisions 25), each made for real.

use super::error::{NetErrorKind, TlsReason};
use super::session::{Endpoint, TlsMode};
use super::tls::{fingerprint, handshake};
use cert::{Spec, acceptor, make};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslVersion;
use openssl::x509::X509;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

#[path = "../../tests/vectors/cert.rs"]
pub(super) mod cert;

const HOST: &str = "mail.example";
/// Of nobody yet.
const NOBODY: Spec = Spec { cn: "x", ip: None, ..Spec::GOOD };

/// A good one for a name.
const fn server(name: &'static str) -> Spec {
    Spec { dns: Some(name), ..NOBODY }
}

/// What a client that believes `root` says to a server with this chain; and that not one byte of ours went out.
fn meet(host: &str, root: &X509, chain: &[&X509], key: &PKey<Private>, newest: SslVersion) -> Result<(), TlsReason> {
    let dir = tempfile::tempdir().unwrap();
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, root.to_pem().unwrap()).unwrap();
    let endpoint = Endpoint {
        host: host.to_owned(),
        port: 1,
        tls: TlsMode::Implicit,
        ca_file: Some(ca_file),
        fingerprint: None,
        client_cert: None,
    };
    meet_at(&endpoint, chain, key, newest)
}

fn meet_at(endpoint: &Endpoint, chain: &[&X509], key: &PKey<Private>, newest: SslVersion) -> Result<(), TlsReason> {
    let acceptor = acceptor(chain, key, newest).build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        if let Ok(mut tls) = acceptor.accept(tcp) {
            let _ = tls.read_to_end(&mut heard);
        }
        heard
    });
    let result = handshake(endpoint, TcpStream::connect(address).unwrap()).map(drop);
    assert_eq!(server.join().unwrap(), b"", "nothing is said before all checks have passed");
    result.map_err(|e| match e.kind {
        NetErrorKind::Tls(reason) => {
            assert_ne!(reason, TlsReason::Other, "{e}");
            reason
        }
        other => panic!("{other:?}"),
    })
}

/// The outcome for a certificate of a good authority.
fn signed(spec: &Spec, host: &str) -> Result<(), TlsReason> {
    let root = make(&Spec::AUTHORITY, None);
    let (cert, key) = make(spec, Some(&root));
    meet(host, &root.0, &[&cert], &key, SslVersion::TLS1_3)
}

#[test]
fn names() {
    assert_eq!(signed(&server(HOST), HOST), Ok(()));
    assert_eq!(signed(&server("*.mail.example"), "a.mail.example"), Ok(()));
    assert_eq!(signed(&Spec { ip: Some("127.0.0.1"), ..NOBODY }, "127.0.0.1"), Ok(()));
    let wrong = Err(TlsReason::WrongHost);
    assert_eq!(signed(&server("other.example"), HOST), wrong);
    assert_eq!(signed(&Spec { cn: HOST, ..server("other.example") }, HOST), wrong, "a wrong SAN, the right CN");
    assert_eq!(signed(&server("*.example"), HOST), wrong, "all names below a top-level domain");
    assert_eq!(signed(&server("*.mail.example"), "a.b.mail.example"), wrong);
    assert_eq!(signed(&server("*.a.example"), "x.y.a.example"), wrong);
    assert_eq!(signed(&server("f*.example"), "mail.example"), wrong);
    assert_eq!(signed(&server("127.0.0.1"), "127.0.0.1"), wrong, "an address as a name");
    assert_eq!(signed(&Spec { ip: Some("127.0.0.2"), ..NOBODY }, "127.0.0.1"), wrong);
    assert_eq!(signed(&Spec { cn: HOST, ..NOBODY }, HOST), Err(TlsReason::NoSan));
}

#[test]
fn times_and_purposes() {
    assert_eq!(signed(&Spec { days: (-9, -1), ..server(HOST) }, HOST), Err(TlsReason::Expired));
    assert_eq!(signed(&Spec { days: (1, 9), ..server(HOST) }, HOST), Err(TlsReason::NotYetValid));
    assert_eq!(signed(&Spec { client: true, ..server(HOST) }, HOST), Err(TlsReason::WrongPurpose));
}

#[test]
fn weakness() {
    assert_eq!(signed(&Spec { rsa: Some(1024), ..server(HOST) }, HOST), Err(TlsReason::Weak));
    // Only RSA goes with the oldest digest.
    let root = make(&Spec { rsa: Some(2048), ..Spec::AUTHORITY }, None);
    for digest in [MessageDigest::sha1, MessageDigest::md5] {
        let (cert, key) = make(&Spec { digest, ..server(HOST) }, Some(&root));
        assert_eq!(meet(HOST, &root.0, &[&cert], &key, SslVersion::TLS1_3), Err(TlsReason::Weak));
    }
    let root = make(&Spec::AUTHORITY, None);
    let (cert, key) = make(&server(HOST), Some(&root));
    assert_eq!(meet(HOST, &root.0, &[&cert], &key, SslVersion::TLS1_2), Ok(()));
    for old in [SslVersion::TLS1_1, SslVersion::TLS1] {
        assert_eq!(meet(HOST, &root.0, &[&cert], &key, old), Err(TlsReason::TooOld));
    }
}

#[test]
fn authorities() {
    let (root, stranger) = (make(&Spec::AUTHORITY, None), make(&Spec::AUTHORITY, None));
    let latest = SslVersion::TLS1_3;
    let (cert, key) = make(&server(HOST), Some(&stranger));
    let unknown = meet(HOST, &root.0, &[&cert], &key, latest);
    assert!(
        matches!(unknown, Err(TlsReason::UnknownIssuer | TlsReason::Weak)) || unknown == Err(TlsReason::BadAuthority),
        "{unknown:?}"
    );
    let itself = make(&server(HOST), None);
    assert_eq!(meet(HOST, &root.0, &[&itself.0], &itself.1, latest), Err(TlsReason::SelfSigned));
    // An authority in between, a certificate that plays one, one that may not certify this name.
    let between = make(&Spec { cn: "between", ..Spec::AUTHORITY }, Some(&root));
    let (cert, key) = make(&server(HOST), Some(&between));
    assert_eq!(meet(HOST, &root.0, &[&cert, &between.0], &key, latest), Ok(()));
    assert_eq!(meet(HOST, &root.0, &[&cert], &key, latest), Err(TlsReason::UnknownIssuer));
    let fake = make(&Spec { cn: "fake", ..server("fake.example") }, Some(&root));
    let (cert, key) = make(&server(HOST), Some(&fake));
    assert_eq!(meet(HOST, &root.0, &[&cert, &fake.0], &key, latest), Err(TlsReason::BadAuthority));
    let narrow = make(&Spec { cn: "narrow", permitted: Some("permitted;DNS:other.example"), ..Spec::AUTHORITY }, Some(&root));
    let (cert, key) = make(&server(HOST), Some(&narrow));
    assert_eq!(meet(HOST, &root.0, &[&cert, &narrow.0], &key, latest), Err(TlsReason::BadAuthority));
}

#[test]
fn a_pin_replaces_names_and_authorities_and_nothing_else() {
    let (cert, key) = make(&Spec { days: (-9, -1), ..server("other.example") }, None);
    let pin = fingerprint(&cert.to_der().unwrap());
    let colons: Vec<String> = pin.as_bytes().chunks(2).map(|c| String::from_utf8_lossy(c).to_ascii_uppercase()).collect();
    for pin in [pin.clone(), colons.join(":")] {
        let endpoint = Endpoint {
            host: HOST.to_owned(),
            port: 1,
            tls: TlsMode::Implicit,
            ca_file: None,
            fingerprint: Some(pin),
            client_cert: None,
        };
        assert_eq!(meet_at(&endpoint, &[&cert], &key, SslVersion::TLS1_3), Ok(()));
        let (other, other_key) = make(&server(HOST), None);
        assert_eq!(meet_at(&endpoint, &[&other], &other_key, SslVersion::TLS1_3), Err(TlsReason::PinMismatch));
        assert_eq!(meet_at(&endpoint, &[&cert], &key, SslVersion::TLS1_1), Err(TlsReason::TooOld));
    }
}
