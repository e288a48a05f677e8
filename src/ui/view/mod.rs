//! view — the state of `app` as cells: one file a screen, of the same name as its state.
//! Owns: `draw`. May import: app, engine::api, mail, config, base.
//! Start reading at: `draw`.

pub mod account;
pub mod canvas;
mod chrome;
mod compose;
mod folders;
mod hints;
mod jobs;
#[cfg(test)]
mod jobs_tests;
#[cfg(test)]
mod limits_tests;
mod list;
mod outbox;
mod popup;
mod reading;
mod viewer;

use crate::app::App;
use crate::app::layout::Focus;
use crate::app::screen::Screen;
use canvas::Canvas;
pub use chrome::title;
pub use popup::{FIRST_ROW as POPUP_FIRST_ROW, area as popup_area};

/// Draws everything. The place of the terminal's own cursor, where text is typed.
pub fn draw(canvas: &mut Canvas<'_>, app: &App) -> Option<(u16, u16)> {
    let layout = app.layout();
    chrome::draw(canvas, app, &layout);
    let mut cursor = None;
    match app.screen() {
        Screen::Mail => {
            if let Some(area) = layout.folders {
                folders::draw(canvas, app, area);
            }
            if let Some(area) = layout.list {
                cursor = list::draw(canvas, app, area);
            }
            if let Some(area) = layout.reader {
                viewer::draw(canvas, app, area, *app.focus() == Focus::Reader);
            }
        }
        Screen::Outbox => outbox::draw(canvas, app, layout.main),
        Screen::Jobs => jobs::draw(canvas, app, layout.main),
        Screen::Compose => cursor = compose::draw(canvas, app, layout.main),
        Screen::Account => {
            if let Some(form) = app.form() {
                cursor = account::draw(canvas, form, app.is_first_start(), layout.main);
            }
        }
    }
    if let Some(popup) = app.popup() {
        cursor = popup::draw(canvas, app, popup);
    } else if app.which_key() {
        popup::which_key(canvas, app);
    }
    canvas::sweep(canvas.buffer);
    cursor
}

#[cfg(test)]
mod compose_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod stage_store;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;
#[cfg(test)]
mod viewer_tests;
#[cfg(test)]
mod views_tests;
