//! config — `postrider config path | check | show | example`.
//! Owns: how a configuration is printed; passwords are not.
//! May import: config, cli.
//! Start reading at: `run`.

use super::Door;
use super::args::ConfigVerb;
use super::exit::{self, Failure};
use super::output::Out;
use crate::app::trie::Keymap;
use crate::config::account::Tls;
use crate::config::{AccountConfig, AccountKind, Config, KeepBodies, PasswordSource, Pattern, Prefer, Server, Submission};
use crate::ui::theme::{Depth, Theme};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The commented example, which is also `assets/config.example.toml`.
const EXAMPLE: &str = include_str!("../../assets/config.example.toml");

/// Runs the sub-verb.
pub fn run(door: &Door, what: ConfigVerb, out: &mut Out) -> Result<u8, Failure> {
    match what {
        ConfigVerb::Path { json: true } => out.json(&json!({"path": door.paths.config.to_string_lossy()}))?,
        ConfigVerb::Path { json: false } => out.line(&door.paths.config.to_string_lossy())?,
        ConfigVerb::Example => out.raw(EXAMPLE.as_bytes())?,
        ConfigVerb::Show { json } => {
            let shown = shown(&door.config()?);
            if json { out.json(&shown)? } else { out.raw(as_toml(&shown)?.as_bytes())? }
        }
        ConfigVerb::Check { json } => return check(door, json, out),
    }
    Ok(exit::OK)
}

/// Also looks at what only the reader knows: commands, keys, themes.
fn check(door: &Door, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let path = door.paths.config.to_string_lossy();
    let (config, mistakes) = match door.understood() {
        Ok(found) => found,
        // Whoever asked for JSON gets it of every mistake.
        Err(failure) if json => {
            let error = format!("{}. {}", failure.what, failure.hint);
            out.json(&json!({"path": path, "accounts": 0, "warnings": [], "errors": [error]}))?;
            return Ok(failure.code);
        }
        Err(failure) => return Err(failure),
    };
    let mut wrong: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    wrong.extend(Keymap::new(&config.keys).1);
    let folder = door.paths.config.parent().map(|dir| dir.join("themes"));
    let theme = config.theme.as_ref().map(|name| Theme::load(name, folder.as_deref(), Depth::True));
    wrong.extend(theme.and_then(Result::err).map(|error| error.to_string()));
    let code = if wrong.is_empty() { exit::OK } else { exit::CONFIG };
    if json {
        let warnings: Vec<_> = config.warnings.iter().map(|w| w.as_str()).collect();
        out.json(&json!({"path": path, "accounts": config.accounts.len(), "warnings": warnings, "errors": wrong}))?;
        return Ok(code);
    }
    config.warnings.iter().for_each(|w| exit::say(w.as_str()));
    wrong.iter().for_each(|w| Failure::new(code, w, "").tell());
    let accounts = match config.accounts.len() {
        0 => "no account yet".to_owned(),
        1 => "1 account".to_owned(),
        n => format!("{n} accounts"),
    };
    let state = if code == exit::OK { "in order" } else { "wrong" };
    out.text_line(&format!("{path}: {state}, {accounts}, warnings: {}", config.warnings.len()))?;
    Ok(code)
}

/// What is in force, defaults included, in the file's own words: it could be a configuration itself.
fn shown(config: &Config) -> Value {
    let accounts: Map<String, Value> =
        config.accounts.iter().map(|a| (a.name.as_str().to_owned(), Value::Object(account(a)))).collect();
    let mut keys: Map<String, Value> = Map::new();
    for binding in &config.keys {
        keys.entry(binding.context.clone()).or_insert_with(|| json!({}))[&binding.keys] = json!(binding.command);
    }
    let mut all = json!({
        "reading": {
            "mark-read-after": config.reading.mark_read_after.map_or("never".to_owned(), seconds),
            "prefer": match config.reading.prefer { Prefer::Plain => "plain", Prefer::Html => "html" },
            "threads": config.reading.threads,
            "notify": config.reading.notify.iter().map(|way| way.word()).collect::<Vec<_>>(),
            "remote-content": "never",
        },
        "searches": config.searches,
        "sending": { "hold": seconds(config.sending.hold) },
        "account": accounts,
        "keys": keys,
    });
    if let Some(theme) = &config.theme {
        all["theme"] = json!(theme);
    }
    all
}

fn account(account: &AccountConfig) -> Map<String, Value> {
    let mut one = Map::new();
    let mut put = |key: &str, value: Value| one.insert(key.to_owned(), value);
    if !account.address.is_empty() {
        put("address", json!(account.address));
    }
    if !account.display_name.is_empty() {
        put("name", json!(account.display_name));
    }
    match &account.password {
        PasswordSource::Command(command) => put("password", json!({"command": command})),
        PasswordSource::Env(name) => put("password", json!({"env": name})),
        PasswordSource::File(path) => put("password", json!({"file": path})),
        // What stands in the file stays there.
        PasswordSource::Ask | PasswordSource::Plain(_) => put("password", json!({"ask": true})),
    };
    match &account.kind {
        AccountKind::Imap(imap) => {
            let mut place = server(&imap.server);
            place["connections"] = json!(imap.connections);
            put("imap", place)
        }
        AccountKind::Maildir(dir) => put("maildir", json!(dir)),
    };
    match &account.smtp {
        Submission::Smtp(smtp) => put("smtp", server(smtp)),
        Submission::Local => put("smtp", json!({"local": true})),
        Submission::None => None,
    };
    if let Some(file) = &account.ca_file {
        put("ca-file", json!(file));
    }
    if let Some(client) = &account.client_cert {
        put("client-cert", json!(client.cert));
        put("client-key", json!(client.key));
    }
    let mut keep = json!({"bodies": age(account.keep.bodies)});
    if let Some(limit) = account.keep.limit {
        keep["limit"] = json!(format!("{limit}B"));
    }
    put("keep", keep);
    let roles: Map<String, Value> = account.roles.iter().map(|(role, name)| (role.word().to_owned(), json!(name))).collect();
    put("roles", Value::Object(roles));
    if !account.offline.is_empty() {
        let rules: Map<String, Value> =
            account.offline.iter().map(|rule| (rule.mailboxes.as_str().to_owned(), json!(age(rule.bodies)))).collect();
        put("offline", Value::Object(rules));
    }
    put("watch", account.watch.iter().map(Pattern::as_str).collect());
    put("metered", json!(account.metered));
    put("without", json!(account.without));
    if let Some(named) = &account.auth.named {
        put("auth", named.iter().map(|m| m.word()).collect());
    }
    if let Some(least) = account.auth.least {
        put("min-auth", json!(least.word()));
    }
    // The first is the account's own address.
    let mut identities = account.identities.iter();
    if let Some(file) = identities.next().and_then(|own| own.signature.as_ref()) {
        put("signature", json!(file));
    }
    let others = identities.map(|i| {
        let mut other = json!({"address": i.address.addr, "name": i.address.name});
        if let Some(file) = &i.signature {
            other["signature"] = json!(file);
        }
        other
    });
    put("identity", others.collect());
    one
}

fn age(bodies: KeepBodies) -> String {
    match bodies {
        KeepBodies::None => "none".to_owned(),
        KeepBodies::All => "all".to_owned(),
        KeepBodies::For(time) => seconds(time),
    }
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}

fn server(server: &Server) -> Value {
    let mut place = json!({"host": server.host, "port": server.port, "tls": server.tls.word(), "user": server.user});
    if server.tls == Tls::None && !server.is_loopback() {
        place["allow-plaintext"] = json!(true);
    }
    if let Some(pin) = &server.fingerprint {
        let hex: String = pin.iter().map(|b| format!("{b:02x}")).collect();
        place["fingerprint"] = json!(format!("sha256:{hex}"));
    }
    place
}

fn as_toml(shown: &Value) -> Result<String, Failure> {
    toml::to_string(shown).map_err(|error| Failure::new(exit::SOFTWARE, &format!("cannot print the configuration ({error})"), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_shown_is_a_configuration_that_means_the_same() {
        let text = EXAMPLE
            .replace("# user ", "user ")
            .replace("# ca-file", "ca-file")
            .replace("# client", "client")
            .replace("# fingerprint = \"sha256:…\"", &format!("fingerprint = \"sha256:{}\"", "ab".repeat(32)))
            .replace("notify          = []", "notify = [\"bell\", \"desktop\"]")
            .replace("# auth ", "auth ")
            .replace("# without", "without");
        let config = Config::parse(&text, Path::new("/c/config.toml"), 0o600).unwrap();
        assert!(config.accounts.len() > 1 && config.accounts[0].identities.len() > 1);
        assert!(config.reading.notify.len() == 2 && !config.searches.is_empty());
        let shown = as_toml(&shown(&config)).unwrap();
        let again = Config::parse(&shown, Path::new("/c/config.toml"), 0o600).unwrap_or_else(|e| panic!("{e:?}\n{shown}"));
        let of =
            |c: &Config| -> Vec<_> { c.keys.iter().map(|k| (k.context.clone(), k.keys.clone(), k.command.clone())).collect() };
        assert_eq!(
            (of(&again), &again.reading, &again.sending, &again.theme, &again.searches),
            (of(&config), &config.reading, &config.sending, &config.theme, &config.searches)
        );
        // TOML tables have no order of their own.
        for account in &config.accounts {
            assert!(again.accounts.contains(account), "{account:?}\n{shown}");
        }
    }
}
