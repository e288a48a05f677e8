//! tls — whom to believe, and why not, in words that policy and people understand (decisions 25).
//! Owns: the TLS connector, the pin, the rule that a certificate names its host by subjectAltName.
//! May import: mail, base.
//! Start reading at: `handshake`. Nothing of ours is sent before all its checks have passed.

use super::error::{NetError, Result, TlsReason};
use super::identity::Shown;
use super::session::Endpoint;
use native_tls::{Certificate, HandshakeError, Protocol, TlsConnector, TlsStream};
use openssl::x509::X509;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// OpenSSL's verify reasons as native-tls prints them. The first that is found in the text holds.
const REASONS: [(&str, TlsReason); 34] = [
    // What the server says of certificates in an alert is about ours.
    ("alert bad certificate", TlsReason::ClientRefused),
    ("alert unsupported certificate", TlsReason::ClientRefused),
    ("alert certificate revoked", TlsReason::ClientRefused),
    ("alert certificate expired", TlsReason::ClientRefused),
    ("alert certificate unknown", TlsReason::ClientRefused),
    ("alert certificate required", TlsReason::ClientRefused),
    ("alert unknown ca", TlsReason::ClientRefused),
    ("alert access denied", TlsReason::ClientRefused),
    ("certificate has expired", TlsReason::Expired),
    ("certificate is not yet valid", TlsReason::NotYetValid),
    ("hostname mismatch", TlsReason::WrongHost),
    ("IP address mismatch", TlsReason::WrongHost),
    ("self-signed certificate in certificate chain", TlsReason::UnknownIssuer),
    ("self signed certificate in certificate chain", TlsReason::UnknownIssuer),
    ("self-signed certificate", TlsReason::SelfSigned),
    ("self signed certificate", TlsReason::SelfSigned),
    ("unable to get local issuer certificate", TlsReason::UnknownIssuer),
    ("unable to get issuer certificate", TlsReason::UnknownIssuer),
    ("unable to verify the first certificate", TlsReason::UnknownIssuer),
    // It names an authority that we believe, and was not signed by it.
    ("certificate signature failure", TlsReason::UnknownIssuer),
    ("invalid CA certificate", TlsReason::BadAuthority),
    ("path length constraint exceeded", TlsReason::BadAuthority),
    ("permitted subtree violation", TlsReason::BadAuthority),
    ("excluded subtree violation", TlsReason::BadAuthority),
    ("key usage does not include certificate signing", TlsReason::BadAuthority),
    ("unsuitable certificate purpose", TlsReason::WrongPurpose),
    ("unsupported certificate purpose", TlsReason::WrongPurpose),
    ("CA md too weak", TlsReason::Weak),
    ("digest algorithm too weak", TlsReason::Weak),
    ("key too weak", TlsReason::Weak),
    ("key too small", TlsReason::Weak),
    ("certificate revoked", TlsReason::Revoked),
    ("unsupported protocol", TlsReason::TooOld),
    ("protocol version", TlsReason::TooOld),
];

/// The reason in a text of OpenSSL's.
fn reason(text: &str) -> TlsReason {
    REASONS.iter().find(|(words, _)| text.contains(words)).map_or(TlsReason::Other, |(_, r)| *r)
}

/// What the other side says of us in an alert, once the handshake is over for us: with TLS 1.3 it judges our certificate later.
pub(super) fn judged(e: &std::io::Error) -> Option<NetError> {
    let text = e.to_string();
    (reason(&text) == TlsReason::ClientRefused).then(|| NetError::tls(TlsReason::ClientRefused, &text))
}

/// Why a line that takes no more was closed, if the other side said it before: what it said is still there to be read.
pub(super) fn last_words<S: Read + Write>(stream: &mut TlsStream<S>, e: std::io::Error) -> std::io::Error {
    if !matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) {
        return e;
    }
    match stream.read(&mut [0]) {
        Err(said) if judged(&said).is_some() => said,
        _ => e,
    }
}

/// How long the system's authorities are believed as they were read: a program that runs for weeks sees new ones.
const FRESH: Duration = Duration::from_secs(3_600);
/// The most connectors that are kept: accounts differ in their authorities and in whether they have a pin.
const MAX_KEPT: usize = 8;

/// A connector, whom it believes beside the system's authorities, what it shows, whether only a pin counts, and when it was made.
struct Kept {
    pem: Option<Vec<u8>>,
    shown: Option<[u8; 32]>,
    pinned: bool,
    made: Instant,
    connector: TlsConnector,
}

/// To read the system's authorities costs as much as all else of a connection, so that is done once for several.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

fn connector(endpoint: &Endpoint) -> Result<TlsConnector> {
    let unreadable = |e: &dyn std::fmt::Display| {
        let path = endpoint.ca_file.as_deref().unwrap_or(Path::new(""));
        NetError::tls(TlsReason::BadCaFile, &format!("{}: {e}", path.display()))
    };
    let pem = endpoint.ca_file.as_ref().map(std::fs::read).transpose().map_err(|e| unreadable(&e))?;
    let own = endpoint.client_cert.as_ref().map(|files| Shown::read(files).map(|shown| (files, shown))).transpose()?;
    let shown = own.as_ref().map(|(_, own)| own.digest());
    let pinned = endpoint.fingerprint.is_some();
    // Held while one is made: who comes meanwhile wants the same one.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(|k| k.made.elapsed() < FRESH);
    if let Some(same) = kept.iter().find(|k| k.pinned == pinned && k.pem == pem && k.shown == shown) {
        return Ok(same.connector.clone());
    }
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(pem) = &pem {
        let all = X509::stack_from_pem(pem).map_err(|e| unreadable(&e))?;
        if all.is_empty() {
            return Err(unreadable(&"no certificate in it"));
        }
        for one in all {
            let der = one.to_der().map_err(|e| unreadable(&e))?;
            builder.add_root_certificate(Certificate::from_der(&der).map_err(|e| unreadable(&e))?);
        }
    }
    if let Some((files, own)) = own {
        builder.identity(own.identity(files)?);
    }
    if pinned {
        // The pin alone decides, and it is compared below before a byte of ours is sent.
        builder.danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
    }
    let connector = builder.build().map_err(|e| NetError::tls(TlsReason::Other, &e.to_string()))?;
    if kept.len() >= MAX_KEPT {
        kept.remove(0);
    }
    kept.push(Kept { pem, shown, pinned, made: Instant::now(), connector: connector.clone() });
    Ok(connector)
}

/// Makes ready what [`handshake`] with this endpoint needs beside the line.
///
/// # Errors
/// `Tls`: the file of authorities cannot be used.
pub fn prepare(endpoint: &Endpoint) -> Result<()> {
    connector(endpoint).map(drop)
}

/// Encrypts `stream`. On success the peer is proven to be `endpoint.host`, or holds the pinned certificate.
///
/// # Errors
/// `Tls` with the reason. A stream that failed by itself (timeout, cancel) also ends here: the caller knows better
/// and asks its stream first.
pub fn handshake<S: Read + Write>(endpoint: &Endpoint, stream: S) -> Result<TlsStream<S>> {
    let tls = connector(endpoint)?.connect(&endpoint.host, stream).map_err(|e| match e {
        HandshakeError::Failure(e) => {
            let text = e.to_string();
            NetError::tls(reason(&text), &text)
        }
        HandshakeError::WouldBlock(_) => NetError::tls(TlsReason::Other, "the handshake was interrupted"),
    })?;
    let der = match tls.peer_certificate() {
        Ok(Some(c)) => c.to_der().map_err(|e| NetError::tls(TlsReason::Other, &e.to_string()))?,
        _ => return Err(NetError::tls(TlsReason::Other, "the server showed no certificate")),
    };
    match &endpoint.fingerprint {
        Some(pin) => check_pin(pin, &der)?,
        None => check_san(&der)?,
    }
    Ok(tls)
}

/// SHA-256 of a certificate as lower case hex: the form that the configuration pins.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    Sha256::digest(der).iter().map(|b| format!("{b:02x}")).collect()
}

fn check_pin(pin: &str, der: &[u8]) -> Result<()> {
    let wanted: String = pin.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    let shown = fingerprint(der);
    if wanted == shown { Ok(()) } else { Err(NetError::tls(TlsReason::PinMismatch, &format!("the server shows {shown}"))) }
}

/// The stock verification falls back to the common name where there is no subjectAltName; RFC 9525 does not.
fn check_san(der: &[u8]) -> Result<()> {
    let cert = X509::from_der(der).map_err(|e| NetError::tls(TlsReason::Other, &e.to_string()))?;
    let named =
        cert.subject_alt_names().is_some_and(|names| names.iter().any(|n| n.dnsname().is_some() || n.ipaddress().is_some()));
    if named { Ok(()) } else { Err(NetError::tls(TlsReason::NoSan, "")) }
}
