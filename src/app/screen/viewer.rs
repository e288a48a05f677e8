//! viewer — the open message: what is known of it, its page at the pane's width, and where the eye is.
//! Owns: `Viewer`, `State`. Submodule: `find` (a word in it). May import: engine::api, mail.
//! Start reading at: `Viewer::open`. Text is laid out again only when the message, the width or the chosen form changes: a light
//! one at once, a heavy one elsewhere (`Viewer::take_heavy`), and what was shown before stays until it is done.

mod find;

pub use crate::mail::page::{Form, Page, Row, Sheet};
pub use find::{Find, Hit};

use crate::base::safetext::SafeText;
use crate::engine::api::{Body, Fault, MessageView, Piece, PieceState};
use crate::mail::body::{self, Attachment, Message};
use crate::mail::envelope::Envelope;
use crate::mail::ids::{MessageKey, PlacementKey};
use crate::mail::links::Link;
use crate::mail::structure::Prefer;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The most attachments that are listed below the text; the rest are counted.
pub const MAX_FILES: usize = 3;

/// What is known of the message.
#[derive(Debug)]
pub enum State {
    /// The store was asked.
    Asked,
    /// Its envelope, and perhaps its text.
    Here(Box<MessageView>),
    /// It is gone or cannot be read.
    Failed(Fault),
}

/// The open message.
#[derive(Debug)]
pub struct Viewer {
    open: Option<(PlacementKey, State)>,
    page: Option<Page>,
    /// What is to be laid out elsewhere, and was not yet handed out.
    heavy: Option<Sheet>,
    find: Option<Find>,
    /// Whether it could not be laid out, and whether that was handed out.
    failed: (bool, bool),
    form: Form,
    /// The text that new messages start with.
    usual: Prefer,
    zone: TimeZone,
    top: usize,
    width: u16,
    height: u16,
}

impl Viewer {
    /// Nothing open; messages start with this text, and times are said in this zone.
    #[must_use]
    pub fn new(usual: Prefer, zone: TimeZone) -> Self {
        let form = Form { prefer: usual, ..Form::default() };
        Self {
            open: None,
            page: None,
            heavy: None,
            find: None,
            failed: (false, false),
            form,
            usual,
            zone,
            top: 0,
            width: 0,
            height: 0,
        }
    }

    /// Waits for a message; `false` if it is the one that is open already.
    pub fn open(&mut self, id: PlacementKey) -> bool {
        if self.id() == Some(id) && !matches!(self.state(), Some(State::Failed(_))) {
            return false;
        }
        self.close();
        self.open = Some((id, State::Asked));
        true
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.open = None;
        self.page = None;
        self.heavy = None;
        self.find = None;
        self.failed = (false, false);
        self.form = Form { prefer: self.usual, ..Form::default() };
        self.top = 0;
    }

    /// Takes the store's answer about the open message.
    pub fn fill(&mut self, view: MessageView) {
        let Some((id, state)) = &mut self.open else { return };
        if *id != view.row.id {
            return;
        }
        let mut view = view;
        let (text, all) = match (&*state, &mut view.body) {
            (State::Here(old), Body::Here(new)) => match &old.body {
                // A file of it that came by itself changes nothing of the text.
                Body::Here(old) if Arc::ptr_eq(old, new) || (old.raw == new.raw && old.parts == new.parts) => {
                    // What is being laid out knows its message by its place.
                    *new = Arc::clone(old);
                    (true, true)
                }
                Body::Here(old) => (old.raw == new.raw, false),
                _ => (false, false),
            },
            _ => (false, false),
        };
        *state = State::Here(Box::new(view));
        if !text {
            self.page = None;
        }
        if !all {
            self.render();
        }
    }

    /// The store cannot say.
    pub fn fail(&mut self, fault: Fault) {
        if let Some((_, state)) = &mut self.open {
            *state = State::Failed(fault);
            self.page = None;
        }
    }

    /// Which message is open.
    #[must_use]
    pub fn id(&self) -> Option<PlacementKey> {
        self.open.as_ref().map(|(id, _)| *id)
    }

    /// What is known of it.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.open.as_ref().map(|(_, state)| state)
    }

    /// Its envelope and the rest, if here.
    #[must_use]
    pub fn view(&self) -> Option<&MessageView> {
        match self.state()? {
            State::Here(view) => Some(view),
            State::Asked | State::Failed(_) => None,
        }
    }

    /// Its headers: the text's own, once that is here.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        self.body().map(|m| &m.envelope).or_else(|| self.view().map(|v| &v.envelope))
    }

    /// Its content's number, if known.
    #[must_use]
    pub fn message(&self) -> Option<MessageKey> {
        self.view().map(|v| v.row.message)
    }

    /// Its parsed text, if here.
    #[must_use]
    pub fn body(&self) -> Option<&Arc<Message>> {
        match &self.view()?.body {
            Body::Here(message) => Some(message),
            Body::NotHere { .. } | Body::Coming { .. } | Body::Failed(_) => None,
        }
    }

    /// How something of it stands that was asked for and is not here.
    #[must_use]
    pub fn piece(&self, piece: &Piece) -> Option<&PieceState> {
        self.view()?.pieces.iter().find(|(p, _)| p == piece).map(|(_, state)| state)
    }

    /// Its rows, if its text is here.
    #[must_use]
    pub const fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    /// How it is looked at.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// What is looked for in it.
    #[must_use]
    pub const fn find(&self) -> Option<&Find> {
        self.find.as_ref()
    }

    /// Its attachments, without the images that belong to the text.
    #[must_use]
    pub fn files(&self) -> Vec<&Attachment> {
        self.page.iter().flat_map(|p| &p.plan.attachments).filter(|a| !a.related).collect()
    }

    /// Its links.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        self.page.as_ref().map_or(&[], |p| &p.links)
    }

    /// What a reader has to know before believing it, in one line.
    #[must_use]
    pub fn doubt(&self) -> Option<SafeText> {
        let author = body::author(self.envelope()?);
        let mut all = Vec::new();
        if author.ambiguous {
            all.push("it is not certain who wrote this".to_owned());
        }
        if author.lies {
            all.push(format!("the name looks like an address; it came from {}", author.address.shown()));
        }
        if self.links().iter().any(|l| l.lies) {
            all.push("a link leads elsewhere than it says".to_owned());
        }
        (!all.is_empty()).then(|| SafeText::line_max(&all.join("; "), 400))
    }

    /// Rows above the text: subject, people, doubts, a rule.
    #[must_use]
    pub fn head(&self) -> u16 {
        match self.height {
            0..=5 => 1,
            6..=9 => 3,
            _ => 4 + u16::from(self.doubt().is_some()),
        }
    }

    /// Rows below the text: a rule and the attachments, or what is looked for.
    #[must_use]
    pub fn foot(&self) -> u16 {
        let files = self.files().len();
        let listed = if self.height < 14 || files == 0 { 0 } else { 1 + files.min(MAX_FILES) };
        u16::try_from(listed).unwrap_or(0) + u16::from(self.find.is_some())
    }

    /// Rows of text.
    #[must_use]
    pub fn room(&self) -> u16 {
        self.height.saturating_sub(self.head() + self.foot())
    }

    /// The pane's size.
    pub fn set_size(&mut self, width: u16, height: u16) {
        self.height = height;
        if self.width != width {
            self.width = width;
            self.render();
        }
        self.scroll(0);
    }

    fn render(&mut self) {
        let cells = self.cells();
        let Some(message) = self.body().filter(|_| cells > 0).cloned() else { return };
        if self.form.source && !message.whole {
            // It comes, or it is said why not.
            (self.page, self.heavy) = (None, None);
            return;
        }
        let sheet = Sheet { message, cells, form: self.form, zone: self.zone.clone() };
        if sheet.is_heavy() {
            self.heavy = Some(sheet);
        } else {
            self.heavy = None;
            self.lay(sheet.page());
        }
    }

    fn lay(&mut self, page: Page) {
        self.failed.0 |= page.failed;
        self.page = Some(page);
        self.look();
        self.scroll(0);
    }

    /// What is to be laid out elsewhere, once.
    pub const fn take_heavy(&mut self) -> Option<Sheet> {
        self.heavy.take()
    }

    /// Which message could not be laid out, once each time that it is opened.
    pub fn take_failed(&mut self) -> Option<PlacementKey> {
        let first = self.failed == (true, false);
        self.failed.1 = self.failed.0;
        self.id().filter(|_| first)
    }

    /// It is laid out. If it was turned meanwhile, another layout is here already or on its way.
    pub fn laid(&mut self, sheet: &Sheet, mut page: Page) {
        let unfolded = self.form.unfolded;
        let now = Form { unfolded, ..sheet.form } == self.form && sheet.cells == self.cells();
        if now && self.body().is_some_and(|message| Arc::ptr_eq(message, &sheet.message)) {
            page.fold(unfolded);
            self.lay(page);
        }
    }

    /// The width of the text: a column of space at either side.
    fn cells(&self) -> usize {
        usize::from(self.width).saturating_sub(2)
    }

    /// The first row that is seen.
    #[must_use]
    pub const fn top(&self) -> usize {
        self.top
    }

    fn lowest_top(&self) -> usize {
        self.page.as_ref().map_or(0, |p| p.rows().len()).saturating_sub(usize::from(self.room()))
    }

    /// Scrolls by rows.
    pub fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.lowest_top());
    }

    /// Scrolls by pages or halves of them; whether there was anything to scroll.
    pub fn page_by(&mut self, down: bool, half: bool) -> bool {
        let was = self.top;
        let by = (usize::from(self.room()) / if half { 2 } else { 1 }).saturating_sub(usize::from(!half)).max(1).cast_signed();
        self.scroll(if down { by } else { -by });
        self.top != was
    }

    /// To the top or the end.
    pub fn end(&mut self, last: bool) {
        self.top = if last { self.lowest_top() } else { 0 };
    }

    /// How far the eye is, in percent, where not all can be seen.
    #[must_use]
    pub fn progress(&self) -> Option<usize> {
        let lowest = self.lowest_top();
        (lowest > 0).then(|| self.top * 100 / lowest)
    }

    /// Shows the other text, plain or HTML; `false` if there is none.
    pub fn switch(&mut self) -> bool {
        let other = self.page.as_ref().is_some_and(|p| p.plan.alternative);
        if other {
            self.form.prefer = if self.form.prefer == Prefer::Plain { Prefer::Html } else { Prefer::Plain };
            self.form.source = false;
            self.top = 0;
            self.render();
        }
        other
    }

    /// Shows all header fields, or only the usual ones again.
    pub fn toggle_headers(&mut self) {
        self.form.headers = !self.form.headers;
        self.form.source = false;
        self.top = 0;
        self.render();
    }

    /// Shows the message as it came, or its text again.
    pub fn toggle_source(&mut self) {
        self.form.source = !self.form.source;
        self.top = 0;
        self.render();
    }

    /// Unfolds the quotes or folds them again; `false` if there is nothing to fold.
    pub fn toggle_quotes(&mut self) -> bool {
        self.unfold(!self.form.unfolded)
    }

    fn unfold(&mut self, unfolded: bool) -> bool {
        let Some(page) = &mut self.page else { return false };
        let line = page.line_of(self.top);
        page.fold(unfolded);
        self.top = page.row_of(line);
        self.form.unfolded = unfolded;
        let any = page.folds();
        self.scroll(0);
        any
    }
}
