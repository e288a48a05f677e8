//! render_text — plain text as it was meant: paragraphs of format=flowed (RFC 3676), quotes by level, signatures, patches, links.
//! Owns: `blocks`, `Format`.
//! May import: base.
//! Start reading at: `blocks`.

use super::body::Part;
use super::diff::DiffState;
use super::layout::{Block, Role, Wrap};
use super::links::Links;
use crate::base::width;
use linkify::{LinkFinder, LinkKind};

/// The longest line whose links are looked for, in bytes.
const MAX_LINKED: usize = 64 * 1024;
/// The width of the longest line of a paragraph that was broken by hand or by its writer's program.
const FULL: std::ops::RangeInclusive<usize> = 45..=80;
/// Lines that are indented by this much are code, unless a list hangs there.
const CODE: usize = 4;
/// Tabs stand at every eighth column.
const TAB: usize = 8;

/// How the text says that it is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Format {
    /// `format=flowed`: lines that end in a space go on.
    pub flowed: bool,
    /// `delsp=yes`: that space is not part of the text.
    pub delsp: bool,
    /// The part is a patch.
    pub diff: bool,
}

impl Format {
    /// Of a part's Content-Type.
    #[must_use]
    pub fn of(part: &Part) -> Self {
        Self {
            flowed: part.param("format").eq_ignore_ascii_case("flowed"),
            delsp: part.param("delsp").eq_ignore_ascii_case("yes"),
            diff: matches!(part.mime.as_str(), "text/x-patch" | "text/x-diff" | "text/patch" | "text/diff"),
        }
    }
}

/// One line or one flowed paragraph.
struct Paragraph {
    quote: usize,
    text: String,
}

/// The blocks of a text whose lines are divided by `\n`.
#[must_use]
pub fn blocks(text: &str, format: Format, links: &mut Links) -> Vec<Block> {
    let mut out = Vec::new();
    let mut diff = DiffState::new(format.diff);
    // The quote level of the signature that we are in.
    let mut signature: Option<usize> = None;
    for paragraph in paragraphs(text, format) {
        let Paragraph { quote, text } = paragraph;
        if signature.is_some_and(|level| level != quote) {
            signature = None;
        }
        // A patch ends in a line of two dashes, too: version and all, that is what a signature is.
        if text == "-- " {
            signature = Some(quote);
        }
        let role = match signature {
            Some(_) => Role::Signature,
            None => (if quote == 0 { diff.role(&text) } else { None }).unwrap_or(Role::Text),
        };
        let mut block = Block { quote: quote.min(255) as u8, signature: signature.is_some(), ..Block::default() };
        let expanded = expand_tabs(&text);
        if diff.inside() && signature.is_none() && quote == 0 {
            block.wrap = Wrap::Cells;
            block.push(&expanded, role, None);
        } else {
            // What is indented keeps hanging at its indent when it is wrapped.
            let mut body = expanded.trim_start_matches(' ');
            block.indent = expanded.len() - body.len();
            if signature.is_none() {
                let marker = marker(body);
                block.bullet = body.get(..marker).unwrap_or_default().to_owned();
                body = body.get(marker..).unwrap_or_default();
            }
            linked(&mut block, body.trim_end(), role, links);
        }
        out.push(block);
    }
    while out.last().is_some_and(|b| b.is_empty() && b.quote == 0) {
        out.pop();
    }
    if !format.diff {
        wrapped(&mut out);
    }
    out
}

/// The bytes of the bullet or number of a list that a line begins with.
fn marker(line: &str) -> usize {
    let digits = line.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let mark = match (digits, line.get(digits..).unwrap_or_default().chars().next()) {
        (0, Some(c @ ('*' | '-' | '•' | '–' | '·'))) => c.len_utf8(),
        (1..=3, Some('.' | ')')) => digits + 1,
        _ => return 0,
    };
    let rest = line.get(mark..).unwrap_or_default();
    let spaces = rest.len() - rest.trim_start_matches(' ').len();
    if (1..=4).contains(&spaces) && !rest.trim().is_empty() { mark + spaces } else { 0 }
}

/// Marks the lines that were full when they were written: those whose next word would not have fitted.
fn wrapped(blocks: &mut [Block]) {
    let mut at = 0;
    while at < blocks.len() {
        let mut end = at + 1;
        while let (Some(a), Some(b)) = (blocks.get(end - 1), blocks.get(end))
            && same_paragraph(a, b)
        {
            end += 1;
        }
        let Some(paragraph) = blocks.get_mut(at..end) else { return };
        let widths: Vec<usize> = paragraph.iter().map(|b| b.indent + width::width(&b.bullet) + width::width(b.text())).collect();
        let full = widths.iter().copied().max().unwrap_or(0);
        let words: Vec<usize> = paragraph.iter().map(|b| width::width(b.text().split(' ').next().unwrap_or_default())).collect();
        if FULL.contains(&full) {
            for (n, block) in paragraph.iter_mut().enumerate() {
                let (Some(wide), Some(next)) = (widths.get(n), words.get(n + 1)) else { continue };
                block.goes_on = wide + 1 + next > full.max(*FULL.start() + 10);
            }
        }
        at = end;
    }
}

/// Whether `b` can be the next line of what `a` belongs to: no list, no table, no code.
fn same_paragraph(a: &Block, b: &Block) -> bool {
    let prose = |b: &Block| {
        b.wrap == Wrap::Words && !b.signature && !b.is_empty() && !b.text().contains("   ") && !b.text().contains('|')
    };
    let begins = |b: &Block| b.text().chars().next().is_some_and(|c| !c.is_alphabetic());
    prose(a)
        && prose(b)
        && a.quote == b.quote
        && b.bullet.is_empty()
        && b.indent == a.indent + width::width(&a.bullet)
        && (b.indent < CODE || !a.bullet.is_empty())
        // Lines that both begin with a date or a bracket are a log.
        && !(a.bullet.is_empty() && begins(a) && begins(b))
}

/// Adds text with its links marked.
pub(super) fn linked(block: &mut Block, text: &str, role: Role, links: &mut Links) {
    // Looking for links costs more than everything else here: only where there can be one.
    if text.len() > MAX_LINKED || !(text.contains("://") || text.contains('@') || text.contains("mailto:")) {
        block.push(text, role, None);
        return;
    }
    let mut at = 0;
    for found in LinkFinder::new().links(text) {
        let href = match found.kind() {
            LinkKind::Email => format!("mailto:{}", found.as_str()),
            _ => found.as_str().to_owned(),
        };
        let Some(number) = links.add(&href, found.as_str()) else { continue };
        block.push(text.get(at..found.start()).unwrap_or_default(), role, None);
        block.push(found.as_str(), Role::Link, Some(number));
        at = found.end();
    }
    block.push(text.get(at..).unwrap_or_default(), role, None);
}

fn paragraphs(text: &str, format: Format) -> Vec<Paragraph> {
    let mut out: Vec<Paragraph> = Vec::new();
    // Whether the last line ended in a soft break.
    let mut open = false;
    let mut blank = true;
    for line in text.split('\n') {
        let (quote, body) = if format.flowed { flowed_quote(line) } else { quote(line, blank) };
        blank = line.trim().is_empty();
        let soft = format.flowed && body.ends_with(' ') && body != "-- ";
        let kept = if soft && format.delsp { body.strip_suffix(' ').unwrap_or(body) } else { body };
        match out.last_mut() {
            Some(last) if open && last.quote == quote && body != "-- " => last.text.push_str(kept),
            _ => out.push(Paragraph { quote, text: kept.to_owned() }),
        }
        open = soft;
    }
    out
}

/// RFC 3676, 4.5: marks without spaces between, then one stuffed space.
fn flowed_quote(line: &str) -> (usize, &str) {
    let body = line.trim_start_matches('>');
    (line.len() - body.len(), body.strip_prefix(' ').unwrap_or(body))
}

/// Marks as people write them: `> > text`, `>>text`. `>From` at the start of a paragraph is an escaped `From`.
fn quote(line: &str, after_blank: bool) -> (usize, &str) {
    if after_blank && line.starts_with(">From ") {
        return (0, line.get(1..).unwrap_or_default());
    }
    let (mut level, mut rest) = (0, line);
    loop {
        let next = rest.strip_prefix('>').or_else(|| rest.strip_prefix(" >").filter(|_| level > 0));
        match next {
            Some(next) => (level, rest) = (level + 1, next),
            None => break,
        }
    }
    (level, if level > 0 { rest.strip_prefix(' ').unwrap_or(rest) } else { rest })
}

fn expand_tabs(line: &str) -> String {
    if !line.contains('\t') {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 16);
    let mut column = 0;
    for c in line.chars() {
        if c == '\t' {
            let fill = TAB - column % TAB;
            out.extend(std::iter::repeat_n(' ', fill));
            column += fill;
        } else {
            out.push(c);
            column += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::layout;
    use super::*;

    fn of(text: &str, format: Format) -> Vec<Block> {
        blocks(text, format, &mut Links::default())
    }

    fn shown(text: &str, format: Format) -> Vec<(u8, String)> {
        of(text, format).iter().map(|b| (b.quote, b.text().to_owned())).collect()
    }

    const FLOWED: Format = Format { flowed: true, delsp: false, diff: false };

    #[test]
    fn quotes_have_levels() {
        assert_eq!(
            shown("> > deep\n>>also\n> one\nnone\n\n>From here", Format::default()),
            [(2, "deep"), (2, "also"), (1, "one"), (0, "none"), (0, ""), (0, "From here")].map(|(q, t)| (q, t.to_owned()))
        );
    }

    #[test]
    fn flowed_paragraphs_join() {
        assert_eq!(
            shown("one \ntwo\n>> a \n>> b\n> c\n-- \nme", FLOWED),
            [(0, "one two"), (2, "a b"), (1, "c"), (0, "--"), (0, "me")].map(|(q, t)| (q, t.to_owned()))
        );
        let delsp = Format { delsp: true, ..FLOWED };
        assert_eq!(shown("日本 \n語", delsp)[0].1, "日本語");
        assert_eq!(shown(" >no quote\n From", FLOWED)[0], (0, ">no quote".to_owned()));
    }

    #[test]
    fn lines_that_were_full_are_broken_anew() {
        let text = "this paragraph was broken by the program of its writer at some\ncolumn near to seventy, and goes on until it ends here.\nshort\n\n\
                    1. a point of a list, which is long enough to be broken, and\n   goes on below its text\n2. two\n\n\
                    Good winds,\nthe people\n\n2026-11-20 12:00:01 a log whose lines are all equally long indeed\n2026-11-20 12:00:02 a log whose lines are all equally long indeed\n";
        let lines = |cells: usize| -> Vec<String> {
            layout::lines(&of(text, Format::default()), cells).0.iter().map(layout::Line::text).collect()
        };
        assert_eq!(lines(80).join("\n") + "\n", text, "what fits stays as it is");
        let narrow = lines(40);
        assert_eq!(
            narrow[..4],
            [
                "this paragraph was broken by the program",
                "of its writer at some column near to",
                "seventy, and goes on until it ends here.",
                "short"
            ]
        );
        assert_eq!(
            narrow[5..9],
            ["1. a point of a list, which is long", "   enough to be broken, and goes on", "   below its text", "2. two"]
        );
        assert_eq!(narrow[10..12], ["Good winds,", "the people"]);
        assert_eq!(narrow.iter().filter(|l| l.starts_with("2026")).count(), 2);
        let quoted: Vec<String> = text.lines().map(|l| format!("> {l}")).collect();
        let quoted = layout::lines(&of(&quoted.join("\n"), Format::default()), 42).0;
        assert_eq!(quoted[1].text(), "> of its writer at some column near to");
    }

    #[test]
    fn signatures_are_known() {
        let all = of("text\n-- \nAnn\nhttps://ann.example", Format::default());
        assert_eq!(all.iter().map(|b| b.signature).collect::<Vec<_>>(), [false, true, true, true]);
        let all = of("> -- \n> Ann\ntext", Format::default());
        assert!(all[1].signature && !all[2].signature);
    }

    #[test]
    fn links_are_numbered() {
        let mut links = Links::default();
        let all = blocks("see <https://a.example/x>, or mail b@c.example", Format::default(), &mut links);
        let lines = layout::lines(&all, 80).0;
        let found: Vec<_> = lines[0].spans.iter().filter_map(|s| s.link.map(|n| (n, s.text.as_str()))).collect();
        assert_eq!(found, [(1, "https://a.example/x"), (2, "b@c.example")]);
        assert_eq!(links.get(2).unwrap().url, "mailto:b@c.example");
    }

    proptest::proptest! {
        /// Whatever a text is made of, nothing of it is lost to the links in it, and each leads somewhere printable.
        #[test]
        fn links_take_nothing_from_a_text(pieces in proptest::collection::vec(PIECES, 0..60)) {
            let text = pieces.concat();
            let mut links = Links::default();
            let (mut block, mut plain) = (Block::default(), Block::default());
            linked(&mut block, &text, Role::Text, &mut links);
            plain.push(&text, Role::Text, None);
            proptest::prop_assert_eq!(block.text(), plain.text());
            for link in links.into_vec() {
                proptest::prop_assert!(!link.url.is_empty() && link.url.bytes().all(|b| (0x21..0x7f).contains(&b)), "{:?}", link);
            }
        }
    }

    /// What links are made of, and what ends them.
    const PIECES: &str = "https?://|mailto:|www\\.|[a-z]{1,8}|[.@:/?#&=%()<>\\[\\]\"' \t-]|xn--|\\PC|[äß香\u{202e}]";

    #[test]
    fn patches_keep_their_columns() {
        let patch = "Words.\n---\n a.c | 2 +-\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,2 @@ f\n-\told\n+\tnew\n same\n-- \n2.39\n";
        let all = of(patch, Format::default());
        let roles: Vec<Role> = layout::lines(&all, 80).0.iter().map(|l| l.spans.last().map_or(Role::Text, |s| s.role)).collect();
        assert!(roles.contains(&Role::Added) && roles.contains(&Role::Removed) && roles.contains(&Role::Hunk));
        assert_eq!(roles.last(), Some(&Role::Signature));
        assert!(all.iter().any(|b| b.text() == "-       old"));
    }

    #[test]
    fn long_lines_take_linear_time() {
        for text in ["a@".repeat(500_000), ">".repeat(1_000_000), "http://".repeat(100_000), "\t".repeat(100_000)] {
            assert!(!of(&text, Format::default()).is_empty() || text.trim().is_empty());
        }
    }
}
