//! config — what the user asked.
//! Owns: the configuration file: reading, checking, editing without losing comments; where passwords come from.
//! May import: mail, base.   Never: a connection, a screen; writes a password.
//! Start reading at: `schema.rs` for what the file may hold, then `account.rs` for what it means.
//! Tested by: unit tests beside the code; tests/cli through the program.

pub mod account;
pub mod auth;
pub mod choice;
pub mod client_cert;
pub mod complain;
pub mod discovery;
pub mod edit;
pub mod keys;
mod mistakes;
pub mod password;
mod reword;
pub mod schema;
pub mod server;
pub mod server_url;
pub mod values;

use crate::base::safetext::SafeText;
pub use account::{AccountConfig, AccountKind, Identity, ImapServer, Keep, KeepBodies, Server, Submission, Tls};
pub use auth::{AuthPolicy, Mechanism};
pub use choice::{OfflineRule, Pattern};
pub use client_cert::ClientCert;
use complain::Source;
pub use complain::{ConfigError, ConfigErrors};
pub use keys::KeyBinding;
use mistakes::Mistakes;
pub use password::PasswordSource;
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The largest configuration file that is read, in bytes: beyond it, it is something else.
const MAX_FILE: u64 = 1 << 20;

/// The whole configuration, checked.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The theme's name; none for the one that fits the terminal.
    pub theme: Option<String>,
    /// How mail is shown.
    pub reading: Reading,
    /// How mail is sent.
    pub sending: Sending,
    /// Saved searches by name: what is looked for.
    pub searches: BTreeMap<String, String>,
    /// Keys that the person bound, in the file's order.
    pub keys: Vec<KeyBinding>,
    /// The accounts, in the file's order.
    pub accounts: Vec<AccountConfig>,
    /// What is allowed but unwise, one sentence each.
    pub warnings: Vec<SafeText>,
}

/// `[reading]`
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// How long a message must be looked at before it counts as read; none: only by hand.
    pub mark_read_after: Option<Duration>,
    /// Which form of a message that has both is shown first.
    pub prefer: Prefer,
    /// Whether lists start as conversations.
    pub threads: bool,
    /// How new mail is told beside a line on the screen.
    pub notify: Vec<Notify>,
}

/// A way to tell of new mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// The terminal's bell.
    Bell,
    /// A notice on the desktop, by the terminal: also over ssh.
    Desktop,
}

impl Notify {
    /// As in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bell => "bell",
            Self::Desktop => "desktop",
        }
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self { mark_read_after: Some(Duration::from_secs(2)), prefer: Prefer::Plain, threads: true, notify: Vec::new() }
    }
}

/// Which form of a message is shown first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prefer {
    /// `text/plain`
    #[default]
    Plain,
    /// `text/html`, rendered as text
    Html,
}

/// `[sending]`
#[derive(Clone, PartialEq, Debug)]
pub struct Sending {
    /// How long a mail waits in the outbox, in the reader, so that it can be taken back.
    pub hold: Duration,
}

impl Default for Sending {
    fn default() -> Self {
        Self { hold: Duration::from_secs(10) }
    }
}

impl Config {
    /// Reads and checks a file. A file that does not exist is an empty configuration: a first start.
    ///
    /// # Errors
    /// If it cannot be read, or says something that we do not understand: each with line, column and what was probably meant.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let (config, wrong) = Self::read(path)?;
        config.unless(wrong)
    }

    /// Reads a file, and gives what can be understood of it beside all that is wrong with it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &Path) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let cannot = |error: &std::io::Error| {
            ConfigError::whole(path, &format!("cannot be read ({error})"), "Check that it is a file that you may read")
        };
        let mode = match std::fs::metadata(path) {
            Ok(found) if found.len() > MAX_FILE => {
                return Err(ConfigError::whole(path, "is larger than 1 MiB", "This is hardly a configuration file"));
            }
            Ok(found) => found.mode(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Default::default()),
            Err(error) => return Err(cannot(&error)),
        };
        // It may hold a password: the buffer is zeroed at the end.
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| cannot(&e))?);
        Ok(Self::understood(&text, path, mode))
    }

    /// The texts of all signature files that can be read; of one at most 64 KiB, without what a terminal would obey.
    #[must_use]
    pub fn signatures(&self) -> BTreeMap<PathBuf, String> {
        let paths = self.accounts.iter().flat_map(|a| &a.identities).filter_map(|i| i.signature.as_ref());
        let read = |path: &PathBuf| {
            let mut bytes = Vec::new();
            std::fs::File::open(path).ok()?.take(64 << 10).read_to_end(&mut bytes).ok()?;
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<String> = text.lines().map(|l| SafeText::body_line(l).into_string()).collect();
            // The mark above it is ours to write.
            let own = lines.join("\n");
            Some((path.clone(), own.strip_prefix("-- \n").unwrap_or(&own).trim_end().to_owned()))
        };
        paths.filter_map(read).collect()
    }

    /// Checks the text of a file with this name and mode.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(text: &str, path: &Path, mode: u32) -> Result<Self, ConfigErrors> {
        let (config, wrong) = Self::understood(text, path, mode);
        config.unless(wrong)
    }

    fn unless(self, wrong: Vec<ConfigError>) -> Result<Self, ConfigErrors> {
        let mut wrong = wrong.into_iter();
        wrong.next().map_or(Ok(self), |first| Err(ConfigErrors { first, rest: wrong.collect() }))
    }

    fn understood(text: &str, path: &Path, mode: u32) -> (Self, Vec<ConfigError>) {
        let mut mistakes = Mistakes::new(Source::new(path, text));
        let file = mistakes.read();
        let mut warnings = Vec::new();
        let accounts = account::accounts(file.account, &mut mistakes, mode, &mut warnings);
        let defaults = (Reading::default(), Sending::default());
        let config = Self {
            theme: file.theme,
            searches: file.searches,
            reading: Reading {
                mark_read_after: file.reading.mark_read_after.map_or(defaults.0.mark_read_after, |d| d.0),
                prefer: file.reading.prefer.unwrap_or_default(),
                threads: file.reading.threads.unwrap_or(defaults.0.threads),
                notify: file.reading.notify.unwrap_or_default(),
            },
            sending: Sending { hold: file.sending.hold.and_then(|d| d.0).unwrap_or(defaults.1.hold) },
            keys: keys::bindings(file.keys, mistakes.source()),
            accounts,
            warnings,
        };
        (config, mistakes.into_errors())
    }

    /// The account with this short name, or the one with this address.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&AccountConfig> {
        let by_name = self.accounts.iter().find(|a| a.name.as_str() == name);
        by_name.or_else(|| self.accounts.iter().find(|a| a.writes_as(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mailbox::MailboxPath;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/home/ann/config.toml"), 0o100_600).map_err(|e| e.to_string())
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err()
    }

    const WORK: &str = "[account.work]\naddress = \"ann@example.org\"\nimap = { host = \"imap.example.org\" }\n";

    #[test]
    fn the_documented_example_is_understood() {
        let config = parse(
            r#"
            theme = "dark"
            [searches]
            "From the boss" = "from:boss is:unread"
            [reading]
            mark-read-after = "never"
            prefer = "html"
            remote-content = "never"
            notify = ["bell", "desktop"]
            [sending]
            hold = "30s"
            [account.work]
            address  = "ann@example.org"
            name     = "Ann Example"
            password = { command = "pass show mail/work" }
            imap     = { host = "imap.example.org", port = 993, tls = "implicit", connections = 3 }
            smtp     = { host = "smtp.example.org", port = 465, tls = "implicit" }
            keep     = { bodies = "90d", limit = "4G" }
            roles    = { archive = "Archive", sent = "Sent" }
            offline  = { "Lists/rust" = "all", "Lists/*" = "none" }
            watch    = ["Lists/*"]
            metered  = true
            without  = ["qresync", "COMPRESS=DEFLATE"]
            auth     = ["SCRAM-SHA-256", "plain"]
            min-auth = "PLAIN"
            [[account.work.identity]]
            address = "sales@example.org"
            signature = "sales.txt"
            [account.archive]
            maildir = "mail"
            [keys.messages]
            "e" = "archive"
            "g a" = "goto archive"
            "#,
        )
        .unwrap();
        assert_eq!(config.theme.as_deref(), Some("dark"));
        assert_eq!((config.reading.mark_read_after, config.reading.prefer), (None, Prefer::Html));
        assert_eq!(config.searches["From the boss"], "from:boss is:unread");
        assert_eq!(config.reading.notify, [Notify::Bell, Notify::Desktop]);
        assert_eq!(config.sending.hold, Duration::from_secs(30));
        let [work, archive] = &config.accounts[..] else { panic!("{:?}", config.accounts) };
        assert_eq!(work.name.as_str(), "work");
        assert_eq!(work.password, PasswordSource::Command("pass show mail/work".into()));
        let AccountKind::Imap(imap) = &work.kind else { panic!() };
        assert_eq!((imap.server.port, imap.server.tls, imap.connections), (993, Tls::Implicit, 3));
        assert_eq!(imap.server.user, "ann@example.org");
        assert_eq!(work.keep, Keep { bodies: KeepBodies::For(Duration::from_secs(90 * 86_400)), limit: Some(4 << 30) });
        let bodies = |name: &str| work.bodies_of(&MailboxPath::from_typed(name));
        assert_eq!(
            (bodies("Lists/rust"), bodies("Lists/go"), bodies("INBOX")),
            (KeepBodies::All, KeepBodies::None, work.keep.bodies)
        );
        let watched = ["INBOX", "Lists/go", "Sent"].map(|name| work.watches(&MailboxPath::from_typed(name)));
        assert_eq!((watched, work.metered), ([true, true, false], true));
        assert_eq!(work.without, ["QRESYNC", "COMPRESS=DEFLATE"]);
        assert!(work.auth.permits(Mechanism::Plain) && !work.auth.permits(Mechanism::Login));
        assert_eq!(work.identities.len(), 2);
        assert_eq!(work.identities[1].signature.as_deref(), Some(Path::new("/home/ann/sales.txt")));
        assert_eq!(work.identities[1].address.name, "Ann Example");
        assert_eq!(archive.kind, AccountKind::Maildir("/home/ann/mail".into()));
        assert_eq!(config.keys.len(), 2);
        assert_eq!((config.keys[1].context.as_str(), config.keys[1].keys.as_str()), ("messages", "g a"));
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn accounts_keep_the_order_of_the_file() {
        let config = parse("[account.z]\nmaildir = \"z\"\n[account.a]\nmaildir = \"a\"\n").unwrap();
        assert_eq!(config.accounts.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["z", "a"]);
    }

    #[test]
    fn mistakes_have_a_place_and_a_proposal() {
        assert_eq!(
            error("[account.work]\nadress = \"ann@example.org\"\n"),
            "/home/ann/config.toml:2:1: unknown key `adress`. Did you mean `address`?"
        );
        assert_eq!(
            error(&format!("{WORK}smtp = {{ host = \"h\", tls = \"startls\" }}\n")),
            "/home/ann/config.toml:4:28: unknown value `startls`. Did you mean `starttls`?"
        );
        assert!(error("[acount.work]\n").starts_with("/home/ann/config.toml:1:2: unknown key `acount`. Did you mean `account`?"));
        assert!(error("theme = \n").starts_with("/home/ann/config.toml:1:"));
        assert!(error("[account.w]\naddress = \"ann\"\nmaildir = \"m\"").contains(":2:11: `ann` is no mail address"));
        assert!(error("[account.w]\naddress = \"a@b.c\"").contains(":1:10: the account has no server"));
        assert!(error("[sending]\nhold = \"10 parsecs\"").contains(":2:8: `10 parsecs` is no length of time"));
        assert!(error("[account.w]\nmaildir = \"m\"\nroles = { archiv = \"A\" }").contains("Did you mean `archive`?"));
        assert!(error("[account.\"a b\"]\nmaildir = \"m\"").contains("an account's name"));
        assert!(
            error(&format!("{WORK}without = [\"QRSYNC\"]"))
                .contains(":4:12: `QRSYNC` is no extension that Postrider uses. Did you mean `QRESYNC`?")
        );
        assert!(error(&format!("{WORK}auth = [\"SCRAM-SHA256\"]")).contains("Did you mean `SCRAM-SHA-256`?"));
        assert!(
            error(&format!("{WORK}auth = [\"PLAIN\"]\nmin-auth = \"CRAM-MD5\"")).contains(":4:8: no way of logging in is left")
        );
        assert!(error(&format!("{WORK}offline = {{ Lists = \"some\" }}")).contains("`some` is no length of time"));
        assert!(error(&format!("{WORK}fingerprint = \"sha256:zz\"")).contains(":4:15: "));
    }

    #[test]
    fn plain_connections_are_refused_beyond_this_machine() {
        let with = |imap: &str| parse(&format!("[account.w]\naddress = \"a@b.c\"\nimap = {{ {imap} }}"));
        assert!(with("host = \"127.0.0.1\", tls = \"none\"").is_ok());
        assert!(with("host = \"::1\", tls = \"none\"").is_ok());
        assert!(with("host = \"mail.example.org\", tls = \"none\"").unwrap_err().contains("without encryption"));
        assert!(with("host = \"127.0.0.1.example.org\", tls = \"none\"").is_err());
        let allowed = with("host = \"mail.example.org\", tls = \"none\", allow-plaintext = true").unwrap();
        assert_eq!(allowed.warnings.len(), 1);
    }

    #[test]
    fn a_plain_password_wants_a_private_file_and_is_never_repeated() {
        let text = format!("{WORK}password = \"hunter2\"\n");
        let path = Path::new("c.toml");
        assert!(Config::parse(&text, path, 0o600).is_ok());
        let refused = Config::parse(&text, path, 0o640).unwrap_err().to_string();
        assert!(refused.contains(":4:12: ") && refused.contains("chmod 600"), "{refused}");
        let odd = error(&format!("{WORK}password = 1234567\n"));
        assert!(!odd.contains("1234567") && odd.contains("in quotes"), "{odd}");
        let odd = error(&format!("{WORK}password = {{ plain = \"hunter2\" }}\n"));
        assert!(!odd.contains("hunter2"), "{odd}");
        let broken = error(&format!("{WORK}password = \"hunter2\n"));
        assert!(!broken.contains("hunter2"), "{broken}");
        let config = parse(&text).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(Config::parse(WORK, path, 0o644).unwrap().warnings.len(), 1);
    }

    /// Words of the schema, of TOML, and others.
    const PIECES: &str = "\\[account\\.a\\]\n|\\[\\[account\\.a\\.identity\\]\\]\n|address = \"a@x\\.test\"\n|imap = \\{ host = \"h\" \\}\n|\
        smtp = \\{ local = true \\}\n|(auth|without|watch) = \\[\"[A-Z0-9-]{0,12}\"\\]\n|(keep|roles|offline|password|keys) = \\{|\
        (client-cert|client-key|ca-file|fingerprint|theme|maildir) = \"\\PC{0,9}\"\n|port = -?[0-9]{1,6}\n|tls = \"[a-z]{0,8}\"|\
        [a-z-]{1,12} = |[\\[\\]{}=,.#\"'\\n\\t \\\\]|\\PC|[0-9]{1,20}[dhsGM]?";

    proptest::proptest! {
        /// Whatever is in the file: it is understood, or its fault has a place in the file and a proposal.
        #[test]
        fn any_file_is_understood_or_has_its_place(pieces in proptest::collection::vec(PIECES, 0..40)) {
            let text = pieces.concat();
            for error in Config::understood(&text, Path::new("/c/config.toml"), 0o600).1 {
                proptest::prop_assert!(error.place.as_str().starts_with("/c/config.toml"), "{}", error);
                proptest::prop_assert!(!error.what.is_empty() && !error.hint.is_empty(), "{}", error);
                let lines = text.split('\n').count();
                let mut numbers = error.place.as_str().rsplit(':').map(str::parse::<usize>);
                if let (Some(Ok(column)), Some(Ok(line))) = (numbers.next(), numbers.next()) {
                    proptest::prop_assert!((1..=lines).contains(&line) && column >= 1, "{}", error);
                }
            }
        }
    }
}
