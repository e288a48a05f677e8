//! answer — each question put to the store, and what comes out put into rows.
//! Owns: `Answerer`: a reader of the cache. May import: store, mail, config's names of accounts.
//! Start reading at: `Answerer::answer`. One for each lane; none waits for a network, and none writes but to say that a lost
//! body is lost.

use super::api::{
    Body, Contact, DraftRow, MessagePage, MessageView, OutboxRow, Query, QueueRow, Rows, SavedDraft, SearchPage, ServerSearch,
};
use super::asked;
use super::awaited::Awaited;
use super::fault::Fault;
use super::jobs::Jobs;
use super::offline;
use super::servers::Servers;
use super::texts::Texts;
use crate::base::gate;
use crate::base::safetext::SafeText;
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::outgoing::Outgoing;
use crate::mail::page::Sheet;
use crate::mail::query;
use crate::mail::row::{MailboxRow, MessageRow, RowCursor, View};
use crate::mail::thread::{Node, arrange};
use crate::store::open::Cache;
use crate::store::{
    Reader, Result as Stored, Stop, Store, contacts, draft_copies, drafts, journal, limits, lists, mailboxes, messages, outbox,
    parts, people, poison, search, search_told,
};
use std::collections::HashSet;
use std::sync::Arc;

/// Answers questions, on one thread.
pub struct Answerer {
    store: Store,
    jobs: Jobs,
    reader: Reader<Cache>,
    /// In the order of the configuration.
    accounts: Vec<AccountName>,
    /// How the texts stand that are not here.
    awaited: Arc<Awaited>,
    /// What servers found.
    servers: Arc<Servers>,
    texts: Texts,
}

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answerer")
    }
}

impl Answerer {
    /// Over `store`; accounts are listed in the order given.
    ///
    /// # Errors
    /// The folder of the bodies cannot be used.
    pub fn new(
        store: &Store,
        jobs: &Jobs,
        accounts: Vec<AccountName>,
        awaited: Arc<Awaited>,
        servers: Arc<Servers>,
    ) -> Result<Self, Fault> {
        let (jobs, texts) = (jobs.clone(), Texts::new(store)?);
        Ok(Self { store: store.clone(), jobs, reader: store.reader(), accounts, awaited, servers, texts })
    }

    /// The answer to `query`. `stop` ends it early, with a fault that nobody sees.
    ///
    /// # Errors
    /// `Missing` where the message or draft is gone; what the store says.
    pub fn answer(&mut self, query: &Query, stop: &Stop) -> Result<Rows, Fault> {
        Ok(match query {
            Query::Mailboxes => {
                let mut rows = self.reader.ask(stop, |db| mailboxes::list(db, None))?;
                offline::mark(&self.store, &mut rows)?;
                Rows::Mailboxes(in_display_order(rows, &self.accounts))
            }
            Query::Quotas => {
                let mut all = Vec::new();
                for account in &self.accounts {
                    let roots = self.reader.ask(stop, |db| limits::quota(db, account))?;
                    all.extend(roots.into_iter().map(|root| (account.clone(), root)));
                }
                Rows::Quotas(all)
            }
            Query::Messages { view, threaded, cursor, limit } => {
                Rows::Messages(self.page(*view, *threaded, *cursor, *limit, stop)?)
            }
            Query::Thread(of) => Rows::Thread(self.thread(*of, stop)?),
            Query::Message(of) => Rows::Message(Box::new(self.message(*of, stop)?)),
            Query::Page(sheet) => laid(sheet),
            Query::Search { text, within, limit } => Rows::Search(self.search(text, *within, *limit, stop)?),
            Query::Contacts { prefix, limit } => {
                let mut found = self.store.read_state(|db| contacts::complete(db, prefix, *limit))?;
                let most = *limit as usize;
                // Whom the person wrote to comes first; then whoever stands in the mail that is here.
                let seen = self.reader.ask(stop, |db| people::seen(db, prefix, most))?;
                let fresh: Vec<_> = seen.into_iter().filter(|(a, _)| !found.iter().any(|(f, _)| f.same(a))).collect();
                found.extend(fresh);
                found.truncate(most);
                Rows::Contacts(found.into_iter().map(|(address, weight)| Contact { address, weight }).collect())
            }
            Query::Outbox => Rows::Outbox(self.store.read_state(outbox::list)?.into_iter().map(outbox_row).collect()),
            Query::Queue => {
                // What is as far as its server goes is nobody's business any more; it can still be undone.
                let waits = |op: &Operation| op.state != OpState::Hidden;
                Rows::Queue(
                    self.store.read_state(|db| journal::queue(db, None))?.into_iter().filter(waits).map(queue_row).collect(),
                )
            }
            Query::Jobs => {
                let mut jobs = self.jobs.list();
                asked::jobs(&self.store, &self.accounts, &mut jobs)?;
                Rows::Jobs(jobs)
            }
            Query::Drafts => {
                let (all, copies) = self.store.read_state(|db| Ok((drafts::list(db)?, draft_copies::list(db)?)))?;
                Rows::Drafts(all.into_iter().map(|saved| draft_row(saved, &copies)).collect())
            }
            Query::Draft(id) => {
                let saved = self.store.read_state(|db| drafts::get(db, *id))?;
                let drafts::Saved { id, account, draft, saved } = saved;
                Rows::Draft(Box::new(SavedDraft { id, account, draft, saved }))
            }
        })
    }

    fn page(&mut self, view: View, threaded: bool, cursor: RowCursor, limit: u32, stop: &Stop) -> Result<MessagePage, Fault> {
        let page = self.reader.ask(stop, |db| {
            let rows = lists::page(db, view, threaded, cursor, limit)?;
            let (above, total) = lists::position(db, view, threaded, cursor, &rows)?;
            Ok(MessagePage { view, threaded, rows, above, total })
        })?;
        self.awaited.sight.look(&page.rows);
        Ok(page)
    }

    fn thread(&mut self, of: PlacementKey, stop: &Stop) -> Result<Vec<MessageRow>, Fault> {
        Ok(self.reader.ask(stop, |db| {
            let rows = lists::conversation(db, of)?;
            let envelopes = rows.iter().map(|r| Ok(messages::content(db, r.message)?.envelope)).collect::<Stored<Vec<_>>>()?;
            let nodes: Vec<Node<'_>> = rows
                .iter()
                .zip(&envelopes)
                .map(|(r, e)| Node { id: e.message_id.as_ref(), ancestors: e.ancestors(), sort: r.sort })
                .collect();
            let order = arrange(&nodes);
            Ok(order.into_iter().filter_map(|(n, depth)| Some(MessageRow { depth, ..rows.get(n)?.clone() })).collect())
        })?)
    }

    fn message(&mut self, of: PlacementKey, stop: &Stop) -> Result<MessageView, Fault> {
        let (row, content, partly, mailbox, left_out) = self.reader.ask(stop, |db| {
            let row = lists::row(db, of)?;
            let (mailbox, left_out) = (mailboxes::get(db, row.mailbox)?.path, poison::is_left_out(db, row.message)?);
            Ok((row.clone(), messages::content(db, row.message)?, parts::of(db, row.message)?, mailbox, left_out))
        })?;
        self.awaited.seen(row.message);
        let here = self.texts.message(row.message, &content.blob, partly.as_ref(), left_out, content.untrue)?;
        let body = here.map_or_else(|| self.awaited.body(row.message), Body::Here);
        let pieces = self.awaited.pieces(row.message);
        Ok(MessageView { row, mailbox, envelope: content.envelope, body, pieces })
    }

    fn search(&mut self, text: &str, within: Option<MailboxId>, limit: u32, stop: &Stop) -> Result<SearchPage, Fault> {
        let now = jiff::Zoned::now();
        let parsed = query::parse(text, now.date());
        let found = self.reader.ask(stop, |db| search::search(db, &parsed.query, within, now.time_zone(), limit))?;
        let mut page =
            SearchPage { text: text.to_owned(), rows: found.rows, more: found.more, complaint: parsed.complaint, servers: None };
        if let Some(shown) = self.servers.shown(text) {
            let (rows, coming) =
                self.reader.ask(stop, |db| search_told::told(db, &shown.query, &shown.told, within, now.time_zone()))?;
            let known: HashSet<_> = page.rows.iter().map(|row| row.message).collect();
            let rows: Vec<_> = rows.into_iter().filter(|row| !known.contains(&row.message)).collect();
            let found = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            page.servers = Some(ServerSearch { found, coming, ..shown.standing });
            page.rows.extend(rows);
            page.rows.sort_by_key(|row| std::cmp::Reverse(row.sort));
            page.more |= page.rows.len() > limit as usize;
            page.rows.truncate(limit as usize);
        }
        Ok(page)
    }
}

/// A message laid out, with the door shut.
pub(super) fn laid(sheet: &Sheet) -> Rows {
    let _shut = gate::reading();
    Rows::Page(sheet.clone(), Box::new(sheet.page()))
}

/// Accounts as configured, others after them by name; in an account the mailboxes with a role first, each followed by what
/// lies below it, siblings by name.
fn in_display_order(mut rows: Vec<MailboxRow>, accounts: &[AccountName]) -> Vec<MailboxRow> {
    let roles: std::collections::HashMap<_, _> =
        rows.iter().filter_map(|r| Some(((r.account.clone(), r.path.clone()), r.role?))).collect();
    rows.sort_by_cached_key(|row| {
        let account = accounts.iter().position(|a| *a == row.account).unwrap_or(accounts.len());
        let mut steps = Vec::new();
        let mut at = Some(row.path.clone());
        while let Some(path) = at {
            let role = roles.get(&(row.account.clone(), path.clone()));
            // Without a role: after those that have one.
            let rank = role.map_or(u8::MAX, |r| *r as u8);
            steps.push((rank, path.leaf(row.delimiter).to_lowercase(), path.as_str().to_owned()));
            at = path.parent(row.delimiter);
        }
        steps.reverse();
        (account, row.account.clone(), steps)
    });
    rows
}

fn outbox_row(mail: Outgoing) -> OutboxRow {
    OutboxRow {
        id: mail.id,
        account: mail.mail.account,
        message_id: mail.mail.message_id,
        sender: mail.mail.sender,
        recipients: mail.mail.recipients,
        subject: mail.mail.subject,
        state: mail.state,
        attempts: mail.attempts,
        due: mail.due,
        fault: SafeText::line(&mail.fault),
        created: mail.mail.created,
    }
}

fn queue_row(op: Operation) -> QueueRow {
    let detail = match &op.kind {
        OpKind::Flag { delta } => delta.in_words(),
        OpKind::Move { to } => format!("move to {}", to.decoded()),
        OpKind::Copy { to } => format!("copy to {}", to.decoded()),
        OpKind::Expunge => "delete for ever".to_owned(),
        OpKind::Append { .. } => format!("save a copy in {}", op.mailbox.decoded()),
        OpKind::CreateMailbox { role: None } => format!("make {}", op.mailbox.decoded()),
        OpKind::CreateMailbox { role: Some(_) } => format!("make {}, unless there is one for that", op.mailbox.decoded()),
        OpKind::RenameMailbox { to, .. } => format!("rename to {}", to.decoded()),
        OpKind::DeleteMailbox => format!("delete {}", op.mailbox.decoded()),
        OpKind::SubscribeMailbox { on: true } => format!("subscribe to {}", op.mailbox.decoded()),
        OpKind::SubscribeMailbox { on: false } => format!("unsubscribe from {}", op.mailbox.decoded()),
    };
    QueueRow {
        id: op.id,
        group: op.group,
        account: op.account,
        mailbox: op.mailbox,
        to: if let OpKind::RenameMailbox { to, .. } = &op.kind { Some(to.clone()) } else { None },
        kind: op.kind.word(),
        detail: SafeText::line(&detail),
        // Append and CreateMailbox have no targets and are about one thing.
        count: u32::try_from(op.targets.len()).unwrap_or(u32::MAX).max(1),
        state: op.state,
        attempts: op.attempts,
        fault: SafeText::line(&op.fault),
        created: op.created,
    }
}

fn draft_row(saved: drafts::Saved, copies: &[draft_copies::DraftCopy]) -> DraftRow {
    let copy = copies.iter().find(|c| c.draft == saved.id).map(|c| c.message_id.clone()).filter(|id| !id.is_empty());
    let to: Vec<&str> =
        saved.draft.to.iter().map(|a| if a.name.is_empty() { a.addr.as_str() } else { a.name.as_str() }).collect();
    DraftRow { id: saved.id, account: saved.account, to: to.join(", "), subject: saved.draft.subject, saved: saved.saved, copy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::inbox::Inbox;
    use crate::engine::api::Away;
    use crate::mail::envelope::{Envelope, MessageId};
    use crate::mail::fixtures;
    use crate::mail::fixtures::mailbox;

    use crate::mail::mailbox::{MailboxPath, Role};
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::blobs::Blobs;
    use crate::store::bodies;
    use crate::store::bodies::Reading;
    use crate::store::tests::quiet;

    fn answerer(store: &Store, accounts: Vec<AccountName>) -> Answerer {
        let news = Inbox::new().unwrap();
        let (jobs, servers) = (Jobs::new(news.clone()), Arc::new(Servers::new(news)));
        Answerer::new(store, &jobs, accounts, Arc::default(), servers).unwrap()
    }

    fn seen(uid: u32, id: &str, follows: &[&str]) -> EnvelopeSeen {
        let ids = |all: &[&str]| all.iter().filter_map(|i| MessageId::new(i)).collect();
        EnvelopeSeen {
            envelope: Envelope {
                subject: format!("subject {id}"),
                message_id: MessageId::new(id),
                references: ids(follows),
                ..Envelope::default()
            }
            .into(),
            ..fixtures::seen(uid)
        }
    }

    #[test]
    fn a_conversation_reaches_into_sent_and_a_lost_body_is_absent() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let inbox = store
            .cache(|tx| {
                let account = AccountName::new("a");
                let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
                let new = [seen(1, "q@x", &[]), seen(5, "r@x", &["q@x", "own@x"]), seen(6, "other@x", &[])];
                messages::record_new(tx, inbox, UidValidity(1), &new)?;
                for (name, role, rows) in [
                    ("Sent", Role::Sent, vec![seen(3, "own@x", &["q@x"]), seen(4, "q@x", &[])]),
                    ("Trash", Role::Trash, vec![seen(2, "bin@x", &["q@x"])]),
                ] {
                    let there = mailboxes::ensure(tx, &account, &MailboxPath::from_typed(name))?;
                    mailboxes::set_role(tx, there, Some(role))?;
                    messages::record_new(tx, there, UidValidity(1), &rows)?;
                }
                Ok(inbox)
            })
            .unwrap();
        let mut ours = answerer(&store, vec![account]);
        let mut ask = |query| ours.answer(&query, &Stop::new()).unwrap();
        let newest = Query::Messages { view: inbox.into(), threaded: true, cursor: RowCursor::From((6 * 60) << 24), limit: 1 };
        let Rows::Messages(page) = ask(newest) else { panic!() };
        assert_eq!((page.above, page.total, page.rows[0].subject.as_str()), (0, 2, "subject other@x"));
        let next =
            Query::Messages { view: inbox.into(), threaded: true, cursor: RowCursor::From(((6 * 60) << 24) - 1), limit: 9 };
        let Rows::Messages(page) = ask(next) else { panic!() };
        assert_eq!((page.above, page.rows.len()), (1, 1));
        let row = page.rows[0].clone();
        let Rows::Thread(rows) = ask(Query::Thread(row.id)) else { panic!() };
        let shown: Vec<_> = rows.iter().map(|r| (r.message_id.as_str(), r.depth)).collect();
        assert_eq!(shown, [("q@x", 0), ("own@x", 1), ("r@x", 2)]);

        let raw = b"Subject: r\r\nMessage-ID: <r@x>\r\n\r\nThe kohlrabi is ripe.\r\n";
        let blobs = Blobs::open(dir.path()).unwrap();
        let blob = blobs.put(raw).unwrap();
        let message = row.message;
        let reading =
            Reading { preview: "The kohlrabi".into(), text: "The kohlrabi is ripe.".into(), files: vec![], ..Reading::default() };
        let name = blob.clone();
        store.cache(move |tx| bodies::arrived(tx, message, &name, 9, &reading)).unwrap();
        let Rows::Message(view) = ask(Query::Message(row.id)) else { panic!() };
        let Body::Here(first) = view.body else { panic!("{:?}", view.body) };
        let Rows::Message(view) = ask(Query::Message(row.id)) else { panic!() };
        assert!(matches!(view.body, Body::Here(m) if Arc::ptr_eq(&m, &first)), "parsed once");
        let search = |text: &str| Query::Search { text: text.into(), within: None, limit: 10 };
        let Rows::Search(page) = ask(search("body:kohlr")) else { panic!() };
        assert_eq!((page.rows.len(), page.rows[0].id, page.rows[0].preview.as_str()), (1, row.id, "The kohlrabi"));

        std::fs::remove_dir_all(dir.path().join("blobs")).unwrap();
        let mut fresh = answerer(&store, vec![]);
        let Rows::Message(view) = fresh.answer(&Query::Message(row.id), &Stop::new()).unwrap() else { panic!() };
        assert!(matches!(view.body, Body::NotHere { why: Away::Unasked }) && view.row.cached);
        let Rows::Message(view) = fresh.answer(&Query::Message(row.id), &Stop::new()).unwrap() else { panic!() };
        assert!(!view.row.cached);
    }

    #[test]
    fn mailboxes_stand_with_roles_first_and_children_below_their_parents() {
        let row = |account, path, role| mailbox(0, account, path, role);
        let rows = vec![
            row("b", "INBOX", Some(Role::Inbox)),
            row("a", "work", None),
            row("a", "Trash", Some(Role::Trash)),
            row("a", "Archive/2024", None),
            row("a", "Archive", Some(Role::Archive)),
            row("a", "Work/x", None),
            row("a", "apples", None),
            row("a", "work/Zoo", None),
            row("a", "INBOX", Some(Role::Inbox)),
        ];
        let accounts = [AccountName::new("b"), AccountName::new("a")];
        let shown: Vec<_> =
            in_display_order(rows, &accounts).iter().map(|r| format!("{} {}", r.account, r.path.decoded())).collect();
        let expected =
            ["b INBOX", "a INBOX", "a Archive", "a Archive/2024", "a Trash", "a apples", "a Work/x", "a work", "a work/Zoo"];
        assert_eq!(shown, expected);
    }
}
