//! oracle — what a program may tell its terminal: an allow-list. Whatever is not on it came from somebody else.
//! Start reading at: `obeys_only_us`.

/// Private modes that we set: cursor, other screen, mouse, paste, whole frames, wrap, cursor keys.
const MODES: [&str; 10] = ["?25", "?1049", "?1000", "?1002", "?1003", "?1006", "?2004", "?2026", "?7", "?1"];
/// Final letters of sequences that draw or move.
const FINALS: &str = "mHfABCDGdJKXrSTLM@P";
/// The title is ours, the colour of the background is asked for, and a notice rings.
const TITLE: &str = "2;Postrider";
const BACKGROUND: &str = "11;?";

/// Panics at the first sequence that is none of ours.
#[track_caller]
pub fn obeys_only_us(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    let near = |at: usize| letters[at.saturating_sub(40)..letters.len().min(at + 40)].iter().collect::<String>();
    while let Some(c) = letters.get(at) {
        at += 1;
        match c {
            '\x1b' => at = sequence(&letters, at).unwrap_or_else(|why| panic!("{why} at {:?}", near(at))),
            '\x08' | '\r' | '\n' | '\x07' => {}
            c if c.is_control() => panic!("{c:?} at {:?}", near(at)),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => panic!("{c:?} at {:?}", near(at)),
            _ => {}
        }
    }
}

/// Behind ESC: to behind the sequence.
fn sequence(letters: &[char], at: usize) -> Result<usize, String> {
    let rest = &letters[at..];
    match rest.first() {
        Some('[') => {
            let end = rest.iter().skip(1).position(|c| ('@'..='~').contains(c)).ok_or("a sequence without end")? + 1;
            let (arguments, last): (String, char) = (rest[1..end].iter().collect(), rest[end]);
            let fine = match last {
                'h' | 'l' => arguments.split(';').all(|m| {
                    MODES.contains(&m.split(';').next().unwrap_or_default()) || MODES.contains(&format!("?{m}").as_str())
                }),
                // The title is kept and given back; the shape of the cursor; whether keys can be told apart is asked.
                't' => ["22;2", "23;2"].contains(&arguments.as_str()),
                'q' => arguments.ends_with(' '),
                _ => FINALS.contains(last) && arguments.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':'),
            };
            if fine { Ok(at + end + 1) } else { Err(format!("CSI {arguments}{last}")) }
        }
        Some(']') => {
            let end = rest.iter().position(|c| *c == '\x07' || *c == '\x1b').ok_or("a string without end")?;
            let text: String = rest[1..end].iter().collect();
            if !text.starts_with(TITLE) && text != BACKGROUND {
                return Err(format!("OSC {text}"));
            }
            let last = usize::from(rest[end] == '\x1b');
            Ok(at + end + 1 + last)
        }
        Some('7' | '8' | '=' | '>') => Ok(at + 1),
        Some('(') => Ok(at + 2),
        other => Err(format!("ESC {other:?}")),
    }
}
