//! The thin binary; all of it is in the library.

/// Rows are made on one thread, carried on others and recorded on a third; the system's allocator spends its time on
/// the locks between them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    stara_onboard::main()
}
