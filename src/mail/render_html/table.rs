//! table — tables that hold data keep their rows and columns; tables that hold a layout are read cell by cell.
//! Owns: `Tables`. May import: base.
//! Start reading at: `Tables::close`. Cells are ranges of the blocks already made, so nesting costs nothing.

use crate::base::width;
use crate::mail::layout::{Block, Role};
use html5ever::tokenizer::Tag;
use std::ops::Range;

/// The widest table that keeps its columns, in cells; a wider one is read row by row.
const MAX_WIDTH: usize = 100;
/// The most columns and rows of a table that keeps its columns.
const MAX_COLUMNS: usize = 24;
const MAX_ROWS: usize = 2_000;
/// The widest row of short cells that is put on one line.
const MAX_JOINED: usize = 72;

#[derive(Default)]
struct Cell {
    blocks: Range<usize>,
    head: bool,
}

struct Table {
    start: usize,
    rows: Vec<Vec<Cell>>,
    open_cell: bool,
    nested: bool,
    layout: bool,
    bordered: bool,
}

/// The open tables.
#[derive(Default)]
pub(super) struct Tables {
    open: Vec<Table>,
}

impl Tables {
    pub(super) fn open(&mut self, start: usize, tag: &Tag) {
        if let Some(outer) = self.open.last_mut() {
            outer.nested = true;
        }
        if self.open.len() >= super::flow::MAX_OPEN {
            return;
        }
        let attr = |name: &str| tag.attrs.iter().find(|a| &*a.name.local == name).map(|a| a.value.trim()).unwrap_or_default();
        let layout = matches!(attr("role"), "presentation" | "none");
        let bordered = !matches!(attr("border"), "" | "0");
        self.open.push(Table { start, rows: Vec::new(), open_cell: false, nested: false, layout, bordered });
    }

    pub(super) fn row(&mut self, _at: usize) {
        if let Some(table) = self.open.last_mut()
            && table.rows.len() <= MAX_ROWS
        {
            table.rows.push(Vec::new());
        }
    }

    pub(super) fn cell(&mut self, at: usize, head: bool) {
        let Some(table) = self.open.last_mut() else { return };
        if table.rows.is_empty() {
            table.rows.push(Vec::new());
        }
        if let Some(row) = table.rows.last_mut()
            && row.len() <= MAX_COLUMNS
        {
            row.push(Cell { blocks: at..at, head });
            table.open_cell = true;
        }
    }

    pub(super) fn end_cell(&mut self, at: usize) {
        if let Some(table) = self.open.last_mut()
            && std::mem::take(&mut table.open_cell)
            && let Some(cell) = table.rows.last_mut().and_then(|r| r.last_mut())
        {
            cell.blocks.end = at;
        }
    }

    /// Puts a row of a few short cells on one line: what a receipt is made of, in layouts too.
    pub(super) fn end_row(&mut self, out: &mut Vec<Block>) {
        let Some(table) = self.open.last_mut() else { return };
        if table.nested || (!table.layout && (table.bordered || table.rows.iter().flatten().any(|c| c.head))) {
            return;
        }
        let Some(row) = table.rows.last_mut() else { return };
        let full: Vec<&Cell> = row.iter().filter(|c| !c.blocks.is_empty()).collect();
        let short = |c: &&Cell| {
            c.blocks.len() == 1 && out.get(c.blocks.start).is_some_and(|b| b.bullet.is_empty() && width::width(b.text()) <= 40)
        };
        let total: usize = full.iter().filter_map(|c| out.get(c.blocks.start)).map(|b| width::width(b.text()) + 2).sum();
        if !(2..=6).contains(&full.len()) || !full.iter().all(short) || total > MAX_JOINED {
            return;
        }
        let (Some(first), Some(last)) = (full.first().map(|c| c.blocks.start), full.last().map(|c| c.blocks.end)) else { return };
        if last != out.len() {
            return;
        }
        let mut rest = out.split_off(first).into_iter().filter(|b| !b.is_empty());
        if let Some(mut joined) = rest.next() {
            for block in rest {
                joined.push("  ", Role::Text, None);
                joined.append(&block);
            }
            out.push(joined);
        }
        // The table is known to be read row by row now.
        table.layout = true;
        row.clear();
    }

    /// Ends the innermost table. Whether it was one of data, which has blank lines around it.
    pub(super) fn close(&mut self, out: &mut Vec<Block>) -> bool {
        let Some(table) = self.open.pop() else { return false };
        let heads = table.rows.iter().flatten().any(|c| c.head);
        let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
        let data = !table.nested && !table.layout && (heads || table.bordered) && columns >= 2;
        if !data || columns > MAX_COLUMNS || table.rows.len() > MAX_ROWS || out.len() <= table.start {
            return false;
        }
        let blocks = out.split_off(table.start);
        if out.last().is_some_and(|b| !b.is_empty()) {
            out.push(Block::default());
        }
        let texts: Vec<Vec<Block>> = table
            .rows
            .iter()
            .filter(|r| !r.is_empty())
            .map(|r| r.iter().map(|c| gather(&blocks, c, table.start)).collect())
            .collect();
        let widths: Vec<usize> = (0..columns)
            .map(|n| texts.iter().filter_map(|r| r.get(n)).map(|b| width::width(b.text())).max().unwrap_or(0))
            .collect();
        if widths.iter().sum::<usize>() + 2 * columns > MAX_WIDTH {
            out.extend(blocks);
            return true;
        }
        // What stood outside of cells (a caption) stays before the rows.
        let first = table.rows.iter().flatten().map(|c| c.blocks.start).min().unwrap_or(table.start) - table.start;
        out.extend(blocks.iter().take(first).cloned());
        let quote = blocks.first().map_or(0, |b| b.quote);
        for row in &texts {
            let mut line = Block { quote, ..Block::default() };
            for (n, (cell, wide)) in row.iter().zip(&widths).enumerate() {
                line.append(cell);
                if n + 1 < row.len() {
                    line.push(&" ".repeat(wide - width::width(cell.text()) + 2), Role::Text, None);
                }
            }
            out.push(line);
        }
        true
    }
}

/// All blocks of a cell as one.
fn gather(blocks: &[Block], cell: &Cell, start: usize) -> Block {
    let mut out = Block::default();
    let range = cell.blocks.start.saturating_sub(start)..cell.blocks.end.saturating_sub(start);
    for block in blocks.get(range).unwrap_or_default().iter().filter(|b| !b.is_empty()) {
        if !out.is_empty() {
            out.push(" ", Role::Text, None);
        }
        out.append(block);
    }
    out
}
