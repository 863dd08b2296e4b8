//! `check`: lints a manifest offline, before a login is spent.
//!
//! Main types: [`CheckArguments`], the flags; `Checked`, what is told, as text or as JSON; and [`LintNotice`], by which `run`
//! and `plan` tell the counts of the same lint. The main function is [`check`].
//!
//! It opens the manifest to read it, and nothing else: no ledger, no socket, no secret of the environment. What is found is
//! decided in `manifest`.

mod arguments;
mod checked;
mod json;
mod notice;
mod text;
mod verb;

pub(in crate::cli) use arguments::CheckArguments;
pub(super) use notice::LintNotice;
pub(super) use verb::check;
