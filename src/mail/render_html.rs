//! render_html — HTML as blocks of text, for reading in a terminal.
//! Owns: `blocks`. Submodules: `style` (what is hidden, by CSS), `element` (what a tag is), `flow` (the state machine), `words`
//! (the text between the tags), `table`.
//! May import: base.
//! Start reading at: `blocks`. There is no tree: html5ever's tokenizer feeds a flat state machine whose open elements are
//! capped, so that time is linear whatever the nesting (decisions 26, security M-44). Nothing is ever fetched.

mod element;
mod flow;
mod style;
mod table;
mod words;

use super::layout::Block;
use super::links::Links;
use flow::Flow;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use std::cell::RefCell;
use std::collections::HashMap;

/// The longest HTML that is read, in bytes.
pub const MAX_HTML: usize = 2 * 1024 * 1024;
/// The most attributes of one tag; the tokenizer compares each with all before it.
pub const MAX_ATTRIBUTES: usize = 64;

/// A rendered HTML text.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Html {
    /// The paragraphs.
    pub blocks: Vec<Block>,
    /// How many stretches of hidden text were left out.
    pub hidden: usize,
    /// Whether the text was longer than is read.
    pub cut: bool,
}

/// Reads `html`. `named` says what the part with some Content-ID is called, for images that have no words of their own.
/// Never fails.
#[must_use]
pub fn blocks(html: &str, links: &mut Links, named: &HashMap<String, String>) -> Html {
    let mut end = html.len().min(MAX_HTML);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let text = limit_attributes(html.get(..end).unwrap_or_default());
    let flow = Flow::new(std::mem::take(links), named.clone());
    let sink = Sink { flow: RefCell::new(flow), text: RefCell::default() };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&text));
    // Each script and each encoding that a document names suspends the tokenizer; neither concerns us.
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.flush();
    let (blocks, hidden, found, full) = tokenizer.sink.flow.into_inner().finish();
    *links = found;
    Html { blocks, hidden, cut: full || end < html.len() }
}

struct Sink {
    flow: RefCell<Flow>,
    /// Text since the last tag: the tokenizer hands out single characters where there is nothing but `<` or `&`.
    text: RefCell<String>,
}

impl Sink {
    fn flush(&self) {
        let mut text = self.text.borrow_mut();
        if !text.is_empty() {
            self.flow.borrow_mut().text(&text);
            text.clear();
        }
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => {
                self.flush();
                return tag_token(&mut self.flow.borrow_mut(), &tag);
            }
            Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn tag_token(flow: &mut Flow, tag: &Tag) -> TokenSinkResult<()> {
    if tag.kind == TagKind::EndTag {
        flow.end(&tag.name);
        return TokenSinkResult::Continue;
    }
    flow.start(tag);
    // What a tree builder would tell the tokenizer: whose content is not markup.
    match &*tag.name {
        "script" => TokenSinkResult::RawData(ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

/// Takes away what is beyond [`MAX_ATTRIBUTES`] of a tag. It may take a comment or a script for a tag; there nothing is shown
/// anyway.
fn limit_attributes(html: &str) -> std::borrow::Cow<'_, str> {
    let bytes = html.as_bytes();
    let mut drops: Vec<std::ops::Range<usize>> = Vec::new();
    let mut i = 0;
    while let Some(found) = bytes.get(i..).and_then(|b| b.iter().position(|c| *c == b'<')) {
        i += found + 1;
        if !bytes.get(i).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let (mut count, mut quote, mut drop, mut gap) = (0usize, None, None, false);
        while let Some(&b) = bytes.get(i) {
            match (quote, b) {
                (Some(q), _) if q == b => (quote, gap) = (None, true),
                (Some(_), _) => {}
                (None, b'>') => break,
                (None, b'"' | b'\'') if bytes.get(i.wrapping_sub(1)) == Some(&b'=') => quote = Some(b),
                (None, b'/' | b' ' | b'\t' | b'\n' | b'\r' | 0x0c) => gap = true,
                (None, _) if gap => {
                    gap = false;
                    count += 1;
                    if count > MAX_ATTRIBUTES && drop.is_none() {
                        drop = Some(i);
                    }
                }
                (None, _) => {}
            }
            i += 1;
        }
        if let Some(start) = drop {
            drops.push(start..i);
        }
    }
    if drops.is_empty() {
        return std::borrow::Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    for drop in drops {
        out.push_str(html.get(at..drop.start).unwrap_or_default());
        at = drop.end;
    }
    out.push_str(html.get(at..).unwrap_or_default());
    std::borrow::Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::layout;
    use super::*;
    use crate::base::clock::spent;
    use std::time::Duration;

    fn text(html: &str) -> String {
        let html = blocks(html, &mut Links::default(), &HashMap::new());
        layout::lines(&html.blocks, 60).0.iter().map(|l| l.text() + "\n").collect()
    }

    #[test]
    fn paragraphs_headings_lists_and_quotes() {
        assert_eq!(text("<h1>Title</h1><p>One\n two<p>three<br>four"), "Title\n\nOne two\n\nthree\nfour\n");
        assert_eq!(text("<ul><li>a<li>b<ol start=9><li>c<li>d</ol></ul>e"), "  • a\n  • b\n      9. c\n      10. d\n\ne\n");
        assert_eq!(text("a<blockquote><p>q</p></blockquote>b"), "a\n\n> q\n\nb\n");
        assert_eq!(text("<pre>  x\n   y</pre>"), "  x\n   y\n");
        assert_eq!(text("<div>a</div><div>b</div>"), "a\nb\n");
        assert_eq!(text("a<br><br><br>b"), "a\n\nb\n");
        assert_eq!(text("x &amp; y&nbsp;z &#128512;"), "x & y z 😀\n");
    }

    #[test]
    fn links_have_numbers_and_say_where_they_lead() {
        let mut links = Links::default();
        let html = blocks(
            "<a href='https://a.example/'>here</a> and <a href=\"http://evil.example/x\">https://bank.example</a> <a href='#x'>top</a>",
            &mut links,
            &HashMap::new(),
        );
        let line = &layout::lines(&html.blocks, 80).0[0];
        assert_eq!(line.text(), "here[1] and https://bank.example (→ evil.example)[2] top");
        assert_eq!(line.spans[0].link, Some(1));
        assert!(line.spans.iter().all(|s| s.role != layout::Role::Link || !s.text.as_str().starts_with(' ')), "{line:?}");
        assert!(links.get(2).unwrap().lies);
        assert_eq!(text("<a href='mailto:a@b'>a@b</a>"), "a@b\n");
    }

    #[test]
    fn images_are_their_words() {
        assert_eq!(text("<img alt='A  dog' src=x> <img src=y> <img alt=pixel width=1 height=1>"), "[A dog]\n");
        assert_eq!(text("<a href='http://x.example'><img alt=Buy></a>"), "[Buy][1]\n");
        // What comes with the mail is there to be seen; what would have to be fetched and says nothing is not named.
        let named = HashMap::from([("a@b".to_owned(), "plan.png".to_owned())]);
        let html = blocks("<img src='cid:a@b'><img src='CID:a%40b' width=1><img src='cid:none'>", &mut Links::default(), &named);
        assert_eq!(html.blocks[0].text(), "[plan.png] [image]");
    }

    #[test]
    fn hidden_text_is_left_out_and_counted() {
        for hidden in [
            "<div style='display:none'>SECRET</div>",
            "<span style=\"visibility:hidden\">SECRET</span>",
            "<span style='font-size:0'>SECRET</span>",
            "<font color='#ffffff'>SECRET</font>",
            "<div style='background:#123456;color:#123456'>SECRET</div>",
            "<style>.p{display:none}</style><div class='p'>SECRET</div>",
            "<p hidden>SECRET</p>",
        ] {
            let html = blocks(&format!("<p>seen</p>{hidden}"), &mut Links::default(), &HashMap::new());
            let lines = layout::lines(&html.blocks, 60).0;
            assert_eq!(lines.iter().map(layout::Line::text).collect::<String>(), "seen", "{hidden}");
            assert_eq!(html.hidden, 1, "{hidden}");
        }
        // Sizes and colours that a layout sets and its content sets back.
        assert_eq!(text("<td style='font-size:0px'><div style='font-size:13px'>seen</div>"), "seen\n");
        assert_eq!(text("<td bgcolor=black><font color=white>seen</font>"), "seen\n");
        assert_eq!(text("<td class=dark><font color=white>seen</font>"), "seen\n");
        for none in
            ["<title>SECRET</title>", "<script>SECRET</script>", "<!-- SECRET -->", "<style>SECRET</style>", "<svg>SECRET</svg>"]
        {
            assert_eq!(text(&format!("a{none}b")), "ab\n", "{none}");
        }
    }

    #[test]
    fn tables_of_data_keep_columns_and_layouts_flow() {
        assert_eq!(
            text("<table><tr><th>Name<th>Size<tr><td>North<td>12<tr><td>S<td>3</table>"),
            "Name   Size\nNorth  12\nS      3\n"
        );
        assert_eq!(text("<ul><li>x</ul><table><tr><th>A<th>B<tr><td>1<td>2</table>y"), "  • x\n\nA  B\n1  2\n\ny\n");
        let layout =
            "<table role=presentation><tr><td><table><tr><td>Left<p>more</td><td>Right</td></tr></table></td></tr></table>";
        assert_eq!(text(layout), "Left\n\nmore\n\nRight\n");
        assert_eq!(text("<table><tr><td>Total<td>$5.00</table>"), "Total  $5.00\n");
    }

    #[test]
    fn pathological_input_takes_linear_time() {
        // A fifth of what `tests/corpus/` does with optimisation.
        let many = |s: &str, n: usize| s.repeat(n / 5);
        let inputs = [
            many("<div>", 100_000),
            many("<table><tr><td>", 2_000) + "x",
            many("<table><tr><td>x", 100_000),
            many("<blockquote>", 5_000) + "x",
            many("<ul><li>", 1_000) + "x",
            many("<b>", 100_000) + "x",
            many("<b id=i>", 100_000) + &many("<p>x", 10_000),
            many("<a href=x><p>y", 5_000),
            many("<b></i>", 100_000),
            "<td colspan=100000000>x<ol start=9223372036854775807><li>a<li>b".to_owned(),
            format!("<table><tr>{}</table>", many("<td>x", 50_000)),
            format!("<p {}>x", many("a=1 ", 20_000)),
            format!("<p {}>x", (0..40_000).map(|n| format!("a{n} ")).collect::<String>()),
            many("<", 3_000_000),
            many("&amp;", 1_000_000),
            many("&", 1_000_000),
            format!("<style>{}</style>x", many(".a{display:none}", 300_000)),
            format!("<style>{}</style>x", many("/*", 1_000_000)),
            many("<a href='http://x.example/'>", 50_000),
            many("<br>", 500_000),
            many("<!--", 500_000),
            many("x<td>", 300_000),
            many("</p>", 500_000),
            "x".repeat(600_000),
        ];
        for input in inputs {
            let start = spent();
            let html = blocks(&input, &mut Links::default(), &HashMap::new());
            let (lines, _) = layout::lines(&html.blocks, 20);
            let took = spent() - start;
            // Ten times what is measured here without optimisation; quadratic time is far beyond it.
            assert!(took < Duration::from_secs(10), "{took:?} for {}", &input[..60]);
            assert!(lines.len() <= layout::MAX_LINES);
            eprintln!("{took:?} {}", &input[..input.len().min(40)]);
        }
    }
}
