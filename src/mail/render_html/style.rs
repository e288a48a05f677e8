//! style — the little CSS that decides whether a text can be seen.
//! Owns: `Inline`, `hidden_classes`, `Colour`. May import: base.
//! Start reading at: `Inline::of`. Hidden text is how a mail says one thing to a filter and another to a reader (security M-41).

use std::collections::HashSet;

/// A colour as (red, green, blue).
pub(super) type Colour = (u8, u8, u8);

/// What a `style` attribute says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Inline {
    /// The text cannot be seen.
    pub hidden: bool,
    /// Whether the text is too small to be read, if it says so: layouts set 0 on a cell and the real size inside.
    pub tiny: Option<bool>,
    /// Bold.
    pub strong: bool,
    /// The text's colour.
    pub colour: Option<Colour>,
    /// The background's colour.
    pub background: Option<Colour>,
    /// A background that we cannot know: an image, a gradient.
    pub unknown_background: bool,
    /// White space is kept.
    pub pre: bool,
}

impl Inline {
    /// Whether it hides the text by itself.
    pub(super) fn hides(&self) -> bool {
        self.hidden || self.tiny == Some(true)
    }

    pub(super) fn of(style: &str) -> Self {
        let mut out = Self::default();
        let mut cut = style.len().min(16 * 1024);
        while !style.is_char_boundary(cut) {
            cut -= 1;
        }
        let (mut clipped, mut flat) = (false, false);
        for declaration in style.get(..cut).unwrap_or_default().split(';') {
            let Some((name, value)) = declaration.split_once(':') else { continue };
            let value = value.trim().to_ascii_lowercase();
            let value = value.trim_end_matches("!important").trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "display" => out.hidden |= value == "none",
                "visibility" => out.hidden |= value == "hidden" || value == "collapse",
                "opacity" => out.hidden |= number(value).is_some_and(|n| n <= 0.01),
                "font-size" => out.tiny = Some(number(value).is_some_and(|n| n == 0.0 || (n <= 2.0 && value.ends_with("px")))),
                "max-height" | "height" | "max-width" | "width" => flat |= zero(value),
                "overflow" => clipped |= value == "hidden",
                "font-weight" => out.strong = value == "bold" || value == "bolder" || number(value).is_some_and(|n| n >= 600.0),
                "color" => out.colour = colour(value),
                "background" | "background-color" | "background-image" => {
                    out.unknown_background |= value.contains("url(") || value.contains("gradient");
                    out.background = value.split_whitespace().find_map(colour).or(out.background);
                }
                "white-space" => out.pre = value.starts_with("pre") || value == "break-spaces",
                "text-indent" => out.hidden |= number(value).is_some_and(|n| n <= -900.0),
                _ => {}
            }
        }
        out.hidden |= clipped && flat;
        out
    }
}

fn zero(value: &str) -> bool {
    number(value) == Some(0.0)
}

fn number(value: &str) -> Option<f32> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// Reads `#rgb`, `#rrggbb`, `rgb(r, g, b)` and the few names that are used to hide.
pub(super) fn colour(value: &str) -> Option<Colour> {
    let value = value.trim();
    match value.to_ascii_lowercase().as_str() {
        "white" => return Some((255, 255, 255)),
        "black" => return Some((0, 0, 0)),
        _ => {}
    }
    if let Some(args) = value.strip_prefix("rgb(").and_then(|v| v.strip_suffix(')')) {
        let mut parts = args.split(',').map(|p| p.trim().parse().ok());
        return Some((parts.next()??, parts.next()??, parts.next()??));
    }
    let hex = value.strip_prefix('#').unwrap_or(value);
    if !hex.is_ascii() || !(hex.len() == 6 || (hex.len() == 3 && value.starts_with('#'))) {
        return None;
    }
    let n = u32::from_str_radix(hex, 16).ok()?;
    let byte = |shift: u32| (n >> shift & 0xff) as u8;
    let nibble = |shift: u32| (n >> shift & 0xf) as u8 * 17;
    Some(if hex.len() == 6 { (byte(16), byte(8), byte(0)) } else { (nibble(8), nibble(4), nibble(0)) })
}

/// Classes that a style sheet hides on every screen: rules of one plain class, outside of `@media`.
pub(super) fn hidden_classes(css: &str, out: &mut HashSet<String>) {
    let mut depth = 0usize;
    let mut selector = String::new();
    let mut body = String::new();
    let mut rest = css;
    while let Some(c) = rest.chars().next() {
        // Comments may stand anywhere.
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, r)| r);
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    if Inline::of(&body).hides() {
                        let classes = selector.split(',').filter_map(|s| s.trim().strip_prefix('.'));
                        out.extend(classes.filter(|s| plain_name(s)).take(1_000).map(str::to_owned));
                    }
                    selector.clear();
                    body.clear();
                }
            }
            // `@import …;` ends without a block.
            ';' if depth == 0 => selector.clear(),
            _ if depth == 0 => selector.push(c),
            _ if depth == 1 && !selector.trim_start().starts_with('@') => body.push(c),
            _ => {}
        }
    }
}

fn plain_name(name: &str) -> bool {
    !name.is_empty() && name.len() < 100 && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides() {
        for style in [
            "display:none",
            "DISPLAY : none !important",
            "visibility:hidden",
            "font-size:0",
            "font-size: 1px",
            "opacity:0",
            "max-height:0;overflow:hidden",
            "text-indent:-9999px",
        ] {
            assert!(Inline::of(style).hides(), "{style}");
        }
        for style in ["display:block", "font-size:12px", "max-height:0", "overflow:hidden", "opacity:.5", "x", "font-size:1em"] {
            assert!(!Inline::of(style).hides(), "{style}");
        }
    }

    #[test]
    fn colours_and_classes() {
        assert_eq!(colour("#fff"), colour("rgb(255, 255, 255)"));
        assert_eq!(colour("ffffff"), colour("white"));
        assert_eq!(colour("#zzz"), None);
        let mut classes = HashSet::new();
        let css = "/* .no{display:none} */ .pre, .top { color:red; display:none } @media x { .m { display:none } } .a .b{display:none} .ok{}";
        hidden_classes(css, &mut classes);
        let mut found: Vec<_> = classes.into_iter().collect();
        found.sort();
        assert_eq!(found, ["pre", "top"]);
    }
}
