//! Every route of this service, on one screen.

use crate::oauth::introspect::{Introspection, TokenParameters};
use crate::oauth::token::{TokenAnswer, TokenRequest};
use crate::oauth::userinfo::UserInfo;
use crate::oauth::{authorize, consent, end_session, introspect, jwks, login, metadata, revoke, token, userinfo};
use crate::{SharedApp, accounts, admin, internal};
use serde_json::Value;
use web::pagination::PageParams;
use web::{Access, Doc, Routes, Scope};

/// The route table.
pub(crate) fn routes(app: SharedApp) -> Routes<()> {
    Routes::new(crate::NAME)
        .merge(oauth())
        .merge(pages())
        .merge(well_known())
        .merge(account())
        .merge(administration())
        .merge(internals())
        .with_state(app)
}

fn oauth() -> Routes<SharedApp> {
    let token_doc =
        Doc::new("Get a token").form::<TokenRequest>().answers::<TokenAnswer>(200).problems(&[400, 401, 429]);
    let introspect_doc =
        Doc::new("Ask what a token is good for").form::<TokenParameters>().answers::<Introspection>(200);
    let revoke_doc = Doc::new("Take a token back").form::<TokenParameters>().answers_empty(200);
    let userinfo_doc = || Doc::new("Who the token's user is").answers::<UserInfo>(200);
    Routes::new(crate::NAME)
        .post("/oauth/token", Access::ClientAuth, token_doc, token::token)
        .post(
            "/oauth/introspect",
            Access::ClientAuth,
            introspect_doc.problems(&[400, 401, 429]),
            introspect::introspect,
        )
        .alias("/oauth/check_token")
        .post("/oauth/revoke", Access::ClientAuth, revoke_doc.problems(&[400, 401, 429]), revoke::revoke)
        .get("/oauth/userinfo", Access::Any, userinfo_doc(), userinfo::userinfo)
        .post("/oauth/userinfo", Access::Any, userinfo_doc(), userinfo::userinfo)
}

/// What browsers are sent to.
fn pages() -> Routes<SharedApp> {
    let page = |summary| Doc::new(summary).answers_raw(200, "text/html").answers_empty(303);
    let form = |summary| Doc::new(summary).raw_body("application/x-www-form-urlencoded").answers_empty(303);
    Routes::new(crate::NAME)
        .get(
            "/oauth/authorize",
            Access::Public,
            page("Ask a user for an authorization code").problems(&[400]),
            authorize::authorize,
        )
        .post("/oauth/login", Access::Public, form("What the login page sends").problems(&[429]), login::login)
        .post("/oauth/consent", Access::Public, form("What the consent page sends"), consent::consent)
        .get("/oauth/logout", Access::Public, page("Log a browser out").problems(&[400]), end_session::by_link)
        .post("/oauth/logout", Access::Public, form("The same by a form"), end_session::by_form)
}

fn well_known() -> Routes<SharedApp> {
    let doc = |summary| Doc::new(summary).answers::<Value>(200);
    Routes::new(crate::NAME)
        .get("/.well-known/jwks.json", Access::Public, doc("The keys that sign tokens"), jwks::jwks)
        .get(
            "/.well-known/oauth-authorization-server",
            Access::Public,
            doc("What the authorization server offers (RFC 8414)"),
            metadata::authorization_server,
        )
        .get(
            "/.well-known/openid-configuration",
            Access::Public,
            doc("What the OpenID provider offers"),
            metadata::openid_configuration,
        )
}

fn account() -> Routes<SharedApp> {
    use accounts::{Tokens, forgotten_password, login, logout, one_time_codes, refresh, register, verify_email};
    let register_doc = Doc::new("Make an account").body::<register::Register>().answers::<Tokens>(201);
    let login_doc = Doc::new("Log in").body::<login::Login>().answers::<Tokens>(200);
    let refresh_doc = Doc::new("Get the next tokens").body::<refresh::RefreshBody>().answers::<Tokens>(200);
    let logout_doc = Doc::new("End the session with all its tokens").answers::<logout::LoggedOut>(200);
    Routes::new(crate::NAME)
        .post("/auth/register", Access::Public, register_doc.problems(&[409, 429, 503]), register::register)
        .post("/auth/login", Access::Public, login_doc.problems(&[401, 429, 503]), login::login)
        .post("/auth/refresh", Access::Public, refresh_doc.problems(&[401]), refresh::refresh)
        .post(
            "/auth/verify-email",
            Access::Public,
            Doc::new("Show the code that was mailed at registration")
                .body::<verify_email::VerifyEmail>()
                .answers::<verify_email::Verified>(200)
                .problems(&[422, 429, 503]),
            verify_email::verify_email,
        )
        .post(
            "/auth/password/forgot",
            Access::Public,
            Doc::new("Have a code mailed for a new password; the answer is the same without an account")
                .body::<forgotten_password::Forgot>()
                .answers_empty(202),
            forgotten_password::forgot,
        )
        .post(
            "/auth/password/reset",
            Access::Public,
            Doc::new("Set a password with the mailed code; every session ends")
                .body::<forgotten_password::Reset>()
                .answers::<forgotten_password::Changed>(200)
                .problems(&[422, 429, 503]),
            forgotten_password::reset,
        )
        .post("/auth/logout", Access::Any, logout_doc, logout::logout)
        .get(
            "/auth/one-time-codes",
            Access::Any,
            Doc::new("Whether one's logins need a code").answers::<one_time_codes::StandingAnswer>(200),
            one_time_codes::standing,
        )
        .post(
            "/auth/one-time-codes",
            Access::Any,
            Doc::new("Get a secret for an authenticator")
                .body::<one_time_codes::Enrol>()
                .answers::<one_time_codes::EnrolmentAnswer>(201)
                .problems(&[409, 429]),
            one_time_codes::enrol,
        )
        .put(
            "/auth/one-time-codes",
            Access::Any,
            Doc::new("Show the first code: every login needs one from now on")
                .body::<one_time_codes::FirstCode>()
                .answers::<one_time_codes::StandingAnswer>(200)
                .problems(&[429]),
            one_time_codes::confirm,
        )
}

fn administration() -> Routes<SharedApp> {
    use admin::{audit_events, clients, roles, sessions, users};
    let access = Access::Scope(Scope::ClientsAdmin);
    let list_doc = |summary| Doc::new(summary).query::<PageParams>();
    Routes::new(crate::NAME)
        .post(
            "/api/clients",
            access,
            Doc::new("Register a client").body::<clients::NewClient>().answers::<clients::ClientAnswer>(201),
            clients::create,
        )
        .get("/api/clients", access, list_doc("Every client").answers_list::<clients::ClientAnswer>(), clients::list)
        .get(
            "/api/clients/{clientId}",
            access,
            Doc::new("One client").answers::<clients::ClientAnswer>(200),
            clients::get,
        )
        .delete("/api/clients/{clientId}", access, Doc::new("Disable a client").answers_empty(204), clients::disable)
        .post(
            "/api/users",
            access,
            Doc::new("Make a user").body::<users::NewUserBody>().answers::<users::UserAnswer>(201).problems(&[409]),
            users::create,
        )
        .get("/api/users", access, list_doc("Every user").answers_list::<users::UserAnswer>(), users::list)
        .put(
            "/api/users/{userId}",
            access,
            Doc::new("Give a user another role")
                .body::<users::ChangedUser>()
                .answers::<users::UserAnswer>(200)
                .problems(&[409]),
            users::change,
        )
        .delete(
            "/api/users/{userId}/one-time-codes",
            access,
            Doc::new("Take a user's authenticator away").answers_empty(204),
            users::turn_codes_off,
        )
        .get("/api/roles", access, list_doc("Every role").answers_list::<roles::RoleAnswer>(), roles::list)
        .post(
            "/api/roles",
            access,
            Doc::new("Make a role of scopes").body::<roles::NewRole>().answers::<roles::RoleAnswer>(201),
            roles::create,
        )
        .put(
            "/api/roles/{name}",
            access,
            Doc::new("Give a role other scopes")
                .body::<roles::ChangedRole>()
                .answers::<roles::RoleAnswer>(200)
                .problems(&[409]),
            roles::change,
        )
        .delete(
            "/api/roles/{name}",
            access,
            Doc::new("Delete a role that nobody has").answers_empty(204).problems(&[409]),
            roles::delete,
        )
        .get("/api/users/{userId}", access, Doc::new("One user").answers::<users::UserAnswer>(200), users::get)
        .delete(
            "/api/users/{userId}",
            access,
            Doc::new("Disable a user").answers_empty(204).problems(&[409]),
            users::disable,
        )
        .get(
            "/api/audit-events",
            access,
            Doc::new("Who did what, newest first")
                .query::<audit_events::AuditParams>()
                .answers_list::<audit_events::AuditAnswer>(),
            audit_events::list,
        )
        .get(
            "/api/sessions",
            Access::Any,
            list_doc("One's own logins").answers_list::<sessions::SessionAnswer>(),
            sessions::list,
        )
        .delete(
            "/api/sessions/{sessionId}",
            Access::Any,
            Doc::new("End one of one's own logins").answers_empty(204),
            sessions::end,
        )
}

fn internals() -> Routes<SharedApp> {
    let access = Access::Internal(Scope::EventsRead);
    let user_doc = Doc::new("Who a user is").answers::<internal::InternalUser>(200);
    let revocations_doc = Doc::new("What has been revoked since; waits for news")
        .query::<internal::RevocationParams>()
        .answers::<Value>(200);
    Routes::new(crate::NAME).get("/internal/users/{id}", access, user_doc, internal::user).get(
        "/internal/revocations",
        access,
        revocations_doc,
        internal::revocations,
    )
}
