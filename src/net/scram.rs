//! scram — a password that is never sent, and a server that has to know it too (RFC 5802, RFC 7677).
//! Owns: `Scram`.
//! May import: base.
//! Start reading at: `Scram::answer`. A server that cannot prove that it knows the password is not logged in to, even if it
//! says that we are.
//! No channel is bound (SCRAM-…-PLUS), and our first word says so (`n`, RFC 5802, 6): of the bindings native-tls gives
//! `tls-server-end-point` alone, TLS 1.3 asks for `tls-exporter` (RFC 9266), and Dovecot 2.4.1 knows no other; named the former,
//! its login process dies. Who cannot bind must not say `y`, and a certificate that is not believed ends the line before.

use super::error::{NetError, NetErrorKind, Result};
use super::sasl::{failed, hmac};
use crate::base::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::{MessageDigest, hash};

/// The fewest rounds (RFC 7677, 4): with fewer, who poses as the server could guess the password from our answer.
const MIN_ROUNDS: usize = 4096;
/// The most rounds: more would only keep us busy.
const MAX_ROUNDS: usize = 1_000_000;
/// The longest salt and nonce.
const MAX_FIELD: usize = 1024;
/// "No channel binding", in base64, as the last message repeats it.
const NO_BINDING: &str = "c=biws";

enum Step {
    First,
    /// The signature that the server has to show.
    Last {
        signature: Vec<u8>,
    },
    Proven,
}

/// One exchange.
pub(super) struct Scram {
    digest: MessageDigest,
    password: Secret,
    /// `n=…,r=…`
    bare: String,
    nonce: String,
    step: Step,
}

fn broken(text: &str) -> NetError {
    NetError::protocol(&format!("SCRAM: {text}"))
}

impl Scram {
    pub(super) fn new(digest: MessageDigest, user: &str, password: &Secret) -> Result<Self> {
        let mut chance = [0; 18];
        getrandom::fill(&mut chance).map_err(|e| NetError::new(NetErrorKind::LoginRefused, &e.to_string()))?;
        Ok(Self::with_nonce(digest, user, password, STANDARD.encode(chance)))
    }

    fn with_nonce(digest: MessageDigest, user: &str, password: &Secret, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        Self { digest, password: password.clone(), bare, nonce, step: Step::First }
    }

    /// What we begin with.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The answer to the server's first and last message.
    pub(super) fn answer(&mut self, message: &[u8]) -> Result<String> {
        let message = std::str::from_utf8(message).map_err(|_| broken("it is no text"))?;
        match std::mem::replace(&mut self.step, Step::First) {
            Step::First => self.prove(message),
            Step::Last { signature } => {
                let shown = message.split(',').next().and_then(|f| f.strip_prefix("v="));
                let shown =
                    shown.and_then(|v| STANDARD.decode(v).ok()).ok_or_else(|| broken("the server did not prove itself"))?;
                if shown.len() != signature.len() || !openssl::memcmp::eq(&shown, &signature) {
                    return Err(broken("the server does not know the password: it is not the one it claims to be"));
                }
                self.step = Step::Proven;
                Ok(String::new())
            }
            Step::Proven => Err(broken("it goes on after the end")),
        }
    }

    fn prove(&mut self, message: &str) -> Result<String> {
        let mut fields = message.split(',');
        let mut next = |key: &str| fields.next().and_then(|f| f.strip_prefix(key)).filter(|v| v.len() <= MAX_FIELD);
        // `m=` before the nonce would be an extension that has to be understood: it is refused with all that is odd.
        let nonce = next("r=").ok_or_else(|| broken("a first message that is none"))?;
        let salt = next("s=").and_then(|s| STANDARD.decode(s).ok()).ok_or_else(|| broken("no salt"))?;
        let rounds = next("i=").and_then(|n| n.parse::<usize>().ok()).ok_or_else(|| broken("no count of rounds"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() <= self.nonce.len() || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(broken("the answer is to somebody else's question"));
        }
        if !(MIN_ROUNDS..=MAX_ROUNDS).contains(&rounds) || salt.is_empty() {
            return Err(broken(&format!("{rounds} rounds are not safe")));
        }
        let mut salted = vec![0; self.digest.size()];
        openssl::pkcs5::pbkdf2_hmac(self.password.expose().as_bytes(), &salt, rounds, self.digest, &mut salted)
            .map_err(|e| failed(&e))?;
        let client = hmac(self.digest, &salted, b"Client Key")?;
        let stored = hash(self.digest, &client).map_err(|e| failed(&e))?;
        let without_proof = format!("{NO_BINDING},r={nonce}");
        let all = format!("{},{message},{without_proof}", self.bare);
        let shown = hmac(self.digest, &stored, all.as_bytes())?;
        let proof: Vec<u8> = client.iter().zip(&shown).map(|(a, b)| a ^ b).collect();
        let server = hmac(self.digest, &salted, b"Server Key")?;
        self.step = Step::Last { signature: hmac(self.digest, &server, all.as_bytes())? };
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Whether the server proved itself.
    pub(super) fn finish(&self) -> Result<()> {
        if matches!(self.step, Step::Proven) { Ok(()) } else { Err(broken("the server lets us in without proving itself")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scram(digest: MessageDigest, nonce: &str) -> Scram {
        Scram::with_nonce(digest, "user", &Secret::new("pencil".to_owned()), nonce.to_owned())
    }

    /// The examples of RFC 5802, 5 and RFC 7677, 3.
    #[test]
    fn the_examples_of_the_standards() {
        let mut s = scram(MessageDigest::sha1(), "fyko+d2lbbFgONRv9qkxdawL");
        assert_eq!(s.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let answer = s.answer(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096").unwrap();
        assert_eq!(answer, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
        assert!(s.finish().is_err());
        s.answer(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap();
        s.finish().unwrap();
        assert!(s.answer(b"").is_err());

        let mut s = scram(MessageDigest::sha256(), "rOprNGfwEbeRWgbNEkqO");
        let first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert!(s.answer(first).unwrap().ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        s.answer(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }

    #[test]
    fn a_server_that_plays_tricks_is_left() {
        let first = |rest: &str| scram(MessageDigest::sha256(), "abc").answer(rest.as_bytes()).is_err();
        for bad in [
            "r=abc,s=QSXCR+Q6sek8bf92,i=4096",
            "r=xyzabc,s=QSXCR+Q6sek8bf92,i=4096",
            "r=abcdef,s=QSXCR+Q6sek8bf92,i=1",
            "r=abcdef,s=QSXCR+Q6sek8bf92,i=1000001",
            "r=abcdef,s=QSXCR+Q6sek8bf92,i=-4096",
            "r=abcdef,s=,i=4096",
            "r=abcdef,s=*,i=4096",
            "m=x,r=abcdef,s=QSXCR+Q6sek8bf92,i=4096",
            "e=other-error",
            "",
        ] {
            assert!(first(bad), "{bad}");
        }
        let mut s = scram(MessageDigest::sha256(), "abc");
        s.answer(b"r=abcdef,s=QSXCR+Q6sek8bf92,i=4096").unwrap();
        assert!(s.answer(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").is_err() && s.finish().is_err());
        let odd = Scram::with_nonce(MessageDigest::sha1(), "a=b,c", &Secret::new("x".to_owned()), "n".to_owned());
        assert_eq!(odd.first(), "n,,n=a=3Db=2Cc,r=n");
    }
}
