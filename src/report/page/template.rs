//! The page: what the template shows.

use askama::Template;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::bar::Segment;
use super::facts_shown::Fact;
use super::groups::{CodeShown, GroupShown};
use super::latency::StageShown;
use super::timeline::Timeline;
use super::trend::Trend;

/// The page's style.
pub(super) const STYLE: &str = include_str!("../../../templates/report.css");

/// The page's script.
pub(super) const SCRIPT: &str = include_str!("../../../templates/report.js");

/// Everything a page shows.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) headline: String,
    pub(super) cut_short: Option<(String, &'static str)>,
    pub(super) is_rehearsal: bool,
    pub(super) facts: Vec<Fact>,
    pub(super) total: String,
    pub(super) segments: Vec<Segment>,
    pub(super) codes: Vec<CodeShown>,
    pub(super) groups: Vec<GroupShown>,
    pub(super) timeline: Option<Timeline>,
    pub(super) no_timeline: Option<&'static str>,
    pub(super) stages: Vec<StageShown>,
    pub(super) trend: Option<Trend>,
    pub(super) listed: usize,
    pub(super) not_fine: String,
    pub(super) left_out: Option<String>,
    pub(super) whole: Vec<String>,
    pub(super) command: Option<String>,
    pub(super) data: String,
    pub(super) version: &'static str,
}

impl Page {
    /// What the browser may do: carry out the one script and the one style of this page, and load nothing from anywhere.
    fn policy() -> String {
        format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
            digest(SCRIPT),
            digest(STYLE)
        )
    }
}

/// By what a policy names an element's text (source: Content Security Policy Level 3, hash sources).
fn digest(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text)))
}
