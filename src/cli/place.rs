//! place — which mailbox a person means: INBOX, Archive/2024, work/INBOX, `archive` for its role.
//! Owns: the order in which names are tried. May import: mail, cli.
//! Start reading at: `find`.

use super::exit::{self, Failure};
use crate::mail::ids::AccountName;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::row::MailboxRow;

/// The mailbox that `text` names; among those of `account`, if one is given. A full name wins over ACCOUNT/NAME, that
/// over a role, that over a name without case, that over one without the root of its account; where several accounts have
/// it, the first in `rows` does. `/` divides the parts of a name, whatever the server has for it.
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
        let rest = text.strip_prefix(r.account.as_str()).and_then(|t| t.strip_prefix('/'));
        rest.is_some_and(|t| spelled(r, t) || below_root(rows, r, t))
    };
    let role = Role::parse(text);
    let folded = text.to_lowercase();
    let found: Option<&&MailboxRow> = own
        .iter()
        .find(|r| named(r, &typed))
        .or_else(|| own.iter().find(|r| spelled(r, text)))
        .or_else(|| own.iter().find(|r| of_account(r)))
        .or_else(|| role.and_then(|role| own.iter().find(|r| r.role == Some(role))))
        .or_else(|| own.iter().find(|r| r.path.decoded().to_lowercase() == folded))
        .or_else(|| own.iter().find(|r| below_root(rows, r, text)));
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
    // A delimiter at the end says that others are to lie below, as in `CREATE` (RFC 3501, 6.3.3).
    let bare = name.strip_suffix(delimiter.unwrap_or('/')).or_else(|| name.strip_suffix('/')).unwrap_or(name);
    if bare.is_empty() || bare.contains(char::is_control) || bare.split('/').any(str::is_empty) {
        let hint = "Write its name, with `/` between its parts: Lists/Rust";
        return Err(Failure::new(exit::USAGE, &format!("`{name}` is no name for a mailbox"), hint));
    }
    let mut whole = with(bare, delimiter);
    let root = root(rows, owner);
    if !whole.to_uppercase().starts_with(&root) {
        whole.insert_str(0, &root);
    }
    Ok((owner.clone(), MailboxPath::from_typed(&whole)))
}

/// The mailboxes of this very name, one of each account that has it.
pub fn everywhere<'r>(rows: &'r [MailboxRow], text: &str) -> Vec<&'r MailboxRow> {
    rows.iter().filter(|r| spelled(r, text)).collect()
}

/// What all mailboxes of an account but the inbox lie below, "" for nothing: some servers have everything inside of the inbox, as
/// NAMESPACE says (RFC 2342), and take no other name. That it is the server's way, not the person's, is seen by the mailboxes of a role.
fn root(rows: &[MailboxRow], account: &AccountName) -> String {
    let mine = || rows.iter().filter(|r| r.account == *account && !r.path.is_inbox());
    let Some(delimiter) = mine().find(|r| r.role.is_some()).and_then(|r| r.delimiter) else { return String::new() };
    let root = format!("INBOX{delimiter}");
    if mine().all(|r| r.path.as_str().starts_with(&root)) { root } else { String::new() }
}

/// The name with the server's delimiter for each slash.
fn with(name: &str, delimiter: Option<char>) -> String {
    delimiter.map_or_else(|| name.to_owned(), |d| name.replace('/', &d.to_string()))
}

fn spelled(row: &MailboxRow, text: &str) -> bool {
    named(row, &MailboxPath::from_typed(text)) || named(row, &MailboxPath::from_typed(&with(text, row.delimiter)))
}

fn below_root(rows: &[MailboxRow], row: &MailboxRow, text: &str) -> bool {
    let root = root(rows, &row.account);
    !root.is_empty() && named(row, &MailboxPath::from_typed(&format!("{root}{}", with(text, row.delimiter))))
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
    fn a_slash_divides_and_the_servers_root_needs_not_be_written() {
        let dotted = |id, path: &str, role| MailboxRow { delimiter: Some('.'), ..row(id, "work", path, role) };
        let mut rows = vec![
            dotted(1, "INBOX", Some(Role::Inbox)),
            dotted(2, "INBOX.Sent", Some(Role::Sent)),
            dotted(3, "INBOX.Lists.Rust", None),
        ];
        let accounts = [AccountName::new("work")];
        let id = |rows: &[MailboxRow], text: &str| find(rows, text, None).map(|r| r.id.0).map_err(|f| f.code);
        let made =
            |rows: &[MailboxRow], text: &str| fresh(rows, &accounts, text, None).map(|(_, p)| p.decoded()).map_err(|f| f.code);
        for text in
            ["INBOX.Lists.Rust", "INBOX/Lists/Rust", "Lists/Rust", "Lists.Rust", "work/Lists/Rust", "work/INBOX/Lists/Rust"]
        {
            assert_eq!(id(&rows, text), Ok(3), "{text}");
        }
        for text in ["Lists/Go", "Lists.Go", "Lists/Go/", "Lists.Go.", "INBOX.Lists.Go", "inbox/Lists/Go", "work/Lists/Go"] {
            assert_eq!(made(&rows, text).map(|name| name.to_lowercase()).as_deref(), Ok("inbox.lists.go"), "{text}");
        }
        // Somebody's mailbox beside the inbox: names are whole.
        rows.push(dotted(4, "Old", None));
        assert_eq!((made(&rows, "Lists/Go").as_deref(), id(&rows, "Lists/Rust")), (Ok("Lists.Go"), Err(66)));
        // Nothing of a role below the inbox: it may be the person's own order.
        let own = [row(1, "work", "INBOX", Some(Role::Inbox)), row(2, "work", "INBOX/Kid", None)];
        assert_eq!((made(&own, "Lists").as_deref(), made(&own, "/").is_err()), (Ok("Lists"), true));
        assert_eq!(everywhere(&rows, "INBOX/Sent").len(), 1);
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
