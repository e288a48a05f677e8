//! run — the event loop: waits for keys, news and signals at once, draws when something changed, and is still at rest.
//! Owns: `Reader`, the poll set. May import: app, engine::api, config, base.
//! Start reading at: `Reader::run`. No timer exists but for what will be seen (decisions 18).

use super::farewell;
use super::hyper;
use super::input::{Decoder, ESC_WAIT, Input, Mouse};
use super::link::{Host, Link};
use super::opened::Opened;
use super::outside;
use super::signals::Signals;
use super::terminal::Terminal;
use super::theme::{Depth, Theme};
use super::view;
use super::view::canvas::Canvas;
use crate::app::compose::Unsaved;
use crate::app::msg::Refusal;
use crate::app::msg::{Msg, Now};
use crate::app::reading::Places;
use crate::app::screen::Screen;
use crate::app::{App, Setup};
use crate::base::cancel::Cancel;
use crate::base::clock::{Clock, System};
use crate::base::crash;
use crate::base::inbox::Inbox;
use crate::base::safetext::SafeText;
use crate::base::spawn::guarded;
use crate::config::discovery::Found;
use crate::engine::api::Password;
use crate::mail::ids::AccountName;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the first frame waits for the store, so that it is not an empty one.
const FIRST_FRAME: Duration = Duration::from_millis(40);
/// How long a frame stays at least, if all that is new came by itself: counts while a mailbox is read. A hundred a second are seen
/// by nobody, and go over the line all the same.
const FRAME: Duration = Duration::from_millis(50);
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
    /// Whether the terminal takes links (OSC 8).
    pub links: bool,
}

impl Look {
    /// What the environment says.
    #[must_use]
    pub fn from_env(themes: Option<PathBuf>) -> Self {
        let var = |name: &str| std::env::var(name).ok();
        let far = var("SSH_CONNECTION").or_else(|| var("SSH_TTY")).is_some_and(|v| !v.is_empty());
        Self { depth: Depth::from_env(var), themes, bar_only: far, links: hyper::known(var) }
    }
}

/// How the reader ended.
#[derive(Debug)]
pub enum End {
    /// The person left, or the terminal is gone.
    Left,
    /// The configuration has a new account: begin again with it, and this password for it.
    Reopen(AccountName, Option<Password>),
    /// A mistake of ours: what its panic said. What was being written is kept (security F-10).
    Failed(SafeText),
}

/// What the test of a new account and the search for its servers said, on its way from their threads.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) tried: Option<Result<AccountName, Refusal>>,
    pub(super) found: Option<(String, Found)>,
}

/// The reader on a terminal.
pub struct Reader<'a> {
    pub(super) link: &'a dyn Link,
    pub(super) host: Arc<dyn Host>,
    pub(super) told: Inbox<Told>,
    /// Stops the test of a new account.
    pub(super) trial: Option<Cancel>,
    /// Stops the search for servers.
    pub(super) search: Option<Cancel>,
    pub(super) terminal: &'a mut Terminal,
    pub(super) app: App,
    pub(super) look: Look,
    pub(super) theme: Theme,
    /// The theme was chosen by name, not by the terminal's background.
    pub(super) chosen: bool,
    pub(super) start: Instant,
    pub(super) decoder: Decoder,
    pub(super) last_byte: Instant,
    pub(super) title: SafeText,
    pub(super) ended: Option<End>,
    /// Another program had the terminal.
    pub(super) lent: bool,
    pub(super) changed: bool,
    /// Somebody waits for what changed.
    pub(super) waited: bool,
    /// When the screen was drawn last.
    pub(super) drawn: Instant,
    /// Held until the end, when it is removed.
    pub(super) opened: Option<Opened>,
}

impl<'a> Reader<'a> {
    /// On this terminal, with this engine.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new(
        link: &'a dyn Link,
        host: Arc<dyn Host>,
        terminal: &'a mut Terminal,
        setup: Setup,
        look: Look,
    ) -> io::Result<Self> {
        // With sixteen colours the reduced amber would be red: there is a theme for them, whatever the background.
        let sixteen = matches!(look.depth, Depth::Sixteen | Depth::None).then(|| "ansi".to_owned());
        let named = setup.config.theme.clone().or(sixteen);
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
        Ok(Self {
            link,
            host,
            told: Inbox::new()?,
            trial: None,
            search: None,
            terminal,
            app,
            look,
            theme,
            chosen,
            start,
            decoder: Decoder::default(),
            last_byte: start,
            title: SafeText::default(),
            ended: None,
            lent: false,
            changed: true,
            waited: true,
            drawn: start,
            opened: None,
        })
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

    /// Runs until the person leaves or the terminal is gone. What was written and could not be saved is added to `lost`.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub fn run(mut self, lost: &mut Vec<Unsaved>) -> io::Result<End> {
        let signals = Signals::listen()?;
        let effects = self.app.start();
        self.carry_out(effects)?;
        if !self.chosen {
            self.terminal.ask_background()?;
        }
        let ended = guarded(|| self.turn(&signals)).unwrap_or_else(|panic| Ok(End::Failed(SafeText::line_max(&panic, 200))));
        let start = self.start;
        let unsaved = farewell::farewell(self.link, &mut self.app, || Now { since: start.elapsed(), civil: System.now() });
        lost.extend(unsaved);
        ended
    }

    fn turn(&mut self, signals: &Signals) -> io::Result<End> {
        loop {
            if let Some(end) = self.ended.take() {
                return Ok(end);
            }
            // An empty first frame would only flicker.
            let early = !self.app.settled() && self.start.elapsed() < FIRST_FRAME;
            let stays = self.stays();
            if self.changed && !early && stays.is_none() {
                self.draw()?;
            }
            self.wait(signals, early, stays)?;
        }
    }

    /// How long what is on the screen stays there, though something is new.
    fn stays(&self) -> Option<Duration> {
        let left = FRAME.checked_sub(self.drawn.elapsed()).filter(|left| !left.is_zero());
        left.filter(|_| self.changed && !self.waited)
    }

    /// Waits for whatever comes first, and takes it in.
    fn wait(&mut self, signals: &Signals, early: bool, stays: Option<Duration>) -> io::Result<()> {
        let now = self.start.elapsed();
        let esc = self.decoder.waits().then(|| ESC_WAIT.saturating_sub(self.last_byte.elapsed()));
        let due = self.app.deadline().map(|at| at.saturating_sub(now));
        let first = early.then(|| FIRST_FRAME.saturating_sub(now));
        let limit = [esc, due, first, stays].into_iter().flatten().min();
        let span = limit.map(|d| Timespec { tv_sec: d.as_secs().cast_signed(), tv_nsec: d.subsec_nanos().into() });
        let stdin = io::stdin();
        let (keys, news, signal, told) = {
            let mut set = [
                PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.link.fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.told.fd(), PollFlags::IN),
            ];
            match poll(&mut set, span.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ready = |n: usize| set.get(n).is_some_and(|p| !p.revents().is_empty());
            (ready(0), ready(1), ready(2), ready(3))
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
        if told {
            let told = self.told.take();
            if let Some((address, found)) = told.found {
                self.update(Msg::Found(address, found))?;
            }
            if let Some(result) = told.tried {
                self.update(Msg::Tried(result))?;
            }
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
            self.ended = Some(End::Left);
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
                    self.ended = Some(End::Left);
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
                    self.ended = Some(End::Left);
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

    pub(super) fn update(&mut self, msg: Msg) -> io::Result<()> {
        let now = self.now();
        self.waited |= msg.is_waited_for();
        let effects = self.app.update(msg, now);
        self.changed = true;
        self.carry_out(effects)
    }

    fn draw(&mut self) -> io::Result<()> {
        crash::place("frame");
        (self.changed, self.waited, self.drawn) = (false, false, Instant::now());
        let band = !self.look.bar_only && self.theme.has_band();
        let (app, theme) = (&self.app, &self.theme);
        let links = self.look.links.then(|| self.terminal.screen.backend_mut().links());
        self.terminal.screen.draw(|frame| {
            let mut canvas = Canvas { buffer: frame.buffer_mut(), theme, band, links };
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
