//! How much of a bare program's speed the tool keeps.
//!
//! `cargo bench --bench throughput [-- ROWS ROUNDS]` runs, in turn and against the simulated services in a process of
//! their own, a bare program (the same four calls with reqwest and `buffer_unordered(64)`, and nothing else) and the
//! tool (`--precheck off`, no quota, 64 rows in flight, ledger and report included), each as a process of its own, and
//! prints rows per second and their ratio.
//!
//! 0.75 is wanted where the bare program does about 10,000 rows/s. The simulated services are so light that it does two
//! to three times that here, and what the tool adds to each row (two durable writes, the report) weighs more; so the
//! bench fails only below 0.6, as a guard against getting worse.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints what it measured, and stops when it can't"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use futures::stream::{self, StreamExt as _};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

/// The part of the bare program's speed that the tool must keep.
const LEAST: f64 = 0.6;

/// Rows in flight, for both.
const CONCURRENCY: usize = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [mode, manifest, stara, leaf] = arguments.as_slice()
        && mode == "bare"
    {
        bare(Path::new(manifest), stara, leaf);
        return ExitCode::SUCCESS;
    }
    let number = |place: usize, default: usize| {
        arguments.get(place).and_then(|argument| argument.parse().ok()).unwrap_or(default)
    };
    let (rows, rounds) = (number(0, 10_000), number(1, 5));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let manifest = write_manifest(directory.path(), rows);
    let (mut of_bare, mut of_tool) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let bare = measure(rows, |services| bare_command(&manifest, services));
        let tool = measure(rows, |services| tool_command(directory.path(), round, &manifest, services));
        println!("round {}: bare {bare:.0} rows/s, stara-onboard {tool:.0} rows/s", round + 1);
        of_bare.push(bare);
        of_tool.push(tool);
    }
    let ratio = median(&mut of_tool) / median(&mut of_bare);
    println!("stara-onboard keeps {ratio:.2} of the bare program's rows/s (this bench fails below {LEAST})");
    if ratio < LEAST { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The simulated services in a process of their own, ended when dropped.
struct Services {
    process: Child,
    stara: String,
    leaf: String,
}

impl Services {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_stara-onboard"))
            .arg("sandbox")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its stdout")).lines();
        let mut url = |name: &str| {
            let line = lines.next().expect("a line").expect("text");
            line.strip_prefix(name).expect("the URL's name").to_owned()
        };
        let (stara, leaf) = (url("STARA_URL="), url("LEAF_URL="));
        Self { process, stara, leaf }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // It has no state that could be lost.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Rows per second of a whole process.
fn measure(rows: usize, command: impl FnOnce(&Services) -> Command) -> f64 {
    let services = Services::start();
    let mut command = command(&services);
    let began = Instant::now();
    let output = command.output().expect("it runs");
    let seconds = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    f64::from(u32::try_from(rows).expect("a number of rows")) / seconds
}

fn bare_command(manifest: &Path, services: &Services) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this bench's path"));
    command.arg("bare").arg(manifest).args([&services.stara, &services.leaf]);
    command
}

fn tool_command(directory: &Path, round: usize, manifest: &Path, services: &Services) -> Command {
    let file = |name: &str| directory.join(format!("{round}-{name}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_stara-onboard"));
    command
        .arg("run")
        .arg(manifest)
        .args(["--precheck", "off", "--stara-rate", "none", "--leaf-rate", "none", "--progress", "none"])
        .arg("--concurrency")
        .arg(CONCURRENCY.to_string())
        .arg("--state")
        .arg(file("ledger.db"))
        .arg("--report")
        .arg(file("results.csv"))
        .envs([("STARA_URL", &services.stara), ("LEAF_URL", &services.leaf)])
        .env("LEAF_TOKEN", "bench");
    command
}

fn write_manifest(directory: &Path, rows: usize) -> PathBuf {
    let path = directory.join("growers.csv");
    let mut text = String::from("leafUserId,login,password\n");
    for row in 0..rows {
        let line = format!("0a1b2c3d-0000-4000-8000-{row:012x},grower{row}@fazenda.example,pw-{row}\n");
        text.push_str(&line);
    }
    let mut file = std::fs::File::create(&path).expect("the manifest can be made");
    file.write_all(text.as_bytes()).expect("the manifest can be written");
    path
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "leafUserId")]
    leaf_user_id: String,
    login: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    api_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    access_token: String,
    access_token_client: String,
    refresh_token: String,
}

#[derive(Deserialize)]
struct Credential {
    status: String,
}

/// The bare program.
#[tokio::main]
async fn bare(manifest: &Path, stara: &str, leaf: &str) {
    let client = Client::new();
    let rows: Vec<Row> = csv::Reader::from_path(manifest)
        .expect("the manifest opens")
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the manifest is read");
    let onboarded = stream::iter(rows.iter().map(|row| onboard(&client, stara, leaf, row)));
    let healthy =
        onboarded.buffer_unordered(CONCURRENCY).filter(|healthy| std::future::ready(*healthy)).count().await;
    assert_eq!(healthy, rows.len());
}

async fn onboard(client: &Client, stara: &str, leaf: &str, row: &Row) -> bool {
    let credentials =
        format!("{leaf}/services/usermanagement/api/users/{}/stara-credentials", row.leaf_user_id);
    let calls = async {
        let login = json!({ "login": row.login, "password": row.password });
        let key: Key = client.post(format!("{stara}/autenticacao")).json(&login).send().await?.json().await?;
        let asked = json!({ "apiKey": key.api_key });
        let tokens: Tokens = client.post(format!("{stara}/token")).json(&asked).send().await?.json().await?;
        let body = json!({
            "apiKey": key.api_key,
            "accessToken": tokens.access_token,
            "accessTokenClient": tokens.access_token_client,
            "refreshToken": tokens.refresh_token,
        });
        client
            .post(&credentials)
            .bearer_auth("bench")
            .json(&body)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        client.get(&credentials).bearer_auth("bench").send().await?.json::<Credential>().await
    };
    calls.await.is_ok_and(|credential: Credential| credential.status == "OK")
}
