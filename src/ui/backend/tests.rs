//! tests — what frames cost, and that an emulator shows what was drawn.
//! Owns: nothing. May import: ui.
//! Start reading at: `frame`.

use super::*;
use crate::ui::view::canvas::sweep;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

fn terminal(width: u16, height: u16) -> Terminal<Backend<Vec<u8>>> {
    let mut terminal = Terminal::new(Backend::new(Vec::new(), Size { width, height })).unwrap();
    terminal.clear().unwrap();
    terminal
}

/// What the terminal got for one frame.
fn frame(terminal: &mut Terminal<Backend<Vec<u8>>>, paint: impl FnOnce(&mut Buffer)) -> Vec<u8> {
    terminal.draw(|f| paint(f.buffer_mut())).unwrap();
    std::mem::take(terminal.backend_mut().parts().1)
}

#[test]
fn a_frame_without_change_costs_nothing() {
    let mut t = terminal(80, 24);
    let paint = |b: &mut Buffer| b.set_string(3, 3, "Hello", Style::new().fg(Color::Red).bold());
    assert!(
        !frame(&mut t, |b| {
            paint(b);
        })
        .is_empty()
    );
    assert_eq!(
        frame(&mut t, |b| {
            paint(b);
        }),
        b""
    );
}

#[test]
fn a_bar_that_moves_costs_less_than_sixty() {
    let mut t = terminal(200, 50);
    let paint = |row: u16| {
        move |b: &mut Buffer| {
            for y in 2..40 {
                b.set_string(27, y, " • Ann Berger   Quarterly figures   The board wants", Style::new());
            }
            b.set_string(27, row, "▌", Style::new().fg(Color::Indexed(179)));
        }
    };
    frame(&mut t, paint(10));
    for row in [11, 12, 11] {
        let bytes = frame(&mut t, paint(row));
        assert!(bytes.len() <= 40, "{} bytes: {}", bytes.len(), String::from_utf8_lossy(&bytes).escape_debug());
    }
}

#[derive(Clone, Debug)]
struct Splash(u16, u16, String, u8, bool);

fn splash() -> impl Strategy<Value = Splash> {
    (0u16..30, 0u16..8, "[a-d äß佐👩▌│]{0,12}| {1,20}", 0u8..6, any::<bool>()).prop_map(|(x, y, s, c, b)| Splash(x, y, s, c, b))
}

fn style(n: u8, bold: bool) -> Style {
    let style = match n {
        0 => Style::new(),
        1 => Style::new().fg(Color::Indexed(179)),
        2 => Style::new().bg(Color::Rgb(40, 44, 54)),
        3 => Style::new().fg(Color::LightRed).bg(Color::Blue),
        4 => Style::new().underlined(),
        _ => Style::new().reversed(),
    };
    if bold { style.bold() } else { style }
}

proptest! {
        /// What a terminal shows after any frames is what the last frame was.
        #[test]
        fn an_emulator_shows_what_was_drawn(frames in proptest::collection::vec(proptest::collection::vec(splash(), 0..12), 1..6)) {
            let mut t = terminal(30, 8);
            let mut screen = vt100::Parser::new(8.try_into().unwrap(), 30.try_into().unwrap(), 0);
            screen.process(&std::mem::take(t.backend_mut().parts().1));
            for splashes in frames {
                let area = Rect::new(0, 0, 30, 8);
                let mut wanted = Buffer::empty(area);
                for Splash(x, y, text, n, bold) in &splashes {
                    wanted.set_string(*x, *y, text, style(*n, *bold));
                }
                sweep(&mut wanted);
                let copy = wanted.clone();
                let bytes = frame(&mut t, |b| b.clone_from(&copy));
                screen.process(&bytes);
                let plain: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0x1b).collect();
                prop_assert!(!bytes.windows(4).any(|w| w == b"\x1b[0m"), "{:?}", String::from_utf8_lossy(&plain));
                let mut x = 0;
                for y in 0..8u16 {
                    while x < 30u16 {
                        let cell = &wanted[(x, y)];
                        let shown = screen.screen().cell(y, x).unwrap();
                        let width = u16::try_from(unicode_width::UnicodeWidthStr::width(cell.symbol())).unwrap().max(1);
                        let contents = if shown.contents().is_empty() { " " } else { shown.contents() };
                        prop_assert_eq!(contents, cell.symbol(), "at {},{}", x, y);
                        let blank = cell.symbol() == " ";
                        if !blank {
                            prop_assert_eq!(shown.bold(), cell.modifier.contains(Modifier::BOLD), "bold at {},{}", x, y);
                        }
                        prop_assert_eq!(shown.underline(), cell.modifier.contains(Modifier::UNDERLINED), "underline at {},{}", x, y);
                        prop_assert_eq!(shown.inverse(), cell.modifier.contains(Modifier::REVERSED), "inverse at {},{}", x, y);
                        let bg = match cell.bg { Color::Reset => vt100::Color::Default, Color::Blue => vt100::Color::Idx(4), _ => vt100::Color::Rgb(40, 44, 54) };
prop_assert!(shown.bgcolor() == bg, "background at {},{}", x, y);
                        x += width;
                    }
                    x = 0;
                }
                }
        }
    }

#[test]
fn a_link_is_written_around_its_cells_and_again_when_only_the_address_changes() {
    let mut t = terminal(30, 3);
    let links = t.backend_mut().links();
    let mut show = |address: &str| {
        let bytes = frame(&mut t, |b| {
            b.set_string(2, 1, "read more", Style::new());
            links.mark(b, Rect::new(2, 1, 9, 1), address);
            b.set_string(20, 1, "x", Style::new());
        });
        String::from_utf8(bytes).unwrap()
    };
    let first = show("https://a.example/");
    assert!(first.contains("\x1b]8;id=0;https://a.example/\x1b\\\x1b[2;3Hread more\x1b]8;;\x1b\\"), "{first:?}");
    assert_eq!(first.matches("\x1b]8;").count(), 2);
    assert_eq!(show("https://a.example/"), "");
    let second = show("https://b.example/");
    assert!(
        second.starts_with("\x1b]8;id=1;https://b.example/\x1b\\") && second.contains("read more\x1b]8;;\x1b\\"),
        "{second:?}"
    );
}
