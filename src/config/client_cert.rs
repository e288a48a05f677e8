//! client_cert — the certificate that an account shows to its servers, and the key that proves that it is ours.
//! Owns: `ClientCert`, `client-cert` and `client-key` and what they must fit.
//! May import: base, config.
//! Start reading at: `checked`. The files are read when a line is opened (`net/identity.rs`), so that renewed ones are found.

use super::account::{AccountKind, Server, Submission, Tls};
use super::auth::{AuthPolicy, Mechanism};
use super::mistakes::Mistakes;
use crate::base::paths::expand;
use std::path::PathBuf;
use toml::Spanned;

/// Two files in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCert {
    /// The certificate; behind it those that lead to its authority, if the servers do not know them.
    pub cert: PathBuf,
    /// Its key, without a passphrase, and for nobody else's eyes. It may be the same file.
    pub key: PathBuf,
}

/// Checks both keys, and that nothing weaker comes of them than what they say: a certificate is shown on every line of the
/// account, and `EXTERNAL` has one to show.
pub(super) fn checked(
    (cert, key): (Option<Spanned<String>>, Option<Spanned<String>>),
    (auth, policy): (&std::ops::Range<usize>, &AuthPolicy),
    (kind, smtp): (&AccountKind, &Submission),
    mistakes: &mut Mistakes<'_>,
) -> Option<ClientCert> {
    let Some(cert) = cert else {
        if let Some(key) = key {
            mistakes.lacks(&key.span(), "a key without its certificate", "Add client-cert = \"…\"");
        } else if policy.named.iter().flatten().any(|m| *m == Mechanism::External) {
            let hint = "Add client-cert = \"…\" and client-key = \"…\"";
            mistakes.lacks(auth, "EXTERNAL has no certificate to show", hint);
        }
        return None;
    };
    let imap = match kind {
        AccountKind::Imap(imap) => Some(&imap.server),
        AccountKind::Maildir(_) => None,
    };
    let smtp = match smtp {
        Submission::Smtp(server) => Some(server),
        Submission::Local | Submission::None => None,
    };
    let clear = |server: &&&Server| server.tls == Tls::None;
    if let Some(server) = [imap, smtp].iter().flatten().find(clear) {
        let what = format!("a line to `{}` without encryption shows no certificate", server.host);
        mistakes.at(&cert.span(), &what, "Use tls = \"implicit\" or \"starttls\"");
        return None;
    }
    let place = |text: &Spanned<String>| expand(text.get_ref(), mistakes.source().folder());
    Some(ClientCert { key: key.as_ref().map_or_else(|| place(&cert), place), cert: place(&cert) })
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use std::path::Path;

    fn account(more: &str, tls: &str) -> Result<Config, String> {
        let text = format!(
            "[account.a]\naddress = \"a@x.test\"\n{more}\nimap = {{ host = \"localhost\" }}\n\
             smtp = {{ host = \"localhost\", tls = \"{tls}\" }}\n"
        );
        Config::parse(&text, Path::new("/c/config.toml"), 0o600).map_err(|e| e.to_string())
    }

    #[test]
    fn the_files_stand_where_they_are_named() {
        let config = account("client-cert = \"me.pem\"", "implicit").unwrap();
        let client = config.accounts[0].client_cert.clone().unwrap();
        assert_eq!((client.cert.to_str().unwrap(), client.key.to_str().unwrap()), ("/c/me.pem", "/c/me.pem"));
        let config = account("client-cert = \"me.pem\"\nclient-key = \"/k/me.key\"", "starttls").unwrap();
        assert_eq!(config.accounts[0].client_cert.clone().unwrap().key, Path::new("/k/me.key"));
    }

    #[test]
    fn nothing_weaker_comes_of_them() {
        let wrong = |more: &str, tls: &str| account(more, tls).unwrap_err();
        assert!(wrong("client-key = \"k\"", "implicit").contains(":3:"));
        let none = wrong("auth = [\"EXTERNAL\", \"PLAIN\"]", "implicit");
        assert!(none.contains("config.toml:3:8") && none.contains("no certificate"), "{none}");
        assert!(wrong("client-cert = \"me.pem\"", "none").contains("without encryption"));
        assert!(account("auth = [\"EXTERNAL\"]\nclient-cert = \"me.pem\"", "implicit").is_ok());
    }
}
