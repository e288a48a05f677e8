//! run — the event loop: waits for keys, news and signals at once, draws when something changed, and is still at rest.
//! Owns: `Reader`, the poll set, carrying out effects. May import: app, engine::api, config, base.
//! Start reading at: `Reader::run`. No timer exists but for what will be seen (decisions 18).

use super::editor;
use super::farewell;
use super::input::{Decoder, ESC_WAIT, Input, Mouse};
use super::link::Link;
use super::opened::Opened;
use super::outside;
use super::signals::Signals;
use super::terminal::Terminal;
use super::theme::{Depth, Theme};
use super::view;
use super::view::canvas::Canvas;
use crate::app::msg::{Effect, Msg, Now, Spot};
use crate::app::reading::Places;
use crate::app::screen::Screen;
use crate::app::{App, Setup};
use crate::base::clock::{Clock, System};
use crate::base::safetext::SafeText;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the first frame waits for the store, so that it is not an empty one.
const FIRST_FRAME: Duration = Duration::from_millis(40);
/// The most bytes that are taken in before a frame is drawn: keys that repeat faster than frames are one frame.
const MAX_INPUT: usize = 64 << 10;

/// How the screen is to look.
#[derive(Clone, Debug)]
pub struct Look {
    /// The colours that there are.
    pub depth: Depth,
    /// Where the person's own themes lie.
    pub themes: Option<PathBuf>,
    /// Whether the cursor is the bar alone: a band rewrites two rows of text for each step.
    pub bar_only: bool,
}

impl Look {
    /// What the environment says.
    #[must_use]
    pub fn from_env(themes: Option<PathBuf>) -> Self {
        let var = |name: &str| std::env::var(name).ok();
        let far = var("SSH_CONNECTION").or_else(|| var("SSH_TTY")).is_some_and(|v| !v.is_empty());
        Self { depth: Depth::from_env(var), themes, bar_only: far }
    }
}

/// The reader on a terminal.
pub struct Reader<'a> {
    link: &'a dyn Link,
    terminal: &'a mut Terminal,
    app: App,
    look: Look,
    theme: Theme,
    /// The theme was chosen by name, not by the terminal's background.
    chosen: bool,
    start: Instant,
    decoder: Decoder,
    last_byte: Instant,
    title: SafeText,
    ended: bool,
    /// Another program had the terminal.
    lent: bool,
    changed: bool,
    /// Held until the end, when it is removed.
    opened: Option<Opened>,
}

impl<'a> Reader<'a> {
    /// On this terminal, with this engine.
    #[must_use]
    pub fn new(link: &'a dyn Link, terminal: &'a mut Terminal, setup: Setup, look: Look) -> Self {
        let named = setup.config.theme.clone();
        let chosen = named.is_some();
        let theme = Theme::load(named.as_deref().unwrap_or("dark"), look.themes.as_deref(), look.depth);
        let now = Now { since: Duration::ZERO, civil: System.now() };
        let mut app = App::new(setup, now);
        let theme = theme.unwrap_or_else(|error| {
            app.complain(&error.to_string());
            Theme::load("dark", None, look.depth).unwrap_or_else(|_| Theme::plain())
        });
        app.set_places(outside::places());
        let start = Instant::now();
        Self {
            link,
            terminal,
            app,
            look,
            theme,
            chosen,
            start,
            decoder: Decoder::default(),
            last_byte: start,
            title: SafeText::default(),
            ended: false,
            lent: false,
            changed: true,
            opened: None,
        }
    }

    /// Opens attachments from a private folder below `run`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn opening_in(mut self, run: &Path) -> io::Result<Self> {
        let opened = Opened::new(run)?;
        let open = outside::desktop().then(|| opened.path().to_owned());
        self.app.set_places(Places { open, ..outside::places() });
        self.opened = Some(opened);
        Ok(self)
    }

    fn now(&self) -> Now {
        Now { since: self.start.elapsed(), civil: System.now() }
    }

    /// Runs until the person leaves or the terminal is gone.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub fn run(&mut self) -> io::Result<()> {
        let signals = Signals::listen()?;
        let effects = self.app.start();
        self.carry_out(effects)?;
        if !self.chosen {
            self.terminal.ask_background()?;
        }
        let ended = self.turn(&signals);
        let start = self.start;
        farewell::farewell(self.link, &mut self.app, || Now { since: start.elapsed(), civil: System.now() });
        ended
    }

    fn turn(&mut self, signals: &Signals) -> io::Result<()> {
        while !self.ended {
            // An empty first frame would only flicker.
            let early = !self.app.settled() && self.start.elapsed() < FIRST_FRAME;
            if self.changed && !early {
                self.draw()?;
            }
            self.wait(signals, early)?;
        }
        Ok(())
    }

    /// Waits for whatever comes first, and takes it in.
    fn wait(&mut self, signals: &Signals, early: bool) -> io::Result<()> {
        let now = self.start.elapsed();
        let esc = self.decoder.waits().then(|| ESC_WAIT.saturating_sub(self.last_byte.elapsed()));
        let due = self.app.deadline().map(|at| at.saturating_sub(now));
        let first = early.then(|| FIRST_FRAME.saturating_sub(now));
        let limit = [esc, due, first].into_iter().flatten().min();
        let span = limit.map(|d| Timespec { tv_sec: d.as_secs().cast_signed(), tv_nsec: d.subsec_nanos().into() });
        let stdin = io::stdin();
        let (keys, news, signal) = {
            let mut set = [
                PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.link.fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN),
            ];
            match poll(&mut set, span.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ready = |n: usize| set.get(n).is_some_and(|p| !p.revents().is_empty());
            (ready(0), ready(1), ready(2))
        };
        if signal {
            self.signalled(signals)?;
        }
        let mut inputs = Vec::new();
        if keys {
            self.read_keys(&mut inputs);
        } else if self.decoder.waits() && self.last_byte.elapsed() >= ESC_WAIT {
            self.decoder.settle(&mut inputs);
        }
        for input in inputs {
            self.input(input)?;
        }
        if news {
            let news = self.link.take();
            self.update(Msg::News(Box::new(news)))?;
        }
        if self.app.deadline().is_some_and(|at| self.start.elapsed() >= at) {
            self.update(Msg::Tick)?;
        }
        Ok(())
    }

    fn signalled(&mut self, signals: &Signals) -> io::Result<()> {
        let came = signals.take();
        // Ctrl-C in the person's editor reaches us as well.
        if came.end || came.interrupt && !std::mem::take(&mut self.lent) {
            self.ended = true;
        }
        if came.resume {
            self.terminal.again()?;
            self.changed = true;
        }
        if came.resize || came.resume {
            let size = self.terminal.resized()?;
            self.update(Msg::Resize(size.width, size.height))?;
        }
        Ok(())
    }

    /// Takes in all that was typed, so that repeated keys become one frame.
    fn read_keys(&mut self, inputs: &mut Vec<Input>) {
        let stdin = io::stdin();
        let mut buffer = [0; 4096];
        let mut taken = 0;
        loop {
            match rustix::io::read(stdin.as_fd(), &mut buffer) {
                Ok(0) => {
                    self.ended = true;
                    return;
                }
                Ok(n) => {
                    taken += n;
                    self.last_byte = Instant::now();
                    self.decoder.feed(buffer.get(..n).unwrap_or_default(), inputs);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => {
                    // The terminal is gone: what was typed is kept, and there is nobody to tell.
                    self.ended = true;
                    return;
                }
            }
            let mut set = [PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
            let more = poll(&mut set, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|n| n > 0);
            if !more || taken >= MAX_INPUT {
                return;
            }
        }
    }

    fn input(&mut self, input: Input) -> io::Result<()> {
        match input {
            Input::Key(key) => self.update(Msg::Key(key)),
            Input::Paste(text) => self.update(Msg::Paste(text)),
            Input::Mouse(Mouse::Press, x, y) if self.app.popup().is_none() && *self.app.screen() == Screen::Compose => {
                let main = self.app.layout().main;
                if !main.holds(x, y) {
                    return Ok(());
                }
                self.update(Msg::Point(x - main.x, y - main.y))
            }
            Input::Mouse(mouse, x, y) => {
                let Some((spot, line)) = self.spot(x, y) else { return Ok(()) };
                self.update(match mouse {
                    Mouse::Press => Msg::Click(spot, line),
                    Mouse::WheelUp => Msg::Wheel(spot, false),
                    Mouse::WheelDown => Msg::Wheel(spot, true),
                })
            }
            Input::Background(r, g, b) => {
                // Rec. 601 luma, as terminals and editors do.
                let luma = 299 * u32::from(r >> 8) + 587 * u32::from(g >> 8) + 114 * u32::from(b >> 8);
                if !self.chosen && luma > 128_000 {
                    self.set_theme("light");
                }
                Ok(())
            }
        }
    }

    /// What lies under the mouse, and the line of it.
    fn spot(&self, x: u16, y: u16) -> Option<(Spot, usize)> {
        let layout = self.app.layout();
        if let Some(popup) = self.app.popup() {
            let area = view::popup_area(&self.app, popup);
            if area.holds(x, y) {
                let line = (y - area.y).checked_sub(view::POPUP_FIRST_ROW)?;
                return Some((Spot::Popup, usize::from(line)));
            }
        }
        if *self.app.screen() != Screen::Mail && layout.main.holds(x, y) {
            return Some((Spot::Messages, usize::from(y - layout.main.y)));
        }
        let searching = u16::from(self.app.search().is_some());
        for (area, spot, skip) in
            [(layout.folders, Spot::Folders, 0), (layout.list, Spot::Messages, searching), (layout.reader, Spot::Reader, 0)]
        {
            if let Some(area) = area.filter(|a| a.holds(x, y)) {
                return Some((spot, usize::from((y - area.y).checked_sub(skip)?)));
            }
        }
        None
    }

    fn update(&mut self, msg: Msg) -> io::Result<()> {
        let now = self.now();
        let effects = self.app.update(msg, now);
        self.changed = true;
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Query(slot, query) => {
                    let generation = self.link.query(slot, query);
                    self.app.asked(slot, generation);
                }
                Effect::Request(request, note) => {
                    let ticket = self.link.request(request);
                    self.app.sent(ticket, note);
                }
                Effect::Copy(text) => outside::copy(self.terminal, text.as_str())?,
                Effect::CopyText(text) => outside::copy(self.terminal, &text)?,
                Effect::Edit(key, text) => {
                    let folder = self.opened.as_ref().map(|o| o.path().to_owned());
                    self.lent = true;
                    let result = self.terminal.lend(|| editor::edit(folder.as_deref(), &text))?;
                    self.update(Msg::Edited(key, result))?;
                }
                Effect::ListFolder(folder) => {
                    let entries = outside::list(&folder);
                    self.update(Msg::Listed(folder, entries))?;
                }
                Effect::OpenLink(target) if outside::desktop() => self.open(target.into()),
                Effect::OpenLink(target) => {
                    outside::copy(self.terminal, &target)?;
                    self.app.complain("There is no desktop here: the address is on the clipboard");
                }
                Effect::OpenFile(path) => self.open(path.into_os_string()),
                Effect::Theme(name) => {
                    self.chosen = true;
                    self.set_theme(&name);
                }
                Effect::Redraw => {
                    self.terminal.redraw()?;
                    self.changed = true;
                }
                Effect::Suspend => {
                    self.terminal.lend(outside::stop)?;
                    self.changed = true;
                }
                Effect::Quit => self.ended = true,
            }
        }
        Ok(())
    }

    fn open(&mut self, target: std::ffi::OsString) {
        if let Err(why) = outside::open(target) {
            self.app.complain(&why);
            self.changed = true;
        }
    }

    fn set_theme(&mut self, name: &str) {
        match Theme::load(name, self.look.themes.as_deref(), self.look.depth) {
            Ok(theme) => self.theme = theme,
            Err(error) => self.app.complain(&error.to_string()),
        }
        self.changed = true;
    }

    fn draw(&mut self) -> io::Result<()> {
        self.changed = false;
        let band = !self.look.bar_only && self.theme.has_band();
        let (app, theme) = (&self.app, &self.theme);
        self.terminal.screen.draw(|frame| {
            let mut canvas = Canvas { buffer: frame.buffer_mut(), theme, band };
            if let Some(place) = view::draw(&mut canvas, app) {
                frame.set_cursor_position(place);
            }
        })?;
        let title = view::title(&self.app);
        if title != self.title {
            self.terminal.set_title(title.as_str())?;
            self.title = title;
        }
        Ok(())
    }
}
