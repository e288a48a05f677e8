//! hyper — links that the terminal itself can open (OSC 8): which cells belong to which address.
//! Owns: `Hyperlinks`. May import: nothing of ours.
//! Start reading at: `Hyperlinks::mark`. A cell has no room for an address, but for a colour of underlines that we never draw: there
//! stands the address's number, so that a frame's difference notices a link that changed below the same letters.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The most addresses that are remembered at once.
const MAX: usize = 4_096;
/// The longest address that is handed to a terminal, in bytes: some drop longer ones.
const MAX_URL: usize = 2_000;
/// Numbers that fit a colour.
const NUMBERS: u32 = 1 << 24;

#[derive(Default)]
struct Table {
    numbers: HashMap<String, u32>,
    addresses: HashMap<u32, String>,
    /// Never used again, so that a cell drawn long ago is no other link's.
    next: u32,
}

/// The addresses of the links on the screen. Every clone is the same table.
#[derive(Clone, Default)]
pub struct Hyperlinks(Rc<RefCell<Table>>);

impl Hyperlinks {
    /// Marks cells as a link. Only http, https and mailto in printable ASCII without spaces; others are no links.
    pub fn mark(&self, buffer: &mut Buffer, place: Rect, address: &str) {
        let known =
            ["http://", "https://", "mailto:"].iter().any(|s| address.get(..s.len()).is_some_and(|a| a.eq_ignore_ascii_case(s)));
        if !known || address.len() > MAX_URL || !address.bytes().all(|b| b.is_ascii_graphic()) {
            return;
        }
        let Ok(mut table) = self.0.try_borrow_mut() else { return };
        let number = match table.numbers.get(address) {
            Some(number) => *number,
            None => {
                if table.numbers.len() >= MAX {
                    table.numbers.clear();
                    table.addresses.clear();
                }
                let number = table.next % NUMBERS;
                table.next += 1;
                table.numbers.insert(address.to_owned(), number);
                table.addresses.insert(number, address.to_owned());
                number
            }
        };
        let [_, r, g, b] = number.to_be_bytes();
        buffer.set_style(place.intersection(*buffer.area()), Style::new().underline_color(Color::Rgb(r, g, b)));
    }

    /// The number and the address of a cell's link.
    #[must_use]
    pub fn of(&self, color: Color) -> Option<(u32, String)> {
        let Color::Rgb(r, g, b) = color else { return None };
        let number = u32::from_be_bytes([0, r, g, b]);
        let table = self.0.try_borrow().ok()?;
        table.addresses.get(&number).map(|address| (number, address.clone()))
    }
}

/// Whether the terminal is one that knows links, or at least ignores them.
#[must_use]
pub fn known(var: impl Fn(&str) -> Option<String>) -> bool {
    let term = var("TERM").unwrap_or_default();
    !term.is_empty() && !["linux", "dumb", "vt100", "vt220", "cons25"].contains(&term.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_safe_become_links() {
        let links = Hyperlinks::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        let color = |b: &Buffer, x: u16| b[(x, 0)].underline_color;
        for bad in ["javascript:alert(1)", "https://a b", "https://x\x1b\\", "file:///etc/passwd", "https://\u{e4}"] {
            links.mark(&mut buffer, Rect::new(0, 0, 5, 1), bad);
            assert_eq!(color(&buffer, 0), Color::Reset, "{bad:?}");
        }
        links.mark(&mut buffer, Rect::new(0, 0, 2, 1), "https://a.example/");
        links.mark(&mut buffer, Rect::new(2, 0, 20, 1), "mailto:a@b");
        assert_eq!(links.of(color(&buffer, 1)).unwrap().1, "https://a.example/");
        assert_eq!(links.of(color(&buffer, 9)).unwrap().1, "mailto:a@b");
        assert_ne!(color(&buffer, 1), color(&buffer, 2));
        for n in 0..2 * MAX {
            links.mark(&mut buffer, Rect::new(0, 0, 1, 1), &format!("https://a.example/{n}"));
        }
        assert!(links.0.borrow().addresses.len() <= MAX);
    }
}
