//! effects — what the app wants done outside: questions, requests, the clipboard, the editor, the desktop, a new account.
//! Owns: `Reader::carry_out`, what lies under the mouse. May import: app, engine::api, config, base.
//! Start reading at: `Reader::carry_out`.

use super::editor;
use super::notify;
use super::outside;
use super::pipe;
use super::run::{End, Reader};
use super::theme::Theme;
use super::view;
use crate::app::msg::{Effect, Msg, Refusal, Spot};
use crate::app::screen::Screen;
use crate::base::cancel::Cancel;
use crate::base::safetext::SafeText;
use crate::base::spawn;
use crate::config::edit::NewAccount;
use crate::engine::api::{Fault, Password};
use std::io;
use std::sync::Arc;

impl Reader<'_> {
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
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
                Effect::Pipe(command, bytes) => {
                    let folder = self.opened.as_ref().map(|o| o.path().to_owned());
                    self.lent = true;
                    if let Err(why) = self.terminal.lend(|| pipe::pipe(folder.as_deref(), &command, &bytes))? {
                        self.app.complain(&why);
                    }
                    self.changed = true;
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
                Effect::Notify(what, ways) => notify::tell(self.terminal, what.as_str(), &ways)?,
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
                Effect::FindServers(address) => self.find_servers(address)?,
                Effect::TryAccount(account, password) => self.try_account(*account, password)?,
                Effect::StopTrial => {
                    if let Some(stop) = self.trial.take() {
                        stop.ring();
                    }
                }
                Effect::Reopen(account, password) => self.ended = Some(End::Reopen(account, password)),
                Effect::Quit => self.ended = Some(End::Left),
            }
        }
        Ok(())
    }

    /// Tests a new account where nobody waits for it.
    fn try_account(&mut self, account: NewAccount, password: Option<Password>) -> io::Result<()> {
        let (host, told) = (Arc::clone(&self.host), self.told.clone());
        let stop = Cancel::new()?;
        self.trial = Some(stop.clone());
        let thread = spawn::spawn("try-account", move || {
            let result = spawn::guarded(|| host.try_account(&account, password.as_ref(), &stop));
            let result = result.unwrap_or_else(|bug| {
                let step = SafeText::of("Testing the account");
                Err(Refusal { step, fault: Box::new(Fault::bug(&bug)), outgoing: false })
            });
            told.put(|told| told.tried = Some(result));
        })?;
        // It tells by itself; leaving the reader leaves it alone.
        drop(thread);
        Ok(())
    }

    /// Looks for servers where nobody waits for it. A search for an address before this one is stopped.
    fn find_servers(&mut self, address: String) -> io::Result<()> {
        let (host, told) = (Arc::clone(&self.host), self.told.clone());
        let stop = Cancel::new()?;
        if let Some(before) = self.search.replace(stop.clone()) {
            before.ring();
        }
        let thread = spawn::spawn("find-servers", move || {
            // What was a mistake of ours is in the log; here nothing was found.
            let found = spawn::guarded(|| host.find_servers(&address, &stop)).unwrap_or_default();
            if !stop.is_set() {
                told.put(|told| told.found = Some((address, found)));
            }
        })?;
        // It tells by itself; leaving the reader leaves it alone.
        drop(thread);
        Ok(())
    }

    fn open(&mut self, target: std::ffi::OsString) {
        if let Err(why) = outside::open(target) {
            self.app.complain(&why);
            self.changed = true;
        }
    }

    pub(super) fn set_theme(&mut self, name: &str) {
        match Theme::load(name, self.look.themes.as_deref(), self.look.depth) {
            Ok(theme) => self.theme = theme,
            Err(error) => self.app.complain(&error.to_string()),
        }
        self.changed = true;
    }

    /// What lies under the mouse, and the line of it.
    pub(super) fn spot(&self, x: u16, y: u16) -> Option<(Spot, usize)> {
        let layout = self.app.layout();
        if let Some(popup) = self.app.popup() {
            let area = view::popup_area(&self.app, popup);
            if area.holds(x, y) {
                let line = (y - area.y).checked_sub(view::POPUP_FIRST_ROW)?;
                return Some((Spot::Popup, usize::from(line)));
            }
        }
        if let Some(form) = self.app.form().as_ref().filter(|_| *self.app.screen() == Screen::Account) {
            let line = (y.checked_sub(layout.main.y)?) + view::account::scroll(form, layout.main);
            let field = form.fields().position(|f| view::account::line_of(f) == line)?;
            return Some((Spot::Messages, field));
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
}
