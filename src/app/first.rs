//! first — the first start: the form of an account from its opening to its inbox.
//! Owns: what the form's keys lead to. May import: app, config, engine::api.
//! Start reading at: `App::open_form`.

use super::key::Key;
use super::msg::{Effect, Refusal};
use super::screen::Screen;
use super::screen::account::{Form, Trial, Wish};
use super::state::App;
use crate::config::discovery::Found;
use crate::engine::api::{Kind, Password};
use crate::mail::ids::AccountName;

impl App {
    /// Opens the form, as it was left if it was.
    pub(super) fn open_form(&mut self) {
        let taken = self.accounts.iter().map(ToString::to_string).collect();
        self.form.get_or_insert_with(|| Form::new(taken));
        self.screen = Screen::Account;
    }

    /// Whether there is nothing but the form: the first start.
    #[must_use]
    pub const fn is_first_start(&self) -> bool {
        self.accounts.is_empty()
    }

    pub(super) fn form_key(&mut self, key: Key) {
        if key == Key::ctrl('c') {
            self.out.push(Effect::Quit);
            return;
        }
        let Some(form) = &mut self.form else { return };
        match form.key(key) {
            Wish::None => {}
            Wish::Stop => self.out.push(Effect::StopTrial),
            Wish::Leave if self.accounts.is_empty() => {
                if form.second_thought() {
                    self.out.push(Effect::Quit);
                } else {
                    self.status.doubt(self.now.since, "Nothing is saved yet: Esc again leaves Postrider, any other key stays");
                }
            }
            Wish::Leave => self.screen = Screen::Mail,
            Wish::Try(account, password) => {
                let password = password.map(Password::new);
                self.secret.clone_from(&password);
                self.out.push(Effect::TryAccount(account, password));
            }
        }
        self.find_servers();
    }

    /// Has the servers of a new address looked for, once the person is done with it.
    fn find_servers(&mut self) {
        if let Some(address) = self.form.as_mut().and_then(Form::to_find) {
            self.out.push(Effect::FindServers(address));
        }
    }

    /// The search for the servers of `address` has ended.
    pub(super) fn found(&mut self, address: &str, found: Found) {
        if let Some(form) = &mut self.form {
            form.found(address, found);
        }
    }

    pub(super) fn form_click(&mut self, n: usize) {
        if let Some(form) = &mut self.form {
            form.point(n);
        }
        self.find_servers();
    }

    /// The test has ended.
    pub(super) fn tried(&mut self, result: Result<AccountName, Refusal>) {
        match result {
            Ok(account) => {
                let password = self.secret.take();
                self.form = None;
                self.screen = Screen::Mail;
                self.out.push(Effect::Reopen(account, password));
            }
            // It was stopped: nobody waits for what it says.
            Err(refusal) if refusal.fault.kind == Kind::Cancelled => {}
            Err(refusal) => {
                self.secret = None;
                if let Some(form) = self.form.as_mut().filter(|f| f.trial == Trial::Running) {
                    form.failed(refusal.step, *refusal.fault, refusal.outgoing);
                }
            }
        }
    }
}
