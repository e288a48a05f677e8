//! uid — the numbers of IMAP (RFC 9051, 2.3.1; RFC 7162), and sets of them by interval arithmetic.
//! Owns: `Uid`, `UidValidity`, `ModSeq`, `UidSet`. There is no type for sequence numbers in this program.
//! May import: base.
//! Start reading at: `UidSet`. No operation on it ever walks a range number by number, so a hostile
//! `1:4294967295` costs nothing.

use std::fmt;
use std::num::NonZeroU32;

/// A message's unique identifier in one mailbox under one [`UidValidity`]; never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uid(NonZeroU32);

impl Uid {
    /// The UID `n`, or nothing for 0.
    #[must_use]
    pub const fn new(n: u32) -> Option<Self> {
        match NonZeroU32::new(n) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The validity of a mailbox's UIDs. 0 stands for "the server gave none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct UidValidity(pub u32);

/// A modification sequence (RFC 7162), 63 bits. 0 stands for "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ModSeq(pub u64);

/// A set of UIDs as sorted, disjoint, non-adjacent closed intervals.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// All UIDs from `low` to `high`, both included, in either order; 0 is left out.
    #[must_use]
    pub fn range(low: u32, high: u32) -> Self {
        let (low, high) = (low.min(high).max(1), low.max(high));
        if high == 0 { Self::new() } else { Self { ranges: vec![(low, high)] } }
    }

    /// Reads the wire form (`3,7:9,20:*`, RFC 9051 `sequence-set`). `*` stands for `star`.
    /// Nothing for what is no set: empty items, 0, signs, letters.
    #[must_use]
    pub fn parse(text: &str, star: u32) -> Option<Self> {
        let number = |s: &str| -> Option<u32> {
            if s == "*" {
                return Some(star).filter(|n| *n > 0);
            }
            if s.is_empty() || !s.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            s.parse().ok().filter(|n| *n > 0)
        };
        let mut ranges = Vec::new();
        for item in text.split(',') {
            let (a, b) = item.split_once(':').unwrap_or((item, item));
            let (a, b) = (number(a)?, number(b)?);
            ranges.push((a.min(b), a.max(b)));
        }
        Some(Self::from_ranges(ranges))
    }

    /// The union of any closed intervals, in any order.
    #[must_use]
    pub fn from_ranges(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|(a, b)| a <= b && *b > 0);
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        ranges.into_iter().for_each(|(a, b)| join(&mut merged, (a.max(1), b)));
        Self { ranges: merged }
    }

    /// Adds one UID. Logarithmic in the number of intervals where it continues one; else those behind it move.
    pub fn insert(&mut self, uid: Uid) {
        let n = uid.get();
        let at = self.ranges.partition_point(|r| r.1 < n);
        let continues = |r: &(u32, u32)| r.1.checked_add(1) == Some(n);
        let before = at.checked_sub(1).filter(|i| self.ranges.get(*i).is_some_and(continues));
        let behind = self.ranges.get(at).copied();
        match (before, behind) {
            (_, Some((low, _))) if low <= n => {}
            (Some(before), Some((low, high))) if low == n + 1 => {
                self.ranges[before].1 = high;
                self.ranges.remove(at);
            }
            (Some(before), _) => self.ranges[before].1 = n,
            (None, Some((low, _))) if low == n + 1 => self.ranges[at].0 = n,
            (None, _) => self.ranges.insert(at, (n, n)),
        }
    }

    /// Whether `uid` is in the set. Logarithmic in the number of intervals.
    #[must_use]
    pub fn contains(&self, uid: Uid) -> bool {
        let n = uid.get();
        let i = self.ranges.partition_point(|r| r.1 < n);
        self.ranges.get(i).is_some_and(|r| r.0 <= n)
    }

    /// All that is in either. Linear in the number of intervals.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (mut ours, mut theirs) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::with_capacity(self.ranges.len() + other.ranges.len());
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 <= b.0 => ours.next(),
                (Some(_), None) => ours.next(),
                _ => theirs.next(),
            };
            let Some(range) = next else { return Self { ranges } };
            join(&mut ranges, *range);
        }
    }

    /// What is in both. Linear in the number of intervals.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut i, mut j, mut out) = (0, 0, Vec::new());
        while let (Some(a), Some(b)) = (self.ranges.get(i), other.ranges.get(j)) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                out.push((low, high));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        Self { ranges: out }
    }

    /// What is here and not in `other`. Linear in the number of intervals.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let mut j = 0;
        for &(low, high) in &self.ranges {
            let mut start = low;
            while let Some(cut) = other.ranges.get(j) {
                if cut.1 < start {
                    j += 1;
                    continue;
                }
                if cut.0 > high {
                    break;
                }
                if cut.0 > start {
                    out.push((start, cut.0 - 1));
                }
                if cut.1 >= high {
                    start = 0;
                    break;
                }
                start = cut.1 + 1;
                j += 1;
            }
            if start != 0 && start <= high {
                out.push((start, high));
            }
        }
        Self { ranges: out }
    }

    /// How many UIDs; a set can hold all 4,294,967,295.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(a, b)| u64::from(b - a) + 1).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The lowest and the highest member.
    #[must_use]
    pub fn bounds(&self) -> Option<(u32, u32)> {
        Some((self.ranges.first()?.0, self.ranges.last()?.1))
    }

    /// The intervals, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Every member, ascending. For sets that are known to be small: intersect with what we hold first.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges.iter().flat_map(|&(a, b)| a..=b).filter_map(Uid::new)
    }

    /// Splits off the highest `count` members; the rest stays. Linear in the number of intervals.
    pub fn take_newest(&mut self, count: u64) -> Self {
        let mut taken = Vec::new();
        let mut left = count;
        while left > 0 {
            let Some((a, b)) = self.ranges.pop() else { break };
            let size = u64::from(b - a) + 1;
            if size <= left {
                taken.push((a, b));
                left -= size;
            } else {
                // `left` < size <= 2^32, so it fits.
                let cut = b - u32::try_from(left).unwrap_or(u32::MAX) + 1;
                self.ranges.push((a, cut - 1));
                taken.push((cut, b));
                left = 0;
            }
        }
        taken.reverse();
        Self { ranges: taken }
    }
}

/// Adds an interval that begins at none before the last one's beginning.
fn join(ranges: &mut Vec<(u32, u32)>, (low, high): (u32, u32)) {
    match ranges.last_mut() {
        Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
        _ => ranges.push((low, high)),
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(iter: I) -> Self {
        Self::from_ranges(iter.into_iter().map(|u| (u.get(), u.get())).collect())
    }
}

impl fmt::Display for UidSet {
    /// The wire form; the empty set has none and is written as nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (a, b)) in self.ranges.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if a == b { write!(f, "{a}")? } else { write!(f, "{a}:{b}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UidSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(s: &str) -> UidSet {
        if s.is_empty() { UidSet::new() } else { UidSet::parse(s, u32::MAX).unwrap() }
    }

    #[test]
    fn reads_and_writes_the_wire_form() {
        assert_eq!(set("9:7,3,4,20").to_string(), "3:4,7:9,20");
        assert_eq!(UidSet::parse("5:*", 9).unwrap().to_string(), "5:9");
        for bad in ["", "0", "1:0", ",1", "1,,2", "-1", "+1", "a", "1:", "4294967296"] {
            assert!(UidSet::parse(bad, 9).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_whole_space_costs_nothing() {
        let all = set("1:4294967295");
        assert_eq!(all.len(), 4_294_967_295);
        assert_eq!(all.difference(&set("5")).to_string(), "1:4,6:4294967295");
        assert_eq!(all.intersection(&set("7,9")).to_string(), "7,9");
    }

    fn small() -> impl Strategy<Value = BTreeSet<u32>> {
        proptest::collection::btree_set(1u32..60, 0..30)
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(a in small(), b in small(), n in 0u64..40) {
            let of = |s: &BTreeSet<u32>| -> UidSet { s.iter().filter_map(|n| Uid::new(*n)).collect() };
            let back = |s: &UidSet| -> BTreeSet<u32> { s.iter().map(Uid::get).collect() };
            let (x, y) = (of(&a), of(&b));
            prop_assert_eq!(back(&x.union(&y)), &a | &b);
            prop_assert_eq!(back(&x.intersection(&y)), &a & &b);
            prop_assert_eq!(back(&x.difference(&y)), &a - &b);
            prop_assert_eq!(x.len(), a.len() as u64);
            let mut grown = UidSet::new();
            for n in b.iter().rev().chain(a.iter()) { grown.insert(Uid::new(*n).unwrap()); }
            prop_assert_eq!(&grown, &x.union(&y));
            let mut rest = x.clone();
            let newest = rest.take_newest(n);
            let expect: BTreeSet<u32> = a.iter().rev().take(n as usize).copied().collect();
            prop_assert_eq!(back(&newest), expect);
            prop_assert_eq!(newest.union(&rest), x);
        }
    }
}
