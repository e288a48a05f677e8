//! diff — which lines of a text belong to a patch, told by counting as `patch` does.
//! Owns: `DiffState`.
//! May import: base.
//! Start reading at: `DiffState::role`. Only the lines that a hunk's header announces are added or removed ones, so prose
//! that starts with a dash stays prose.

use super::layout::Role;

/// Follows a text line by line.
#[derive(Clone, Debug)]
pub struct DiffState {
    /// Lines still to come of the old and the new file in this hunk.
    old: u64,
    new: u64,
    /// Whether the last line was part of a patch.
    inside: bool,
    /// Whether a file header was seen just now.
    header: bool,
    always: bool,
}

impl DiffState {
    /// At the start of a text; `always` if the whole text is said to be a patch.
    #[must_use]
    pub fn new(always: bool) -> Self {
        Self { old: 0, new: 0, inside: always, header: always, always }
    }

    /// Whether the line given last belongs to a patch.
    #[must_use]
    pub fn inside(&self) -> bool {
        self.inside
    }

    /// What the next line is; nothing for a line outside of any patch.
    pub fn role(&mut self, line: &str) -> Option<Role> {
        let role = self.next(line);
        self.inside = role.is_some() || self.always;
        role
    }

    fn next(&mut self, line: &str) -> Option<Role> {
        if self.old > 0 || self.new > 0 {
            return self.hunk_line(line);
        }
        if line.starts_with("diff --git ") || line.starts_with("Index: ") || line.starts_with("diff -") {
            self.header = true;
            return Some(Role::DiffFile);
        }
        if line.starts_with("--- ") && line.len() > 4 {
            self.header = true;
            return Some(Role::DiffFile);
        }
        if !self.header {
            return None;
        }
        if let Some((old, new)) = hunk(line) {
            (self.old, self.new) = (old, new);
            return Some(Role::Hunk);
        }
        const HEADERS: [&str; 14] = [
            "+++ ",
            "index ",
            "new file mode",
            "deleted file mode",
            "old mode",
            "new mode",
            "similarity index",
            "dissimilarity index",
            "rename from",
            "rename to",
            "copy from",
            "copy to",
            "Binary files",
            "====",
        ];
        if HEADERS.iter().any(|h| line.starts_with(h)) {
            return Some(Role::DiffFile);
        }
        if line.starts_with("\\ ") {
            return Some(Role::Text);
        }
        self.header = self.always;
        None
    }

    fn hunk_line(&mut self, line: &str) -> Option<Role> {
        let (old, new, role) = match line.as_bytes().first() {
            Some(b'+') => (0, 1, Role::Added),
            Some(b'-') => (1, 0, Role::Removed),
            // An empty line is an empty line of context whose space was lost on the way.
            Some(b' ') | None => (1, 1, Role::Text),
            Some(b'\\') => (0, 0, Role::Text),
            _ => {
                // A damaged patch: what follows is not ours to colour.
                (self.old, self.new, self.header) = (0, 0, false);
                return None;
            }
        };
        (self.old, self.new) = (self.old.saturating_sub(old), self.new.saturating_sub(new));
        Some(role)
    }
}

/// The line counts of `@@ -1,2 +3,4 @@`.
fn hunk(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("@@ -")?;
    let (ranges, _) = rest.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let count = |r: &str| match r.split_once(',') {
        Some((_, n)) => n.parse().ok(),
        None => r.parse::<u64>().ok().map(|_| 1),
    };
    Some((count(old)?, count(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(text: &str) -> Vec<Option<Role>> {
        let mut state = DiffState::new(false);
        text.lines().map(|l| state.role(l)).collect()
    }

    #[test]
    fn only_announced_lines_count() {
        let r = roles("- a list\n+ not a patch\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n- prose again");
        assert_eq!(r[..2], [None, None]);
        assert_eq!(r[4..8], [Some(Role::Hunk), Some(Role::Removed), Some(Role::Added), Some(Role::Text)]);
        assert_eq!(r[8], None);
        assert_eq!(hunk("@@ -1 +1 @@ fn"), Some((1, 1)));
        assert_eq!(hunk("@@ hello @@"), None);
    }
}
