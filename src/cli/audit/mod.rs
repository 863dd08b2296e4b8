//! `audit`: whether what Leaf holds is what the ledger expects, and with `--repair` mending what isn't.
//!
//! Main types: [`AuditArguments`], the flags; `AuditShown`, what is told of an audit, as text or as JSON. The main function
//! is [`audit`].
//!
//! It may print, and it decides nothing about users: that is done in `pipeline`.

mod arguments;
mod exit;
mod json;
mod line;
mod repair;
mod shown;
mod text;
mod verb;

pub(in crate::cli) use arguments::AuditArguments;
pub(super) use verb::audit;
