//! viewer — the open message: what is known of it, its lines at the pane's width, and where the eye is.
//! Owns: `Viewer`, `State`. May import: engine::api, mail.
//! Start reading at: `Viewer::open`. Text is rendered again only when the message, the width or the chosen form changes.

use crate::engine::api::{Body, Fault, MessageView};
use crate::mail::body::Message;
use crate::mail::ids::{MessageKey, PlacementKey};
use crate::mail::render::{self, Rendered};
use crate::mail::structure::Prefer;
use std::sync::Arc;

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
#[derive(Debug, Default)]
pub struct Viewer {
    open: Option<(PlacementKey, State)>,
    rendered: Option<Rendered>,
    prefer: Prefer,
    /// The form that new messages start with.
    usual: Prefer,
    top: usize,
    width: u16,
    height: u16,
}

impl Viewer {
    /// Nothing open; messages start in this form.
    #[must_use]
    pub fn new(usual: Prefer) -> Self {
        Self { usual, prefer: usual, ..Self::default() }
    }

    /// Waits for a message; `false` if it is the one that is open already.
    pub fn open(&mut self, id: PlacementKey) -> bool {
        if self.id() == Some(id) && !matches!(self.state(), Some(State::Failed(_))) {
            return false;
        }
        self.open = Some((id, State::Asked));
        self.rendered = None;
        self.prefer = self.usual;
        self.top = 0;
        true
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.open = None;
        self.rendered = None;
    }

    /// Takes the store's answer about the open message.
    pub fn fill(&mut self, view: MessageView) {
        let Some((id, state)) = &mut self.open else { return };
        if *id != view.row.id {
            return;
        }
        let same = match (&*state, &view.body) {
            (State::Here(old), Body::Here(new)) => matches!(&old.body, Body::Here(m) if Arc::ptr_eq(m, new) || m.raw == new.raw),
            _ => false,
        };
        *state = State::Here(Box::new(view));
        if !same {
            self.rendered = None;
            self.render();
        }
    }

    /// The store cannot say.
    pub fn fail(&mut self, fault: Fault) {
        if let Some((_, state)) = &mut self.open {
            *state = State::Failed(fault);
            self.rendered = None;
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
            Body::Absent | Body::Coming | Body::Failed(_) => None,
        }
    }

    /// Its lines, if its text is here.
    #[must_use]
    pub const fn rendered(&self) -> Option<&Rendered> {
        self.rendered.as_ref()
    }

    /// The room for the text.
    pub fn set_size(&mut self, width: u16, height: u16) {
        self.height = height;
        if self.width != width {
            self.width = width;
            self.rendered = None;
            self.render();
        }
        self.scroll(0);
    }

    fn render(&mut self) {
        if let Some(message) = self.body().filter(|_| self.width > 0) {
            let rendered = render::render(message, usize::from(self.width), self.prefer);
            self.rendered = Some(rendered);
            self.scroll(0);
        }
    }

    /// The first line that is seen.
    #[must_use]
    pub const fn top(&self) -> usize {
        self.top
    }

    fn lines(&self) -> usize {
        self.rendered.as_ref().map_or(0, |r| r.lines.len())
    }

    fn lowest_top(&self) -> usize {
        self.lines().saturating_sub(usize::from(self.height))
    }

    /// Scrolls by lines.
    pub fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.lowest_top());
    }

    /// Scrolls by pages or halves of them; whether there was anything to scroll.
    pub fn page(&mut self, down: bool, half: bool) -> bool {
        let was = self.top;
        let by = (usize::from(self.height) / if half { 2 } else { 1 }).saturating_sub(usize::from(!half)).max(1).cast_signed();
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

    /// Shows the other form of the text; `false` if there is none.
    pub fn switch(&mut self) -> bool {
        let other = self.rendered.as_ref().is_some_and(|r| r.plan.alternative);
        if other {
            self.prefer = if self.prefer == Prefer::Plain { Prefer::Html } else { Prefer::Plain };
            self.render();
        }
        other
    }
}
