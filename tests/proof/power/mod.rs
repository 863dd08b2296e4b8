//! Power loss: what the program wrote and flushed is recorded with strace, the power is cut at any point of it, what wasn't
//! flushed is dropped or torn, and the program goes on with what is left.
//!
//! Main types: [`Recording`](recording::Recording), some runs of the real program as strace saw them;
//! [`Happening`](happening::Happening), a step of them; [`Disk`](disk::Disk), what of it has surely reached the disk, and
//! what a loss of power leaves; and [`Cut`](cut::Cut), one loss of power with all that follows. The proofs themselves,
//! with their controls, are in `proofs`.
//!
//! The model of the disk is POSIX to the letter, which is harder on the program than any file system: nothing is durable
//! but what was flushed, each unflushed write comes through or not by itself and in sectors of 512 bytes, and a name that
//! was given or taken is durable only when its folder was flushed.

mod cut;
mod disk;
mod happening;
mod proofs;
mod recording;
mod trace;
