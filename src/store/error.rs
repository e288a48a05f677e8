//! error — what can go wrong with the two files, told apart by what must be done about it.
//! Owns: `StoreError`, `StoreErrorKind`, `Result`. May import: base.
//! Start reading at: `StoreErrorKind`. `engine` maps kinds to faults; nobody reads the text to decide.

use crate::base::safetext::SafeText;
use std::fmt;

/// What a store function gives.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What kind of failure, and so what can be done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoreErrorKind {
    /// The file is damaged. A cache was put aside and is being rebuilt; a state file is left as it is.
    Corrupt,
    /// Written by a newer Postrider: left as it is.
    Newer,
    /// No space, or over quota: nothing of the transaction was kept.
    Full,
    /// Another process held the file for longer than we wait.
    Busy,
    /// Reading or writing failed otherwise.
    Io,
    /// A folder or file is a link, is not ours, or may not be opened.
    Permission,
    /// The question was superseded and stopped.
    Interrupted,
    /// What was asked for is not here (any more).
    Missing,
    /// The request makes no sense: an empty group, a foreign state change.
    Invalid,
    /// The store was closed.
    Closed,
    /// A bug of ours: a panic in a job, SQL that does not fit the schema.
    Bug,
}

/// A failure of the store.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct StoreError {
    /// What to do about it.
    pub kind: StoreErrorKind,
    /// What happened, for the log.
    pub detail: SafeText,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Corrupt => "a database is damaged",
            StoreErrorKind::Newer => "a database was written by a newer Postrider",
            StoreErrorKind::Full => "the disk is full",
            StoreErrorKind::Busy => "another process holds the database",
            StoreErrorKind::Io => "the disk failed",
            StoreErrorKind::Permission => "a file may not be used",
            StoreErrorKind::Interrupted => "stopped",
            StoreErrorKind::Missing => "not here any more",
            StoreErrorKind::Invalid => "not possible",
            StoreErrorKind::Closed => "the store is closed",
            StoreErrorKind::Bug => "a bug in the store",
        };
        if self.detail.is_empty() { f.write_str(what) } else { write!(f, "{what}: {}", self.detail) }
    }
}

impl StoreError {
    /// Of a kind, with a detail for the log.
    #[must_use]
    pub fn new(kind: StoreErrorKind, detail: &str) -> Self {
        Self { kind, detail: SafeText::line_max(detail, 400) }
    }

    /// Not here.
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self::new(StoreErrorKind::Missing, what)
    }

    /// Not possible.
    #[must_use]
    pub fn invalid(what: &str) -> Self {
        Self::new(StoreErrorKind::Invalid, what)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let kind = match error.sqlite_error_code() {
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => StoreErrorKind::Corrupt,
            Some(Code::DiskFull) => StoreErrorKind::Full,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => StoreErrorKind::Busy,
            Some(Code::OperationInterrupted) => StoreErrorKind::Interrupted,
            Some(Code::PermissionDenied | Code::ReadOnly | Code::AuthorizationForStatementDenied) => StoreErrorKind::Permission,
            Some(Code::SystemIoFailure | Code::CannotOpen | Code::OutOfMemory | Code::NoLargeFileSupport) => StoreErrorKind::Io,
            _ if matches!(error, rusqlite::Error::QueryReturnedNoRows) => StoreErrorKind::Missing,
            // Data of another type than the schema promises: a flipped byte that SQLite itself did not see.
            _ if matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..)
            ) =>
            {
                StoreErrorKind::Corrupt
            }
            _ => StoreErrorKind::Bug,
        };
        Self::new(kind, &error.to_string())
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::StorageFull | Io::QuotaExceeded => StoreErrorKind::Full,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => StoreErrorKind::Permission,
            Io::NotFound => StoreErrorKind::Missing,
            _ => StoreErrorKind::Io,
        };
        Self::new(kind, &error.to_string())
    }
}
