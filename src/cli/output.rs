//! output — standard output: buffered, and a closed pipe is an error value, never a panic.
//! Owns: `Out`.
//! May import: base.
//! Start reading at: `Out`.

use crate::base::safetext::SafeText;
use serde::Serialize;
use std::io::{self, BufWriter, StdoutLock, Write};

/// Where a verb prints.
pub struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    /// Standard output.
    pub fn stdout() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// One line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.0, "{text}")
    }

    /// One line that may hold foreign text: what could steer a terminal is made visible.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn text_line(&mut self, text: &str) -> io::Result<()> {
        self.line(SafeText::line(text).as_str())
    }

    /// Text or bytes as they are.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// One JSON value on a line of its own.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn json<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value).map_err(io::Error::from)?;
        writeln!(self.0)
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
