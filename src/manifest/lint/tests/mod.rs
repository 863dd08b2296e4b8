//! What the lint finds, and what it doesn't.

mod cells;
mod clean;
mod fixtures;
mod lines;
mod oracle;
