//! reword — what the TOML reader and serde say of a mistake, in words that a person understands.
//! Owns: the sentences. None repeats text that stands in the file: it may be a password. A key, a word out of a list and a
//! number are no secrets, unless they stand where a password does.
//! May import: config.
//! Start reading at: `reword`.

use super::complain::nearest;

/// Keys that belong to the contract and come with a later version.
const PROMISED: [&str; 3] = ["pop3", "keyring", "oauth"];

/// What the reader of TOML says, and what that means to a person.
const NO_TOML: [(&str, &str, &str); 7] = [
    (
        "string values must be quoted",
        "no value stands here, or text without quotes",
        "Write text as \"…\", or a number, or true or false",
    ),
    ("invalid basic string", "a text in quotes is not closed in its line", "Write \" at its end"),
    ("invalid literal string", "a text in quotes is not closed in its line", "Write ' at its end"),
    ("unclosed table", "the header of a block is not closed", "Write ] at its end"),
    ("missing comma between key-value pairs", "a comma is missing, or a `{` before this is not closed", "Write , or }"),
    ("unclosed inline table", "a `{` is not closed", "Write } at its end"),
    ("unclosed array", "a `[` is not closed", "Write ] at its end"),
];

/// serde's message as a sentence and a hint. `keys` lead from the root to what it is about, as far as that is known.
pub(super) fn reword(message: &str, keys: &[String]) -> (String, String) {
    let first_line = message.lines().collect::<Vec<_>>().join("; ");
    let (said, expected) = first_line.split_once(", expected ").unwrap_or((&first_line, ""));
    if let Some((_, what, hint)) = NO_TOML.iter().find(|(theirs, ..)| said == *theirs) {
        return ((*what).to_owned(), (*hint).to_owned());
    }
    if let ("integer number overflowed", Some(key)) = (said, keys.last()) {
        return (format!("`{key}` cannot be a number that large"), "Write a smaller one".to_owned());
    }
    if let Some(wrong) = wrong_kind(said, expected, keys) {
        return wrong;
    }
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let given = said.split('`').nth(1).unwrap_or_default();
    let meant = || match nearest(given, &known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if known.is_empty() => "Nothing may stand here".to_owned(),
        None => format!("Possible here: {}", known.join(", ")),
    };
    if said.starts_with("unknown field") && PROMISED.contains(&given) {
        (format!("`{given}` is not built in yet"), format!("Possible here: {}", known.join(", ")))
    } else if said.starts_with("unknown field") {
        (format!("unknown key `{given}`"), meant())
    } else if said.starts_with("unknown variant") {
        (format!("unknown value `{given}`"), meant())
    } else if said.starts_with("missing field") {
        (format!("`{given}` is missing"), format!("Add {given} = …"))
    } else if let Some((what, hint)) = said.split_once(". ") {
        (what.to_owned(), hint.to_owned())
    } else if expected.is_empty() {
        (said.to_owned(), "`postrider config example` shows how it is written".to_owned())
    } else {
        (said.to_owned(), format!("Expected {expected}"))
    }
}

/// Of a value of the wrong kind, or a number out of its bounds: `invalid type: string "993", expected a number from …`.
fn wrong_kind(said: &str, expected: &str, keys: &[String]) -> Option<(String, String)> {
    let got = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "))?;
    let key = keys.last().map_or("this", String::as_str);
    let secret = keys.iter().any(|k| k == "password");
    let number = got.split('`').nth(1).filter(|_| got.starts_with("integer") && !secret);
    let what = match (number, got.split_whitespace().next()?) {
        (Some(number), _) => format!("`{key}` cannot be {number}"),
        (None, "string") => format!("`{key}` cannot be text in quotes"),
        (None, "integer" | "floating" | "float") => format!("`{key}` cannot be a number"),
        (None, "boolean") => format!("`{key}` cannot be true or false"),
        (None, "sequence") => format!("`{key}` cannot be a list"),
        (None, "map") => format!("`{key}` cannot be a block, and no date"),
        (None, _) => format!("`{key}` cannot be this"),
    };
    let hint = match expected {
        _ if key == "port" && expected.starts_with("a number") => "A port is ".to_owned() + expected,
        "a string" | "string or table" => format!("Write text in quotes: {key} = \"…\""),
        "a boolean" => format!("Write {key} = true or {key} = false, without quotes"),
        "a sequence" => format!("Write a list: {key} = [\"…\"]"),
        "struct ImapBlock" | "struct SmtpBlock" => format!("Write {key} = {{ host = \"…\" }}"),
        "struct AccountBlock" => format!("Write a block: [account.{key}]"),
        "struct IdentityBlock" => "Write a block: [[account.NAME.identity]]".to_owned(),
        "a map" if key == "account" => "Write a block: [account.NAME]".to_owned(),
        other if other == "a map" || other.starts_with("struct ") => {
            format!("Write a block, [{}], or {key} = {{ … }}", keys.join("."))
        }
        number if number.starts_with("a number") => format!("It is {number}"),
        other => format!("Write {key} = {other}"),
    };
    Some((what, hint))
}
