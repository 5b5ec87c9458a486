//! What people write: settings and policy, with every problem reported at once at `file:line:column`.

pub mod settings;
