//! mouse — clicks and the wheel, on their way to what keys do.
//! Owns: what a click means. May import: app.
//! Start reading at: `App::click`. Nothing can be done by the mouse alone.

use super::key::{Code, Key};
use super::layout::Focus;
use super::msg::Spot;
use super::screen::Screen;
use super::state::App;

impl App {
    pub(super) fn click(&mut self, spot: Spot, line: usize) {
        if self.popup.is_some() {
            match spot {
                Spot::Popup => self.popup_click(line),
                Spot::Folders | Spot::Messages | Spot::Reader => self.popup = None,
            }
            return;
        }
        match (self.screen, spot) {
            (Screen::Jobs, _) => self.jobs.point(line),
            (Screen::Outbox, _) => {
                self.outbox.point(line);
            }
            (Screen::Compose, _) => {}
            (Screen::Account, _) => self.form_click(line),
            (Screen::Mail, Spot::Folders) => {
                self.set_focus(Focus::Folders);
                if self.folders.point(line) {
                    self.open();
                }
            }
            (Screen::Mail, Spot::Messages) => {
                if let Some(search) = &mut self.search {
                    search.editing = false;
                }
                self.set_focus(Focus::Messages);
                let was = self.list.current().map(|i| i.row.id);
                if self.list.point(line) {
                    let again = self.list.current().map(|i| i.row.id) == was;
                    if again || self.layout().reader.is_some() {
                        self.open();
                    } else {
                        self.cursor_moved();
                    }
                }
            }
            (Screen::Mail, Spot::Reader) => {
                if self.viewer.id().is_some() {
                    self.set_focus(Focus::Reader);
                }
            }
            (Screen::Mail, Spot::Popup) => {}
        }
    }

    pub(super) fn wheel(&mut self, spot: Spot, by: isize) {
        if self.popup.is_some() {
            let key = Key::plain(if by > 0 { Code::Down } else { Code::Up });
            return self.popup_key(key);
        }
        match (self.screen, spot) {
            (Screen::Outbox, _) => self.outbox.step(by.signum()),
            (Screen::Jobs, _) => self.jobs.step(by.signum()),
            (Screen::Compose, _) => self.compose_scroll(by),
            (Screen::Account, _) => {}
            (Screen::Mail, Spot::Folders) => self.folders.step(by.signum()),
            (Screen::Mail, Spot::Messages) => {
                self.list.step(by);
                self.cursor_moved();
            }
            (Screen::Mail, Spot::Reader) => self.viewer.scroll(by),
            (Screen::Mail, Spot::Popup) => {}
        }
    }
}
