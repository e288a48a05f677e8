//! probe — what a server shows when it is asked for TLS: version, certificates, until when they hold. For `doctor` alone.
//! Owns: `look`, `Shown`, `Certificate`.
//! May import: base.
//! Start reading at: `look`. Nothing is believed here and nothing is said but what leads to TLS: whether the certificate is
//! good is decided by `tls.rs`, on the connection that is really used.

use super::dial;
use super::error::{NetError, NetErrorKind, Result, TlsReason};
use super::session::{Endpoint, TlsMode};
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::{X509NameRef, X509Ref};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long each answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read before TLS, in octets.
const MAX_CLEAR: u64 = 64 * 1024;

/// Which protocol is spoken before STARTTLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Before {
    /// IMAP.
    Imap,
    /// SMTP.
    Smtp,
}

/// What the server showed. Names are the certificate's: untrusted text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// `TLSv1.3`
    pub version: String,
    /// The name of the cipher suite.
    pub cipher: String,
    /// The server's own certificate first.
    pub chain: Vec<Certificate>,
}

/// One certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts that it names.
    pub names: Vec<String>,
    /// When it ends, seconds since 1970.
    pub until: i64,
    /// SHA-256 of it, lower case hex: what the configuration can pin.
    pub fingerprint: String,
}

/// Asks the server. Does not log in.
///
/// # Errors
/// `Unreachable`, `Timeout`, `Cancelled`; `Tls` if there is none.
pub fn look(permit: Permit, endpoint: &Endpoint, before: Before, cancel: &Cancel) -> Result<Shown> {
    let tcp = dial::dial(permit, &endpoint.host, endpoint.port, cancel)?;
    tcp.set_nonblocking(false)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    if endpoint.tls == TlsMode::StartTls {
        clear(&tcp, before)?;
    }
    let other = |e: &dyn std::fmt::Display| NetError::tls(TlsReason::Other, &e.to_string());
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(|e| other(&e))?;
    builder.set_verify(SslVerifyMode::NONE);
    let connector = builder.build();
    let named = endpoint.host.parse::<std::net::IpAddr>().is_err();
    let how = connector.configure().map_err(|e| other(&e))?.verify_hostname(false).use_server_name_indication(named);
    let stream = how.connect(&endpoint.host, tcp).map_err(|e| other(&e))?;
    let ssl = stream.ssl();
    let chain = ssl.peer_cert_chain().into_iter().flatten().map(certificate).collect::<std::result::Result<Vec<_>, _>>();
    Ok(Shown {
        version: ssl.version_str().to_owned(),
        cipher: ssl.current_cipher().map_or_else(String::new, |c| c.name().to_owned()),
        chain: chain.map_err(|e| other(&e))?,
    })
}

fn name(of: &X509NameRef) -> String {
    let part = |nid| of.entries_by_nid(nid).next().and_then(|e| e.data().to_string().ok());
    let parts = [Nid::COMMONNAME, Nid::ORGANIZATIONNAME].into_iter().filter_map(part);
    parts.collect::<Vec<_>>().join(", ")
}

fn certificate(cert: &X509Ref) -> std::result::Result<Certificate, openssl::error::ErrorStack> {
    let names = cert.subject_alt_names().into_iter().flatten();
    let host = |n: openssl::x509::GeneralName| {
        let address = n.ipaddress().and_then(|ip| match ip {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
            _ => <[u8; 16]>::try_from(ip).ok().map(|ip| std::net::Ipv6Addr::from(ip).to_string()),
        });
        n.dnsname().map(str::to_owned).or(address)
    };
    Ok(Certificate {
        subject: name(cert.subject_name()),
        issuer: name(cert.issuer_name()),
        names: names.filter_map(host).collect(),
        until: seconds(cert.not_after())?,
        fingerprint: super::tls::fingerprint(&cert.to_der()?),
    })
}

fn seconds(at: &Asn1TimeRef) -> std::result::Result<i64, openssl::error::ErrorStack> {
    let span = Asn1Time::from_unix(0)?.diff(at)?;
    Ok(i64::from(span.days) * 86_400 + i64::from(span.secs))
}

/// The way to STARTTLS, in the clear.
fn clear(tcp: &TcpStream, before: Before) -> Result<()> {
    let mut lines = BufReader::new(tcp.take(MAX_CLEAR));
    let say = |text: &str| (&mut &*tcp).write_all(text.as_bytes());
    let mut until = |last: &dyn Fn(&str) -> bool| -> Result<String> {
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Err(NetError::new(NetErrorKind::Bye, "the server closed the connection"));
            }
            if last(&line) {
                return Ok(line);
            }
        }
    };
    let answer = match before {
        Before::Imap => {
            until(&|_| true)?;
            say("a STARTTLS\r\n")?;
            until(&|line| line.starts_with("a "))?
        }
        Before::Smtp => {
            let last = |line: &str| line.as_bytes().get(3) != Some(&b'-');
            until(&last)?;
            say("EHLO localhost\r\n")?;
            until(&last)?;
            say("STARTTLS\r\n")?;
            until(&last)?
        }
    };
    let willing = answer.starts_with("a OK") || answer.starts_with("220");
    if willing { Ok(()) } else { Err(NetError::tls(TlsReason::Other, "the server does not offer STARTTLS")) }
}
