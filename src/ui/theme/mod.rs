//! theme — the look as data: a style for every role, from TOML files, for the colours that the terminal has.
//! Owns: `Theme`. May import: base.
//! Start reading at: `Theme::load`; `role.rs` lists the roles, `load.rs` reads files, `depth.rs` reduces colours.

mod depth;
mod load;
mod role;

pub use depth::Depth;
pub use load::ThemeError;
pub use role::Role;

use ratatui::style::{Modifier, Style};
use std::path::Path;

/// A style for every role.
#[derive(Clone, Debug)]
pub struct Theme {
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// The names of the themes that are built in.
    pub const BUILT_IN: [&'static str; 4] = ["dark", "light", "ansi", "high-contrast"];

    /// A built-in theme, or `<dir>/<name>.toml`, with colours of at most `depth`.
    ///
    /// # Errors
    /// No such theme, or a file that is none: a sentence with the file, the line and what was meant.
    pub fn load(name: &str, dir: Option<&Path>, depth: Depth) -> Result<Self, ThemeError> {
        let resolved = load::resolve(name, dir)?;
        Ok(Self { styles: Role::ALL.map(|role| depth.reduce(resolved.style(role))) })
    }

    /// The theme that needs no file and no colours.
    #[must_use]
    pub fn plain() -> Self {
        Self::load("ansi", None, Depth::None).unwrap_or(Self { styles: [Style::new(); Role::ALL.len()] })
    }

    /// How `role` looks.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// Whether the cursor's band can be seen: else the bar alone says where it is.
    #[must_use]
    pub fn has_band(&self) -> bool {
        let band = self.style(Role::CursorBand);
        band.bg.is_some_and(|c| c != ratatui::style::Color::Reset) || band.add_modifier != Modifier::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Color;

    /// Relative luminance (WCAG 2).
    fn luminance(c: Color) -> f64 {
        let (r, g, b) = depth::rgb(c).unwrap();
        let part = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    fn contrast(a: Color, b: Color) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_role_of_every_theme_resolves_and_can_be_read() {
        for name in Theme::BUILT_IN {
            let resolved = load::resolve(name, None).unwrap();
            for role in Role::ALL {
                let style = resolved.style(role);
                let Some(background) = resolved.assumes else { continue };
                let Some(fg) = style.fg.filter(|c| *c != Color::Reset) else { continue };
                // Rules and bars are no text.
                let wanted = match role {
                    Role::Rule => 1.2,
                    Role::Text | Role::TrustGood | Role::TrustBad | Role::List | Role::Reader => 4.5,
                    _ => 3.5,
                };
                let band = style.bg.unwrap_or(background);
                for behind in [band, resolved.style(Role::CursorBand).bg.unwrap_or(background)] {
                    let got = contrast(fg, behind);
                    assert!(
                        got >= wanted || role == Role::Rule,
                        "{name}: {} has a contrast of {got:.1} on {behind:?}",
                        role.name()
                    );
                }
            }
        }
    }

    #[test]
    fn without_colours_the_difference_stays() {
        for depth in [Depth::Sixteen, Depth::None] {
            let theme = Theme::load("dark", None, depth).unwrap();
            assert_ne!(theme.style(Role::ListUnread), theme.style(Role::List));
            assert_ne!(theme.style(Role::TrustBad), theme.style(Role::TrustGood));
            assert_ne!(theme.style(Role::FolderOpen), theme.style(Role::Folder));
        }
        assert!(Theme::plain().styles.iter().all(|s| s.fg.is_none() && s.bg.is_none()));
        assert!(!Theme::plain().has_band());
        assert!(Theme::load("dark", None, Depth::True).unwrap().has_band());
    }
}
