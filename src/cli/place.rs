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
    let row = find_any(rows, text, account)?;
    if row.selectable {
        return Ok(row);
    }
    let what = format!("{} only holds other mailboxes", row.path.decoded());
    Err(Failure::new(exit::MISSING, &what, "`postrider mailboxes` lists them"))
}

/// As [`find`], also where it only holds other mailboxes.
///
/// # Errors
/// As [`find`].
pub fn find_any<'r>(rows: &'r [MailboxRow], text: &str, account: Option<&AccountName>) -> Result<&'r MailboxRow, Failure> {
    let own: Vec<&MailboxRow> = rows.iter().filter(|r| account.is_none_or(|a| r.account == *a)).collect();
    let typed = MailboxPath::from_typed(text);
    let of_account = |r: &MailboxRow| {
        text.strip_prefix(r.account.as_str())
            .and_then(|t| t.strip_prefix('/'))
            .is_some_and(|t| named(r, &MailboxPath::from_typed(t)))
    };
    let role = Role::parse(text);
    let folded = text.to_lowercase();
    let found: Option<&&MailboxRow> = own
        .iter()
        .find(|r| named(r, &typed))
        .or_else(|| own.iter().find(|r| of_account(r)))
        .or_else(|| role.and_then(|role| own.iter().find(|r| r.role == Some(role))))
        .or_else(|| own.iter().find(|r| r.path.decoded().to_lowercase() == folded));
    found.copied().ok_or_else(|| missing(&own, text, &folded))
}

/// The account and the whole name of a mailbox that is to be made: `work/Lists/Rust` for the account `work`, else one of
/// `account`, else of the first. `/` divides the parts, whatever the server has for it.
///
/// # Errors
/// 64 for a name that can be none.
pub fn fresh(
    rows: &[MailboxRow],
    accounts: &[AccountName],
    text: &str,
    account: Option<&AccountName>,
) -> Result<(AccountName, MailboxPath), Failure> {
    let named = text.split_once('/').and_then(|(first, rest)| Some((accounts.iter().find(|a| a.as_str() == first)?, rest)));
    let (owner, name) = match (account, named) {
        (Some(account), _) => (account, text),
        (None, Some((account, rest))) => (account, rest),
        (None, None) => (accounts.first().ok_or_else(super::session::no_account)?, text),
    };
    let delimiter = rows.iter().filter(|r| r.account == *owner).find_map(|r| r.delimiter);
    if name.is_empty() || name.contains(char::is_control) || name.split('/').any(str::is_empty) {
        let hint = "Write its name, with `/` between its parts: Lists/Rust";
        return Err(Failure::new(exit::USAGE, &format!("`{name}` is no name for a mailbox"), hint));
    }
    let name = delimiter.map_or_else(|| name.to_owned(), |d| name.replace('/', &d.to_string()));
    Ok((owner.clone(), MailboxPath::from_typed(&name)))
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
        let accounts = [AccountName::new("home"), AccountName::new("work")];
        let made = |text: &str, account: Option<&AccountName>| {
            fresh(&rows, &accounts, text, account).map(|(a, p)| format!("{a}:{}", p.decoded())).map_err(|f| f.code)
        };
        assert_eq!(made("Lists/Go", None).as_deref(), Ok("home:Lists/Go"));
        assert_eq!(made("work/Lists/Go", None).as_deref(), Ok("work:Lists/Go"));
        assert_eq!(made("work/Lists", Some(&accounts[0])).as_deref(), Ok("home:work/Lists"));
        assert_eq!((made("", None), made("a//b", None), made("a\nb", None)), (Err(64), Err(64), Err(64)));
        assert_eq!(id("drafts", None), Ok(7));
        assert_eq!(id("Lists", None), Err(exit::MISSING));
        let near = find(&rows, "rust", None).unwrap_err();
        assert!(near.hint.as_str().contains("Lists/Rust Users"), "{near:?}");
    }
}
