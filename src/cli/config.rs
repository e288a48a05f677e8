//! config — `postrider config path | check | show | example`.
//! Owns: how a configuration is printed; passwords are not.
//! May import: config, cli.
//! Start reading at: `run`.

use super::Door;
use super::args::ConfigVerb;
use super::exit::{self, Failure};
use super::output::Out;
use crate::config::{AccountKind, Config, KeepBodies, Prefer, Server, Submission};
use serde_json::{Value, json};

/// The commented example, which is also `assets/config.example.toml`.
const EXAMPLE: &str = include_str!("../../assets/config.example.toml");

/// Runs the sub-verb.
pub fn run(door: &Door, what: ConfigVerb, out: &mut Out) -> Result<u8, Failure> {
    match what {
        ConfigVerb::Path => out.line(&door.paths.config.to_string_lossy())?,
        ConfigVerb::Example => out.raw(EXAMPLE.as_bytes())?,
        ConfigVerb::Show { json } => {
            let shown = shown(&door.config()?);
            if json { out.json(&shown)? } else { out.raw(as_toml(&shown)?.as_bytes())? }
        }
        ConfigVerb::Check { json } => {
            let config = Config::load(&door.paths.config)?;
            let path = door.paths.config.to_string_lossy();
            if json {
                let warnings: Vec<_> = config.warnings.iter().map(|w| w.as_str()).collect();
                out.json(&json!({"path": path, "accounts": config.accounts.len(), "warnings": warnings}))?;
            } else {
                config.warnings.iter().for_each(|w| exit::say(w.as_str()));
                let accounts = match config.accounts.len() {
                    0 => "no account yet".to_owned(),
                    1 => "1 account".to_owned(),
                    n => format!("{n} accounts"),
                };
                out.line(&format!("{path}: {accounts}, {} warnings", config.warnings.len()))?;
            }
        }
    }
    Ok(exit::OK)
}

/// What is in force, defaults included, with the file's own words.
fn shown(config: &Config) -> Value {
    let seconds = |d: std::time::Duration| format!("{}s", d.as_secs());
    let accounts: serde_json::Map<String, Value> = config
        .accounts
        .iter()
        .map(|account| {
            let mut one = json!({
                "address": account.address,
                "name": account.display_name,
                "password": format!("{:?}", account.password),
                "keep": { "bodies": match account.keep.bodies {
                    KeepBodies::None => "none".to_owned(),
                    KeepBodies::All => "all".to_owned(),
                    KeepBodies::For(time) => format!("{}d", time.as_secs() / 86_400),
                }},
                "roles": account.roles.iter().map(|(role, name)| (role.word().to_owned(), json!(name))).collect::<serde_json::Map<_, _>>(),
                "identity": account.identities.iter().map(|i| json!({"address": i.address.addr, "name": i.address.name})).collect::<Vec<_>>(),
            });
            if let Some(fields) = one.as_object_mut() {
                match &account.kind {
                    AccountKind::Imap(imap) => fields.insert("imap".into(), server(&imap.server)),
                    AccountKind::Maildir(dir) => fields.insert("maildir".into(), json!(dir.to_string_lossy())),
                };
                match &account.smtp {
                    Submission::Smtp(smtp) => fields.insert("smtp".into(), server(smtp)),
                    Submission::Local => fields.insert("smtp".into(), json!({"local": true})),
                    Submission::None => None,
                };
            }
            (account.name.as_str().to_owned(), one)
        })
        .collect();
    json!({
        "theme": config.theme.as_deref().unwrap_or("auto"),
        "reading": {
            "mark-read-after": config.reading.mark_read_after.map_or("never".to_owned(), seconds),
            "prefer": match config.reading.prefer { Prefer::Plain => "plain", Prefer::Html => "html" },
            "threads": config.reading.threads,
        },
        "sending": { "hold": seconds(config.sending.hold) },
        "account": accounts,
    })
}

fn server(server: &Server) -> Value {
    json!({"host": server.host, "port": server.port, "tls": server.tls.word(), "user": server.user})
}

fn as_toml(shown: &Value) -> Result<String, Failure> {
    toml::to_string(shown).map_err(|error| Failure::new(exit::SOFTWARE, &format!("cannot print the configuration ({error})"), ""))
}
