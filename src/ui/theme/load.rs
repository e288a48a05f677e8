//! load — theme files: TOML with `inherits`, `[palette]` and `[style]`.
//! Owns: the file format, the built-in files. May import: base.
//! Start reading at: `resolve`.

use super::role::Role;
use crate::base::safetext::SafeText;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Why a theme cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("theme {name}: {what}")]
pub struct ThemeError {
    /// Which theme.
    pub name: SafeText,
    /// A sentence.
    pub what: SafeText,
}

const FILES: [(&str, &str); 5] = [
    ("base", include_str!("../../../themes/base.toml")),
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("ansi", include_str!("../../../themes/ansi.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
];

/// A theme that inherits through more files than this inherits from itself.
const MAX_DEPTH: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    /// The background for which it was made; only for the test of contrast.
    assumes: Option<Paint>,
    #[serde(default)]
    palette: BTreeMap<String, Paint>,
    #[serde(default)]
    style: BTreeMap<String, Spec>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Paint {
    Index(u8),
    Name(String),
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Spec {
    Foreground(Paint),
    Full(Full),
}

#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields, default)]
struct Full {
    fg: Option<Paint>,
    bg: Option<Paint>,
    bold: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

/// A theme with everything that it inherits.
pub(super) struct Resolved {
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) assumes: Option<Color>,
    styles: BTreeMap<String, Style>,
}

impl Resolved {
    /// The role's style, or that of its name without the last part, or that of `text`.
    pub(super) fn style(&self, role: Role) -> Style {
        let mut name = role.name();
        loop {
            if let Some(style) = self.styles.get(name) {
                return *style;
            }
            match name.rsplit_once('.') {
                Some((parent, _)) => name = parent,
                None => return self.styles.get("text").copied().unwrap_or_default(),
            }
        }
    }
}

/// Reads a theme and what it inherits. A palette of the heir also colours the inherited styles.
pub(super) fn resolve(name: &str, dir: Option<&Path>) -> Result<Resolved, ThemeError> {
    let fault = |what: &str| ThemeError { name: SafeText::line_max(name, 60), what: SafeText::line_max(what, 400) };
    let mut files = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        if files.len() == MAX_DEPTH {
            return Err(fault("it inherits from itself"));
        }
        let text = read(&name, dir).map_err(|what| fault(&what))?;
        // Only the first line of toml's report: it has the position and the reason; the rest draws a picture.
        let file: File =
            toml::from_str(&text).map_err(|e| fault(&format!("{name}.toml: {}", e.to_string().replace('\n', " "))))?;
        next = file.inherits.clone();
        files.push(file);
    }
    let mut palette = BTreeMap::new();
    let mut specs = BTreeMap::new();
    for file in files.iter().rev() {
        palette.extend(file.palette.iter().map(|(k, v)| (k.as_str(), v)));
        for (role, spec) in &file.style {
            if Role::parse(role).is_none() {
                return Err(fault(&unknown_role(role)));
            }
            specs.insert(role.clone(), spec);
        }
    }
    let paint = |p: &Paint| color(p, &palette).map_err(|what| fault(&what));
    let mut styles = BTreeMap::new();
    for (role, spec) in specs {
        let full = match spec {
            Spec::Foreground(fg) => Full { fg: Some(fg.clone()), ..Full::default() },
            Spec::Full(full) => full.clone(),
        };
        let mut style = Style::new();
        style.fg = full.fg.as_ref().map(paint).transpose()?;
        style.bg = full.bg.as_ref().map(paint).transpose()?;
        for (on, modifier) in [
            (full.bold, Modifier::BOLD),
            (full.italic, Modifier::ITALIC),
            (full.underline, Modifier::UNDERLINED),
            (full.reverse, Modifier::REVERSED),
        ] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        styles.insert(role, style);
    }
    let assumes = files.first().and_then(|f| f.assumes.as_ref()).map(paint).transpose()?;
    Ok(Resolved { assumes, styles })
}

fn read(name: &str, dir: Option<&Path>) -> Result<String, String> {
    // The person's own file may take a built-in name; `base` stays, or every theme would break with it.
    if let Some(dir) = dir.filter(|_| name != "base" && !name.contains(['/', '\\'])) {
        match std::fs::read_to_string(dir.join(format!("{name}.toml"))) {
            Ok(text) => return Ok(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("{name}.toml cannot be read: {e}")),
        }
    }
    let found = FILES.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned());
    found.ok_or_else(|| {
        format!("there is no {name}.toml and no built-in theme of that name; there are dark, light, ansi and high-contrast")
    })
}

fn unknown_role(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or(name);
    let near: Vec<_> = Role::ALL.into_iter().map(Role::name).filter(|r| r.split('.').next() == Some(stem)).collect();
    if near.is_empty() {
        format!("nothing is called \"{name}\"")
    } else {
        format!("nothing is called \"{name}\"; there are {}", near.join(", "))
    }
}

fn color(paint: &Paint, palette: &BTreeMap<&str, &Paint>) -> Result<Color, String> {
    let name = match paint {
        Paint::Index(n) => return Ok(Color::Indexed(*n)),
        Paint::Name(name) => name.as_str(),
    };
    match palette.get(name) {
        Some(Paint::Index(n)) => Ok(Color::Indexed(*n)),
        Some(Paint::Name(other)) => literal(other),
        None => literal(name),
    }
}

fn literal(name: &str) -> Result<Color, String> {
    if let Some(hex) = name.strip_prefix('#').filter(|h| h.len() == 6 && h.is_ascii())
        && let Ok(n) = u32::from_str_radix(hex, 16)
    {
        let [_, r, g, b] = n.to_be_bytes();
        return Ok(Color::Rgb(r, g, b));
    }
    Ok(match name {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        other => {
            return Err(format!(
                "\"{other}\" is no colour: write \"#rrggbb\", 0 to 255, a palette name or a name such as \"red\""
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Resolved, ThemeError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine.toml"), text).unwrap();
        resolve("mine", Some(dir.path()))
    }

    #[test]
    fn an_heir_recolours_what_it_inherits() {
        let mine = with("inherits = 'dark'\n[palette]\naccent = '#ff0000'\n[style]\n'list' = 3").unwrap();
        assert_eq!(mine.style(Role::HintKey).fg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(mine.style(Role::List).fg, Some(Color::Indexed(3)));
    }

    #[test]
    fn a_missing_role_looks_like_its_parent() {
        let mine = with("[style]\ntext = 'red'\n'reader.quote' = 'blue'").unwrap();
        assert_eq!(mine.style(Role::ReaderQuote2).fg, Some(Color::Blue));
        assert_eq!(mine.style(Role::DiffAdd).fg, Some(Color::Red));
    }

    #[test]
    fn mistakes_are_named() {
        let said = |text| with(text).err().unwrap().to_string();
        assert!(said("[style]\n'reader.quot' = 'red'").contains("there are reader, reader.subject"));
        assert!(said("[style]\n'text' = 'rde'").contains("\"rde\" is no colour"));
        assert!(said("inherits = 'mine'").contains("inherits from itself"));
        assert!(said("inherits = 'nope'").contains("no built-in theme"));
        assert!(said("[stile]\n").contains("line 1"));
    }
}
