//! outline — a message's tree as the server tells it, and several of its sections in one turn.
//! Owns: `outline`, `fetch_tree`, `fetch_pieces` of [`ImapStore`].
//! May import: mail, base.
//! Start reading at: `fetch_tree`. Numbers and sizes are the server's word: they are asked for and counted, never believed.

use super::bodies::announced;
use super::conn::Command;
use super::frame::Taker;
use super::store::ImapStore;
use super::structure::parameter;
use super::untagged::{Fetched, Untagged};
use super::value::Value;
use crate::mail::body::PartPath;
use crate::mail::charset;
use crate::mail::encoded_word::decode_text;
use crate::mail::header::MAX_BLOCK;
use crate::mail::outline::{MAX_TEXT, Node, Outline, Pieces};
use crate::mail::parse::MAX_PARTS;
use crate::mail::section::Section;
use crate::mail::uid::Uid;
use crate::net::error::Result;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The most parameters kept of a part.
const MAX_PARAMS: usize = 50;

/// The tree in a BODYSTRUCTURE; nothing where it makes no sense.
#[must_use]
pub fn outline(body: &Value<'_>) -> Option<Outline> {
    let mut nodes = Vec::new();
    // Depth first without recursion; the depth of lists is bounded where they are read. (value, parent, path, root of a message)
    let mut todo = vec![(body, None, PartPath::default(), true)];
    while let Some((value, parent, path, root)) = todo.pop() {
        let items = value.items();
        let index = nodes.len();
        if items.is_empty() || index >= MAX_PARTS {
            continue;
        }
        let children: Vec<&Value<'_>> = items.iter().take_while(|v| matches!(v, Value::List(_))).collect();
        if !children.is_empty() {
            let rest = items.get(children.len()..).unwrap_or_default();
            nodes.push(Node {
                path: path.to_string(),
                parent,
                mime: format!("multipart/{}", lower(rest.first())),
                params: rest.get(1).map(params).unwrap_or_default(),
                disposition: disposition(rest.get(2)),
                ..Node::default()
            });
            for (n, child) in children.into_iter().enumerate().rev() {
                todo.push((child, Some(index), path.child(u32::try_from(n + 1).unwrap_or(u32::MAX)), false));
            }
            continue;
        }
        // A message that is no multipart is its own first part.
        let path = if root { path.child(1) } else { path };
        let mime = format!("{}/{}", lower(items.first()), lower(items.get(1)));
        let inside = matches!(mime.as_str(), "message/rfc822" | "message/global").then(|| items.get(8)).flatten();
        // Extension data follow the seven basic fields, the line count of texts, three more fields of a message.
        let extension = match inside {
            Some(_) => 10,
            None if mime.starts_with("text/") => 8,
            None => 7,
        };
        let told = items.get(extension + 1);
        let list = told.and_then(|d| d.items().get(1));
        let name = list.and_then(|p| parameter(p, "filename")).or_else(|| items.get(2).and_then(|p| parameter(p, "name")));
        nodes.push(Node {
            path: path.to_string(),
            parent,
            mime,
            params: items.get(2).map(params).unwrap_or_default(),
            disposition: disposition(told),
            name: name.filter(|n| !n.trim().is_empty()),
            content_id: items.get(3).and_then(Value::text).map(|id| id.trim_matches(['<', '>']).to_owned()),
            encoding: lower(items.get(5)),
            octets: items.get(6).and_then(Value::number).unwrap_or(0),
        });
        if let Some(inside) = inside {
            todo.push((inside, Some(index), path, true));
        }
    }
    (!nodes.is_empty()).then_some(Outline { nodes })
}

fn lower(value: Option<&Value<'_>>) -> String {
    value.and_then(Value::text).unwrap_or_default().trim().to_ascii_lowercase()
}

fn disposition(value: Option<&Value<'_>>) -> String {
    lower(value.and_then(|d| d.items().first()))
}

fn params(list: &Value<'_>) -> Vec<(String, String)> {
    let pair = |pair: &[Value<'_>]| {
        let [name, value] = pair else { return None };
        let name = name.text()?.to_ascii_lowercase();
        let value = value.bytes()?;
        // Mostly ASCII; some send 8 bits, or encoded words.
        let value = if value.is_ascii() { decode_text(value) } else { charset::decode(value, "").0 };
        Some((name, value))
    };
    list.items().chunks_exact(2).take(MAX_PARAMS).filter_map(pair).collect()
}

impl ImapStore {
    /// The message's tree and its header, in one turn. Nothing if there is no such message, or its tree makes no sense.
    pub(super) fn fetch_tree(&mut self, uid: Uid) -> Result<Option<(Outline, Vec<u8>)>> {
        let command = Command::new(&format!("UID FETCH {uid} (UID BODYSTRUCTURE BODY.PEEK[HEADER])"));
        let names = [(b"BODY[HEADER]".to_vec(), Section::Header)].into();
        let mut some = Sections { uid, names, now: None, row: BTreeMap::new(), got: Pieces::new(), tree: None };
        self.collect(&command, &mut some)?;
        Ok(some.tree.zip(some.got.remove(&Section::Header)))
    }

    /// Sections of a message, in one turn; those that are not there are left out. Nothing if there is no such message.
    pub(super) fn fetch_pieces(&mut self, uid: Uid, sections: &[Section]) -> Result<Option<Pieces>> {
        if sections.is_empty() {
            return Ok(Some(Pieces::new()));
        }
        let items: Vec<String> = sections.iter().map(|s| format!("BODY.PEEK[{s}]")).collect();
        let command = Command::new(&format!("UID FETCH {uid} (UID {})", items.join(" ")));
        let names = sections.iter().map(|s| (format!("BODY[{s}]").to_ascii_uppercase().into_bytes(), s.clone())).collect();
        let mut some = Sections { uid, names, now: None, row: BTreeMap::new(), got: Pieces::new(), tree: None };
        let seen = self.collect(&command, &mut some)?;
        Ok(seen.then_some(some.got))
    }

    fn collect(&mut self, command: &Command, some: &mut Sections) -> Result<bool> {
        let shared = RefCell::new(some);
        let mut seen = false;
        self.conn.run_with(command, &mut Shared(&shared), &mut |data| {
            let mine = shared.borrow_mut().end(data);
            seen |= mine;
            Ok(mine)
        })?;
        Ok(seen)
    }
}

/// Collects some sections of one message.
struct Sections {
    uid: Uid,
    names: BTreeMap<Vec<u8>, Section>,
    /// Where the literal that is being read belongs.
    now: Option<Section>,
    /// Of the response that is being read: whose it is may stand behind it.
    row: Pieces,
    got: Pieces,
    tree: Option<Outline>,
}

impl Sections {
    fn end(&mut self, data: Untagged<'_>) -> bool {
        let row = std::mem::take(&mut self.row);
        let Untagged::Fetch(fetched) = data else { return false };
        let Fetched { uid, section, body, others, outline, .. } = *fetched;
        if uid != Some(self.uid) {
            return false;
        }
        // What did not come as a literal. One that was taken stands there empty.
        for (name, body) in others.into_iter().chain([(section, body)]) {
            if let (Some(section), Some(body)) = (self.names.get(&name), body) {
                self.got.entry(section.clone()).or_insert(body);
            }
        }
        self.got.extend(row);
        self.tree = self.tree.take().or(outline);
        true
    }
}

impl Taker for Sections {
    fn wants(&mut self, so_far: &[u8], size: u64) -> bool {
        self.now = None;
        let Some((name, told)) = announced(so_far) else { return false };
        if told.is_some_and(|uid| uid != self.uid) {
            return false;
        }
        let Some(section) = self.names.get(&name).filter(|s| !self.row.contains_key(s)).cloned() else { return false };
        let most = if matches!(section, Section::Part(_)) { MAX_TEXT } else { MAX_BLOCK as u64 };
        if size > most {
            // The server said otherwise before: it is left out.
            self.names.remove(&name);
            return false;
        }
        self.row.insert(section.clone(), Vec::new());
        self.now = Some(section);
        true
    }

    fn take(&mut self, piece: &[u8]) -> Result<()> {
        if let Some(text) = self.now.as_ref().and_then(|section| self.row.get_mut(section)) {
            text.extend_from_slice(piece);
        }
        Ok(())
    }
}

/// The two sides of one [`Sections`].
struct Shared<'s, 'm>(&'s RefCell<&'m mut Sections>);

impl Taker for Shared<'_, '_> {
    fn wants(&mut self, so_far: &[u8], size: u64) -> bool {
        self.0.borrow_mut().wants(so_far, size)
    }
    fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.0.borrow_mut().take(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;

    #[test]
    fn trees_as_servers_tell_them() {
        let plain = "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 40 2 NIL NIL NIL NIL)";
        let pdf = "(\"application\" \"PDF\" (\"name\" \"x.pdf\") NIL NIL \"BASE64\" 5000 NIL (\"ATTACHMENT\" (\"filename*\" \"utf-8''B%C3%A4r.pdf\")) NIL NIL)";
        let inner = format!(
            "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 900 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) ({plain}{pdf} \"mixed\" NIL NIL NIL) 30 NIL (\"inline\" NIL) NIL NIL)"
        );
        let lone = format!("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 90 (NIL) {plain} 3)");
        let text = format!(
            "(({plain}{plain} \"alternative\" (\"boundary\" \"i\")){pdf}{inner}{lone} \"mixed\" (\"boundary\" \"o\") NIL NIL)"
        );
        let tree = outline(&value::parse(text.as_bytes(), &value::Room::new())[0]).unwrap();
        let shown: Vec<_> = tree.nodes.iter().map(|n| (n.path.as_str(), n.mime.as_str(), n.parent, n.octets)).collect();
        assert_eq!(
            shown,
            [
                ("", "multipart/mixed", None, 0),
                ("1", "multipart/alternative", Some(0), 0),
                ("1.1", "text/plain", Some(1), 40),
                ("1.2", "text/plain", Some(1), 40),
                ("2", "application/pdf", Some(0), 5000),
                ("3", "message/rfc822", Some(0), 900),
                ("3", "multipart/mixed", Some(5), 0),
                ("3.1", "text/plain", Some(6), 40),
                ("3.2", "application/pdf", Some(6), 5000),
                ("4", "message/rfc822", Some(0), 90),
                ("4.1", "text/plain", Some(9), 40),
            ]
        );
        assert_eq!((tree.nodes[4].name.as_deref(), tree.nodes[4].disposition.as_str()), (Some("Bär.pdf"), "attachment"));
        assert_eq!((tree.nodes[4].encoding.as_str(), tree.nodes[2].params[0].1.as_str()), ("base64", "utf-8"));
        let alone = outline(&value::parse(plain.as_bytes(), &value::Room::new())[0]).unwrap();
        assert_eq!((alone.nodes.len(), alone.nodes[0].path.as_str()), (1, "1"));
        assert!(
            outline(&value::parse(b"NIL", &value::Room::new())[0]).is_none()
                && outline(&value::parse(b"()", &value::Room::new())[0]).is_none()
        );
        let deep = format!("{}{plain}{}", "(".repeat(80), " \"mixed\")".repeat(80));
        assert!(outline(&value::parse(deep.as_bytes(), &value::Room::new())[0]).unwrap().nodes.len() > 50);
    }
}
