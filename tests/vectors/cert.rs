//! cert — certificates, good and bad, and who shows them. One authority for the whole run. `src/net/tls_tests.rs` uses it too.
//! Start reading at: `Identity::good`, then `Spec` for what can be wrong.

#![allow(dead_code, reason = "each user takes a part")]

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Extension, X509Name};
use std::sync::LazyLock;

/// A certificate and its key.
pub type Pair = (X509, PKey<Private>);

/// What a certificate says, and what is wrong with its server.
#[derive(Clone, Copy)]
pub struct Spec {
    pub cn: &'static str,
    pub dns: Option<&'static str>,
    pub ip: Option<&'static str>,
    /// From and to, in days from now.
    pub days: (i64, i64),
    pub authority: bool,
    pub client: bool,
    pub own: bool,
    pub digest: fn() -> MessageDigest,
    /// The bits of an RSA key in place of the usual one.
    pub rsa: Option<u32>,
    /// Names that an authority may certify.
    pub permitted: Option<&'static str>,
    pub newest: SslVersion,
}

impl Spec {
    /// Nothing is wrong with it.
    pub const GOOD: Self = Self {
        cn: "mail",
        dns: None,
        ip: Some("127.0.0.1"),
        days: (-1, 1),
        authority: false,
        client: false,
        own: false,
        digest: MessageDigest::sha256,
        rsa: None,
        permitted: None,
        newest: SslVersion::TLS1_3,
    };
    /// It may sign others.
    pub const AUTHORITY: Self = Self { cn: "authority", ip: None, authority: true, ..Self::GOOD };
}

/// A server's certificate and key.
#[derive(Clone)]
pub struct Identity {
    pair: Pair,
    newest: SslVersion,
    /// It wants to see a certificate of the authority.
    asks: bool,
}

static AUTHORITY: LazyLock<Pair> = LazyLock::new(|| make(&Spec::AUTHORITY, None));
static GOOD: LazyLock<Identity> = LazyLock::new(|| Identity::new(&Spec::GOOD));

/// What clients are to believe, in PEM.
pub fn authority() -> Vec<u8> {
    AUTHORITY.0.to_pem().unwrap()
}

impl Identity {
    /// Of 127.0.0.1, by the authority.
    pub fn good() -> Self {
        GOOD.clone()
    }

    pub fn new(spec: &Spec) -> Self {
        let pair = make(spec, if spec.own { None } else { Some(&AUTHORITY) });
        Self { pair, newest: spec.newest, asks: false }
    }

    /// A server that talks to nobody without a certificate of the authority.
    pub fn asking() -> Self {
        Self { asks: true, ..Self::good() }
    }

    /// Certificate and key, as files have them.
    pub fn pem(&self) -> String {
        let (cert, key) = (self.pair.0.to_pem().unwrap(), self.pair.1.private_key_to_pem_pkcs8().unwrap());
        String::from_utf8([cert, key].concat()).unwrap()
    }

    /// What a configuration pins.
    pub fn fingerprint(&self) -> String {
        let digest = self.pair.0.digest(MessageDigest::sha256()).unwrap();
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }

    pub fn acceptor(&self) -> SslAcceptor {
        self.builder().build()
    }

    /// For who wants a say in more.
    pub fn builder(&self) -> SslAcceptorBuilder {
        let mut acceptor = acceptor(&[&self.pair.0], &self.pair.1, self.newest);
        if self.asks {
            acceptor.cert_store_mut().add_cert(AUTHORITY.0.clone()).unwrap();
            acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        acceptor
    }
}

/// Of a server that shows this chain, however weak, and speaks nothing newer than `newest`.
pub fn acceptor(chain: &[&X509], key: &PKey<Private>, newest: SslVersion) -> SslAcceptorBuilder {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_security_level(0);
    acceptor.clear_options(openssl::ssl::SslOptions::NO_TLSV1_1);
    acceptor.set_min_proto_version(None).unwrap();
    acceptor.set_max_proto_version(Some(newest)).unwrap();
    acceptor.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    acceptor.set_certificate(chain[0]).unwrap();
    chain[1..].iter().for_each(|c| acceptor.add_extra_chain_cert((*c).clone()).unwrap());
    acceptor.set_private_key(key).unwrap();
    acceptor
}

/// Makes it, signed by `by` or by itself.
pub fn make(spec: &Spec, by: Option<&Pair>) -> Pair {
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
    let now = jiff::Timestamp::now().as_second();
    let day = |n: i64| Asn1Time::from_unix(now + n * 86_400).unwrap();
    cert.set_not_before(&day(spec.days.0)).unwrap();
    cert.set_not_after(&day(spec.days.1)).unwrap();
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
    spec.dns.iter().for_each(|dns| {
        names.dns(dns);
    });
    spec.ip.iter().for_each(|ip| {
        names.ip(ip);
    });
    if spec.dns.is_some() || spec.ip.is_some() {
        let names = names.build(&cert.x509v3_context(None, None)).unwrap();
        cert.append_extension(names).unwrap();
    }
    if let Some(permitted) = spec.permitted {
        #[expect(deprecated, reason = "the crate has no other way to name constraints")]
        let extension =
            X509Extension::new_nid(None, Some(&cert.x509v3_context(None, None)), Nid::NAME_CONSTRAINTS, permitted).unwrap();
        cert.append_extension(extension).unwrap();
    }
    cert.sign(by.map_or(&key, |(_, k)| k), (spec.digest)()).unwrap();
    (cert.build(), key)
}
