//! octets — finds one octet among many, some dozen at a time.
//! Owns: `find`. May import: nothing of ours.
//! Start reading at: `find`.

/// Where the first `wanted` is. Blocks without one are passed as a whole, which the compiler makes few instructions of.
#[must_use]
pub fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    const BLOCK: usize = 32;
    let without = |block: &&[u8]| !block.iter().fold(false, |has, b| has | (*b == wanted));
    let passed = bytes.chunks_exact(BLOCK).take_while(without).count() * BLOCK;
    bytes.get(passed..)?.iter().position(|b| *b == wanted).map(|at| passed + at)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_of_any_place() {
        for length in 0..130 {
            let mut bytes = vec![b'x'; length];
            assert_eq!(find(&bytes, b'\n'), None);
            for at in (0..length).rev() {
                bytes[at] = b'\n';
                assert_eq!(find(&bytes, b'\n'), Some(at));
            }
        }
    }
}
