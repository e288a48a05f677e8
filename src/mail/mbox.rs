//! mbox — many messages in one file (RFC 4155), in the dialect mboxrd: a `From ` line before each, `>From ` for such lines
//! in a message, and the flags in `Status` and `X-Status`.
//! Owns: `Reader`, `write`, `Entry`.
//! May import: base.
//! Start reading at: `Reader`. It holds one message at a time, and what it wrote it reads back byte for byte.

use super::compose::crlf;
use super::flags::{Flag, Flags};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::io::{self, BufRead, Write};

/// The longest message that is read, in octets.
pub const MAX_MESSAGE: usize = 256 << 20;
/// The date in a `From ` line, as asctime writes it, in UTC.
const DATE: &str = "%a %b %e %H:%M:%S %Y";

/// One message of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The message: CRLF, without the fields that hold the flags.
    pub bytes: Vec<u8>,
    /// When it came, seconds since 1970, if the `From ` line says so.
    pub received: Option<i64>,
    /// Its flags.
    pub flags: Flags,
}

/// Reads one message after the other.
pub struct Reader<R> {
    from: R,
    /// The `From ` line that was read ahead.
    next: Option<Vec<u8>>,
    begun: bool,
}

impl<R: BufRead> Reader<R> {
    /// Of a file's bytes.
    pub const fn new(from: R) -> Self {
        Self { from, next: None, begun: false }
    }

    fn line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        // A line is read whole: its length counts against the message's.
        let read = io::Read::take(&mut self.from, MAX_MESSAGE as u64).read_until(b'\n', line)?;
        Ok(read > 0)
    }

    fn read(&mut self) -> io::Result<Option<Entry>> {
        let mut line = Vec::new();
        if !self.begun {
            self.begun = true;
            loop {
                if !self.line(&mut line)? {
                    return Ok(None);
                }
                if line.starts_with(b"From ") {
                    self.next = Some(std::mem::take(&mut line));
                    break;
                }
                if !line.trim_ascii().is_empty() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not begin with a From line"));
                }
            }
        }
        let Some(head) = self.next.take() else { return Ok(None) };
        let mut bytes: Vec<u8> = Vec::new();
        let mut blank = true;
        while self.line(&mut line)? {
            if blank && is_boundary(&line) {
                self.next = Some(line);
                break;
            }
            blank = line.trim_ascii().is_empty();
            let marks = line.iter().take_while(|b| **b == b'>').count();
            let quoted = marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "));
            bytes.extend_from_slice(line.get(usize::from(quoted)..).unwrap_or_default());
            if bytes.len() > MAX_MESSAGE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message in it is larger than 256 MiB"));
            }
        }
        // The empty line before the next `From ` is the file's, not the message's.
        if bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n") {
            bytes.truncate(bytes.len() - if bytes.ends_with(b"\r\n") { 2 } else { 1 });
        }
        let (bytes, flags) = take_flags(&crlf(&bytes));
        Ok(Some(Entry { bytes, received: received(&head), flags }))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            self.next = None;
        }
        read.transpose()
    }
}

/// Whether a line after an empty one begins a message: files of programs that quote nothing have `From ` in their texts,
/// but hardly with a time of day behind it.
fn is_boundary(line: &[u8]) -> bool {
    let timed = |w: &[u8]| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()));
    line.starts_with(b"From ") && line.windows(5).any(timed)
}

/// The date of a `From ` line: its last 24 characters.
fn received(head: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(head.trim_ascii_end()).ok()?;
    let date = text.get(text.len().checked_sub(24)?..)?;
    DateTime::strptime(DATE, date).ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp().as_second())
}

/// The letters of `Status` and `X-Status`, and what they mean.
const LETTERS: [(u8, Flag); 4] = [(b'R', Flag::Seen), (b'A', Flag::Answered), (b'F', Flag::Flagged), (b'T', Flag::Draft)];

/// Takes the fields that hold flags out of the header.
fn take_flags(message: &[u8]) -> (Vec<u8>, Flags) {
    let mut flags = Flags::new();
    let mut out = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let (line, after) = rest.split_at(end + 2);
        if line == b"\r\n" {
            break;
        }
        rest = after;
        let value = [&b"status:"[..], b"x-status:"].iter().find_map(|name| {
            line.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).and_then(|_| line.get(name.len()..))
        });
        match value {
            Some(letters) => LETTERS.iter().filter(|(l, _)| letters.contains(l)).for_each(|(_, flag)| flags.insert(*flag)),
            None => out.extend_from_slice(line),
        }
    }
    out.extend_from_slice(rest);
    (out, flags)
}

/// Writes one message: `sender` is a bare address, or anything.
///
/// # Errors
/// What writing says.
pub fn write(out: &mut dyn Write, message: &[u8], sender: &str, received: i64, flags: &Flags) -> io::Result<()> {
    let sender: String = sender.chars().filter(|c| c.is_ascii_graphic()).collect();
    let sender = if sender.is_empty() { "MAILER-DAEMON" } else { &sender };
    let at = Timestamp::from_second(received).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    writeln!(out, "From {sender} {}", at.strftime(DATE))?;
    let letters = |some: &[u8]| -> String {
        LETTERS.iter().filter(|(l, flag)| some.contains(l) && flags.has(*flag)).map(|(l, _)| char::from(*l)).collect()
    };
    writeln!(out, "Status: {}O", letters(b"R"))?;
    let more = letters(b"AFT");
    if !more.is_empty() {
        writeln!(out, "X-Status: {more}")?;
    }
    for line in message.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
        let marks = line.iter().take_while(|b| **b == b'>').count();
        if line.get(marks..).is_some_and(|rest| rest.starts_with(b"From ")) {
            out.write_all(b">")?;
        }
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Vec<Entry> {
        Reader::new(text).map(Result::unwrap).collect()
    }

    #[test]
    fn files_of_others_are_understood() {
        let text = b"\nFrom ann@example.org Sat Nov 21 10:16:19 2026\nSubject: one\nStatus: RO\nX-Status: F\n\nHello\n>From me\n>>From you\n\n\
                     From bob Sat Nov  7 01:02:03 2026\r\nSubject: two\r\n\r\nFrom here on it is text\r\n";
        let all = read(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].bytes, b"Subject: one\r\n\r\nHello\r\nFrom me\r\n>From you\r\n");
        assert_eq!(all[0].received, Some(1_795_256_179));
        assert!(all[0].flags.has(Flag::Seen) && all[0].flags.has(Flag::Flagged) && !all[0].flags.has(Flag::Answered));
        assert!(all[1].bytes.ends_with(b"it is text\r\n"), "a text, not a boundary: {:?}", all[1]);
        assert!(Reader::new(&b"Subject: no mbox\n\n"[..]).next().unwrap().is_err());
        assert!(read(b"").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bodies in proptest::collection::vec("(>{0,2}From x\n|[a-z ]{0,9}\n){0,6}", 0..5)) {
            let messages: Vec<Vec<u8>> = bodies.iter().map(|b| crlf(format!("Subject: s\n\n{b}end\n").as_bytes())).collect();
            let flags = Flags::from(Flag::Answered);
            let mut file = Vec::new();
            for message in &messages {
                write(&mut file, message, "a b@c", 1_795_256_179, &flags).unwrap();
            }
            let back = read(&file);
            prop_assert_eq!(back.iter().map(|e| e.bytes.clone()).collect::<Vec<_>>(), messages);
            prop_assert!(back.iter().all(|e| e.flags == flags && e.received == Some(1_795_256_179)));
        }
    }
}
