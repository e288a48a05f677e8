//! auth — which ways of logging in an account allows (SASL, RFC 4422), and how strong the weakest may be.
//! Owns: `Mechanism`, `AuthPolicy` and how they are written in the file.
//! May import: nothing of ours.
//! Start reading at: `AuthPolicy::permits`. What the server offers is not looked at here: `net` takes the strongest of
//! what both sides allow, and refuses rather than take one that the account does not (security T-15).

use super::complain::nearest;
use super::mistakes::Mistakes;
use toml::Spanned;

/// A way of logging in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mechanism {
    /// LOGIN, the command of IMAP or the mechanism of SMTP: the password itself.
    Login,
    /// PLAIN (RFC 4616): the password itself.
    Plain,
    /// CRAM-MD5 (RFC 2195): a digest of the password.
    CramMd5,
    /// SCRAM-SHA-1 (RFC 5802): the server proves that it knows the password too.
    ScramSha1,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// XOAUTH2, of Google and Microsoft: a token.
    Xoauth2,
    /// OAUTHBEARER (RFC 7628): a token.
    OauthBearer,
    /// EXTERNAL (RFC 4422, appendix A): the certificate that the client showed.
    External,
}

impl Mechanism {
    /// All, the weakest first.
    pub const ALL: [Self; 8] = [
        Self::Login,
        Self::Plain,
        Self::CramMd5,
        Self::ScramSha1,
        Self::ScramSha256,
        Self::Xoauth2,
        Self::OauthBearer,
        Self::External,
    ];

    /// Its name in the registry of SASL, as in the file and on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Login => "LOGIN",
            Self::Plain => "PLAIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Xoauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
            Self::External => "EXTERNAL",
        }
    }

    /// The mechanism of that name, in any case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.word().eq_ignore_ascii_case(word))
    }

    /// What is known of the secret by who reads along or poses as the server: 0 all of it.
    #[must_use]
    pub const fn strength(self) -> u8 {
        match self {
            Self::Login | Self::Plain => 0,
            Self::CramMd5 => 1,
            Self::ScramSha1 => 2,
            Self::ScramSha256 | Self::Xoauth2 | Self::OauthBearer => 3,
            Self::External => 4,
        }
    }

    /// Whether it wants something else than a password, so that it is only tried where the account names it.
    #[must_use]
    pub const fn needs_naming(self) -> bool {
        matches!(self, Self::Xoauth2 | Self::OauthBearer | Self::External)
    }
}

/// What an account allows: `auth = ["SCRAM-SHA-256", …]` and `min-auth = "…"`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthPolicy {
    /// The ones that are named; none: all that want a password.
    pub named: Option<Vec<Mechanism>>,
    /// None weaker than this one.
    pub least: Option<Mechanism>,
}

impl AuthPolicy {
    /// Whether the account may log in this way.
    #[must_use]
    pub fn permits(&self, mechanism: Mechanism) -> bool {
        let named = self.named.as_ref().map_or(!mechanism.needs_naming(), |named| named.contains(&mechanism));
        named && self.least.is_none_or(|least| mechanism.strength() >= least.strength())
    }

    /// Whether there is a way that wants a password or a token: the account has to know one.
    #[must_use]
    pub fn wants_secret(&self) -> bool {
        Mechanism::ALL.into_iter().any(|m| m != Mechanism::External && self.permits(m))
    }

    /// Whether the secret is a token, made anew by whoever gives it out: nothing that takes a password is allowed.
    #[must_use]
    pub fn wants_token(&self) -> bool {
        let tokens = [Mechanism::Xoauth2, Mechanism::OauthBearer];
        self.wants_secret()
            && Mechanism::ALL.into_iter().all(|m| m == Mechanism::External || tokens.contains(&m) || !self.permits(m))
    }

    /// Checks both keys.
    pub(super) fn checked(
        named: Option<Spanned<Vec<Spanned<String>>>>,
        least: Option<Spanned<String>>,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Self> {
        let at = named.as_ref().map(Spanned::span).or(least.as_ref().map(Spanned::span)).unwrap_or_default();
        let mut one = |word: &Spanned<String>| {
            let found = Mechanism::parse(word.get_ref());
            if found.is_none() {
                let what = format!("`{}` is no way of logging in that Postrider knows", word.get_ref());
                let known = Mechanism::ALL.map(Mechanism::word);
                let hint = match nearest(word.get_ref(), &known) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => format!("Possible here: {}", known.join(", ")),
                };
                mistakes.at(&word.span(), &what, &hint);
            }
            found
        };
        let named = named.map(|words| words.get_ref().iter().map(&mut one).collect::<Vec<_>>());
        let least = least.as_ref().map(one);
        // Each word is looked at before one that is unknown ends it.
        let named: Option<Option<Vec<_>>> = named.map(|words| words.into_iter().collect());
        let policy = Self {
            named: match named {
                Some(words) => Some(words?),
                None => None,
            },
            least: match least {
                Some(word) => Some(word?),
                None => None,
            },
        };
        if Mechanism::ALL.into_iter().any(|m| policy.permits(m)) {
            return Some(policy);
        }
        mistakes.at(&at, "no way of logging in is left", "Name another one in auth, or lower min-auth");
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_wants_a_password_and_nothing_weaker_passes() {
        let usual = AuthPolicy::default();
        assert!(usual.permits(Mechanism::Plain) && usual.permits(Mechanism::ScramSha256));
        assert!(!usual.permits(Mechanism::Xoauth2) && !usual.permits(Mechanism::External));
        let strong = AuthPolicy { named: None, least: Some(Mechanism::ScramSha1) };
        let left: Vec<_> = Mechanism::ALL.into_iter().filter(|m| strong.permits(*m)).collect();
        assert_eq!(left, [Mechanism::ScramSha1, Mechanism::ScramSha256]);
        let token = AuthPolicy { named: Some(vec![Mechanism::OauthBearer]), least: None };
        assert!(token.permits(Mechanism::OauthBearer) && !token.permits(Mechanism::Plain));
        let shown = AuthPolicy { named: Some(vec![Mechanism::External]), least: None };
        assert!(token.wants_secret() && usual.wants_secret() && !shown.wants_secret());
        assert!(token.wants_token() && !usual.wants_token() && !shown.wants_token());
    }

    #[test]
    fn names_are_read_in_any_case_and_strength_grows() {
        assert_eq!(Mechanism::parse("scram-sha-256"), Some(Mechanism::ScramSha256));
        assert_eq!(Mechanism::parse("DIGEST-MD5"), None);
        assert!(Mechanism::ALL.is_sorted_by_key(|m| m.strength()));
    }
}
