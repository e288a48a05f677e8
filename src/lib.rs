//! Postrider — a terminal mail reader that never waits for a network and never loses what you did.
//!
//! The rooms, from the top down; imports point downward only, and `tests/layers.rs` holds it:
//!
//! ```text
//! main.rs cli/   the door: one file a verb           -> ui, engine, mail, config, base
//! ui/            how it looks    (ratatui)           -> app, engine, mail, config, base
//! app/           what it is doing (pure)             -> engine::api, mail, config, base
//! engine/        how the two sides come to agree     -> store, net, mail, config, base
//! store/ net/    what we remember; how we talk       -> config, mail, base (never one another)
//! config/        what the user asked                 -> mail, base
//! mail/          what mail is    (pure)              -> base
//! base/          what any program needs              -> nothing
//! ```

pub mod app;
pub mod base;
pub mod cli;
pub mod config;
pub mod engine;
pub mod mail;
pub mod net;
pub mod store;
pub mod ui;
