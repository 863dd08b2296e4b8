//! A plan as one JSON object, written as it is read: its rows may be millions.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::failure::Failure;
use crate::checkpoint::{ForeseenRow, StagingTotals};
use crate::model::{Login, Sign};
use crate::pipeline::Forecast;

/// How many rows are read at a time.
const ROWS_AT_ONCE: usize = 512;

/// Writes a plan. A reader that goes away is no failure.
///
/// # Errors
///
/// When the copy of the ledger can't be read.
pub(super) fn write(
    out: &mut impl Write,
    forecast: &Forecast,
    staged: &StagingTotals,
) -> Result<(), Failure> {
    let head = head(forecast, staged).to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    if write!(out, "{head},\"rows\":[").is_err() {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let rows = forecast.ledger.foreseen(None, after, ROWS_AT_ONCE)?;
        let written = rows.iter().try_for_each(|row| {
            let comma = if row.place > 1 { "," } else { "" };
            write!(out, "{comma}\n{}", row_of(row))
        });
        match rows.last() {
            Some(last) if written.is_ok() => after = last.place,
            _ => break,
        }
    }
    let _: io::Result<()> = writeln!(out, "]}}");
    Ok(())
}

fn head(forecast: &Forecast, staged: &StagingTotals) -> Value {
    let counts: BTreeMap<_, _> =
        Sign::ALL.into_iter().map(|sign| (sign.as_str(), forecast.count(sign))).collect();
    json!({
        "schema": 1,
        "counts": counts,
        "calls": { "stara": forecast.calls.stara, "leaf": forecast.calls.leaf },
        "staraLogins": forecast.calls.stara_logins,
        "listPages": forecast.list_pages,
        "expectedSeconds": forecast.expected.map(|expected| expected.as_secs_f64()),
        "lines": {
            "manifest": staged.lines,
            "invalid": staged.invalid,
            "duplicate": staged.duplicate,
            "conflict": staged.conflict,
            "notSelected": staged.not_selected,
        },
        "unseen": forecast.unseen,
        "openIntents": forecast.open_intents,
        "notReplaced": forecast.not_replaced,
        "wouldStop": forecast.would_stop,
    })
}

fn row_of(row: &ForeseenRow) -> Value {
    json!({
        "sign": row.sign.map(Sign::as_str),
        "line": row.line,
        "leafUserId": row.leaf_user_id.to_string(),
        "login": row.login.as_ref().map(Login::as_str),
        "why": row.why,
    })
}
