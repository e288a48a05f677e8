//! wrap — where lines of the text fall on the screen: soft wrap by cells, and the way up and down through it.
//! Owns: `Layout`, `Spot`.
//! May import: base.
//! Start reading at: `Layout`. Nothing here changes the text: a wrapped line stays one line in the mail.

use super::buffer::{Buffer, Pos};
use crate::base::width;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation as _;

/// A row on the screen: a line of the text, and which of its rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Spot {
    /// The line.
    pub line: usize,
    /// The row in it, from 0.
    pub row: usize,
}

/// The buffer as rows of a width.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    buffer: &'a Buffer,
    /// In cells, at least 2: one wide character must fit. The cursor may stand one cell behind them.
    cells: usize,
}

impl<'a> Layout<'a> {
    /// Rows of `cells`; the pane has one cell more, where the cursor stands behind a full row.
    #[must_use]
    pub fn new(buffer: &'a Buffer, cells: usize) -> Self {
        Self { buffer, cells: cells.max(2) }
    }

    /// The rows of a line as byte ranges that meet: spaces at a break belong to the row before it and may hang over.
    #[must_use]
    pub fn rows(&self, line: usize) -> Vec<Range<usize>> {
        let text = self.buffer.line(line);
        if text.len() <= self.cells && text.is_ascii() {
            return std::iter::once(0..text.len()).collect();
        }
        let mut rows = width::wrap(text, self.cells);
        let starts: Vec<usize> = rows.iter().skip(1).map(|r| r.start).chain([text.len()]).collect();
        for (row, end) in rows.iter_mut().zip(starts) {
            row.end = end;
        }
        rows
    }

    fn text(&self, line: usize, row: &Range<usize>) -> &'a str {
        self.buffer.line(line).get(row.clone()).unwrap_or_default()
    }

    /// The row and the column (in cells) of a place. A place at a break is at the start of the row behind it.
    #[must_use]
    pub fn spot(&self, pos: Pos) -> (Spot, usize) {
        let rows = self.rows(pos.line);
        let row = rows.partition_point(|r| r.start <= pos.byte).saturating_sub(1);
        let start = rows.get(row).map_or(0, |r| r.start);
        let column = width::width(self.buffer.line(pos.line).get(start..pos.byte).unwrap_or_default());
        (Spot { line: pos.line, row }, column.min(self.cells))
    }

    /// The place in a row that is nearest to a column, not behind it.
    #[must_use]
    pub fn place(&self, spot: Spot, column: usize) -> Pos {
        let rows = self.rows(spot.line);
        let Some(row) = rows.get(spot.row).or(rows.last()) else { return Pos { line: spot.line, byte: 0 } };
        let mut byte = row.start;
        let mut used = 0;
        for (at, cluster) in self.text(spot.line, row).grapheme_indices(true) {
            let wide = width::cell(cluster);
            byte = row.start + at;
            if used + wide > column {
                return Pos { line: spot.line, byte };
            }
            used += wide;
            byte += cluster.len();
        }
        // The end of a row that goes on is the start of the next one: stay before its last cluster.
        let wrapped = rows.get(spot.row + 1).is_some_and(|next| next.start == byte && byte > row.start);
        let pos = Pos { line: spot.line, byte };
        if wrapped { self.buffer.left(pos) } else { pos }
    }

    /// `count` rows further down (or up), as far as there are any.
    #[must_use]
    pub fn step(&self, from: Spot, count: isize) -> Spot {
        let mut at = from;
        let mut left = count.unsigned_abs();
        while left > 0 {
            if count > 0 {
                let behind = self.rows(at.line).len().saturating_sub(at.row + 1);
                if left <= behind {
                    return Spot { line: at.line, row: at.row + left };
                }
                if at.line + 1 >= self.buffer.len() {
                    return Spot { line: at.line, row: at.row + behind };
                }
                left -= behind + 1;
                at = Spot { line: at.line + 1, row: 0 };
            } else {
                if left <= at.row {
                    return Spot { line: at.line, row: at.row - left };
                }
                let Some(line) = at.line.checked_sub(1) else { return Spot::default() };
                left -= at.row + 1;
                at = Spot { line, row: self.rows(line).len() - 1 };
            }
        }
        at
    }

    /// The first row to show so that `cursor` is among `height` rows, moved as little as can be from `top`.
    #[must_use]
    pub fn scroll(&self, top: Spot, cursor: Spot, height: usize) -> Spot {
        let rows = self.rows(top.line.min(self.buffer.len() - 1)).len();
        let top = Spot { line: top.line.min(self.buffer.len() - 1), row: top.row.min(rows - 1) };
        if cursor < top {
            // A step up shows one row more; a leap shows what stands before the place.
            let leap = self.step(cursor, isize::try_from(height).unwrap_or(isize::MAX)) < top;
            let before = isize::try_from(height / 4).unwrap_or(0).min(3);
            return if leap { self.step(cursor, -before) } else { cursor };
        }
        let back = isize::try_from(height.max(1) - 1).unwrap_or(isize::MAX);
        let first = self.step(cursor, -back);
        if first > top { first } else { top }
    }

    /// The rows from `top` on, at most `height`: (where, its text).
    #[must_use]
    pub fn visible(&self, top: Spot, height: usize) -> Vec<(Spot, &'a str)> {
        let mut out = Vec::with_capacity(height);
        for line in top.line..self.buffer.len() {
            let skip = if line == top.line { top.row } else { 0 };
            for (row, range) in self.rows(line).iter().enumerate().skip(skip) {
                if out.len() == height {
                    return out;
                }
                out.push((Spot { line, row }, self.text(line, range)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str, cells: usize) -> Vec<String> {
        let buffer = Buffer::new(text);
        Layout::new(&buffer, cells).visible(Spot::default(), 99).into_iter().map(|(_, t)| t.to_owned()).collect()
    }

    #[test]
    fn rows_by_width() {
        assert_eq!(rows("one two three\n\nx", 8), ["one two ", "three", "", "x"]);
        assert_eq!(rows("日本語テキスト", 6), ["日本語", "テキス", "ト"]);
        assert_eq!(rows("abcd", 4), ["abcd"]);
        assert_eq!(rows("", 4), [""]);
    }

    #[test]
    fn up_and_down_by_rows() {
        let buffer = Buffer::new("one two three\n日本");
        let l = Layout::new(&buffer, 8);
        assert_eq!(l.spot(Pos { line: 0, byte: 9 }), (Spot { line: 0, row: 1 }, 1));
        assert_eq!(l.step(Spot::default(), 2), Spot { line: 1, row: 0 });
        assert_eq!(l.step(Spot::default(), 9), Spot { line: 1, row: 0 });
        assert_eq!(l.step(Spot { line: 1, row: 0 }, -1), Spot { line: 0, row: 1 });
        assert_eq!(l.place(Spot { line: 1, row: 0 }, 3), Pos { line: 1, byte: 3 });
        assert_eq!(l.place(Spot { line: 1, row: 0 }, 9), Pos { line: 1, byte: 6 });
        // The end of a wrapped row is before its last character, so that the cursor stays in the row.
        assert_eq!(l.place(Spot { line: 0, row: 0 }, 99), Pos { line: 0, byte: 7 });
        assert_eq!(l.scroll(Spot::default(), Spot { line: 1, row: 0 }, 2), Spot { line: 0, row: 1 });
    }

    proptest! {
        #[test]
        fn each_byte_is_in_one_row(text in "[a-z 日本é👩\\u{200d}🔬\\u{301}\\n]{0,60}", cells in 0usize..20, column in 0usize..20) {
            let buffer = Buffer::new(&text);
            let l = Layout::new(&buffer, cells);
            prop_assert_eq!(l.visible(Spot::default(), 999).iter().fold((String::new(), 0), |(mut out, line), (s, t)| {
                if s.line != line { out.push('\n'); }
                out.push_str(t);
                (out, s.line)
            }).0, text);
            for line in 0..buffer.len() {
                for row in 0..l.rows(line).len() {
                    let pos = l.place(Spot { line, row }, column);
                    prop_assert_eq!(buffer.snap(pos), pos);
                    let (spot, x) = l.spot(pos);
                    prop_assert_eq!(spot, Spot { line, row });
                    prop_assert!(x <= column);
                }
            }
        }
    }
}
