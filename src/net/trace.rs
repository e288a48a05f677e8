//! trace — what was said on the lines of this thread, for a doctor's transcript. A secret is never in it.
//! Owns: `record`, the hooks of `wire.rs`.
//! May import: base.
//! Start reading at: `record`. From the command of a login until its answer nothing that either side says is written down,
//! only how much it was; what the server says in words to that is left out too, since it may repeat what it was told.

use crate::base::safetext::SafeText;
use std::cell::RefCell;

/// The longest line that is written down, in cells.
const LONGEST: usize = 2_000;

/// Takes the lines.
pub type Sink = Box<dyn FnMut(&SafeText)>;

struct Trace {
    sink: Sink,
    /// What was said without an end of line yet.
    unfinished: Vec<u8>,
    /// Until this is answered: a tag of IMAP, or `""` for SMTP.
    hidden: Option<String>,
}

thread_local! {
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// Runs `work`, and gives `sink` all that is said on connections of this thread meanwhile.
pub fn record<T>(sink: Sink, work: impl FnOnce() -> T) -> T {
    TRACE.set(Some(Trace { sink, unfinished: Vec::new(), hidden: None }));
    let done = work();
    TRACE.set(None);
    done
}

fn with(hook: impl FnOnce(&mut Trace)) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            hook(trace);
        }
    });
}

/// We say this.
pub(super) fn said(bytes: &[u8]) {
    with(|trace| trace.said(bytes));
}

/// The server said this line.
pub(super) fn heard(line: &[u8]) {
    with(|trace| trace.heard(line));
}

/// The server sent so many octets that are no lines.
pub(super) fn octets(count: u64) {
    with(|trace| trace.put("S", &format!("({count} octets)")));
}

impl Trace {
    fn put(&mut self, who: &str, text: &str) {
        (self.sink)(&SafeText::line_max(&format!("{who}: {text}"), LONGEST));
    }

    fn said(&mut self, bytes: &[u8]) {
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = self.unfinished.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            self.line_said(&line);
        }
    }

    fn line_said(&mut self, line: &[u8]) {
        if self.hidden.is_some() {
            return self.put("C", &format!("(hidden, {} octets)", line.len()));
        }
        let text = String::from_utf8_lossy(line);
        let mut words = text.split_ascii_whitespace();
        let (first, second, third) = (words.next(), words.next(), words.next());
        let is = |word: Option<&str>, name: &str| word.is_some_and(|w| w.eq_ignore_ascii_case(name));
        if is(second, "LOGIN") || is(second, "AUTHENTICATE") {
            let mechanism = third.filter(|_| is(second, "AUTHENTICATE")).unwrap_or_default();
            self.put("C", &format!("{} {} {mechanism} (hidden)", first.unwrap_or_default(), second.unwrap_or_default()));
            self.hidden = first.map(str::to_owned);
        } else if is(first, "AUTH") {
            self.put("C", &format!("AUTH {} (hidden)", second.unwrap_or_default()));
            self.hidden = Some(String::new());
        } else {
            self.put("C", text.trim_end());
        }
    }

    fn heard(&mut self, line: &[u8]) {
        let rest = std::mem::take(&mut self.unfinished);
        if !rest.is_empty() {
            // A literal, or a continuation that ends without a line: never shown in part.
            self.put("C", &format!("({} octets)", rest.len()));
        }
        let text = String::from_utf8_lossy(line);
        let Some(tag) = &self.hidden else { return self.put("S", text.trim_end()) };
        let mut words = text.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if tag.is_empty() {
            // 334 asks for more.
            let code: String = text.chars().take_while(char::is_ascii_digit).collect();
            let last = text.get(code.len()..).is_some_and(|rest| !rest.starts_with('-'));
            self.put("S", &format!("{code} (hidden)"));
            if last && code != "334" {
                self.hidden = None;
            }
        } else if first == tag {
            self.put("S", &format!("{first} {second} (hidden)"));
            self.hidden = None;
        } else {
            self.put("S", if first == "*" { "* (hidden)" } else { "+ (hidden)" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn lines(work: impl FnOnce()) -> String {
        let all = Rc::new(RefCell::new(String::new()));
        let into = Rc::clone(&all);
        record(Box::new(move |line| into.borrow_mut().push_str(&format!("{line}\n"))), work);
        all.take()
    }

    #[test]
    fn a_login_is_hidden_whatever_both_sides_say() {
        let seen = lines(|| {
            heard(b"* OK ready\r\n");
            said(b"a1 LOGIN {3}\r\n");
            heard(b"+ go on\r\n");
            said(b"ann {6}\r\n");
            heard(b"+ go on\r\n");
            said(b"s3cret\r\n");
            heard(b"* OK s3cret\r\n");
            heard(b"a1 NO [AUTHENTICATIONFAILED] s3cret is wrong\r\n");
            said(b"a2 AUTHENTICATE PLAIN AHMzY3JldA==\r\na3 CAPABI");
            said(b"LITY\r\n");
            heard(b"a2 OK [CAPABILITY X] done\r\n");
            said(b"a4 NOOP\r\n");
            octets(70);
            said(b"AUTH PLAIN s3cret\r\n");
            heard(b"334 czNjcmV0\r\n");
            said(b"s3cret\r\n");
            heard(b"235-s3cret\r\n");
            heard(b"235 s3cret\r\n");
            said(b"QUIT\r\n");
        });
        assert!(!seen.contains("s3cret") && !seen.contains("czNj") && !seen.contains("AHMz"), "{seen}");
        for line in ["S: * OK ready", "C: a1 LOGIN  (hidden)", "S: a1 NO (hidden)", "C: a2 AUTHENTICATE PLAIN (hidden)"] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
        assert!(seen.contains("C: a4 NOOP\nS: (70 octets)\nC: AUTH PLAIN (hidden)") && seen.ends_with("C: QUIT\n"), "{seen}");
        said(b"nobody listens\r\n");
    }
}
