//! The audit: whether what Leaf holds is what the ledger expects. It changes nothing at Leaf.
//!
//! Main function: [`audit`]. Main types: [`AuditOptions`], [`AuditScope`] and [`AuditResult`]; [`RepairRule`], by which a
//! later run repairs what audits have found.
//!
//! What is found is judged by a pure function (`judge`), from what `seeing` has seen. A list of users can only prove that
//! somebody is well; whoever it doesn't prove to be well is looked at before being called anything. Nothing is written for
//! users that weren't seen.

mod events;
mod judge;
mod repair;
mod seeing;
mod subjects;
mod verb;

pub(super) use repair::RepairDecider;
pub use repair::RepairRule;
pub use verb::{AuditError, AuditOptions, AuditResult, AuditScope, audit};
