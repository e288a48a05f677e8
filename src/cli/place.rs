//! place — which mailbox a person means: INBOX, Archive/2024, work/INBOX, `archive` for its role.
//! Owns: the order in which names are tried. May import: mail, cli.
//! Start reading at: `find`.

use super::exit::{self, Failure};
use crate::mail::ids::AccountName;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::row::MailboxRow;

/// The mailbox that `text` names; among those of `account`, if one is given. A full name wins over ACCOUNT/NAME, that
/// over a role, that over a name without case; where several accounts have it, the first in `rows` does.
///
/// # Errors
/// 66 with the names that are near.
pub fn find<'r>(rows: &'r [MailboxRow], text: &str, account: Option<&AccountName>) -> Result<&'r MailboxRow, Failure> {
    let own: Vec<&MailboxRow> = rows.iter().filter(|r| account.is_none_or(|a| r.account == *a)).collect();
    let typed = MailboxPath::from_typed(text);
    let of_account = |r: &MailboxRow| {
        text.strip_prefix(r.account.as_str())
            .and_then(|t| t.strip_prefix('/'))
            .is_some_and(|t| named(r, &MailboxPath::from_typed(t)))
    };
    let role = Role::parse(text);
    let folded = text.to_lowercase();
    let found = own
        .iter()
        .find(|r| named(r, &typed))
        .or_else(|| own.iter().find(|r| of_account(r)))
        .or_else(|| role.and_then(|role| own.iter().find(|r| r.role == Some(role))))
        .or_else(|| own.iter().find(|r| r.path.decoded().to_lowercase() == folded));
    match found {
        Some(row) if row.selectable => Ok(row),
        Some(row) => Err(Failure::new(
            exit::MISSING,
            &format!("{} only holds other mailboxes", row.path.decoded()),
            "`postrider mailboxes` lists them",
        )),
        None => Err(missing(&own, text, &folded)),
    }
}

fn named(row: &MailboxRow, path: &MailboxPath) -> bool {
    row.path == *path || row.path.decoded() == path.decoded()
}

fn missing(own: &[&MailboxRow], text: &str, folded: &str) -> Failure {
    let near: Vec<String> = own.iter().map(|r| r.path.decoded()).filter(|n| n.to_lowercase().contains(folded)).take(3).collect();
    let hint = match (near.is_empty(), own.is_empty()) {
        (false, _) => format!("Did you mean {}?", near.join(" or ")),
        (_, true) => "Nothing was fetched yet; `postrider sync` does".to_owned(),
        _ => "`postrider mailboxes` lists all".to_owned(),
    };
    Failure::new(exit::MISSING, &format!("there is no mailbox {text}"), &hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fixtures::mailbox;

    fn row(id: i64, account: &str, path: &str, role: Option<Role>) -> MailboxRow {
        MailboxRow { selectable: path != "Lists", ..mailbox(id, account, path, role) }
    }

    #[test]
    fn names_win_over_accounts_roles_and_case() {
        let rows = [
            row(1, "home", "INBOX", Some(Role::Inbox)),
            row(2, "home", "Old", Some(Role::Archive)),
            row(3, "home", "work/INBOX", None),
            row(4, "work", "INBOX", Some(Role::Inbox)),
            row(5, "work", "Lists", None),
            row(6, "work", "Lists/Rust Users", None),
            row(7, "work", "Entwürfe", Some(Role::Drafts)),
        ];
        let work = AccountName::new("work");
        let id = |text: &str, account: Option<&AccountName>| find(&rows, text, account).map(|r| r.id.0).map_err(|f| f.code);
        assert_eq!(id("inbox", None), Ok(1));
        assert_eq!(id("inbox", Some(&work)), Ok(4));
        assert_eq!(id("work/INBOX", None), Ok(3));
        assert_eq!(id("home/Old", None), Ok(2));
        assert_eq!(id("archive", None), Ok(2));
        assert_eq!(id("ENTWÜRFE", None), Ok(7));
        assert_eq!(id("drafts", None), Ok(7));
        assert_eq!(id("Lists", None), Err(exit::MISSING));
        let near = find(&rows, "rust", None).unwrap_err();
        assert!(near.hint.as_str().contains("Lists/Rust Users"), "{near:?}");
    }
}
