//! keys — `[keys.CONTEXT]`: which key the person wants for which command.
//! Owns: `KeyBinding`. Whether key and command exist is known to the command table, above this room; it complains with
//! the place that stands here.
//! May import: config.
//! Start reading at: `KeyBinding`.

use super::complain::Source;
use std::collections::BTreeMap;
use toml::Spanned;

/// One line of a `[keys.*]` block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyBinding {
    /// `messages` in `[keys.messages]`.
    pub context: String,
    /// The key or sequence as written: `"g a"`.
    pub keys: String,
    /// The command and its arguments; `""` unbinds.
    pub command: String,
    /// Where it stands: `FILE:LINE:COLUMN`.
    pub place: String,
}

/// The bindings in the order of the file.
pub(super) fn bindings(
    blocks: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, String>>,
    source: &Source<'_>,
) -> Vec<KeyBinding> {
    let mut all = Vec::new();
    for (context, block) in blocks {
        for (keys, command) in block {
            let at = keys.span();
            let place = source.place(at.start);
            let binding = KeyBinding { context: context.get_ref().clone(), keys: keys.into_inner(), command, place };
            all.push((at.start, binding));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, binding)| binding).collect()
}
