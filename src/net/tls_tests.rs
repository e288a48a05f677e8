//! tls_tests — every kind of wrong certificate is refused for its own reason (security T-10, decisions 25), each made for real.

use super::error::{NetErrorKind, TlsReason};
use super::session::{Endpoint, TlsMode};
use super::tls::{fingerprint, handshake};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Extension, X509Name};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

const HOST: &str = "mail.example";
const DAY: i64 = 86_400;

/// What a certificate says.
#[derive(Clone)]
struct Spec {
    cn: &'static str,
    dns: Vec<&'static str>,
    ip: Option<&'static str>,
    days: (i64, i64),
    authority: bool,
    client: bool,
    digest: MessageDigest,
    rsa: Option<u32>,
    /// Names that an authority may certify.
    permitted: Option<&'static str>,
}

impl Default for Spec {
    fn default() -> Self {
        let digest = MessageDigest::sha256();
        Self {
            cn: "x",
            dns: vec![],
            ip: None,
            days: (-1, 1),
            authority: false,
            client: false,
            digest,
            rsa: None,
            permitted: None,
        }
    }
}

/// A good one for a name.
fn server(name: &'static str) -> Spec {
    Spec { dns: vec![name], ..Spec::default() }
}

fn authority() -> Spec {
    Spec { authority: true, cn: "authority", ..Spec::default() }
}

type Pair = (X509, PKey<Private>);

/// Makes it, signed by `by` or by itself.
fn make(spec: &Spec, by: Option<&Pair>) -> Pair {
    let key = match spec.rsa {
        Some(bits) => PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap(),
        None => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
        }
    };
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", spec.cn).unwrap();
    let name = name.build();
    let mut cert = X509::builder().unwrap();
    cert.set_version(2).unwrap();
    let serial = BigNum::from_u32(getrandom::u32().unwrap() >> 1).unwrap().to_asn1_integer().unwrap();
    cert.set_serial_number(&serial).unwrap();
    cert.set_subject_name(&name).unwrap();
    cert.set_issuer_name(by.map_or(&name, |(c, _)| c.subject_name())).unwrap();
    cert.set_pubkey(&key).unwrap();
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    cert.set_not_before(&Asn1Time::from_unix(now + spec.days.0 * DAY).unwrap()).unwrap();
    cert.set_not_after(&Asn1Time::from_unix(now + spec.days.1 * DAY).unwrap()).unwrap();
    let mut basic = BasicConstraints::new();
    if spec.authority {
        cert.append_extension(basic.critical().ca().build().unwrap()).unwrap();
        cert.append_extension(KeyUsage::new().critical().key_cert_sign().build().unwrap()).unwrap();
    } else {
        cert.append_extension(basic.critical().build().unwrap()).unwrap();
        let mut usage = ExtendedKeyUsage::new();
        let usage = if spec.client { usage.client_auth() } else { usage.server_auth() };
        cert.append_extension(usage.build().unwrap()).unwrap();
    }
    let mut names = SubjectAlternativeName::new();
    for dns in &spec.dns {
        names.dns(dns);
    }
    if let Some(ip) = spec.ip {
        names.ip(ip);
    }
    if !spec.dns.is_empty() || spec.ip.is_some() {
        let extension = names.build(&cert.x509v3_context(None, None)).unwrap();
        cert.append_extension(extension).unwrap();
    }
    if let Some(permitted) = spec.permitted {
        #[expect(deprecated, reason = "the crate has no other way to name constraints")]
        let extension =
            X509Extension::new_nid(None, Some(&cert.x509v3_context(None, None)), Nid::NAME_CONSTRAINTS, permitted).unwrap();
        cert.append_extension(extension).unwrap();
    }
    cert.sign(by.map_or(&key, |(_, k)| k), spec.digest).unwrap();
    (cert.build(), key)
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
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_security_level(0);
    acceptor.clear_options(openssl::ssl::SslOptions::NO_TLSV1_1);
    acceptor.set_min_proto_version(None).unwrap();
    acceptor.set_max_proto_version(Some(newest)).unwrap();
    acceptor.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    acceptor.set_certificate(chain[0]).unwrap();
    chain[1..].iter().for_each(|c| acceptor.add_extra_chain_cert((*c).clone()).unwrap());
    acceptor.set_private_key(key).unwrap();
    let acceptor = acceptor.build();
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
    let root = make(&authority(), None);
    let (cert, key) = make(spec, Some(&root));
    meet(host, &root.0, &[&cert], &key, SslVersion::TLS1_3)
}

#[test]
fn names() {
    assert_eq!(signed(&server(HOST), HOST), Ok(()));
    assert_eq!(signed(&server("*.mail.example"), "a.mail.example"), Ok(()));
    assert_eq!(signed(&Spec { ip: Some("127.0.0.1"), ..Spec::default() }, "127.0.0.1"), Ok(()));
    let wrong = Err(TlsReason::WrongHost);
    assert_eq!(signed(&server("other.example"), HOST), wrong);
    assert_eq!(signed(&Spec { cn: HOST, ..server("other.example") }, HOST), wrong, "a wrong SAN, the right CN");
    assert_eq!(signed(&server("*.example"), HOST), wrong, "all names below a top-level domain");
    assert_eq!(signed(&server("*.mail.example"), "a.b.mail.example"), wrong);
    assert_eq!(signed(&server("*.a.example"), "x.y.a.example"), wrong);
    assert_eq!(signed(&server("f*.example"), "mail.example"), wrong);
    assert_eq!(signed(&server("127.0.0.1"), "127.0.0.1"), wrong, "an address as a name");
    assert_eq!(signed(&Spec { ip: Some("127.0.0.2"), ..Spec::default() }, "127.0.0.1"), wrong);
    assert_eq!(signed(&Spec { cn: HOST, ..Spec::default() }, HOST), Err(TlsReason::NoSan));
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
    assert_eq!(signed(&Spec { digest: MessageDigest::sha1(), ..server(HOST) }, HOST), Err(TlsReason::Weak));
    let root = make(&authority(), None);
    let (cert, key) = make(&server(HOST), Some(&root));
    assert_eq!(meet(HOST, &root.0, &[&cert], &key, SslVersion::TLS1_2), Ok(()));
    assert_eq!(meet(HOST, &root.0, &[&cert], &key, SslVersion::TLS1_1), Err(TlsReason::TooOld));
}

#[test]
fn authorities() {
    let (root, stranger) = (make(&authority(), None), make(&authority(), None));
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
    let between = make(&Spec { cn: "between", ..authority() }, Some(&root));
    let (cert, key) = make(&server(HOST), Some(&between));
    assert_eq!(meet(HOST, &root.0, &[&cert, &between.0], &key, latest), Ok(()));
    assert_eq!(meet(HOST, &root.0, &[&cert], &key, latest), Err(TlsReason::UnknownIssuer));
    let fake = make(&Spec { cn: "fake", ..server("fake.example") }, Some(&root));
    let (cert, key) = make(&server(HOST), Some(&fake));
    assert_eq!(meet(HOST, &root.0, &[&cert, &fake.0], &key, latest), Err(TlsReason::BadAuthority));
    let narrow = make(&Spec { cn: "narrow", permitted: Some("permitted;DNS:other.example"), ..authority() }, Some(&root));
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
