//! The browser: what it is to do with a page, and what came of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The script that drives it.
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/drive.py");

/// Where axe is, unless `STARA_ONBOARD_AXE` names another place: where `.ci/run` puts it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/browser/node_modules/axe-core/axe.min.js");

/// A window on a page, and what is to be done there.
pub(crate) struct Browser {
    plan: Value,
    steps: Vec<Value>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Seen {
    results: Vec<Value>,
    /// Every address that was asked for.
    pub(crate) requests: Vec<String>,
    /// Whatever the browser said in its console: errors, and breaches of the page's policy.
    pub(crate) said: Vec<String>,
    /// How long the page took to open, in seconds.
    pub(crate) opened_in: f64,
    /// Steps that were named.
    names: Vec<(String, usize)>,
}

/// A browser for this page; `None`, and said aloud, where there is none on this machine.
pub(crate) fn browser(page: &Path) -> Option<Browser> {
    let missing = missing();
    if !missing.is_empty() {
        println!("!! LEFT OUT: {missing} is missing; .ci/run installs it");
        assert!(std::env::var_os("STARA_ONBOARD_NEEDS_BROWSER").is_none(), "{missing} is missing");
        return None;
    }
    let plan = json!({ "page": format!("file://{}", page.display()), "axe": axe().unwrap() });
    Some(Browser { plan, steps: Vec::new() })
}

fn missing() -> String {
    let checked = Command::new("python3").args([DRIVER, "--check"]).output();
    match checked {
        Err(_) => "python3".to_owned(),
        Ok(output) if !output.status.success() => "python3".to_owned(),
        Ok(output) => {
            let said = String::from_utf8(output.stdout).unwrap().trim().to_owned();
            if said.is_empty() && axe().is_none() { "axe-core (of npm)".to_owned() } else { said }
        }
    }
}

fn axe() -> Option<PathBuf> {
    let named = std::env::var_os("STARA_ONBOARD_AXE").map_or_else(|| PathBuf::from(AXE), PathBuf::from);
    named.is_file().then_some(named)
}

impl Browser {
    /// A window of this size.
    pub(crate) fn size(mut self, width: u32, height: u32) -> Self {
        self.plan["width"] = width.into();
        self.plan["height"] = height.into();
        self
    }

    /// Somebody who likes it dark.
    pub(crate) fn dark(mut self) -> Self {
        self.plan["dark"] = true.into();
        self
    }

    /// A browser that carries out no script.
    pub(crate) fn without_script(mut self) -> Self {
        self.plan["script"] = false.into();
        self
    }

    /// Does this; `step` is a method of the script's `Steps` with its arguments.
    pub(crate) fn step<const N: usize>(mut self, step: [&str; N]) -> Self {
        self.steps.push(json!(&step[..]));
        self
    }

    /// Evaluates this, to be looked up in what was [`Seen`] by the same words.
    pub(crate) fn see(self, code: &str) -> Self {
        self.step(["js", &format!("return {code};")])
    }

    /// Opens the page and does it all.
    pub(crate) fn go(mut self) -> Seen {
        let profile = tempfile::tempdir().unwrap();
        self.plan["profile"] = profile.path().to_str().unwrap().into();
        self.plan["steps"] = self.steps.clone().into();
        let mut driver = Command::new("python3")
            .arg(DRIVER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        driver.stdin.take().unwrap().write_all(self.plan.to_string().as_bytes()).unwrap();
        let output = driver.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let texts = |name: &str| {
            told[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let name = |step: &Value| {
            let code = step[1].as_str().unwrap_or_default();
            code.strip_prefix("return ").and_then(|code| code.strip_suffix(';')).map(ToOwned::to_owned)
        };
        let names = self.steps.iter().enumerate().filter_map(|(place, step)| Some((name(step)?, place)));
        Seen {
            results: told["results"].as_array().unwrap().clone(),
            requests: texts("requests"),
            said: texts("said"),
            opened_in: told["openedIn"].as_f64().unwrap(),
            names: names.collect(),
        }
    }
}

impl Seen {
    /// What the nth step gave.
    pub(crate) fn result(&self, step: usize) -> &Value {
        &self.results[step]
    }

    /// What the last step gave.
    pub(crate) fn last(&self) -> &Value {
        self.results.last().unwrap()
    }

    /// What this evaluated to, each time it was looked at, in order.
    #[track_caller]
    pub(crate) fn all(&self, code: &str) -> Vec<&Value> {
        let places = self.names.iter().filter(|(name, _)| name == code).map(|(_, place)| *place);
        let found: Vec<&Value> = places.map(|place| &self.results[place]).collect();
        assert!(!found.is_empty(), "never looked at: {code}");
        found
    }

    /// What this evaluated to, as text.
    #[track_caller]
    pub(crate) fn text(&self, code: &str) -> String {
        let value = self.all(code)[0];
        value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
    }

    /// Expects that nothing but the page itself was asked for, and that the browser had nothing to complain of.
    #[track_caller]
    pub(crate) fn expect_quiet(&self) {
        let strangers: Vec<&String> =
            self.requests.iter().filter(|url| !url.starts_with("file:///")).collect();
        assert!(strangers.is_empty(), "{strangers:?}");
        assert_eq!(
            self.requests.iter().filter(|url| url.starts_with("file:")).count(),
            1,
            "{:?}",
            self.requests
        );
        assert!(self.said.is_empty(), "{:?}", self.said);
    }
}
