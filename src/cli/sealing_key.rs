//! `tegata sealing-key …`

use super::arguments::{ForgottenKey, SealingKeyCommand};
use super::failure::Failure;
use super::output::{self, Format, Resealed};
use crate::flow::App;
use crate::flow::sealing::{self, NotForgotten, NotResealed};
use crate::model::caller::Caller;

pub(super) async fn run(app: &App, command: SealingKeyCommand, format: Format) -> Result<String, Failure> {
    let resealed = match command {
        SealingKeyCommand::Rotate => sealing::rotate(app, &Caller::OPERATOR).await,
        SealingKeyCommand::Reseal => sealing::reseal(app, &Caller::OPERATOR).await,
        SealingKeyCommand::Forget(key) => return forget(app, &key, format).await,
    };
    match resealed {
        Ok(resealed) => format.render(&Resealed::from(resealed)),
        Err(NotResealed::Off) => Err(Failure::new(
            "nothing is sealed: OAuth 1.0a is off. Set oauth1 = true as for the server, then run it again",
        )),
        Err(NotResealed::NoFile) => Err(Failure::new(
            "the key is in memory, as the database is: there is no file to put another into",
        )),
        Err(NotResealed::Keys(why)) => Err(Failure::new(why)),
        Err(NotResealed::Refused(refusal)) => Err(refusal.into()),
    }
}

async fn forget(app: &App, key: &ForgottenKey, format: Format) -> Result<String, Failure> {
    let id = key.id;
    match sealing::forget(app, &Caller::OPERATOR, id, key.lost).await {
        Ok(given_up) => format.render(&output::ForgottenKey::new(id, given_up)),
        Err(NotForgotten::Unknown) => Err(Failure::new(format!(
            "the database knows no sealing key {id}: nothing is left to be done"
        ))),
        Err(NotForgotten::InUse(values)) => Err(Failure::new(format!(
            "{values} secrets rest sealed under the key {id}: put its key file back, or give them up with --lost"
        ))),
        Err(NotForgotten::Refused(refusal)) => Err(refusal.into()),
    }
}
