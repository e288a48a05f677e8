//! width — how many cells text takes, and how to cut, pad and wrap it by them.
//! Owns: `width`, `drawn`, `truncate`, `pad`, `pad_left`, `wrap`. May import: nothing of ours.
//! Start reading at: `width`: the sum over grapheme clusters as they are drawn, so that what is measured is what is seen.
//! Everything here is linear in the text it looks at.

use std::borrow::Cow;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The cells that `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if plain(text) { text.len() } else { text.graphemes(true).map(cell).sum() }
}

/// The cells of one grapheme cluster, as it is drawn.
#[must_use]
pub fn cell(grapheme: &str) -> usize {
    drawn_cluster(grapheme).width()
}

/// `text` as it is handed to a terminal: clusters of emoji on whose width terminals disagree as their first character alone,
/// flags as their two letters. Else a terminal that counts otherwise leaves cells behind that nobody wipes.
#[must_use]
pub fn drawn(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(disputed) {
        return Cow::Borrowed(text);
    }
    text.graphemes(true).map(drawn_cluster).collect::<String>().into()
}

/// What terminals disagree about: selectors of a form, joiners, skin tones, keycaps, tags, the letters of flags.
fn disputed(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{20e3}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

fn drawn_cluster(grapheme: &str) -> Cow<'_, str> {
    let mut chars = grapheme.chars();
    let Some(first) = chars.next() else { return Cow::Borrowed(grapheme) };
    if let '\u{1f1e6}'..='\u{1f1ff}' = first {
        let letter = |c: char| char::from_u32(u32::from(c).wrapping_sub(0x1f1e6) + u32::from('A')).unwrap_or(c);
        let letters = grapheme.chars().filter(|c| ('\u{1f1e6}'..='\u{1f1ff}').contains(c)).map(letter);
        return letters.collect::<String>().into();
    }
    // Joiners of other scripts make their letters, and stay.
    let emoji =
        matches!(first, '#' | '*' | '0'..='9' | '©' | '®' | '\u{200d}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}');
    if emoji && chars.any(disputed) {
        return Cow::Borrowed(grapheme.get(..first.len_utf8()).unwrap_or_default());
    }
    Cow::Borrowed(grapheme)
}

/// The longest start of `text` that fits into `cells`, in bytes, and the cells it takes.
#[must_use]
pub fn fit(text: &str, cells: usize) -> (usize, usize) {
    // Letters of ASCII take a cell each, but for the last one before others: a mark may follow that joins it.
    let ascii = text.bytes().take(cells.saturating_add(2)).take_while(|b| matches!(b, 0x20..=0x7e)).count();
    if ascii == text.len() || ascii > cells {
        return (ascii.min(cells), ascii.min(cells));
    }
    let mut used = ascii.saturating_sub(1);
    let start = used;
    for (at, grapheme) in text.get(start..).unwrap_or_default().grapheme_indices(true) {
        let wide = cell(grapheme);
        if used + wide > cells {
            return (start + at, used);
        }
        used += wide;
    }
    (text.len(), used)
}

/// `text` in at most `cells`; what does not fit ends in `…`.
#[must_use]
pub fn truncate(text: &str, cells: usize) -> Cow<'_, str> {
    let (whole, _) = fit(text, cells);
    if whole == text.len() {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let (cut, _) = fit(text, cells - 1);
    Cow::Owned(format!("{}…", text.get(..cut).unwrap_or_default().trim_end()))
}

/// `text` in exactly `cells`: cut with `…` or filled with spaces on the right.
#[must_use]
pub fn pad(text: &str, cells: usize) -> String {
    let mut out = truncate(text, cells).into_owned();
    out.extend(std::iter::repeat_n(' ', cells.saturating_sub(width(&out))));
    out
}

/// `text` in exactly `cells`: cut with `…` or filled with spaces on the left.
#[must_use]
pub fn pad_left(text: &str, cells: usize) -> String {
    let cut = truncate(text, cells);
    format!("{}{cut}", " ".repeat(cells.saturating_sub(width(&cut))))
}

/// Breaks one paragraph into lines of at most `cells`, as byte ranges without the white space at the breaks. Breaks at
/// spaces and between wide characters; a word that is wider than a line is cut where it must be. A grapheme wider than a
/// line has a line to itself. An empty text is one empty line.
#[must_use]
pub fn wrap(text: &str, cells: usize) -> Vec<Range<usize>> {
    wrap_hanging(text, cells, cells)
}

/// As [`wrap`], with another width for the first line.
#[must_use]
pub fn wrap_hanging(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut room = first.max(1);
    // The line so far, and the last place where it may be broken: (end of this line, start of the next).
    let (mut start, mut used) = (0, 0);
    let mut chance: Option<(usize, usize, usize)> = None;
    let mut previous: Option<&str> = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let wide = cell(grapheme);
        let space = grapheme == " ";
        if at > start
            && !space
            && let Some(before) = previous
            && may_break(before, grapheme)
        {
            chance = Some((at, at, used));
        }
        if !space && used + wide > room && at > start {
            let (end, next, before) = chance.take().filter(|c| c.1 > start).unwrap_or((at, at, used));
            lines.push(start..trimmed(text, start, end));
            (start, used, room) = (next, used - before, rest.max(1));
            // A piece behind the break that is too wide by itself is cut, too.
            if used + wide > room && at > start {
                lines.push(start..at);
                (start, used) = (at, 0);
            }
        }
        used += wide;
        previous = Some(grapheme);
    }
    lines.push(start..trimmed(text, start, text.len()));
    lines
}

fn trimmed(text: &str, start: usize, end: usize) -> usize {
    start + text.get(start..end).unwrap_or_default().trim_end_matches(' ').len()
}

/// Whether a line may end between these two: behind a space, and beside wide characters, but not before closing
/// punctuation or behind opening punctuation.
fn may_break(before: &str, after: &str) -> bool {
    const NOT_FIRST: &str = "、。，．：；！？）」』】〕》〉’”…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ・%,.:;!?)]}";
    const NOT_LAST: &str = "（「『【〔《〈‘“([{";
    let first = |s: &str| s.chars().next().unwrap_or(' ');
    if before == " " {
        return true;
    }
    let ideograph = |c: char| c.width() == Some(2) && !is_hangul(c);
    let (b, a) = (first(before), first(after));
    (ideograph(b) || ideograph(a)) && !NOT_FIRST.contains(a) && !NOT_LAST.contains(b)
}

/// Korean is written with spaces and broken at them.
fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}')
}

/// Whether each byte is one cell.
pub fn plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, cells: usize) -> Vec<&str> {
        wrap(text, cells).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn emoji_are_drawn_as_what_all_terminals_agree_on() {
        for (text, seen, cells) in [
            ("👍🏽", "👍", 2),
            ("👩\u{200d}🔬", "👩", 2),
            ("👨\u{200d}👩\u{200d}👧\u{200d}👦", "👨", 2),
            ("☂\u{fe0f}", "☂", 1),
            ("❤\u{fe0f}\u{200d}🔥", "❤", 1),
            ("⌚\u{fe0e}", "⌚", 2),
            ("🏳\u{fe0f}\u{200d}🌈", "🏳", 1),
            ("1\u{fe0f}\u{20e3}", "1", 1),
            ("🇩🇪", "DE", 2),
            ("🇩🇪🇫", "DEF", 3),
            ("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴", 2),
            ("☝🏽", "☝", 1),
            ("🎉", "🎉", 2),
            ("क\u{94d}\u{200d}ष", "क\u{94d}\u{200d}ष", width("क\u{94d}\u{200d}ष")),
            ("e\u{301}", "e\u{301}", 1),
        ] {
            assert_eq!((drawn(text).as_ref(), width(text)), (seen, cells), "{text}");
            assert_eq!(width(&drawn(text)), cells, "{text}");
        }
        assert_eq!(drawn("a 👍🏽 b 🇩🇪"), "a 👍 b DE");
    }

    #[test]
    fn widths() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("日本"), 4);
        assert_eq!(width("👩\u{200d}🔬"), 2);
        assert_eq!(width("e\u{301}"), 1);
    }

    #[test]
    fn cutting_and_padding() {
        assert_eq!(truncate("hello", 5), "hello");
        assert_eq!(truncate("hello!", 5), "hell…");
        assert_eq!(truncate("日本語", 5), "日本…");
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate("x", 0), "");
        assert_eq!(pad("日本語", 4), "日… ");
        assert_eq!(pad_left("7", 3), "  7");
    }

    #[test]
    fn wrapping() {
        assert_eq!(lines("one two three", 7), ["one two", "three"]);
        assert_eq!(lines("one two  three", 8), ["one two", "three"]);
        assert_eq!(lines("", 5), [""]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("a abcdefgh", 3), ["a", "abc", "def", "gh"]);
        // No line starts with a full stop.
        assert_eq!(lines("日本語の文章。", 6), ["日本語", "の文", "章。"]);
        assert_eq!(lines("한국어 문장", 7), ["한국어", "문장"]);
        assert_eq!(lines("日", 1), ["日"]);
    }

    proptest! {
        #[test]
        fn letters_of_ascii_are_counted_as_all_others(text in "[a-z# ]{0,20}[a-z 日。👩é\u{301}\u{fe0f}\u{20e3}\t]{0,9}[a-z]{0,9}", cells in 0usize..30) {
            let mut slowly = (0, 0);
            for grapheme in text.graphemes(true) {
                if slowly.1 + cell(grapheme) > cells {
                    break;
                }
                slowly = (slowly.0 + grapheme.len(), slowly.1 + cell(grapheme));
            }
            prop_assert_eq!(fit(&text, cells), slowly);
        }

        #[test]
        fn nothing_is_lost_and_all_fits(text in "[a-z 日本。👩é]{0,60}", cells in 2usize..20) {
            let ranges = wrap(&text, cells);
            let mut at = 0;
            for range in &ranges {
                prop_assert!(text[at..range.start].chars().all(|c| c == ' '));
                prop_assert!(width(&text[range.clone()]) <= cells, "{:?}", &text[range.clone()]);
                at = range.end;
            }
            prop_assert!(text[at..].chars().all(|c| c == ' '));
            prop_assert_eq!(width(&pad(&text, cells)), cells);
            prop_assert!(width(&truncate(&text, cells)) <= cells);
        }
    }

    #[test]
    fn a_long_word_takes_linear_time() {
        let text = "x".repeat(1_000_000);
        assert_eq!(wrap(&text, 20).len(), 50_000);
        assert_eq!(wrap(&" ".repeat(1_000_000), 20).len(), 1);
    }
}
