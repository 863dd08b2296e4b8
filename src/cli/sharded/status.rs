//! `status` of all shards.

use std::path::PathBuf;

use super::opening::{check_accounts, open};
use super::together::Counted;
use super::told::{json, text};
use crate::cli::arguments::StatusArguments;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::run::internal;
use crate::cli::status::{print, user};
use crate::model::LeafUserId;
use crate::ui::printable;

/// Shows the latest runs of all shards, in all and one by one, or one user.
pub(in crate::cli) fn status(
    arguments: &StatusArguments,
    paths: &[PathBuf],
    leaf_user_id: Option<LeafUserId>,
) -> Result<ExitCode, Failure> {
    let ledger = open(&arguments.ledgers, paths)?;
    if let Some(id) = leaf_user_id {
        let part = ledger.parts().iter().find(|part| part.shard.takes(id));
        let part = part.ok_or_else(|| internal("no shard takes this user"))?;
        return user(&part.ledger, id, arguments.json);
    }
    let counted = Counted::of(&ledger)?;
    if arguments.json {
        print(&format!("{:#}\n", json(&ledger, &counted)?));
    } else {
        print(&printable(&text(&ledger, &counted)));
    }
    if let Counted::Together(together) = &counted {
        check_accounts(&ledger, together)?;
    }
    Ok(ExitCode::Done)
}
