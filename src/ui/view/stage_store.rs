//! stage_store — what the cardboard engine answers.
//! Owns: nothing. May import: engine::api, mail.
//! Start reading at: `Stage::answer`.

use super::stage::Stage;
use crate::engine::api::{
    Away, Body, Connectivity, Contact, DraftRow, MessagePage, MessageView, Query, Rows, SavedDraft, SearchPage,
};
use crate::mail::address::Address;
use crate::mail::body::Kept;
use crate::mail::flags::Flag;
use crate::mail::ids::PlacementKey;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::parse;
use crate::mail::row::{MessageRow, RowCursor, View};
use std::sync::Arc;

impl Stage {
    pub(super) fn answer(&self, query: &Query) -> Option<Rows> {
        Some(match query {
            Query::Mailboxes => Rows::Mailboxes(self.boxes.clone()),
            Query::Messages { view, threaded, cursor, .. } => {
                let unread = |r: &MessageRow| !r.flags.has(Flag::Seen);
                let from = match cursor {
                    RowCursor::NextUnread(_) => self.rows.iter().find(|r| unread(r)).map_or(i64::MIN, |r| r.sort),
                    _ => i64::MAX,
                };
                let inbox = |r: &MessageRow| self.boxes.iter().any(|m| m.id == r.mailbox && m.role == Some(Role::Inbox));
                let fits = |r: &&MessageRow| match view {
                    View::Mailbox(id) => r.mailbox == *id,
                    View::Inboxes => inbox(r),
                    View::Unread => unread(r),
                    View::Flagged => r.flags.has(Flag::Flagged),
                };
                let total = u32::try_from(self.rows.iter().filter(fits).count()).unwrap();
                let rows: Vec<_> = self.rows.iter().filter(fits).filter(|r| r.sort <= from).cloned().collect();
                Rows::Messages(MessagePage { view: *view, threaded: *threaded, rows, above: 0, total })
            }
            Query::Search { text, .. } => {
                let has = |r: &&MessageRow| r.subject.to_lowercase().contains(text.as_str());
                let rows = self.rows.iter().filter(has).cloned().collect();
                Rows::Search(SearchPage { text: text.clone(), rows, more: false, complaint: None, servers: self.servers.clone() })
            }
            Query::Thread(id) => {
                let head = self.rows.iter().find(|r| r.id == *id)?;
                let unread = i64::from(head.thread_unread) - i64::from(!head.flags.has(Flag::Seen));
                let inner = |n: i64| {
                    let mut flags = head.flags.clone();
                    if n <= unread {
                        flags.remove(Flag::Seen)
                    } else {
                        flags.insert(Flag::Seen)
                    }
                    let (id, depth) = (PlacementKey(head.id.0 * 100 + n), u16::try_from(n).unwrap());
                    MessageRow { id, depth, flags, thread_total: 1, thread_unread: 0, ..head.clone() }
                };
                Rows::Thread((1..i64::from(head.thread_total)).map(inner).chain([head.clone()]).collect())
            }
            Query::Message(id) => {
                // A message inside of a conversation has the number of its first row before its own.
                let row = |id: PlacementKey| self.rows.iter().find(|r| r.id == id);
                let found = row(*id).or_else(|| row(PlacementKey(id.0 / 100)))?;
                let row = MessageRow { id: *id, ..found.clone() };
                let mut message = parse::message(self.mail.clone());
                let files = message.parts.iter_mut().filter(|part| self.away && part.name.is_some());
                files.for_each(|part| part.kept = Kept::OnServer { octets: 9 });
                let message = Arc::new(message);
                let mut envelope = message.envelope.clone();
                envelope.subject.clone_from(&row.subject);
                let body = match &self.fault {
                    Some(fault) => Body::Failed(fault.clone()),
                    None if self.bodies => Body::Here(message),
                    None => match self.app.connectivity().get(&row.account) {
                        Some(Connectivity::Off | Connectivity::Waiting { .. } | Connectivity::NeedsUser(_)) => {
                            Body::NotHere { why: Away::NoLine }
                        }
                        _ => Body::Coming { done: 0, total: 0 },
                    },
                };
                Rows::Message(Box::new(MessageView {
                    row,
                    mailbox: MailboxPath::inbox(),
                    envelope,
                    body,
                    pieces: self.pieces.clone(),
                }))
            }
            Query::Page(sheet) => Rows::Page(sheet.clone(), Box::new(sheet.page())),
            Query::Contacts { prefix, .. } => {
                let people = [
                    ("Carol Ngo", "carol@example.org"),
                    ("Castor, Inc.", "castor@example.net"),
                    ("Finance", "finance@example.org"),
                ];
                let fits = |p: &(&str, &str)| p.0.to_lowercase().starts_with(&**prefix) || p.1.starts_with(&**prefix);
                let contact = |p: (&str, &str)| Contact { address: Address::new(p.0, p.1), weight: 1 };
                Rows::Contacts(people.into_iter().filter(fits).map(contact).collect())
            }
            Query::Drafts => {
                let row = |d: &SavedDraft| DraftRow {
                    id: d.id,
                    account: d.account.clone(),
                    to: d.draft.to.first().map_or_else(String::new, ToString::to_string),
                    subject: d.draft.subject.clone(),
                    saved: d.saved,
                    copy: None,
                };
                Rows::Drafts(self.drafts.iter().map(row).collect())
            }
            Query::Draft(id) => Rows::Draft(Box::new(self.drafts.iter().find(|d| d.id == *id)?.clone())),
            Query::Outbox => Rows::Outbox(Vec::new()),
            Query::Queue => Rows::Queue(Vec::new()),
            Query::Quotas => Rows::Quotas(self.quotas.clone()),
            Query::Jobs => Rows::Jobs(Vec::new()),
        })
    }
}
