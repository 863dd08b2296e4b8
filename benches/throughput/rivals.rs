//! What one would use instead of the tool, as far as it is installed here: the scripts beside this folder, each of which sends the
//! four calls for each row of a CSV manifest, and keeps no record, no pace and no promise.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::{ManifestFormat, Rivals, Tls};
use crate::machine;
use crate::process::median;
use crate::server::TOKEN;
use crate::setting::{Bench, Setting, Taken};

/// A script, and what it needs.
struct Rival {
    name: &'static str,
    /// A command that succeeds where everything is there that the script needs.
    needs: &'static [&'static str],
    /// Program and script; MANIFEST, URL, TOKEN and the number of rows in flight follow.
    command: [&'static str; 2],
}

const RIVALS: [Rival; 5] = [
    Rival {
        name: "Python, requests and 64 threads",
        needs: &["python3", "-c", "import requests"],
        command: ["python3", "requests_threads.py"],
    },
    Rival {
        name: "Python, httpx and asyncio",
        needs: &["python3", "-c", "import httpx"],
        command: ["python3", "httpx_asyncio.py"],
    },
    Rival {
        name: "curl and xargs -P 64",
        needs: &["sh", "-c", "command -v curl && command -v xargs"],
        command: ["sh", "curl_xargs.sh"],
    },
    Rival {
        name: "curl and GNU parallel -j 64",
        needs: &["sh", "-c", "command -v curl && parallel --version | grep -q GNU"],
        command: ["sh", "curl_parallel.sh"],
    },
    Rival {
        name: "newman (one row after another; it knows no other way)",
        needs: &["newman", "--version"],
        command: ["sh", "newman.sh"],
    },
];

/// Measures, and prints a table with each command.
pub(crate) fn measure(asked: &Rivals) {
    let bench = Bench::new(asked.tool.directory.as_deref());
    machine::describe(&asked.tool.path);
    let setting = Setting {
        rows: asked.rows,
        latency: asked.latency,
        manifest: ManifestFormat::Csv,
        tls: Tls::No,
        concurrency: asked.concurrency,
    };
    println!(
        "\n{} rows, {} ms of latency, {} rows in flight:\n",
        setting.rows, setting.latency, setting.concurrency
    );
    println!("| what | rows/s | client CPU, µs a row | peak, MB | command |\n|---|--:|--:|--:|---|");
    let take = |name: &str, command: &str, take: &dyn Fn() -> Taken| {
        let taken: Vec<Taken> = (0..asked.rounds.max(1)).map(|_| take()).collect();
        println!(
            "| {name} | {:.0} | {:.0} | {:.1} | {command} |",
            median(taken.iter().map(Taken::rows_per_second)),
            median(taken.iter().map(Taken::processor_time_a_row)),
            median(taken.iter().map(|taken| taken.process.megabytes())),
        );
    };
    take("stara-onboard", "`stara-onboard run growers.csv …`", &|| {
        bench.take_tool(setting, &asked.tool.path)
    });
    take("Rust, reqwest and buffer_unordered", "`benches/throughput/bare.rs`", &|| bench.take_bare(setting));
    for rival in &RIVALS {
        let Some((program, words)) = rival.needs.split_first() else { continue };
        if !is_there(Command::new(program).args(words)) {
            println!("| {} | not installed here | | | |", rival.name);
            continue;
        }
        let [program, script] = rival.command;
        let manifest = bench.manifest(setting);
        let told = format!("`{program} {script} growers.csv URL URL TOKEN {}`", setting.concurrency);
        take(rival.name, &told, &|| {
            bench.take(setting, |url| {
                let mut command = Command::new(program);
                command.arg(scripts().join(script)).arg(&manifest).args([url, url, TOKEN]);
                command.arg(setting.concurrency.to_string()).current_dir(bench.path());
                command
            })
        });
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rivals")
}

fn is_there(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
