//! popup — what lies over the screen until it is answered: palette, choosers, help, questions, prompts.
//! Owns: `Popup`, what its keys do. May import: app, engine::api, mail.
//! Start reading at: `App::popup_key`.

use super::command::{self, CommandSpec, Group, Pane};
use super::compose::Unfinished;
use super::input::Line;
use super::key::{Code, Key};
use super::limits;
use super::msg::Note;
use super::reading::Over;
use super::screen::Screen;
use super::screen::chooser::{Choice, Chooser};
use super::state::App;
use super::tags::Tagging;
use super::tree::Naming;
use crate::base::safetext::SafeText;
use crate::engine::api::{Connectivity, Kind, MailboxAct, Password, Request};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::rights::Right;
use crate::mail::row::MailboxRow;

/// What a mailbox is chosen for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// To look at it.
    Go,
    /// To move messages there.
    Move,
    /// To copy them.
    Copy,
}

/// What lies over the screen.
#[derive(Debug)]
pub enum Popup {
    /// Commands.
    Palette(Chooser<&'static CommandSpec>),
    /// Mailboxes.
    Mailboxes(Chooser<MailboxId>, Use),
    /// Themes.
    Themes(Chooser<String>),
    /// Unfinished mails.
    Drafts(Chooser<Unfinished>),
    /// All keys of the pane where one is; the first line that is seen.
    Help(Pane, usize),
    /// A question that `y` answers: delete these for ever?
    Delete(SafeText, Vec<PlacementKey>),
    /// A question that `y` answers: delete or empty this mailbox?
    Sure(SafeText, MailboxAct),
    /// The name of a mailbox.
    Name(Naming, Line),
    /// The tags of messages.
    Tags(Box<Tagging>),
    /// A password.
    Password(AccountName, Line),
    /// Something about the open message.
    Reading(Over),
}

/// A line of the help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HelpLine {
    /// The heading of a group.
    Heading(&'static str),
    /// Keys and what they do.
    Row(String, &'static str),
    /// Nothing.
    Gap,
}

/// A question is answered with yes.
pub(super) const fn is_yes(key: Key) -> bool {
    matches!(key.code, Code::Char('y' | 'Y'))
}

/// A question is answered with no, if not by `Esc`.
pub(super) const fn is_no(key: Key) -> bool {
    matches!(key.code, Code::Char('n' | 'N' | 'q'))
}

impl Popup {
    /// Whether `key` ends it with an answer: a question by yes or no, all else by Enter.
    const fn is_answered_by(&self, key: Key) -> bool {
        match self {
            Self::Delete(..) if matches!(key.code, Code::Char('D')) => true,
            // Any other key leaves the question where it is: half of a `g a` that was on its way must not answer everybody.
            Self::Delete(..) | Self::Sure(..) => is_yes(key) || is_no(key),
            Self::Help(..) => matches!(key.code, Code::Char('q' | '?') | Code::Enter),
            _ => matches!(key.code, Code::Enter),
        }
    }

    /// Types into its line, or steps through what it offers.
    fn edit(&mut self, key: Key) {
        match self {
            Self::Name(_, line) | Self::Password(_, line) => {
                line.key(key);
            }
            Self::Tags(tagging) => {
                tagging.line.key(key);
            }
            Self::Palette(chooser) => chooser_key(chooser, key),
            Self::Mailboxes(chooser, _) => chooser_key(chooser, key),
            Self::Drafts(chooser) => chooser_key(chooser, key),
            Self::Themes(chooser) => chooser_key(chooser, key),
            Self::Help(..) | Self::Delete(..) | Self::Sure(..) | Self::Reading(_) => {}
        }
    }
}

impl App {
    /// The help of a pane.
    #[must_use]
    pub fn help_lines(&self, pane: Pane) -> Vec<HelpLine> {
        let mut lines = Vec::new();
        for group in Group::ALL {
            let rows: Vec<_> = command::commands()
                .filter(|c| c.group == group)
                .filter_map(|c| {
                    let keys = self.keys.chords(pane, c.id);
                    (!keys.is_empty()).then(|| {
                        let shown: Vec<_> = keys.iter().take(3).map(String::as_str).collect();
                        HelpLine::Row(if c.id == "account" { "1 … 9".to_owned() } else { shown.join("  ") }, c.doc)
                    })
                })
                .collect();
            if !rows.is_empty() {
                if !lines.is_empty() {
                    lines.push(HelpLine::Gap);
                }
                lines.push(HelpLine::Heading(group.title()));
                lines.extend(rows);
            }
        }
        lines
    }

    pub(super) fn open_palette(&mut self) {
        let pane = self.pane();
        let choices = command::commands().map(|c| Choice {
            value: c,
            label: SafeText::of(c.id),
            note: SafeText::of(c.doc),
            key: self.keys.key_for(pane, c.id).unwrap_or_default(),
            disabled: self.why_not(c),
        });
        self.popup = Some(Popup::Palette(Chooser::new("Commands", choices.collect())));
    }

    pub(super) fn open_mailboxes(&mut self, what: Use) {
        let targets = if what == Use::Go { Vec::new() } else { self.target_accounts() };
        let (only, others) = (targets.first(), targets.get(1..).unwrap_or_default());
        let several = self.accounts.len() > 1;
        // The same one in each account, where messages of several are to go.
        let alike =
            |m: &MailboxRow| -> Vec<&MailboxRow> { others.iter().filter_map(|account| self.folders.alike(account, m)).collect() };
        let mut choices: Vec<Choice<MailboxId>> = self
            .folders
            .rows()
            .iter()
            .filter(|m| {
                m.selectable && only.is_none_or(|a| m.account == *a) && (what == Use::Go || Some(m.id) != self.shown_mailbox())
            })
            .filter(|m| alike(m).len() == others.len())
            .map(|m| Choice {
                value: m.id,
                label: SafeText::line_max(&m.path.decoded(), 200),
                note: match what {
                    Use::Go if several => SafeText::line_max(m.account.as_str(), 60),
                    Use::Move | Use::Copy if !others.is_empty() => SafeText::of("of each account"),
                    _ => SafeText::default(),
                },
                key: String::new(),
                disabled: (what != Use::Go && !alike(m).into_iter().chain([m]).all(|m| limits::may(m, Right::Insert)))
                    .then_some("you may not put messages there"),
            })
            .collect();
        if let Some(n) = choices.iter().position(|c| Some(c.value) == self.last_target).filter(|_| what != Use::Go) {
            let mut last = choices.remove(n);
            last.note = SafeText::of("last one");
            choices.insert(0, last);
        }
        let title = match what {
            Use::Go => "Go to",
            Use::Move => "Move to",
            Use::Copy => "Copy to",
        };
        self.popup = Some(Popup::Mailboxes(Chooser::new(title, choices), what));
    }

    pub(super) fn open_themes(&mut self) {
        let choice = |name: &String| Choice {
            value: name.clone(),
            label: SafeText::line_max(name, 60),
            note: SafeText::default(),
            key: String::new(),
            disabled: None,
        };
        let choices = self.setup.themes.iter().map(choice).collect();
        self.popup = Some(Popup::Themes(Chooser::new("Theme", choices)));
    }

    /// Asks for the password of the first account that has none, unless the person is in the middle of something.
    pub(super) fn ask_password(&mut self) {
        let busy = self.popup.is_some() || self.screen != Screen::Mail || self.search.as_ref().is_some_and(|s| s.editing);
        let lacks = |a: &&AccountName| {
            let state = self.connectivity.get(*a);
            matches!(state, Some(Connectivity::NeedsUser(fault)) if fault.kind == Kind::NoPassword) && !self.declined.contains(*a)
        };
        if let Some(account) = self.accounts.iter().find(lacks).filter(|_| !busy).cloned() {
            // Once: who closes it finds it again by its key.
            self.declined.insert(account.clone());
            self.open_password(account);
        }
    }

    /// Takes the question for a password back when its account does well without an answer, as when another window gave it.
    pub(super) fn needless_password(&mut self) {
        if let Some(Popup::Password(account, line)) = &self.popup
            && line.is_empty()
            && !matches!(self.connectivity.get(account), Some(Connectivity::NeedsUser(_)))
        {
            self.popup = None;
        }
    }

    /// Asks for a password.
    pub(super) fn open_password(&mut self, account: AccountName) {
        self.popup = Some(Popup::Password(account, Line::secret()));
    }

    pub(super) fn popup_key(&mut self, key: Key) {
        let Some(mut popup) = self.popup.take() else { return };
        if key.code == Code::Esc || key == Key::ctrl('c') || key == Key::ctrl('g') {
            if matches!(popup, Popup::Delete(..) | Popup::Sure(..)) {
                self.nothing_done();
            }
            return self.ask_password();
        }
        if let Popup::Reading(over) = popup {
            return self.over_key(over, key);
        }
        if popup.is_answered_by(key) {
            return self.popup_answered(popup, key);
        }
        if let Popup::Help(pane, top) = &mut popup {
            self.help_key(*pane, top, key);
        } else {
            popup.edit(key);
        }
        self.popup = Some(popup);
    }

    /// What was chosen, typed or answered is done.
    fn popup_answered(&mut self, popup: Popup, key: Key) {
        match popup {
            Popup::Help(..) | Popup::Reading(_) => {}
            Popup::Delete(_, targets) if !is_no(key) => self.delete_forever(targets),
            Popup::Sure(_, act) if is_yes(key) => self.sure(act),
            Popup::Delete(..) | Popup::Sure(..) => self.nothing_done(),
            Popup::Name(naming, mut line) => self.named(&naming, &line.take()),
            Popup::Tags(tagging) => self.tagged(&tagging),
            Popup::Password(account, mut line) => {
                let password = Password::new(line.take());
                if !password.secret().is_empty() {
                    self.request(Request::Password { account: account.clone(), password }, Note::Password(account));
                }
                self.ask_password();
            }
            Popup::Palette(chooser) => self.run_palette(&chooser),
            Popup::Mailboxes(chooser, what) => self.mailbox_chosen(chooser.current().map(|c| c.value), what),
            Popup::Drafts(chooser) => {
                if let Some(choice) = chooser.current() {
                    self.go_on(choice.value);
                }
            }
            Popup::Themes(chooser) => {
                if let Some(choice) = chooser.current() {
                    self.set_theme(choice.value.clone());
                }
            }
        }
    }

    /// A question was answered with no.
    fn nothing_done(&mut self) {
        self.status.say(self.now.since, SafeText::of("Nothing was done"), None);
    }

    /// Scrolls the help of `pane`, of which `top` is the first line that is seen.
    fn help_key(&self, pane: Pane, top: &mut usize, key: Key) {
        let page = usize::from(self.setup.size.1).saturating_sub(6).max(1);
        let most = self.help_lines(pane).len().saturating_sub(page);
        match key.code {
            Code::Char('j') | Code::Down => *top += 1,
            Code::Char('k') | Code::Up => *top = top.saturating_sub(1),
            Code::Char(' ' | 'd' | 'f') | Code::PageDown => *top += page,
            Code::Char('u' | 'b') | Code::PageUp => *top = top.saturating_sub(page),
            Code::Char('g') | Code::Home => *top = 0,
            Code::Char('G') | Code::End => *top = most,
            _ => {}
        }
        *top = (*top).min(most);
    }

    /// Runs the chosen command, with the words typed after its name.
    fn run_palette(&mut self, chooser: &Chooser<&'static CommandSpec>) {
        let typed = chooser.line.text().trim();
        let (name, arg) = typed.split_once(' ').unwrap_or((typed, ""));
        let spec = match command::find(name) {
            Some(exact) => Some((exact, arg.trim())),
            None => chooser.current().map(|c| (c.value, "")),
        };
        if let Some((spec, arg)) = spec {
            self.run(spec, arg);
        }
    }

    fn mailbox_chosen(&mut self, chosen: Option<MailboxId>, what: Use) {
        let Some(id) = chosen else { return };
        if what != Use::Go && self.folders.mailbox(id).is_some_and(|m| !limits::may(m, Right::Insert)) {
            return self.status.doubt(self.now.since, "You may not put messages there");
        }
        match what {
            Use::Go => self.open_mailbox_id(id),
            Use::Move | Use::Copy => self.move_to(id, what == Use::Copy),
        }
    }

    /// Text that was pasted while something lies over the screen.
    pub(super) fn popup_paste(&mut self, text: &str) {
        match &mut self.popup {
            Some(Popup::Palette(c)) => paste(c, text),
            Some(Popup::Mailboxes(c, _)) => paste(c, text),
            Some(Popup::Themes(c)) => paste(c, text),
            Some(Popup::Drafts(c)) => paste(c, text),
            Some(Popup::Password(_, line) | Popup::Name(_, line) | Popup::Reading(Over::Folder(line, _) | Over::Pipe(line))) => {
                line.insert(text.trim_end_matches('\n'))
            }
            Some(Popup::Tags(tagging)) => tagging.line.insert(text.trim_end_matches('\n')),
            Some(Popup::Reading(Over::Links(c))) => paste(c, text),
            Some(Popup::Reading(Over::Open(c))) => paste(c, text),
            Some(Popup::Reading(Over::Save(c))) => paste(c, text),
            Some(Popup::Help(..) | Popup::Delete(..) | Popup::Sure(..) | Popup::Reading(Over::Doubtful(_))) | None => {}
        }
    }

    /// A click on the n-th row of what lies over the screen.
    pub(super) fn popup_click(&mut self, n: usize) {
        let there = match &mut self.popup {
            Some(Popup::Palette(c)) => c.point(n),
            Some(Popup::Mailboxes(c, _)) => c.point(n),
            Some(Popup::Themes(c)) => c.point(n),
            Some(Popup::Drafts(c)) => c.point(n),
            Some(Popup::Reading(Over::Links(c))) => c.point(n),
            Some(Popup::Reading(Over::Open(c))) => c.point(n),
            Some(Popup::Reading(Over::Save(c))) => c.point(n),
            Some(Popup::Help(..) | Popup::Delete(..) | Popup::Sure(..) | Popup::Name(..) | Popup::Password(..)) => false,
            Some(Popup::Tags(_) | Popup::Reading(_)) | None => false,
        };
        if there {
            self.popup_key(Key::plain(Code::Enter));
        }
    }
}

fn paste<T: Clone>(chooser: &mut Chooser<T>, text: &str) {
    chooser.line.insert(text);
    chooser.narrow();
}

pub(super) fn chooser_key<T: Clone>(chooser: &mut Chooser<T>, key: Key) {
    match (key.code, key.ctrl) {
        (Code::Up | Code::BackTab, _) | (Code::Char('p' | 'k'), true) => chooser.step(-1),
        (Code::Down | Code::Tab, _) | (Code::Char('n' | 'j'), true) => chooser.step(1),
        (Code::PageUp, _) => (0..10).for_each(|_| chooser.step(-1)),
        (Code::PageDown, _) => (0..10).for_each(|_| chooser.step(1)),
        _ => {
            if chooser.line.key(key) {
                chooser.narrow();
            }
        }
    }
}
