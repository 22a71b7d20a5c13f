//! `tegata check`

use super::arguments::Check;
use super::failure::Failure;
use super::output::{self, Format};
use crate::base::config::Config;
use crate::flow::{Purpose, check};

/// Prints what departs from best current practice.
///
/// # Errors
/// With `--strict`, that anything does; what was found is printed all the same.
pub(super) async fn run(config: Config, check: &Check, format: Format) -> Result<(), Failure> {
    let app = super::open(config, Purpose::Manage).await?;
    let found = check::departures(&app).await;
    app.close().await;
    let found = found?;
    output::print(&format.render(found.as_slice())?)?;
    if check.strict && !found.is_empty() {
        return Err(Failure::new(format!(
            "{} departures from best current practice: mend them, or leave --strict out",
            found.len()
        )));
    }
    Ok(())
}
