//! auth — every way of logging in, alone, at a real server: passwords, tokens that it validates, certificates that it asks for.
//! Servers that cheat are scripted in `src/net/imap/tests_auth.rs`, a submission server with certificates in `tests/vectors/transport.rs`.

use crate::mailhost::{At, PASSWORD, host, user};
use crate::verbs::run;
use crate::{Strings, imap_by, smtp_by};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use postrider::config::{AuthPolicy, ClientCert, Mechanism};
use postrider::net::error::{NetErrorKind, TlsReason};
use postrider::net::session::{Endpoint, MailStore, TlsMode};
use postrider::net::smtp::Why;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const WAYS: [Mechanism; 5] =
    [Mechanism::Login, Mechanism::Plain, Mechanism::CramMd5, Mechanism::ScramSha1, Mechanism::ScramSha256];

#[test]
fn each_way_alone_and_a_wrong_password() {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    for way in WAYS {
        for without in [&[][..], &["SASL-IR"], &["AUTH=LOGIN"]] {
            let auth = only(way);
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
    let endpoint = host().smtp_at(At::Good, TlsMode::StartTls);
    for way in WAYS {
        smtp_by(&endpoint, &user(), PASSWORD, &only(way)).unwrap().quit();
        let e = smtp_by(&endpoint, &user(), "wrong", &only(way)).unwrap_err();
        assert_eq!(e.why, Why::Net(NetErrorKind::LoginRefused), "{way:?} {e}");
        assert!(e.to_string().contains(way.word()), "{e}");
    }
    // LOGIN only.
    let old = host().smtp_at(At::Strict, TlsMode::StartTls);
    smtp_by(&old, &user(), PASSWORD, &AuthPolicy::default()).unwrap().quit();
    for auth in [only(Mechanism::ScramSha256), AuthPolicy { named: None, least: Some(Mechanism::CramMd5) }] {
        assert_eq!(smtp_by(&old, &user(), PASSWORD, &auth).unwrap_err().why, Why::Net(NetErrorKind::LoginRefused));
    }
}

/// SASL-IR (RFC 4959) spares the turn in which the server would ask for the first words.
#[test]
fn a_first_answer_goes_with_the_command() {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let turns = |way, without: &[&str]| {
        let auth = only(way);
        imap_by(&endpoint, &user(), PASSWORD, &Strings::new(), without, &auth).unwrap().traffic().round_trips
    };
    for way in [Mechanism::Plain, Mechanism::ScramSha256] {
        assert_eq!(turns(way, &["SASL-IR"]), turns(way, &[]) + 1, "{way:?}");
    }
}

fn only(way: Mechanism) -> AuthPolicy {
    AuthPolicy { named: Some(vec![way]), least: None }
}

/// A token for `user` that holds for so many seconds from now (RFC 7519), with the key that the server was given.
fn token(user: &str, seconds: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let claims = format!("{{\"sub\":\"x\",\"email\":\"{user}\",\"iat\":{},\"exp\":{}}}", now - 900, now + seconds);
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), URL_SAFE_NO_PAD.encode(claims));
    let key = PKey::hmac(b"tokens are signed with this").unwrap();
    let sum = Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(sum))
}

/// XOAUTH2 and OAUTHBEARER, for reading and for sending; a token that is over, and one that was meddled with, are refused in
/// words, and no password follows.
#[test]
fn tokens_for_reading_and_sending() {
    let imap = host().imap_at(At::Good, TlsMode::Implicit);
    let smtp = host().smtp_at(At::Good, TlsMode::Implicit);
    let me = user();
    let good = token(&me, 600);
    let bad = [token(&me, -600), format!("{good}x"), token("somebody@example.test", 600)];
    for way in [Mechanism::Xoauth2, Mechanism::OauthBearer] {
        for without in [&[][..], &["SASL-IR"]] {
            imap_by(&imap, &me, &good, &Strings::new(), without, &only(way)).unwrap().list().unwrap();
            for bad in &bad {
                let e = imap_by(&imap, &me, bad, &Strings::new(), without, &only(way)).err().unwrap();
                assert_eq!(e.kind, NetErrorKind::LoginRefused, "{way:?} {e}");
                assert!(e.to_string().contains(way.word()) && !e.to_string().contains(&bad[..20]), "{e}");
            }
        }
        smtp_by(&smtp, &me, &good, &only(way)).unwrap().quit();
        for bad in &bad {
            let e = smtp_by(&smtp, &me, bad, &only(way)).unwrap_err();
            assert_eq!(e.why, Why::Net(NetErrorKind::LoginRefused), "{way:?} {e}");
        }
    }
}

/// The files of a certificate, for our eyes only.
fn shown(dir: &Path, name: &str) -> ClientCert {
    let copy = |file: String| {
        let to = dir.join(&file);
        std::fs::copy(host().dir.join("tls").join(file), &to).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
        to
    };
    ClientCert { cert: copy(format!("{name}.pem")), key: copy(format!("{name}.key")) }
}

/// EXTERNAL: who we are stands in the certificate, and nothing weaker takes its place.
#[test]
fn a_certificate_in_place_of_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let (client, unknown) = (shown(dir.path(), "client"), shown(dir.path(), "unknown"));
    let endpoint = |client_cert| Endpoint { client_cert, ..host().imap_at(At::Certified, TlsMode::Implicit) };
    let try_it = |client_cert, without: &[&str]| {
        let auth = AuthPolicy { named: Some(vec![Mechanism::External, Mechanism::Plain]), least: None };
        imap_by(&endpoint(client_cert), "shown@example.test", PASSWORD, &Strings::new(), without, &auth)
    };
    for without in [&[][..], &["SASL-IR"]] {
        try_it(Some(client.clone()), without).unwrap().list().unwrap();
    }
    for wrong in [Some(unknown), None] {
        // The password would be right.
        let e = try_it(wrong, &[]).err().unwrap();
        assert!(e.kind == NetErrorKind::LoginRefused && e.to_string().contains("EXTERNAL"), "{e}");
    }
    // Not offered, or a key that does not fit or that others can read: nothing is said.
    let e = imap_by(&endpoint(Some(client.clone())), "x", "", &Strings::new(), &["AUTH=EXTERNAL"], &only(Mechanism::External));
    assert_eq!(e.err().unwrap().kind, NetErrorKind::LoginRefused);
    let other = ClientCert { key: dir.path().join("unknown.key"), ..client.clone() };
    std::fs::set_permissions(&client.key, std::fs::Permissions::from_mode(0o640)).unwrap();
    for (files, words) in [(other, "another certificate"), (client.clone(), "chmod 600")] {
        let e = try_it(Some(files), &[]).err().unwrap();
        assert_eq!(e.kind, NetErrorKind::Tls(TlsReason::BadClientCert));
        assert!(e.to_string().contains(words), "{e}");
    }
    std::fs::set_permissions(&client.key, std::fs::Permissions::from_mode(0o600)).unwrap();
    // An account that knows no password at all.
    let place = |host: &str| {
        format!(
            "[account.me]\naddress = \"shown@example.test\"\nauth = [\"EXTERNAL\"]\nca-file = {:?}\nclient-cert = \"client.pem\"\n\
             client-key = \"client.key\"\nimap = {{ host = \"{host}\", port = {} }}\n",
            host_ca(),
            endpoint(None).port
        )
    };
    std::fs::write(dir.path().join("config.toml"), place("127.0.0.10")).unwrap();
    let tested = run(dir.path(), &["account", "test"], "").code(0);
    assert!(tested.out.contains("login") && !tested.out.contains("password"), "{}", tested.out);
    run(dir.path(), &["sync"], "").code(0);
    // Where nobody asks for a certificate, none is shown, and nothing else is tried.
    std::fs::write(dir.path().join("config.toml"), place("127.0.0.1")).unwrap();
    let refused = run(dir.path(), &["sync"], "").code(77);
    assert!(refused.err.contains("certificate") && !refused.err.contains("password"), "{}", refused.err);
}

fn host_ca() -> std::path::PathBuf {
    host().dir.join("tls/ca.pem")
}
