//! A grant that is being made while its user is taken out: the one moment that no request can be held at.

use std::time::Duration;

use tegata::base::clock::Clock;
use tegata::base::config::DatabaseUrl;
use tegata::base::entropy::Entropy;
use tegata::flow::access;
use tegata::flow::applications::{self, Manager};
use tegata::model::access::{Allowed, GroupName};
use tegata::model::caller::Caller;
use tegata::model::grant_type::GrantType;
use tegata::model::ids::{ApplicationId, GrantId, UserId};
use tegata::model::resource::Resources;
use tegata::model::scope::Scopes;
use tegata::store::access as rows;
use tegata::store::grants::{self, NewGrant};
use tegata::store::{Db, Tx};
use tokio::time::timeout;

use crate::world::{Application, World};

/// Long enough for what nothing holds up.
const BLOCKED: Duration = Duration::from_millis(300);

/// A store of its own beside the server's.
async fn store(world: &World) -> Db {
    let url = DatabaseUrl::parse(&world.database_url, "the test").unwrap();
    Db::open(url.database()).await.unwrap()
}

async fn application_id(world: &World, app: &Application) -> ApplicationId {
    let found = Box::pin(applications::find_by_client_id(
        &world.app().await,
        &app.client_id,
    ))
    .await;
    found.unwrap().unwrap().application.id
}

/// Makes a grant and does not commit it. Whether the store took it.
async fn begin(tx: &mut Tx, application_id: ApplicationId, user_id: UserId) -> (GrantId, bool) {
    let now = Clock::System.now();
    let id = GrantId::from(Entropy::System.id(now));
    let new = NewGrant {
        id,
        application_id,
        user_id,
        user_epoch: 0,
        kind: GrantType::AuthorizationCode.into(),
        scopes: &Scopes::default(),
        resources: &Resources::default(),
        expires_at: now + time::Duration::days(1),
    };
    (id, grants::insert(tx, &new, now).await.unwrap())
}

async fn is_live(db: &Db, grant: GrantId) -> bool {
    let mut tx = db.read().await.unwrap();
    grants::family(&mut tx, grant).await.unwrap().unwrap().live
}

on_each_database! {

async fn a_grant_that_is_made_while_its_user_is_taken_out_is_dead_from_the_start(world: World) {
    let alice = world.user("alice").await;
    let user: UserId = alice.id.parse().unwrap();
    world.command(&["user", "groups", "alice", "staff", "dev"], "").await;
    let app = world.application().allow_group("staff").create().await;
    let application = application_id(&world, &app).await;
    let db = store(&world).await;

    let mut earlier = db.write().await.unwrap();
    let (kept, taken) = begin(&mut earlier, application, user).await;
    assert!(taken);
    earlier.commit().await.unwrap();
    access::set_groups(&world.app().await, &Caller::OPERATOR, user, &["staff".to_owned()]).await.unwrap();
    assert!(is_live(&db, kept).await, "who stays in is taken along");

    let mut open = db.write().await.unwrap();
    let (late, taken) = begin(&mut open, application, user).await;
    assert!(taken, "she is in the group as far as this transaction sees");
    let server = world.app().await;
    let taking_out = tokio::spawn(async move { access::set_groups(&server, &Caller::OPERATOR, user, &[]).await });
    if world.is_on_sqlite() {
        // There is one writer: she is taken out after it, and what it made is seen.
        open.commit().await.unwrap();
        assert_eq!(taking_out.await.unwrap().unwrap(), 2);
    } else {
        assert_eq!(taking_out.await.unwrap().unwrap(), 1, "the other is not there yet");
        open.commit().await.unwrap();
    }
    assert!(!is_live(&db, kept).await);
    assert!(!is_live(&db, late).await);

    let mut after = db.write().await.unwrap();
    let (_, taken) = begin(&mut after, application, user).await;
    assert!(!taken, "no way leads past the statement");
    drop(after);
    db.close().await;
}

async fn a_grant_that_is_made_while_its_application_is_restricted_is_dead_from_the_start(world: World) {
    let alice = world.user("alice").await;
    let user: UserId = alice.id.parse().unwrap();
    world.user("bob").await;
    let app = world.application().create().await;
    let application = application_id(&world, &app).await;
    let db = store(&world).await;
    let mut open = db.write().await.unwrap();
    let (late, taken) = begin(&mut open, application, user).await;
    assert!(taken, "everybody may use it as far as this transaction sees");
    let server = world.app().await;
    let restricting = tokio::spawn(async move {
        let found = applications::find(&server, Manager::Administrator, application).await.unwrap().unwrap().application;
        let mut wanted = applications::Wanted::of(&found.settings, &Allowed::default());
        wanted.restricted = true;
        wanted.users = vec!["bob".to_owned()];
        let saved = applications::change(&server, Manager::Administrator, &Caller::OPERATOR, application, &wanted, found.version).await;
        saved.unwrap().withdrawn
    });
    if world.is_on_sqlite() {
        open.commit().await.unwrap();
        assert_eq!(restricting.await.unwrap(), 1);
    } else {
        assert_eq!(restricting.await.unwrap(), 0);
        open.commit().await.unwrap();
    }
    assert!(!is_live(&db, late).await);
    db.close().await;
}

async fn who_changes_who_may_use_what_waits_for_whoever_does_so_already(world: World) {
    let alice = world.user("alice").await;
    let user: UserId = alice.id.parse().unwrap();
    world.command(&["user", "groups", "alice", "staff", "dev"], "").await;
    let app = world.application().allow_group("staff").allow_group("dev").create().await;
    let application = application_id(&world, &app).await;
    let db = store(&world).await;
    let mut tx = db.write().await.unwrap();
    let (grant, taken) = begin(&mut tx, application, user).await;
    assert!(taken);
    tx.commit().await.unwrap();

    // One leaves her the group dev alone; the other, who does not see that yet, the application staff alone.
    let mut tx = db.write().await.unwrap();
    rows::hold(&mut tx).await.unwrap();
    let dev = GroupName::parse("dev").unwrap();
    assert!(rows::replace_groups(&mut tx, user, &[dev]).await.unwrap().removed);
    assert_eq!(grants::withdraw_of_user(&mut tx, user, Clock::System.now()).await.unwrap(), 0);
    let server = world.app().await;
    let mut changing = tokio::spawn(async move {
        let found = applications::find(&server, Manager::Administrator, application).await.unwrap().unwrap().application;
        let mut wanted = applications::Wanted::of(&found.settings, &Allowed::default());
        wanted.groups = vec!["staff".to_owned()];
        let saved = applications::change(&server, Manager::Administrator, &Caller::OPERATOR, application, &wanted, found.version).await;
        saved.unwrap().withdrawn
    });
    assert!(timeout(BLOCKED, &mut changing).await.is_err(), "it would see half of it");
    tx.commit().await.unwrap();
    assert_eq!(changing.await.unwrap(), 1);
    assert!(!is_live(&db, grant).await);
    db.close().await;
}

}
