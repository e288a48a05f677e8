//! deflate — the compressed stream of COMPRESS=DEFLATE (RFC 4978), in both directions.
//! Owns: `Deflate`, the cap on how much may come out of how little (security T-18).
//! May import: nothing of ours.
//! Start reading at: `Deflate::inflate`. A decompressor may hold more output than fits: it is asked again with no input before
//! the socket is waited for, else a whole answer could lie here while we sleep.

use super::error::{NetError, Result};
use super::wire::Wire;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// How much compressed input is read at once.
const RAW: usize = 16 * 1024;
/// How many octets may come out of one, once [`FREE`] have come. Deflate itself goes to 1032; text to 20.
const MAX_RATIO: u64 = 100;
/// So many octets may come out of any input: one long run of the same octet in a mail is no attack.
const FREE: u64 = 16 * 1024 * 1024;

/// Both directions of one connection.
pub(super) struct Deflate {
    inflate: Decompress,
    deflate: Compress,
    raw: Box<[u8]>,
    start: usize,
    end: usize,
    /// The last output was full: there may be more of it.
    more: bool,
    /// Something was compressed and not flushed.
    unflushed: bool,
}

impl std::fmt::Debug for Deflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deflate({} in, {} out)", self.inflate.total_in(), self.inflate.total_out())
    }
}

impl Deflate {
    /// Begins; `ahead` are octets that came already.
    pub(super) fn new(ahead: &[u8]) -> Self {
        let mut raw = vec![0; RAW.max(ahead.len())].into_boxed_slice();
        for (to, from) in raw.iter_mut().zip(ahead) {
            *to = *from;
        }
        Self {
            inflate: Decompress::new(false),
            deflate: Compress::new(Compression::fast(), false),
            raw,
            start: 0,
            end: ahead.len(),
            more: false,
            unflushed: false,
        }
    }

    /// Where to read compressed octets to, once nothing is left of the last ones.
    pub(super) fn room(&mut self) -> &mut [u8] {
        (self.start, self.end) = (0, 0);
        &mut self.raw
    }

    /// `n` octets are in [`Self::room`].
    pub(super) const fn filled(&mut self, n: usize) {
        self.end = n;
    }

    /// What can be had of what has come: how many octets were written to `out`. 0: read more first.
    ///
    /// # Errors
    /// What is no deflate stream, one that ends, or one that grows beyond all measure.
    pub(super) fn inflate(&mut self, out: &mut [u8]) -> Result<usize> {
        while self.start < self.end || self.more {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let input = self.raw.get(self.start..self.end).unwrap_or_default();
            let status = self.inflate.decompress(input, out, FlushDecompress::None);
            let status = status.map_err(|_| NetError::protocol("what it compresses cannot be read"))?;
            let (read, written) = (self.inflate.total_in() - read, self.inflate.total_out() - written);
            self.start += usize::try_from(read).unwrap_or(usize::MAX);
            let written = usize::try_from(written).unwrap_or(usize::MAX);
            self.more = written == out.len();
            if self.inflate.total_out() > FREE.saturating_add(self.inflate.total_in().saturating_mul(MAX_RATIO)) {
                return Err(NetError::limit("what it compresses grows beyond measure"));
            }
            if written > 0 {
                return Ok(written);
            }
            if status == Status::StreamEnd || (read == 0 && self.start < self.end) {
                return Err(NetError::protocol("the compressed stream ended"));
            }
        }
        Ok(0)
    }

    /// Compresses `plain`; what comes out at once is appended to `out`, the rest by [`Self::flush`].
    ///
    /// # Errors
    /// A fault of the compressor.
    pub(super) fn deflate(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.unflushed |= !plain.is_empty();
        self.push(plain, FlushCompress::None, out)
    }

    /// Appends all that was compressed so far, so that the other side can read it.
    ///
    /// # Errors
    /// A fault of the compressor.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if !std::mem::take(&mut self.unflushed) {
            return Ok(());
        }
        self.push(&[], FlushCompress::Sync, out)
    }

    fn push(&mut self, mut plain: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Result<()> {
        loop {
            // The compressor writes into spare capacity only; when it leaves some, it has no more to say.
            out.reserve(plain.len() / 2 + 256);
            let before = self.deflate.total_in();
            self.deflate.compress_vec(plain, out, flush).map_err(|_| NetError::protocol("the compressor failed"))?;
            let read = usize::try_from(self.deflate.total_in() - before).unwrap_or(usize::MAX);
            plain = plain.get(read..).unwrap_or_default();
            if plain.is_empty() && out.len() < out.capacity() {
                return Ok(());
            }
        }
    }
}

impl Wire {
    /// Sends all that was said, and behind it an empty block of its own where it is compressed: Dovecot (2.3, 2.4) waits for
    /// more to come while the end of a long literal still lies in its decompressor.
    ///
    /// # Errors
    /// A broken connection.
    pub fn flush_twice(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(deflate) = &mut self.deflate {
            let empty = deflate.push(&[], FlushCompress::Full, &mut self.queued);
            empty.map_err(|e| self.fail(e))?;
            self.write_out()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::error::NetErrorKind;

    fn squeeze(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut other = Deflate::new(&[]);
        other.deflate(plain, &mut out).unwrap();
        other.flush(&mut out).unwrap();
        out
    }

    #[test]
    fn both_ways_in_any_pieces() {
        let plain: Vec<u8> = (0..200_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let packed = squeeze(&plain);
        assert!(packed.len() < plain.len() / 4);
        for (input, output) in [(1, 32 * 1024), (16 * 1024, 7), (1000, 1000)] {
            let mut d = Deflate::new(packed.get(..5).unwrap());
            let (mut got, mut room) = (Vec::new(), vec![0; output]);
            let mut rest = packed.get(5..).unwrap();
            loop {
                let n = d.inflate(&mut room).unwrap();
                got.extend_from_slice(&room[..n]);
                if n > 0 {
                    continue;
                }
                if rest.is_empty() {
                    break;
                }
                let take = input.min(rest.len());
                d.room()[..take].copy_from_slice(&rest[..take]);
                d.filled(take);
                rest = &rest[take..];
            }
            assert!(got == plain, "{input} {output}");
        }
        assert_eq!(squeeze(b""), b"");
    }

    /// What was flushed can be read by the other side, to its last octet, whatever was said before and in which pieces.
    #[test]
    fn what_is_flushed_is_all_there() {
        let mut state = 1u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(state >> 58) as usize]
        };
        let text: Vec<u8> = (0..410_000).map(|_| letter()).collect();
        for size in [1usize, 1_000, 65_535, 65_536, 131_072, 300_000, 400_000, 400_600, 405_000].into_iter() {
            let (mut one, mut out) = (Deflate::new(&[]), Vec::new());
            one.deflate(b"A1 APPEND\r\n", &mut out).unwrap();
            one.flush(&mut out).unwrap();
            for piece in text[..size].chunks(64 * 1024) {
                one.deflate(piece, &mut out).unwrap();
            }
            one.deflate(b"\r\n", &mut out).unwrap();
            one.flush(&mut out).unwrap();
            let (mut other, mut got, mut room) = (Deflate::new(&out), Vec::new(), vec![0; 32 * 1024]);
            loop {
                let n = other.inflate(&mut room).unwrap();
                if n == 0 {
                    break;
                }
                got.extend_from_slice(&room[..n]);
            }
            assert_eq!(got.len(), size + 13, "{size}");
        }
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        let broken = Deflate::new(b"\xff\xff\xff\xff").inflate(&mut [0; 100]).unwrap_err();
        assert_eq!(broken.kind, NetErrorKind::Protocol);
    }
}
