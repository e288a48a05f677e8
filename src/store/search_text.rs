//! search_text — texts looked for in rows that come in order: each text's own hits come in the same order, beside them.
//! Owns: `Texts`, `Hits`. May import: nothing but the store's own.
//! Start reading at: `Hits::of_row`. So a text costs the hits that are passed over, and no more rows are read than are shown.

use super::error::Result;
use super::open::{Cache, Db};
use super::search_sql::Sql;
use rusqlite::{CachedStatement, Rows};

/// The statements of a search's texts.
pub(super) struct Texts<'d> {
    all: Vec<(CachedStatement<'d>, &'d str, bool)>,
}

impl<'d> Texts<'d> {
    /// Those that every hit fulfils, and those that none does.
    pub fn of(db: &'d Db<Cache>, sql: &'d Sql) -> Result<Self> {
        let select = "SELECT rowid FROM message_fts WHERE message_fts MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC";
        let wanted = sql.wanted.iter().map(|text| (text, true));
        let mut all = Vec::new();
        for (text, wanted) in wanted.chain(sql.unwanted.iter().map(|text| (text, false))) {
            all.push((db.conn().prepare_cached(select)?, text.as_str(), wanted));
        }
        Ok(Self { all })
    }

    /// Their hits, from the row `first` downward.
    pub fn from(&mut self, first: i64) -> Result<Hits<'_>> {
        let mut all = Vec::new();
        for (statement, text, wanted) in &mut self.all {
            all.push(Text { rows: statement.query((*text, first))?, at: i64::MAX, wanted: *wanted });
        }
        Ok(Hits { all })
    }
}

struct Text<'s> {
    rows: Rows<'s>,
    /// The hit that it stands on; -1 behind the last one.
    at: i64,
    wanted: bool,
}

/// What the texts say of one row after the other, each lower than the one before.
pub(super) struct Hits<'s> {
    all: Vec<Text<'s>>,
}

impl Hits<'_> {
    /// Whether the row is found; none if it is not, and no lower one will be.
    pub fn of_row(&mut self, sort: i64) -> Result<Option<bool>> {
        for text in &mut self.all {
            while text.at > sort {
                text.at = text.rows.next()?.map_or(Ok(-1), |row| row.get(0))?;
            }
            if text.wanted && text.at < 0 {
                return Ok(None);
            }
            if (text.at == sort) != text.wanted {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }
}
