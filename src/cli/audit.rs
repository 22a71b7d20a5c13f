//! `tegata audit`

use std::pin::pin;

use futures_util::TryStreamExt;

use super::arguments::AuditSearch;
use super::failure::Failure;
use super::output::{self, Format};
use crate::base::config::Config;
use crate::flow::audit::{self, Exported, Filter, NotSearched, Search};
use crate::flow::{App, Purpose};

/// Prints what matches, the newest first: one JSON document a line, or with `--json` one array.
pub(super) async fn run(config: Config, search: AuditSearch, format: Format) -> Result<(), Failure> {
    let app = super::open(config, Purpose::Manage).await?;
    let printed = print(&app, search, format).await;
    app.close().await;
    printed
}

async fn print(app: &App, search: AuditSearch, format: Format) -> Result<(), Failure> {
    let filter = match audit::filter(app, &typed(search)).await {
        Ok(filter) => filter,
        Err(NotSearched::Fields(faults)) => {
            return Err(Failure::fields(
                faults.iter().map(|(field, words)| (*field, words.as_str())),
            ));
        }
        Err(NotSearched::Refused(refusal)) => return Err(refusal.into()),
    };
    match format {
        Format::Plain => lines(app, filter).await,
        Format::Json => array(app, filter).await,
    }
}

fn typed(search: AuditSearch) -> Search {
    Search {
        event: search.event.unwrap_or_default(),
        user: search.user.unwrap_or_default(),
        application: search.application.unwrap_or_default(),
        address: search.address.unwrap_or_default(),
        since: search.since.unwrap_or_default(),
        until: search.until.unwrap_or_default(),
    }
}

/// A batch at a time, so that a long log takes no more memory than a short one.
async fn lines(app: &App, filter: Filter) -> Result<(), Failure> {
    let mut batches = pin!(audit::export(app.clone(), filter));
    while let Some(batch) = batches.try_next().await? {
        let lines: Vec<String> = documents(&batch)?;
        if !lines.is_empty() && !output::print_some(&lines.join("\n"))? {
            return Ok(());
        }
    }
    Ok(())
}

/// All of it or nothing.
async fn array(app: &App, filter: Filter) -> Result<(), Failure> {
    let mut all = Vec::new();
    let mut batches = pin!(audit::export(app.clone(), filter));
    while let Some(batch) = batches.try_next().await? {
        all.extend(documents(&batch)?);
    }
    output::print(&format!("[{}]", all.join(",")))
}

fn documents(batch: &[Exported]) -> Result<Vec<String>, Failure> {
    batch.iter().map(output::document).collect()
}
