//! reply — whole SMTP replies within limits (RFC 5321, 4.2).
//! Owns: `read`, `Reply`.
//! May import: base.
//! Start reading at: `read`. The lines are framed here; `lettre` says what they mean.

use crate::net::error::{NetError, Result};
use crate::net::wire::Wire;
use lettre::transport::smtp::response::Response;

/// The most lines of one reply.
pub const MAX_LINES: usize = 200;
/// The most bytes of one reply.
pub const MAX_REPLY: usize = 64 * 1024;

/// A reply that lettre understands.
#[derive(Clone, Debug)]
pub struct Reply(pub Response);

impl Reply {
    pub fn code(&self) -> u16 {
        self.0.code().into()
    }

    /// All its lines as one. Untrusted.
    pub fn text(&self) -> String {
        self.0.message().collect::<Vec<_>>().join(" ")
    }
}

/// Reads one reply.
///
/// # Errors
/// `Protocol` for what is no reply, `Limit` for one without end, or a broken connection.
pub fn read(wire: &mut Wire) -> Result<Reply> {
    let (mut raw, mut text) = (Vec::new(), String::new());
    for _ in 0..MAX_LINES {
        let from = raw.len();
        wire.read_line(&mut raw, from)?;
        if raw.len() > MAX_REPLY {
            return Err(wire.fail(NetError::limit("a reply is too long")));
        }
        let line = raw.get(from..).unwrap_or_default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).replace(['\r', '\n'], "?");
        let more = line.as_bytes().get(3) == Some(&b'-');
        text.push_str(&line);
        // A code alone is a reply too.
        text.push_str(if line.len() == 3 { " \r\n" } else { "\r\n" });
        if !more {
            return text.parse().map(Reply).map_err(|_| wire.fail(NetError::protocol("what came is no SMTP reply")));
        }
    }
    Err(wire.fail(NetError::limit("a reply does not end")))
}
