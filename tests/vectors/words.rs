//! words — commands read into words, messages written as FETCH items.
//! Start reading at: `read`, `item`.

use super::imap::Mail;

/// A piece of a command.
#[derive(Clone, Debug)]
pub enum Word {
    Atom(Vec<u8>),
    List(Vec<Word>),
}

impl Word {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Atom(bytes) => bytes.clone(),
            Self::List(_) => Vec::new(),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    pub fn list(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(all) => Some(all.clone()),
            Self::Atom(_) => None,
        }
    }
}

/// A command with its literals.
pub fn read(command: &[u8]) -> Vec<Word> {
    list(command, &mut 0)
}

fn list(text: &[u8], at: &mut usize) -> Vec<Word> {
    let mut out = Vec::new();
    while let Some(byte) = text.get(*at) {
        *at += 1;
        match byte {
            b' ' => {}
            b'(' => out.push(Word::List(list(text, at))),
            b')' => return out,
            b'"' => out.push(Word::Atom(quoted(text, at))),
            b'{' => {
                let end = *at + text[*at..].iter().position(|b| *b == b'\n').unwrap();
                let digits: String = text[*at..end].iter().filter(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
                let (from, size) = (end + 1, digits.parse::<usize>().unwrap());
                out.push(Word::Atom(text[from..from + size].to_vec()));
                *at = from + size;
            }
            _ => {
                let (from, mut depth) = (*at - 1, 0);
                *at = from;
                while let Some(b) = text.get(*at) {
                    match b {
                        b'[' => depth += 1,
                        b']' => depth -= 1,
                        b' ' | b'(' | b')' if depth <= 0 => break,
                        _ => {}
                    }
                    *at += 1;
                }
                out.push(Word::Atom(text[from..*at].to_vec()));
            }
        }
    }
    out
}

fn quoted(text: &[u8], at: &mut usize) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(byte) = text.get(*at) {
        *at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                out.extend(text.get(*at));
                *at += 1;
            }
            other => out.push(*other),
        }
    }
    out
}

/// As a server writes a string: a literal where quotes would not do.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    if bytes.iter().all(|b| (b' '..=b'~').contains(b) && !matches!(b, b'"' | b'\\')) {
        return [b"\"", bytes, b"\""].concat();
    }
    [format!("{{{}}}\r\n", bytes.len()).as_bytes(), bytes].concat()
}

fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let at = raw.windows(4).position(|w| w == b"\r\n\r\n").map_or(raw.len(), |n| n + 4);
    raw.split_at(at)
}

/// A header field.
pub fn field(raw: &[u8], name: &str) -> String {
    let head = String::from_utf8_lossy(split(raw).0).into_owned();
    let found = head.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)));
    found.map_or_else(String::new, |(_, value)| value.trim_end().to_owned())
}

/// One item of a FETCH answer; nothing for what this server does not know.
pub fn item(mail: &Mail, asked: &str) -> Option<Vec<u8>> {
    let name = asked.to_ascii_uppercase();
    let text = match name.as_str() {
        "UID" => format!("UID {}", mail.uid),
        "FLAGS" => format!("FLAGS ({})", mail.flags.iter().cloned().collect::<Vec<_>>().join(" ")),
        "INTERNALDATE" => format!("INTERNALDATE \"{}\"", mail.date),
        "X-GM-MSGID" | "X-GM-THRID" => format!("{name} {}", mail.object.trim_start_matches('M')),
        "X-GM-LABELS" => "X-GM-LABELS ()".to_owned(),
        "EMAILID" => format!("EMAILID ({})", mail.object),
        "RFC822.SIZE" => format!("RFC822.SIZE {}", mail.raw.len()),
        "ENVELOPE" => return Some(envelope(&mail.raw)),
        "BODYSTRUCTURE" => {
            let (size, lines) = (split(&mail.raw).1.len(), split(&mail.raw).1.split(|b| *b == b'\n').count() - 1);
            format!("BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" {size} {lines} NIL NIL NIL NIL)")
        }
        other => return section(mail, other),
    };
    Some(text.into_bytes())
}

fn section(mail: &Mail, asked: &str) -> Option<Vec<u8>> {
    let inner = asked.split_once('[')?.1;
    let (inner, partial) = inner.rsplit_once(']')?;
    let (head, body) = split(&mail.raw);
    let mut bytes = match inner.split(' ').next()? {
        "" => mail.raw.clone(),
        "HEADER" => head.to_vec(),
        "HEADER.FIELDS" => fields(head, inner),
        "TEXT" | "1" => body.to_vec(),
        "1.MIME" => b"Content-Type: text/plain\r\n\r\n".to_vec(),
        _ => return None,
    };
    let mut name = format!("BODY[{inner}]");
    if let Some((from, count)) = partial.strip_prefix('<').and_then(|p| p.strip_suffix('>')).and_then(|p| p.split_once('.')) {
        let from = from.parse::<usize>().ok()?.min(bytes.len());
        bytes = bytes[from..].iter().copied().take(count.parse().ok()?).collect();
        name = format!("{name}<{from}>");
    }
    Some([name.as_bytes(), format!(" {{{}}}\r\n", bytes.len()).as_bytes(), &bytes].concat())
}

fn fields(head: &[u8], asked: &str) -> Vec<u8> {
    let wanted: Vec<String> = asked.split(['(', ')', ' ', '"']).skip(1).map(str::to_ascii_uppercase).collect();
    let head = String::from_utf8_lossy(head).into_owned();
    let kept = head.lines().filter(|l| l.split_once(':').is_some_and(|(n, _)| wanted.contains(&n.to_ascii_uppercase())));
    format!("{}\r\n", kept.map(|l| format!("{l}\r\n")).collect::<String>()).into_bytes()
}

fn envelope(raw: &[u8]) -> Vec<u8> {
    let text = |name: &str| match field(raw, name) {
        value if value.is_empty() => b"NIL".to_vec(),
        value => string(value.as_bytes()),
    };
    let people = |name: &str| {
        let value = field(raw, name);
        let (who, address) = value.rsplit_once('<').unwrap_or(("", &value));
        let Some((user, host)) = address.trim_end_matches('>').split_once('@') else { return b"NIL".to_vec() };
        let who = if who.is_empty() { b"NIL".to_vec() } else { string(who.trim().as_bytes()) };
        [b"((", &who[..], b" NIL ", &string(user.as_bytes()), b" ", &string(host.as_bytes()), b"))"].concat()
    };
    let from = people("From");
    let parts = [text("Date"), text("Subject"), from.clone(), from.clone(), from, people("To"), b"NIL".to_vec(), b"NIL".to_vec()];
    let last = [text("In-Reply-To"), text("Message-ID")];
    [b"ENVELOPE (", &parts.iter().chain(&last).cloned().collect::<Vec<_>>().join(&b' ')[..], b")"].concat()
}
