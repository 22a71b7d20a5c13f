//! `tegata user …`

use super::arguments::{NewUser, UserCommand, UserGroups};
use super::failure::Failure;
use super::output::{
    self, ChangedPassword, CreatedUser, DeletedUser, Format, GroupsOfUser, ListedUser, SwitchedUser,
};
use crate::base::generated_password;
use crate::base::secret::Secret;
use crate::flow::users::{self, Profile};
use crate::flow::{App, access};
use crate::model::caller::Caller;
use crate::model::user::User;

const SHOWN_ONCE: &str = "The password is shown this once: keep it.";

/// `chosen` is the password from standard input.
pub(super) async fn run(
    app: &App,
    command: UserCommand,
    chosen: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    match command {
        UserCommand::Create(new) => create(app, new, chosen, format).await,
        UserCommand::List => list(app, format).await,
        UserCommand::Password(new) => set_password(app, &new.user.name, chosen, format).await,
        UserCommand::Groups(groups) => set_groups(app, groups, format).await,
        UserCommand::Disable(user) => disable(app, &user.name, format).await,
        UserCommand::Enable(user) => enable(app, &user.name, format).await,
        UserCommand::Delete(user) => delete(app, &user.name, format).await,
    }
}

/// By any spelling of the name.
pub(super) async fn named(app: &App, name: &str) -> Result<User, Failure> {
    users::find_by_name(app, name)
        .await?
        .ok_or_else(|| Failure::no_user(name))
}

async fn create(app: &App, new: NewUser, chosen: Option<Secret>, format: Format) -> Result<String, Failure> {
    let (password, generated) = chosen_or_generated(app, chosen);
    let profile = Profile {
        username: new.name,
        email: new.email,
        password,
        groups: new.group,
    };
    let user = users::create(app, &Caller::OPERATOR, &profile, new.admin).await?;
    tell_once(generated.as_ref(), format);
    let groups = access::groups_of(app, user.id).await?;
    format.render(&CreatedUser::new(user, groups, generated))
}

async fn list(app: &App, format: Format) -> Result<String, Failure> {
    let users: Vec<ListedUser> = users::list(app)
        .await?
        .into_iter()
        .map(ListedUser::from)
        .collect();
    format.render(users.as_slice())
}

async fn set_password(
    app: &App,
    name: &str,
    chosen: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    let user = named(app, name).await?;
    let (password, generated) = chosen_or_generated(app, chosen);
    users::set_password(app, &Caller::OPERATOR, user.id, password).await?;
    tell_once(generated.as_ref(), format);
    format.render(&ChangedPassword {
        username: user.username,
        password: generated,
    })
}

async fn set_groups(app: &App, wanted: UserGroups, format: Format) -> Result<String, Failure> {
    let user = named(app, &wanted.user.name).await?;
    let revoked = if wanted.none || !wanted.groups.is_empty() {
        Some(access::set_groups(app, &Caller::OPERATOR, user.id, &wanted.groups).await?)
    } else {
        None
    };
    format.render(&GroupsOfUser {
        groups: access::groups_of(app, user.id).await?,
        username: user.username,
        revoked,
    })
}

async fn disable(app: &App, name: &str, format: Format) -> Result<String, Failure> {
    let user = named(app, name).await?;
    users::disable(app, &Caller::OPERATOR, user.id).await?;
    format.render(&SwitchedUser {
        username: user.username,
        disabled: true,
    })
}

async fn enable(app: &App, name: &str, format: Format) -> Result<String, Failure> {
    let user = named(app, name).await?;
    users::enable(app, &Caller::OPERATOR, user.id).await?;
    format.render(&SwitchedUser {
        username: user.username,
        disabled: false,
    })
}

async fn delete(app: &App, name: &str, format: Format) -> Result<String, Failure> {
    let user = named(app, name).await?;
    users::delete(app, &Caller::OPERATOR, user.id).await?;
    format.render(&DeletedUser::new(user.username))
}

/// The password, and once more what is to be shown of it.
fn chosen_or_generated(app: &App, chosen: Option<Secret>) -> (Secret, Option<Secret>) {
    if let Some(password) = chosen {
        return (password, None);
    }
    let password = generated_password::generate(&app.entropy);
    (password.clone(), Some(password))
}

fn tell_once(generated: Option<&Secret>, format: Format) {
    if generated.is_some() && format == Format::Plain {
        output::tell(SHOWN_ONCE);
    }
}
