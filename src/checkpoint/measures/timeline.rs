//! What a run did over time, and how long the hosts took to answer.

use serde::{Deserialize, Serialize};

use crate::model::{Service, Stage, UnixMillis};

/// What a run measured of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunMeasures {
    /// When the first slot began, by the wall clock: the manifest was staged, and the services began to be asked.
    #[serde(rename = "began", with = "millis")]
    pub began_at: UnixMillis,
    /// How long a slot is, in seconds: a power of two, so that no run has more than 240 of them.
    pub slot_seconds: u32,
    /// The slots in order, without those in which nothing happened.
    pub slots: Vec<MeasuredSlot>,
    /// How long answers took, in the order of [`Stage::ALL`], without stages that had none.
    pub latencies: Vec<StageLatency>,
}

impl RunMeasures {
    /// What all slots together say of a service; the rate is the last one.
    #[must_use]
    pub fn total(&self, service: Service) -> HostSlot {
        self.slots.iter().map(|slot| slot.host(service)).fold(HostSlot::default(), HostSlot::and)
    }
}

/// What happened in one slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredSlot {
    /// Which slot it is, from 0: it began so many times [`RunMeasures::slot_seconds`] after the first.
    pub slot: u32,
    /// Rows that ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows: u64,
    /// What Stara was asked.
    #[serde(default, skip_serializing_if = "HostSlot::is_empty")]
    pub stara: HostSlot,
    /// What Leaf was asked.
    #[serde(default, skip_serializing_if = "HostSlot::is_empty")]
    pub leaf: HostSlot,
}

impl MeasuredSlot {
    /// What a service was asked.
    #[must_use]
    pub const fn host(&self, service: Service) -> HostSlot {
        match service {
            Service::Stara => self.stara,
            Service::Leaf => self.leaf,
        }
    }
}

/// What one host was asked in a slot. A request belongs to the slot in which it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct HostSlot {
    /// Requests that ended, with an answer or without.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Answers that asked us to slow down.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub throttled: u64,
    /// Answers of 500 and above that didn't ask us to slow down, and requests without an answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Requests a second that were permitted at the slot's end; `None` without a quota, and where the host was asked nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// For how long everybody had to wait before asking it, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_ms: u64,
}

impl HostSlot {
    /// What this slot and a later one say together; the rate is the later one's, where that has one.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            requests: self.requests + later.requests,
            throttled: self.throttled + later.throttled,
            failed: self.failed + later.failed,
            rate: later.rate.or(self.rate),
            held_ms: self.held_ms + later.held_ms,
        }
    }

    /// Whether nothing is said of the host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How long a stage's answers took, from sending a request to the end of its answer, without any wait for a permit.
///
/// The quantiles are at most 5 % off; a quantile of few answers is one of them. In microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageLatency {
    /// The stage.
    #[serde(with = "stage_name")]
    pub stage: Stage,
    /// How many answers, whatever their status.
    pub answers: u64,
    /// Half of the answers took no longer.
    pub p50_us: u64,
    /// Nine of ten answers took no longer.
    pub p90_us: u64,
    /// 99 of 100 answers took no longer.
    pub p99_us: u64,
    /// The longest, exactly.
    pub max_us: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A wall-clock instant as a number of milliseconds.
pub(super) mod millis {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::model::UnixMillis;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(in super::super) fn serialize<S: Serializer>(
        at: &UnixMillis,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<UnixMillis, D::Error> {
        i64::deserialize(deserializer).map(UnixMillis)
    }
}

/// A stage by its name.
mod stage_name {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::model::Stage;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(super) fn serialize<S: Serializer>(stage: &Stage, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(stage.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Stage, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
