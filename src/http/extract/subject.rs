//! The user whom a page for administrators is about: the `{id}` of its path. Who may not see the page is refused
//! before anybody is looked for.

use axum::extract::{FromRef, FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::Response;

use super::administrator::{Administrator, AdministratorForm};
use super::form::Form;
use super::viewer::Viewer;
use crate::flow::{App, users};
use crate::http::middleware::request::RequestId;
use crate::http::pages::error;
use crate::model::user::User;

/// Somebody, and the administrator who looks at a page about them.
#[derive(Debug)]
pub(in crate::http) struct Subject {
    pub(in crate::http) viewer: Viewer,
    pub(in crate::http) user: User,
}

impl<S: Sync + Send> FromRequestParts<S> for Subject
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Administrator(viewer) = Administrator::from_request_parts(parts, state).await?;
        let user = named(parts).await.find(&App::from_ref(state)).await?;
        Ok(Self { viewer, user })
    }
}

/// Somebody, and the form about them that an administrator sent from one of our pages.
#[derive(Debug)]
pub(in crate::http) struct SubjectForm {
    pub(in crate::http) sent: Form,
    pub(in crate::http) user: User,
}

impl<S: Sync + Send> FromRequest<S> for SubjectForm
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let named = named(&mut parts).await;
        let request = Request::from_parts(parts, body);
        let AdministratorForm(sent) = AdministratorForm::from_request(request, state).await?;
        let user = named.find(&App::from_ref(state)).await?;
        Ok(Self { sent, user })
    }
}

/// Whom the path names, and for which request.
struct Named {
    id: Option<String>,
    request_id: Option<RequestId>,
}

async fn named(parts: &mut Parts) -> Named {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let id = params
        .ok()
        .and_then(|params| Some(params.iter().find(|(name, _)| *name == "id")?.1.to_owned()));
    Named {
        id,
        request_id: parts.extensions.get().cloned(),
    }
}

impl Named {
    async fn find(self, app: &App) -> Result<User, Response> {
        let Some(id) = self.id.and_then(|text| text.parse().ok()) else {
            return Err(error::gone(self.request_id.as_ref()));
        };
        match users::find(app, id).await {
            Ok(Some(user)) => Ok(user),
            Ok(None) => Err(error::gone(self.request_id.as_ref())),
            Err(refusal) => Err(error::refused(&refusal)),
        }
    }
}
