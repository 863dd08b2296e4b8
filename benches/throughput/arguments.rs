//! What the driver can be asked for. The hidden modes are the processes that it starts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures the tool beside a bare program
#[derive(Debug, Parser)]
#[command(name = "throughput", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    #[command(flatten)]
    pub(crate) matrix: Matrix,
}

/// What is measured, or which process this is.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Measure how fast a finished manifest is decided again, and its reports are written
    Again(Again),
    /// Measure what one would use instead: scripts with Python, curl and newman, as far as they are here
    Rivals(Rivals),
    #[command(hide = true)]
    Bare(Bare),
    /// Serve Stara and Leaf at the port that is printed, until standard input ends
    Serve(Serve),
    #[command(hide = true)]
    WriteManifest(WriteManifest),
}

/// Everything that is combined with everything.
#[derive(Debug, Args)]
pub(crate) struct Matrix {
    /// How many rows
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [10_000, 100_000])]
    pub(crate) rows: Vec<u32>,
    /// How long the server takes for every answer, in milliseconds
    #[arg(long, value_name = "MS", value_delimiter = ',', default_values_t = [0])]
    pub(crate) latency: Vec<u64>,
    /// The manifest's format
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', default_values_t = [ManifestFormat::Csv])]
    pub(crate) manifest: Vec<ManifestFormat>,
    /// Whether the server is reached over TLS
    #[arg(long, value_name = "yes|no", value_delimiter = ',', default_values_t = [Tls::No])]
    pub(crate) tls: Vec<Tls>,
    /// Rows in flight. With a latency they bound the speed: in flight / (4 calls × latency)
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) concurrency: u32,
    /// How often each is measured; by itself 7 times up to 10,000 rows, 5 times up to 100,000, else once
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<usize>,
    /// Only print; don't fail below the targets
    #[arg(long)]
    pub(crate) no_targets: bool,
    #[command(flatten)]
    pub(crate) tool: Tool,
}

/// Which build of the tool is measured.
#[derive(Debug, Args)]
pub(crate) struct Tool {
    /// The tool's binary; by itself the one that cargo built with this bench
    #[arg(long = "tool", value_name = "FILE", default_value = env!("CARGO_BIN_EXE_stara-onboard"))]
    pub(crate) path: PathBuf,
    /// The folder in which manifests, ledgers and reports are made and deleted; by itself the system's temporary one
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,
}

/// The arguments of `again`.
#[derive(Debug, Args)]
pub(crate) struct Again {
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) rows: u32,
    /// The manifest's format
    #[arg(long, value_name = "FORMAT", default_value_t = ManifestFormat::Csv)]
    pub(crate) manifest: ManifestFormat,
    /// How often each is measured
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: usize,
    #[command(flatten)]
    pub(crate) tool: Tool,
}

/// The arguments of `rivals`.
#[derive(Debug, Args)]
pub(crate) struct Rivals {
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) rows: u32,
    /// How long the server takes for every answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) latency: u64,
    /// Rows in flight
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) concurrency: u32,
    /// How often each is measured
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: usize,
    #[command(flatten)]
    pub(crate) tool: Tool,
}

/// The bare program.
#[derive(Debug, Args)]
pub(crate) struct Bare {
    pub(crate) manifest: PathBuf,
    pub(crate) stara: String,
    pub(crate) leaf: String,
    pub(crate) concurrency: usize,
    /// The server's certificate.
    pub(crate) certificate: Option<PathBuf>,
}

/// The server.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// How long it takes for every answer, in milliseconds
    pub(crate) latency: u64,
    /// The folder with its certificate and key, for TLS.
    pub(crate) certificate: Option<PathBuf>,
}

/// The making of a manifest: in a process of its own, for a driver that grows passes its size on as that of its children.
#[derive(Debug, Args)]
pub(crate) struct WriteManifest {
    pub(crate) format: ManifestFormat,
    pub(crate) rows: u32,
    pub(crate) path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ManifestFormat {
    Csv,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tls {
    No,
    Yes,
}

impl std::fmt::Display for ManifestFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        })
    }
}

impl std::fmt::Display for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::No => "no",
            Self::Yes => "yes",
        })
    }
}
