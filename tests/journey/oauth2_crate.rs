//! The `oauth2` crate as a client, as most Rust programs use it.

use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IntrospectionUrl, PkceCodeChallenge, RedirectUrl, Scope, TokenIntrospectionResponse,
    TokenResponse, TokenUrl,
};

use crate::world::{Application, World};

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointNotSet, EndpointSet>;

fn client(world: &World, application: &Application) -> Client {
    let url = |path: &str| format!("{}{path}", world.base_url);
    let client = BasicClient::new(ClientId::new(application.client_id.clone()))
        .set_auth_uri(AuthUrl::new(url("/oauth/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(url("/oauth/token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(url("/oauth/introspect")).unwrap())
        .set_redirect_uri(RedirectUrl::new(application.redirect_uri().to_owned()).unwrap());
    match &application.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
        None => client,
    }
}

async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let response = http.execute(request.try_into()?).await?;
    let mut answer = oauth2::http::Response::builder().status(response.status());
    answer.headers_mut().unwrap().clone_from(response.headers());
    Ok(answer.body(response.bytes().await?.to_vec()).unwrap())
}

on_each_database! {

async fn a_code_flow_with_pkce_and_a_refresh(world: World) {
    let alice = world.user("alice").await;
    for app in [world.application().create().await, world.application().public().create().await] {
        let client = client(&world, &app);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("read".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let browser = world.browser();
        let path = format!("{}?{}", url.path(), url.query().unwrap());
        let authorized = browser.walk(browser.get(&path).await, Some(&alice), Some("authorize")).await;
        assert_eq!(authorized.get("state").as_ref(), Some(state.secret()));

        let code = AuthorizationCode::new(authorized.code());
        let first =
            client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await.unwrap();
        assert_eq!(first.expires_in().map(|time| time.as_secs()), Some(3600));
        assert_eq!(first.scopes().map(Vec::as_slice), Some(&[Scope::new("read".to_owned())][..]));
        assert_eq!(world.memos(first.access_token().secret()).await.status, 200);

        let refresh = first.refresh_token().expect("a refresh token");
        let second = client.exchange_refresh_token(refresh).request_async(&send).await.unwrap();
        assert_eq!(world.memos(second.access_token().secret()).await.status, 200);
        assert_ne!(second.refresh_token().unwrap().secret(), refresh.secret());
    }
}

async fn client_credentials_and_introspection(world: World) {
    let app = world.application().create().await;
    let client = client(&world, &app);
    let tokens = client.exchange_client_credentials().request_async(&send).await.unwrap();
    assert!(tokens.refresh_token().is_none());
    let said = client.introspect(tokens.access_token()).request_async(&send).await.unwrap();
    assert!(said.active());
    assert_eq!(said.client_id().map(|id| id.as_str()), Some(&*app.client_id));
}

async fn a_refusal_is_understood(world: World) {
    let app = world.application().create().await;
    let client = client(&world, &app);
    let code = AuthorizationCode::new("tgc_unknown".to_owned());
    let refusal = client.exchange_code(code).request_async(&send).await.unwrap_err();
    let oauth2::RequestTokenError::ServerResponse(said) = refusal else { panic!("{refusal:?}") };
    assert_eq!(said.error(), &oauth2::basic::BasicErrorResponseType::InvalidGrant);
}

}
