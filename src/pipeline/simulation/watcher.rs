//! Hears the pipeline's events and holds them against the world.

use super::network::{SharedWorld, lock};
use crate::pipeline::{Event, Observe};

/// Passes outcomes on to the oracle at the moment when they are told.
pub(super) struct Watcher(pub(super) SharedWorld);

impl Observe for Watcher {
    fn observe(&self, event: &Event) {
        let mut world = lock(&self.0);
        match event {
            Event::RowFinished { line, leaf_user_id, code, .. } => {
                world.on_finished(*line, *leaf_user_id, *code);
            }
            Event::LinksBegun { .. } => {
                let wall = world.wall_clock();
                world.oracle.links.on_chosen(wall);
            }
            Event::Held { .. } => world.tell(|| format!("{event:?}")),
            Event::Draining { reason } => world.tell(|| format!("draining: {reason}")),
            _ => {}
        }
    }
}
