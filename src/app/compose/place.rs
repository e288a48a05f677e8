//! place — where the parts of a composer stand, by the size of the pane and by what is in them.
//! Owns: `Place`, `Row`. May import: app.
//! Start reading at: `Compose::place`. The text gets what the rest leaves; on a tiny terminal only the field with the keys is shown.

use super::{Compose, Field};
use crate::app::layout::Area;

/// The columns of labels.
pub const LABEL: u16 = 9;
/// The widest text: longer lines are hard to read.
const WIDEST: u16 = 80;
/// The most rows that a field takes.
const MAX_ROWS: usize = 4;

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which.
    pub field: Field,
    /// Its first row in the pane.
    pub y: u16,
    /// How many rows it has.
    pub rows: u16,
}

/// Where everything stands, in rows and columns of the pane.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The header fields.
    pub head: Vec<Row>,
    /// The first column of what is typed into them, and how many cells a row of it has.
    pub x: u16,
    /// See `x`.
    pub cells: u16,
    /// The rule below them.
    pub rule: Option<u16>,
    /// The text; it has one column more for the cursor.
    pub body: Area,
    /// The rule below it.
    pub foot_rule: Option<u16>,
    /// The attachments.
    pub attachments: Option<u16>,
    /// What there is to know before sending.
    pub notes: Option<u16>,
}

impl Compose {
    /// Where everything stands now.
    #[must_use]
    pub fn place(&self) -> Place {
        let (width, height) = self.size;
        let x = if width >= 50 { LABEL + 3 } else { LABEL };
        let cells = width.saturating_sub(x + 2).max(2);
        let fields = self.fields();
        let head = fields.iter().copied().filter(|f| *f < Field::Body);
        let mut place = Place { x, cells, ..Place::default() };
        if height < 8 {
            // One thing at a time.
            let only = if self.field == Field::Attachments { Field::Body } else { self.field };
            let rows = height.saturating_sub(u16::from(only < Field::Body) * 2).max(1);
            place.head = if only < Field::Body { vec![Row { field: only, y: 0, rows: 1 }] } else { Vec::new() };
            let y = u16::from(only < Field::Body);
            place.body = Area { x: 1, y, width: width.saturating_sub(2).max(2), height: rows };
            return place;
        }
        let mut y = 0;
        for field in head {
            let wanted = self.editor(field).map_or(1, |e| e.row_count(MAX_ROWS));
            // A few people need one row, many must not push the text away.
            let rows = u16::try_from(if height < 14 { 1 } else { wanted }).unwrap_or(1);
            place.head.push(Row { field, y, rows });
            y += rows;
        }
        let airy = height >= 16;
        place.rule = Some(y);
        y += 1;
        let mut bottom = height;
        if height >= 10 {
            place.notes = Some(bottom - 1);
            bottom -= 1;
        }
        if !self.attachments().is_empty() && bottom > y + 3 {
            place.attachments = Some(bottom - 1);
            bottom -= 1;
        }
        if airy && place.notes.is_some() {
            place.foot_rule = Some(bottom - 1);
            bottom -= 1;
        }
        let (margin, gap) = if width >= 60 { (4, u16::from(airy)) } else { (1, 0) };
        let columns = width.saturating_sub(margin * 2).clamp(2, WIDEST);
        place.body = Area { x: margin, y: y + gap, width: columns, height: bottom.saturating_sub(y + gap).max(1) };
        place
    }

    /// The pane has this size now.
    pub fn set_size(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.lay_out();
    }

    /// Gives each field its room.
    pub(super) fn lay_out(&mut self) {
        // The rows of a field depend on its width only.
        let cells = usize::from(self.place().cells);
        for field in [Field::To, Field::Cc, Field::Bcc, Field::Subject] {
            if let Some(editor) = self.editor_mut(field) {
                editor.set_size(cells, MAX_ROWS);
            }
        }
        let place = self.place();
        for row in &place.head {
            if let Some(editor) = self.editor_mut(row.field) {
                editor.set_size(cells, row.rows.into());
            }
        }
        self.body.set_size(place.body.width.into(), place.body.height.into());
    }

    /// Puts the keys and the cursor where the mouse pressed.
    pub fn point(&mut self, x: u16, y: u16) {
        let place = self.place();
        let head = place.head.iter().find(|r| y >= r.y && y < r.y + r.rows).copied();
        let target = match head {
            Some(row) => Some((row.field, y - row.y, x.saturating_sub(place.x))),
            None if place.attachments == Some(y) => Some((Field::Attachments, 0, 0)),
            None if y >= place.body.y => {
                Some((Field::Body, (y - place.body.y).min(place.body.height.saturating_sub(1)), x.saturating_sub(place.body.x)))
            }
            None => None,
        };
        let Some((field, row, column)) = target else { return };
        self.go_to(field);
        if let Some(editor) = self.editor_mut(field) {
            editor.point(row.into(), column.into());
        }
    }
}
