//! terminal — the terminal while it is ours, and given back as it was: at the end, on a panic, for an editor, on Ctrl-Z.
//! Owns: `Terminal`, the modes. May import: base, ui.
//! Start reading at: `Terminal::open`. Everything that is switched on in `ENTER` is switched off in `LEAVE`.

use super::backend::Backend;
use crate::base::spawn::is_contained;
use ratatui::layout::Size;
use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Alternate screen, bracketed paste, mouse buttons and wheel in SGR form, cursor keys in normal mode.
const ENTER: &[u8] = b"\x1b[22;2t\x1b[?1049h\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[?1l\x1b[?25l\x1b[H\x1b[2J";
/// The reverse, in the reverse order, and the pen back to the terminal's own.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;2t";
/// Asks for the background's colour.
const ASK_BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\";

/// Whether the modes are on, for the panic hook.
static OURS: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode on its alternate screen. Dropping it gives it back.
pub struct Terminal {
    /// What draws.
    pub screen: ratatui::Terminal<Backend<Stdout>>,
}

impl Terminal {
    /// Takes the terminal of standard input and output.
    ///
    /// # Errors
    /// There is none, or it cannot be put into raw mode.
    pub fn open() -> io::Result<Self> {
        give_back_on_panic();
        enter()?;
        let screen = ratatui::Terminal::new(Backend::new(io::stdout(), size()));
        let screen = screen.inspect_err(|_| leave())?;
        Ok(Self { screen })
    }

    /// Asks the terminal for its background; the answer comes as input, or never.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask_background(&mut self) -> io::Result<()> {
        self.write(ASK_BACKGROUND)
    }

    /// The window has another size: everything is drawn anew.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resized(&mut self) -> io::Result<Size> {
        let size = size();
        self.screen.backend_mut().forget(size);
        self.screen.resize(ratatui::layout::Rect::new(0, 0, size.width, size.height))?;
        Ok(size)
    }

    /// Draws everything anew, whatever stands there.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn redraw(&mut self) -> io::Result<()> {
        self.screen.backend_mut().forget(size());
        self.screen.clear()
    }

    /// The shell brought us back: its modes may be anything.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn again(&mut self) -> io::Result<()> {
        enter()?;
        self.redraw()
    }

    /// Names the window. The text has passed `SafeText`.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn set_title(&mut self, place: &str) -> io::Result<()> {
        self.write(format!("\x1b]2;Postrider: {place}\x1b\\").as_bytes())
    }

    /// Sends a sequence that draws nothing.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Gives the terminal to `other` (an editor, the shell) and takes it again after.
    ///
    /// # Errors
    /// It could not be taken again.
    pub fn lend<T>(&mut self, other: impl FnOnce() -> T) -> io::Result<T> {
        leave();
        let result = other();
        enter()?;
        self.redraw()?;
        Ok(result)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
    }
}

/// The window's size; 80x24 where the terminal does not say.
#[must_use]
pub fn size() -> Size {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => Size { width, height },
        _ => Size { width: 80, height: 24 },
    }
}

fn enter() -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    out.write_all(ENTER).and_then(|()| out.flush()).inspect_err(|_| leave())
}

/// Gives the terminal back, once. A terminal that is gone cannot complain.
fn leave() {
    if OURS.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = out.write_all(LEAVE).and_then(|()| out.flush());
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// A panic on any thread that ends the program prints after the terminal is itself again.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // It is caught, written down, and shown where it belongs.
            if is_contained() {
                return;
            }
            // Workers catch their panics and go on: only the main thread's one ends the screen.
            if std::thread::current().name() == Some("main") {
                leave();
            }
            // A worker's text would be drawn into the screen.
            if !OURS.load(Ordering::SeqCst) {
                before(info);
            }
        }));
    });
}
