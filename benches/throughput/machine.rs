//! On what is measured: without it, no figure means anything.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Prints the machine and the build of the tool, as sentences of Markdown.
pub(crate) fn describe(tool: &Path) {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let model = line_after("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = line_after("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = first_line("/proc/sys/kernel/osrelease");
    let load = first_line("/proc/loadavg");
    let compiler = said_by(Command::new("rustc").arg("--version"));
    let version = said_by(Command::new(tool).arg("--version"));
    let bytes = fs::metadata(tool).map_or(0, |file| file.len());
    println!(
        "Machine: {processors} processors ({model}), {memory} of memory, Linux {kernel}; load before: {load}.\n\
         Tool: {version}, {bytes} bytes; {compiler}."
    );
}

fn line_after(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn said_by(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
