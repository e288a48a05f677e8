//! password — where an account's password comes from.
//! Owns: `PasswordSource` and how it is written in the file. The text of a password is a `Secret` from the first moment on.
//! May import: base.
//! Start reading at: `PasswordSource`.

use crate::base::paths::{expand, open_to_others};
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a password comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// The first line that `sh -c` prints.
    Command(String),
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
    /// Asked at each start.
    Ask,
    /// It stands in the configuration, which only its owner can read.
    Plain(Secret),
}

impl PasswordSource {
    /// With a relative file as one below `base`. A file that others can read is warned of.
    pub(super) fn seen_from(self, base: &Path, warnings: &mut Vec<SafeText>) -> Self {
        let Self::File(path) = self else { return self };
        let path = expand(&path.to_string_lossy(), base);
        // One that is not there yet is said when the password is wanted.
        if std::fs::metadata(&path).is_ok_and(|found| open_to_others(found.mode())) {
            let what = format!("others on this machine can read the password in {}; chmod 600 closes it", path.display());
            warnings.push(SafeText::line(&what));
        }
        Self::File(path)
    }
}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "Command({command:?})"),
            Self::Env(name) => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Ask => f.write_str("Ask"),
            Self::Plain(_) => f.write_str("Plain(…)"),
        }
    }
}

/// `{ command = "…" }` and its like: exactly one of them.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordTable {
    command: Option<String>,
    env: Option<String>,
    file: Option<String>,
    ask: Option<bool>,
}

impl<'de> Deserialize<'de> for PasswordSource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Sources;
        impl<'de> Visitor<'de> for Sources {
            type Value = PasswordSource;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ command = \"…\" }, { env = \"…\" }, { file = \"…\" } or { ask = true }")
            }
            // serde's own message for a wrong type repeats the value.
            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Err(E::custom("a password must be text in quotes. Write password = { command = \"…\" }"))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                self.visit_i64(0)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(PasswordSource::Plain(Secret::new(text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let table = PasswordTable::deserialize(MapAccessDeserializer::new(map))?;
                match (table.command, table.env, table.file, table.ask) {
                    (Some(command), None, None, None) => Ok(PasswordSource::Command(command)),
                    (None, Some(name), None, None) => Ok(PasswordSource::Env(name)),
                    (None, None, Some(path), None) => Ok(PasswordSource::File(PathBuf::from(path))),
                    (None, None, None, Some(true)) => Ok(PasswordSource::Ask),
                    _ => Err(A::Error::custom("a password has one source. Write one of command, env, file, ask = true")),
                }
            }
        }
        from.deserialize_any(Sources)
    }
}
