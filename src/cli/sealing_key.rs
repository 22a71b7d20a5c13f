//! `tegata sealing-key …`

use super::arguments::SealingKeyCommand;
use super::failure::Failure;
use super::output::{Format, Resealed};
use crate::flow::App;
use crate::flow::sealing::{self, NotResealed};
use crate::model::caller::Caller;

pub(super) async fn run(app: &App, command: &SealingKeyCommand, format: Format) -> Result<String, Failure> {
    let resealed = match command {
        SealingKeyCommand::Rotate => sealing::rotate(app, &Caller::OPERATOR).await,
        SealingKeyCommand::Reseal => sealing::reseal(app, &Caller::OPERATOR).await,
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
