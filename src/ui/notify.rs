//! notify — telling of new mail beyond the screen: the bell, and a notice on the desktop by the terminal, also over ssh.
//! Owns: `tell`, `passed_on`. May import: config.
//! Start reading at: `tell`. Only text that passed `SafeText` goes out, and never what a message says.

use super::terminal::Terminal;
use crate::config::Notify;
use std::io;

/// The kinds of terminals, by the notices that they understand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Speech {
    /// OSC 9: iTerm2, WezTerm, Ghostty.
    Nine,
    /// OSC 99: kitty.
    NinetyNine,
    /// OSC 777: foot, rxvt-unicode, Konsole and others; elsewhere it does nothing.
    Usual,
}

/// Tells of new mail in these ways. The text has passed `SafeText`.
///
/// # Errors
/// The terminal is gone.
pub(super) fn tell(terminal: &mut Terminal, text: &str, ways: &[Notify]) -> io::Result<()> {
    if ways.contains(&Notify::Bell) {
        terminal.write(b"\x07")?;
    }
    if ways.contains(&Notify::Desktop) {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let sequence = notice(speech(var), text);
        terminal.write(passed_on(&sequence, !var("TMUX").is_empty()).as_bytes())?;
    }
    Ok(())
}

fn speech(var: impl Fn(&str) -> String) -> Speech {
    let program = var("TERM_PROGRAM").to_lowercase();
    if !var("KITTY_WINDOW_ID").is_empty() || var("TERM") == "xterm-kitty" {
        Speech::NinetyNine
    } else if ["iterm.app", "wezterm", "ghostty"].contains(&program.as_str()) {
        Speech::Nine
    } else {
        Speech::Usual
    }
}

fn notice(speech: Speech, text: &str) -> String {
    // A semicolon would begin the next field.
    let text: String = text.chars().map(|c| if c == ';' { ',' } else { c }).filter(|c| !c.is_control()).collect();
    match speech {
        Speech::Nine => format!("\x1b]9;Postrider: {text}\x1b\\"),
        Speech::NinetyNine => format!("\x1b]99;i=postrider;Postrider: {text}\x1b\\"),
        Speech::Usual => format!("\x1b]777;notify;Postrider;{text}\x1b\\"),
    }
}

/// A sequence as tmux hands it on to the terminal around it (`allow-passthrough`).
pub(super) fn passed_on(sequence: &str, tmux: bool) -> String {
    if tmux { format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")) } else { sequence.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_terminal_hears_its_own_sequence_and_tmux_hands_it_on() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(String, String)> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            speech(move |name| pairs.iter().find(|(n, _)| n == name).map_or(String::new(), |(_, v)| v.clone()))
        };
        assert_eq!(of(&[("TERM", "foot")]), Speech::Usual);
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Speech::NinetyNine);
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")]), Speech::Nine);
        let sequence = notice(Speech::Usual, "2 new; in a\x1b]0;x\x07");
        assert_eq!(sequence, "\x1b]777;notify;Postrider;2 new, in a]0,x\x1b\\");
        assert_eq!(passed_on("\x1b]9;x\x1b\\", true), "\x1bPtmux;\x1b\x1b]9;x\x1b\x1b\\\x1b\\");
    }
}
