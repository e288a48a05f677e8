//! first — the first start: the form of an account from its opening to its inbox.
//! Owns: what the form's keys lead to, whose inbox is opened. May import: app, config, engine::api, mail.
//! Start reading at: `App::open_form`.

use super::key::Key;
use super::msg::{Effect, Refusal};
use super::screen::Screen;
use super::screen::account::{Form, Trial, Wish};
use super::state::App;
use crate::config::discovery::Found;
use crate::engine::api::{Kind, Password};
use crate::mail::ids::AccountName;
use crate::mail::mailbox::Role;

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

    /// Opens the inbox of the account with this number in the list of all.
    pub(super) fn open_account(&mut self, number: &str) {
        let n = number.parse::<usize>().unwrap_or(0);
        match n.checked_sub(1).and_then(|n| self.accounts.get(n)).cloned() {
            Some(account) if !self.set_account(&account) => {
                // Pressed before its mailboxes are known: what is there stands in for its inbox.
                self.stands_in = self.view.is_some();
                if self.stands_in {
                    self.status.doubt(self.now.since, &format!("{account} has no inbox yet: it is shown when it comes"));
                }
                self.setup.account = Some(account);
            }
            Some(_) => {}
            None => self.status.doubt(self.now.since, "There is no account with that number"),
        }
    }

    /// Opens the inbox of an account; `false` while it has none.
    pub(super) fn set_account(&mut self, account: &AccountName) -> bool {
        let inbox = self.folders.of_role(account, Role::Inbox).map(|m| m.id);
        if let Some(id) = inbox {
            self.open_mailbox_id(id);
        }
        inbox.is_some()
    }

    /// Opens the inbox of the account that was named, else of the first that has one; it stands in for that of the one before.
    pub(super) fn open_inbox(&mut self) {
        let mut order: Vec<_> = self.setup.account.clone().into_iter().chain(self.accounts.clone()).collect();
        if self.stands_in {
            order.truncate(1);
        }
        for (n, account) in order.iter().enumerate() {
            if self.set_account(account) {
                self.stands_in = n > 0;
                return;
            }
        }
    }
}
