//! Sets up the log: to stderr above the bars, or to a file.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::OutputFlags;
use crate::ui::LogWriter;

/// Libraries whose finer levels print bytes of requests and answers: never more than their warnings, whatever was asked.
const LOUD_LIBRARIES: [&str; 8] =
    ["hyper", "hyper_util", "h2", "object_store", "reqwest", "rustls", "tower", "rustls_platform_verifier"];

/// Sets up the log for the rest of the process.
pub(super) fn start(output: &OutputFlags, logs: &LogWriter) -> Result<(), Failure> {
    let level = match (output.verbose, output.quiet) {
        (0, _) if output.log_file().is_some() => LevelFilter::INFO,
        (_, true) => LevelFilter::ERROR,
        (0, _) => LevelFilter::WARN,
        (1, _) => LevelFilter::INFO,
        (2, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let json = output.log_format == "json";
    match output.log_file() {
        None => subscribe(level, json, logs.clone()),
        Some(path) => {
            let file = open_private(path).map_err(|source| {
                let error = anyhow::Error::new(source)
                    .context(format!("the log file {} can't be opened", path.display()));
                Failure::new(ExitCode::Usage, error, "name another file with --log-file")
            })?;
            subscribe(level, json, Mutex::new(file));
            output.opening.log();
        }
    }
    Ok(())
}

fn subscribe<W>(level: LevelFilter, json: bool, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let capped = LOUD_LIBRARIES.map(|library| (library, LevelFilter::WARN.min(level)));
    let filter = Targets::new().with_default(level).with_targets(capped);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false).with_target(false);
    let layer =
        if json { lines.json().with_filter(filter).boxed() } else { lines.with_filter(filter).boxed() };
    // A second subscriber in one process (a test's) is refused; the first one stays.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

fn open_private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
