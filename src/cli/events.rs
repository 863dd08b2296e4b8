//! `events`: Leaf's log of one user's credentials, from Leaf and from what the ledger saved, without any secret.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::arguments::EventsArguments;
use super::conclusion::code_of_stop;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::logging;
use super::run::{runtime, tell};
use super::services::ServiceSettings;
use super::shard::open_to_read;
use super::status::print;
use crate::api::{CredentialEvent, EventField};
use crate::checkpoint::{LearnedRate, SavedEvent, Target};
use crate::model::{CredentialId, LeafUserId};
use crate::pipeline::{Event, LogError, Observe, Services, Stop, credential_log};
use crate::ui::LogWriter;

/// What stands in the place of whatever isn't shown.
const MASKED: &str = "***";

/// Prints the log, and says with which code to exit.
pub(super) fn events(arguments: &EventsArguments) -> Result<ExitCode, Failure> {
    logging::start(&arguments.output, &LogWriter::default())?;
    let path = arguments.state.path(false);
    // Without a ledger nothing was saved, but Leaf can be asked all the same.
    let is_missing = path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let ledger =
        if arguments.saved || !is_missing { Some(open_to_read(&path, &arguments.state)?) } else { None };
    let services = if arguments.saved {
        None
    } else {
        let settings =
            ServiceSettings::read(&arguments.target, &arguments.rates, arguments.state.shard(), false)?;
        let without_token = match &ledger {
            Some(_) => "or add --saved, which shows what the ledger saved and asks nobody".to_owned(),
            None => format!("there is no ledger at {} that could have saved anything", path.display()),
        };
        Some(settings.services().map_err(|failure| failure.hinting_without_token(&without_token))?)
    };
    if let Some((ledger, services)) = ledger.as_ref().zip(services.as_ref()) {
        // Another Leaf's log would be mixed with what was saved of this one's.
        ledger.check_target(&Target::new(&services.stara.http.origin(), &services.leaf.http.origin()))?;
    }
    let mut id = arguments.leaf_user_id;
    if let Some(ledger) = &ledger
        && ledger.user(id)?.is_none()
        && let Some(credential) = CredentialId::new(&id.to_string())
        && let Some(holder) = ledger.holder_of(&credential)?
    {
        // A credential's id is as good: it stands in the report beside the user's.
        id = holder;
    }
    let (saved, learned) = match &ledger {
        Some(ledger) => (Some(ledger.events_of(id)?), ledger.learned_rates()?),
        None => (None, Vec::new()),
    };
    // Leaf may take its time, and nobody is kept from the ledger meanwhile.
    drop(ledger);
    let asked = services.map(|services| ask(id, services, learned)).transpose()?;
    let log = Log::merged(id, asked, saved);
    print(&if arguments.json { format!("{:#}\n", log.json()) } else { log.text() });
    match &log.asked {
        Some(Err(error)) => {
            let shown = if log.has_ledger { "what the ledger saved is shown; " } else { "" };
            tell(&format!(
                "error: Leaf couldn't be asked: {error}\nhint: {shown}run the same command again later\n"
            ));
            Ok(match error {
                LogError::Stopped(cause) => code_of_stop(cause),
                LogError::Failed(_) => ExitCode::Incomplete,
            })
        }
        Some(Ok(())) | None => Ok(ExitCode::Done),
    }
}

type Asked = Result<Vec<CredentialEvent>, LogError>;

fn ask(id: LeafUserId, services: Services, learned: Vec<LearnedRate>) -> Result<Asked, Failure> {
    let observer: Arc<dyn Observe> = Arc::new(Unwatched);
    Ok(runtime()?.block_on(credential_log(services, learned, id, Stop::default(), observer)))
}

/// A single call has no progress to be shown.
struct Unwatched;

impl Observe for Unwatched {
    fn observe(&self, _event: &Event) {}
}

/// The log of one user's credentials.
struct Log {
    id: LeafUserId,
    /// Whether Leaf was asked, and with what success.
    asked: Option<Result<(), LogError>>,
    /// Whether there is a ledger that may have saved some.
    has_ledger: bool,
    /// The events by time and id, so that the oldest comes first and none twice.
    events: BTreeMap<(String, String), Entry>,
}

/// An event and where it is known.
#[derive(Default)]
struct Entry {
    status_code: Option<i64>,
    /// What Leaf shows of it beside.
    details: Option<(Vec<EventField>, Vec<EventField>)>,
    is_at_leaf: bool,
    is_saved: bool,
}

impl Entry {
    fn places(&self) -> Vec<&'static str> {
        let places = [("leaf", self.is_at_leaf), ("saved", self.is_saved)];
        places.into_iter().filter(|(_, is_there)| *is_there).map(|(place, _)| place).collect()
    }
}

impl Log {
    fn merged(id: LeafUserId, asked: Option<Asked>, saved: Option<Vec<SavedEvent>>) -> Self {
        let has_ledger = saved.is_some();
        let mut events: BTreeMap<(String, String), Entry> = BTreeMap::new();
        for event in saved.into_iter().flatten() {
            let entry = events.entry((event.created, event.id)).or_default();
            (entry.status_code, entry.is_saved) = (event.status_code, true);
        }
        let asked = asked.map(|asked| {
            asked.map(|at_leaf| {
                for event in at_leaf {
                    let entry = events.entry((event.created, event.id)).or_default();
                    (entry.status_code, entry.is_at_leaf) = (event.status_code, true);
                    entry.details = Some((event.headers, event.body));
                }
            })
        });
        Self { id, asked, has_ledger, events }
    }

    fn json(&self) -> Value {
        let error = self.asked.as_ref().and_then(|asked| asked.as_ref().err()).map(ToString::to_string);
        let event = |((created, id), entry): (&(String, String), &Entry)| {
            let (headers, body) = entry.details.as_ref().map(|(headers, body)| (headers, body)).unzip();
            json!({
                "id": id,
                "createdDate": created,
                "statusCode": entry.status_code,
                "places": entry.places(),
                "headers": headers.map(|fields| fields_json(fields)),
                "body": body.map(|fields| fields_json(fields)),
            })
        };
        json!({
            "schema": 1,
            "leafUserId": self.id.to_string(),
            "leaf": { "asked": self.asked.is_some(), "error": error },
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("User {}\n", self.id);
        if self.events.is_empty() {
            text.push_str(match (&self.asked, self.has_ledger) {
                (Some(Ok(())), true) => "  no event, neither at Leaf nor saved\n",
                (Some(Ok(())), false) => "  no event at Leaf; there is no ledger that could have saved one\n",
                (_, true) => "  no event saved\n",
                (_, false) => "  nothing is known: there is no ledger that could have saved an event\n",
            });
        }
        for ((created, id), entry) in &self.events {
            let status = entry.status_code.map_or_else(|| "-".to_owned(), |status| status.to_string());
            let places = entry.places().join(", ");
            // Writing into a string can't fail.
            let _ = writeln!(text, "  {created:<26} status {status:<4} {id} ({places})");
            for (what, fields) in
                entry.details.iter().flat_map(|(headers, body)| [("headers", headers), ("body", body)])
            {
                if !fields.is_empty() {
                    let fields: Vec<String> = fields.iter().map(field_text).collect();
                    let _ = writeln!(text, "    {what:<8} {}", fields.join(", "));
                }
            }
        }
        text
    }
}

fn field_text(field: &EventField) -> String {
    let name = field.name.as_deref().unwrap_or(MASKED);
    format!("{name}={}", field.value.as_deref().unwrap_or(MASKED))
}

fn fields_json(fields: &[EventField]) -> Value {
    let field = |field: &EventField| {
        json!({
            "name": field.name.as_deref().unwrap_or(MASKED),
            "value": field.value.as_deref().unwrap_or(MASKED),
        })
    };
    fields.iter().map(field).collect()
}
