//! What people type. `args` is pure; each command is one file with one `run` that returns how it ended.

pub mod args;
pub mod context;
pub mod status;
pub mod terminal;
