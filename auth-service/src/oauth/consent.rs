//! POST /oauth/consent: what the consent page sends. Agreeing is remembered and leads back to /oauth/authorize;
//! refusing tells the client so.

use super::authorize::{self, Prompt, Refusal, grantable, see_other};
use super::form::FormOutcome;
use super::login::FOREIGN_FORM;
use crate::failure::Failure;
use crate::{App, SharedApp, browser, consents, pages};
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

/// Takes somebody's decision.
pub(crate) async fn consent(State(app): State<SharedApp>, headers: HeaderMap, form: FormOutcome) -> Response {
    answer(&app, &headers, form).await.unwrap_or_else(pages::failure)
}

async fn answer(app: &App, headers: &HeaderMap, form: FormOutcome) -> Result<Response, Failure> {
    let cookie = app.cookie.read(headers);
    let form = form.readable();
    let Some(cookie) = cookie.filter(|cookie| browser::is_own_form(Some(cookie), form.get("csrf").unwrap_or_default()))
    else {
        return Ok(Refusal::Page(FOREIGN_FORM).respond(app));
    };
    let request = match authorize::read(app, form.get("request").unwrap_or_default()).await? {
        Ok(request) => request,
        Err(refusal) => return Ok(refusal.respond(app)),
    };
    if form.get("decision") != Some("allow") {
        return Ok(Refusal::of(&request, "access_denied", "the user refused").respond(app));
    }
    let mut connection = app.pool.get().await?;
    let transaction = connection.transaction().await?;
    let mut followed = vec![Prompt::Consent];
    // Without a login nothing is given: the way back asks for it.
    if let Some(login) = browser::find(&transaction, &cookie).await? {
        consents::give(&transaction, login.user.id, request.client.id, grantable(&request, &login)).await?;
    } else {
        followed.clear();
    }
    transaction.commit().await?;
    Ok(see_other(&format!("{}/oauth/authorize?{}", app.base, request.query_without(&followed))))
}
