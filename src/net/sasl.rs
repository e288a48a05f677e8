//! sasl — proving who we are (SASL, RFC 4422), for IMAP and submission alike.
//! Owns: `Exchange` (what is answered to each challenge, and whether the server proved itself too), `choose`.
//! May import: config, base.
//! Start reading at: `choose`, then `Exchange::answer`. SCRAM is in `scram.rs`. Secrets are in here only as [`Secret`].

use super::error::{NetError, NetErrorKind, Result};
use super::scram::Scram;
use crate::base::secret::Secret;
use crate::config::{AuthPolicy, Mechanism};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

/// What is tried, the best first. Between equals a token, which can be taken back, goes before a password.
const BEST_FIRST: [Mechanism; 8] = [
    Mechanism::External,
    Mechanism::OauthBearer,
    Mechanism::Xoauth2,
    Mechanism::ScramSha256,
    Mechanism::ScramSha1,
    Mechanism::CramMd5,
    Mechanism::Plain,
    Mechanism::Login,
];
/// The longest challenge that is looked at.
const MAX_CHALLENGE: usize = 4096;
/// How much of a token server's words is kept.
const MAX_REASON: usize = 100;

/// The strongest way that the server offers and the account permits. If that one is refused no weaker one is tried: who can
/// make it fail could else choose what we show (security T-15).
#[must_use]
pub fn choose(policy: &AuthPolicy, offers: impl Fn(Mechanism) -> bool) -> Option<Mechanism> {
    BEST_FIRST.into_iter().find(|m| policy.permits(*m) && offers(*m))
}

/// What is said when there is none.
#[must_use]
pub fn no_way(policy: &AuthPolicy) -> NetError {
    let usual = *policy == AuthPolicy::default();
    let text = if usual {
        "the server offers no way to log in that Postrider knows"
    } else {
        "the server offers none of the ways to log in that this account allows"
    };
    NetError::new(NetErrorKind::LoginRefused, text)
}

/// The code of a message: HMAC.
pub(super) fn hmac(digest: MessageDigest, key: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let sign = || -> std::result::Result<Vec<u8>, openssl::error::ErrorStack> {
        let key = PKey::hmac(key)?;
        let mut signer = Signer::new(digest, &key)?;
        signer.update(data)?;
        signer.sign_to_vec()
    };
    sign().map_err(|e| failed(&e))
}

/// OpenSSL could not do what it always can.
pub(super) fn failed(e: &openssl::error::ErrorStack) -> NetError {
    NetError::new(NetErrorKind::LoginRefused, &format!("this system cannot compute the answer: {e}"))
}

enum How {
    Plain,
    Login { asked: u8 },
    CramMd5 { answered: bool },
    Scram(Box<Scram>),
    Xoauth2,
    OauthBearer,
    External,
}

/// One attempt to log in.
pub struct Exchange {
    mechanism: Mechanism,
    user: String,
    secret: Secret,
    host: String,
    port: u16,
    how: How,
    /// What the server of tokens said, cleaned where it is shown.
    reason: Option<String>,
}

impl Exchange {
    /// Begins one by `mechanism`, at the server of that name.
    ///
    /// # Errors
    /// No randomness, or a name or password that the mechanism cannot carry.
    pub fn new(mechanism: Mechanism, user: &str, secret: &Secret, host: &str, port: u16) -> Result<Self> {
        if user.contains('\0') || secret.expose().contains('\0') {
            return Err(NetError::new(NetErrorKind::LoginRefused, "a name or password with a NUL cannot be sent"));
        }
        let how = match mechanism {
            Mechanism::Plain => How::Plain,
            Mechanism::Login => How::Login { asked: 0 },
            Mechanism::CramMd5 => How::CramMd5 { answered: false },
            Mechanism::ScramSha1 => How::Scram(Box::new(Scram::new(MessageDigest::sha1(), user, secret)?)),
            Mechanism::ScramSha256 => How::Scram(Box::new(Scram::new(MessageDigest::sha256(), user, secret)?)),
            Mechanism::Xoauth2 | Mechanism::OauthBearer if user.contains(['\u{1}', ',']) || secret.expose().contains('\u{1}') => {
                return Err(NetError::new(NetErrorKind::LoginRefused, "a name or token like this cannot be sent"));
            }
            Mechanism::Xoauth2 => How::Xoauth2,
            Mechanism::OauthBearer => How::OauthBearer,
            Mechanism::External => How::External,
        };
        Ok(Self { mechanism, user: user.to_owned(), secret: secret.clone(), host: host.to_owned(), port, how, reason: None })
    }

    /// The mechanism's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.mechanism.word()
    }

    /// What we say first; nothing where the server begins.
    #[must_use]
    pub fn initial(&self) -> Option<Secret> {
        let (user, secret) = (&self.user, self.secret.expose());
        let text = match &self.how {
            How::Plain => format!("\0{user}\0{secret}"),
            How::Scram(scram) => scram.first(),
            How::Xoauth2 => format!("user={user}\u{1}auth=Bearer {secret}\u{1}\u{1}"),
            How::OauthBearer => {
                format!("n,a={user},\u{1}host={}\u{1}port={}\u{1}auth=Bearer {secret}\u{1}\u{1}", self.host, self.port)
            }
            // Who we are stands in the certificate.
            How::External => String::new(),
            How::Login { .. } | How::CramMd5 { .. } => return None,
        };
        Some(Secret::new(text))
    }

    /// The answer to a challenge.
    ///
    /// # Errors
    /// A challenge that must not be answered: the connection has to end.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Secret> {
        if challenge.len() > MAX_CHALLENGE {
            return Err(NetError::limit("a challenge is too long"));
        }
        match &mut self.how {
            How::Login { asked } => {
                // The words of the questions differ from server to server; their order does not.
                *asked += 1;
                match asked {
                    1 => Ok(Secret::new(self.user.clone())),
                    2 => Ok(Secret::new(self.secret.expose().to_owned())),
                    _ => Err(NetError::protocol("it asks for more than name and password")),
                }
            }
            How::CramMd5 { answered } => {
                if challenge.is_empty() || std::mem::replace(answered, true) {
                    return Err(NetError::protocol("a challenge that is none"));
                }
                let code = hmac(MessageDigest::md5(), self.secret.expose().as_bytes(), challenge)?;
                let hex: String = code.iter().map(|b| format!("{b:02x}")).collect();
                Ok(Secret::new(format!("{} {hex}", self.user)))
            }
            How::Scram(scram) => scram.answer(challenge).map(Secret::new),
            How::Xoauth2 | How::OauthBearer => {
                // Why the token is refused. The refusal itself follows once this is answered. Where it says to look is
                // never looked at.
                self.reason = Some(reason(challenge));
                let bearer = matches!(self.how, How::OauthBearer);
                Ok(Secret::new(if bearer { "\u{1}".to_owned() } else { String::new() }))
            }
            How::Plain | How::External => Err(NetError::protocol("it asks on where nothing is left to say")),
        }
    }

    /// The server lets us in: whether it proved itself, where it must (SCRAM).
    ///
    /// # Errors
    /// It did not: it may be anybody.
    pub fn finish(&self) -> Result<()> {
        match &self.how {
            How::Scram(scram) => scram.finish(),
            _ => Ok(()),
        }
    }

    /// A refusal with what the person needs to judge it: the way that was tried, what was said of a token.
    #[must_use]
    pub fn refused(&self, e: &NetError) -> NetError {
        let reason = self.reason.as_deref().filter(|r| !r.is_empty()).map_or_else(String::new, |r| format!(" ({r})"));
        NetError::new(e.kind.clone(), &format!("{}{reason} by {}", e.text, self.name()))
    }
}

/// What a server of tokens says in JSON (RFC 7628, 3.2.2): its status and nothing else.
fn reason(challenge: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(challenge).ok();
    let status = json.as_ref().and_then(|j| j.get("status")).and_then(|s| s.as_str()).unwrap_or_default();
    status.chars().take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(mechanism: Mechanism) -> Exchange {
        Exchange::new(mechanism, "tim", &Secret::new("tanstaaftanstaaf".to_owned()), "imap.example", 993).unwrap()
    }

    #[test]
    fn the_strongest_that_both_know_and_none_weaker() {
        let all = |_| true;
        let policy = |named: &[Mechanism]| AuthPolicy { named: Some(named.to_vec()), least: None };
        assert_eq!(choose(&AuthPolicy::default(), all), Some(Mechanism::ScramSha256));
        assert_eq!(choose(&AuthPolicy::default(), |m| m == Mechanism::Xoauth2), None);
        let weak = |m| matches!(m, Mechanism::Plain | Mechanism::CramMd5 | Mechanism::Login);
        assert_eq!(choose(&AuthPolicy::default(), weak), Some(Mechanism::CramMd5));
        assert_eq!(choose(&AuthPolicy { named: None, least: Some(Mechanism::ScramSha1) }, weak), None);
        assert_eq!(choose(&policy(&[Mechanism::Plain]), all), Some(Mechanism::Plain));
        assert_eq!(choose(&policy(&[Mechanism::Xoauth2, Mechanism::OauthBearer]), all), Some(Mechanism::OauthBearer));
    }

    #[test]
    fn what_is_said_first_and_then() {
        let first = |m| exchange(m).initial().map(|s| s.expose().to_owned());
        assert_eq!(first(Mechanism::Plain).unwrap(), "\0tim\0tanstaaftanstaaf");
        assert_eq!(first(Mechanism::External).unwrap(), "");
        assert_eq!(first(Mechanism::Xoauth2).unwrap(), "user=tim\u{1}auth=Bearer tanstaaftanstaaf\u{1}\u{1}");
        let bearer = "n,a=tim,\u{1}host=imap.example\u{1}port=993\u{1}auth=Bearer tanstaaftanstaaf\u{1}\u{1}";
        assert_eq!(first(Mechanism::OauthBearer).unwrap(), bearer);
        assert_eq!((first(Mechanism::Login), first(Mechanism::CramMd5)), (None, None));
        // The example of RFC 2195.
        let mut cram = exchange(Mechanism::CramMd5);
        let answer = cram.answer(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
        assert_eq!(answer.expose(), "tim b913a602c7eda7a495b4e6e7334d3890");
        assert!(cram.answer(b"<again@x>").is_err() && exchange(Mechanism::CramMd5).answer(b"").is_err());
        let mut login = exchange(Mechanism::Login);
        assert_eq!(login.answer(b"User Name\0").unwrap().expose(), "tim");
        assert_eq!(login.answer(b"whatever").unwrap().expose(), "tanstaaftanstaaf");
        assert!(login.answer(b"Bank account:").is_err() && exchange(Mechanism::Plain).answer(b"x").is_err());
    }

    #[test]
    fn a_refused_token_is_explained_cleanly() {
        let mut bearer = exchange(Mechanism::OauthBearer);
        let json = br#"{"status":"invalid\u001b[2J_token","scope":"x","openid-configuration":"http://127.0.0.1:1/"}"#;
        assert_eq!(bearer.answer(json).unwrap().expose(), "\u{1}");
        let text = bearer.refused(&NetError::new(NetErrorKind::LoginRefused, "no")).to_string();
        assert!(text.contains("_token") && !text.contains('\u{1b}') && !text.contains("http"), "{text}");
        assert_eq!(exchange(Mechanism::Xoauth2).answer(b"junk").unwrap().expose(), "");
    }

    #[test]
    fn what_would_break_the_message_is_not_sent() {
        let secret = Secret::new("x".to_owned());
        assert!(Exchange::new(Mechanism::Plain, "a\0b", &secret, "h", 1).is_err());
        assert!(Exchange::new(Mechanism::OauthBearer, "a,b", &secret, "h", 1).is_err());
        assert!(Exchange::new(Mechanism::Xoauth2, "a", &Secret::new("x\u{1}auth=".to_owned()), "h", 1).is_err());
    }
}
