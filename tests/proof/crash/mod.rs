//! Crash: the real program against simulated services in another process, killed with SIGKILL and run again until it is
//! done.
//!
//! Main types: [`Scenario`](scenario::Scenario), a manifest and what must become of it; [`Kill`](kill::Kill), when the
//! program is killed; and [`Campaign`](campaign::Campaign), which kills, looks into what was left behind, and resumes.
//! The proofs themselves are in `random` and `boundaries`.
//!
//! The program has no hooks for this: it is killed by what the services saw, by the time, or by its own system calls.

mod boundaries;
mod campaign;
mod kill;
mod random;
mod scenario;
