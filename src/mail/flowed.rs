//! flowed — writing `text/plain; format=flowed` (RFC 3676): paragraphs that any reader's program can wrap again.
//! Owns: `encode`. Reading it is `render_text.rs`.
//! May import: base.
//! Start reading at: `encode`.

/// How wide the lines are, with the space that says "goes on". RFC 3676, 4.2, wants at most 78.
const WIDTH: usize = 72;
/// A line that is not longer is left whole: quoted code and patches keep their lines.
const WHOLE: usize = 78;

/// The body (lines divided by `\n`, a line a paragraph) as flowed lines divided by CRLF. Quoted lines keep their depth on
/// each line. Lines break at spaces only, so text without spaces stays in one line.
#[must_use]
pub fn encode(body: &str) -> String {
    let mut out = String::with_capacity(body.len() + body.len() / 32);
    for line in body.split('\n') {
        // The one line that may end in a space (4.3); any other space would join it to the next line.
        if line == "-- " {
            out.push_str("-- \r\n");
            continue;
        }
        let line = line.trim_end();
        let text = line.trim_start_matches('>');
        let depth = line.len() - text.len();
        paragraph(&mut out, depth, if depth > 0 { text.strip_prefix(' ').unwrap_or(text) } else { text });
    }
    out
}

fn paragraph(out: &mut String, depth: usize, text: &str) {
    let room = WIDTH.saturating_sub(depth + 1).max(20);
    let whole = WHOLE.saturating_sub(depth + 1).max(20);
    let mut rest = text;
    loop {
        let cut = if rest.chars().nth(whole).is_none() { rest.len() } else { split(rest, room) };
        let (line, next) = rest.split_at(cut);
        for _ in 0..depth {
            out.push('>');
        }
        // Space-stuffing (4.4): always behind quote marks, else where the line could be taken for something else.
        if (depth > 0 && !line.is_empty()) || line.starts_with([' ', '>']) || line.starts_with("From ") {
            out.push(' ');
        }
        out.push_str(line);
        out.push_str("\r\n");
        if next.is_empty() {
            return;
        }
        rest = next;
    }
}

/// Behind the last space that fits into `room` characters, or behind the first one; the whole if there is none.
fn split(text: &str, room: usize) -> usize {
    let mut best = None;
    for (n, (at, c)) in text.char_indices().enumerate() {
        if n >= room && best.is_some() {
            break;
        }
        // A line of spaces alone, or a signature mark in the middle of a paragraph, would be read as something else.
        let before = text.get(..at).unwrap_or_default();
        if c == ' ' && !before.trim().is_empty() && before != "--" {
            best = Some(at + 1);
        }
    }
    match best {
        Some(cut) if text.chars().count() > room => cut,
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 3676, 4.1, to the letter.
    fn decode(text: &str) -> Vec<(usize, String)> {
        let mut out: Vec<(usize, String)> = Vec::new();
        let mut open = false;
        for line in text.strip_suffix("\r\n").unwrap_or(text).split("\r\n") {
            let body = line.trim_start_matches('>');
            let depth = line.len() - body.len();
            let body = body.strip_prefix(' ').unwrap_or(body);
            let flows = body.ends_with(' ') && body != "-- ";
            match out.last_mut() {
                Some((d, text)) if open && *d == depth && body != "-- " => text.push_str(body),
                _ => out.push((depth, body.to_owned())),
            }
            open = flows;
        }
        out
    }

    #[test]
    fn paragraphs_wrap_and_come_back() {
        let long = "word ".repeat(40);
        let body = format!("{long}\n\n From here\n>> {long}\n> \n-- \nDana");
        let text = encode(&body);
        assert!(text.split("\r\n").all(|l| l.len() <= WIDTH), "{text}");
        let long = long.trim_end().to_owned();
        let want = [
            (0, long.clone()),
            (0, String::new()),
            (0, " From here".to_owned()),
            (2, long),
            (1, String::new()),
            (0, "-- ".to_owned()),
            (0, "Dana".to_owned()),
        ];
        assert_eq!(decode(&text), want);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(lines in proptest::collection::vec("[a-zа-я>\\- ]{0,200}|(From |-- ?)", 1..6)) {
            let body = lines.join("\n");
            let want: Vec<(usize, String)> = lines.iter().map(|l| {
                if l == "-- " { return (0, l.clone()); }
                let l = l.trim_end();
                let text = l.trim_start_matches('>');
                let depth = l.len() - text.len();
                (depth, if depth > 0 { text.strip_prefix(' ').unwrap_or(text) } else { text }.to_owned())
            }).collect();
            let text = encode(&body);
            prop_assert_eq!(decode(&text), want, "{}", text);
        }
    }
}
