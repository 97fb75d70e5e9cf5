//! `/docs`: the OpenAPI document to read and try, from assets in the binary. No CDN, and its own strict policy.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use std::sync::Arc;
use utoipa_swagger_ui::Config;
use web::{Access, Doc, PathParams, Problem, Routes};

/// The page needs its own script and inline styles, and nothing from anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `/docs` and its assets, over `/openapi.json`.
pub(crate) fn routes() -> Routes<()> {
    let config = Arc::new(Config::new(["/openapi.json"]).try_it_out_enabled(true).validator_url("none"));
    Routes::new("documentation")
        .get(
            "/docs",
            Access::Public,
            Doc::new("The documentation to read and try").answers_raw(200, "text/html"),
            index,
        )
        .alias("/docs/")
        .get("/docs/{*asset}", Access::Public, Doc::new("Its assets").answers_raw(200, "text/html"), asset)
        .with_state(config)
}

async fn index() -> Redirect {
    Redirect::permanent("/docs/index.html")
}

async fn asset(State(config): State<Arc<Config<'static>>>, path: PathParams) -> Result<Response, Problem> {
    match utoipa_swagger_ui::serve(path.get("asset"), config) {
        Ok(Some(file)) => {
            let headers =
                [(header::CONTENT_TYPE, file.content_type.as_str()), (header::CONTENT_SECURITY_POLICY, POLICY)];
            Ok((headers, file.bytes.into_owned()).into_response())
        }
        Ok(None) => Err(Problem::not_found("the documentation has no such file")),
        Err(error) => {
            tracing::error!(error, "an asset of the documentation cannot be served");
            Err(Problem::internal_error("something went wrong here"))
        }
    }
}
