//! What a row does in every situation of the house plan, as stories that can be read, and in a simulated world.
//!
//! `story` tells a journey as lines of text; the stories are grouped by stage. `simulation` drives journeys through
//! thousands of fates in `world`, where replies are lost, effects come late and processes crash.

mod deadline;
mod detach;
mod earlier_login;
mod leaving;
mod look;
mod repair;
mod replace;
mod resume;
mod simulation;
mod stara;
mod story;
mod unknown;
mod verdict;
mod verify;
mod world;
