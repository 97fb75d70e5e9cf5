//! The route table: router, authorisation and documentation in one, so that no route can have one without the
//! others. A service's whole HTTP surface stands in one such table, on one screen.

mod doc;
mod openapi;

pub use doc::Doc;
pub use openapi::openapi;

use crate::{Access, Caller};
use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use std::borrow::Cow;
use std::sync::Arc;

/// One route as the table has it.
#[derive(Debug, Clone)]
pub struct RouteSpec {
    /// The method; GET answers HEAD too.
    pub method: Method,
    /// The path with `{names}`.
    pub path: Cow<'static, str>,
    /// The path this one is an alias of.
    pub alias_of: Option<Cow<'static, str>>,
    /// Who may call it.
    pub access: Access,
    /// The service, for the documentation.
    pub tag: &'static str,
    /// What it takes and answers.
    pub doc: Doc,
}

/// The main path of the matched route with its `{names}`, in the request's extensions: aliases have the path they
/// stand for. Idempotency keys are scoped by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTemplate(pub Cow<'static, str>);

impl RouteTemplate {
    /// The main path with the values that the request's own path has for its names.
    #[must_use]
    pub fn concrete(&self, params: &crate::PathParams) -> String {
        params.iter().fold(self.0.to_string(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value).replace(&format!("{{*{name}}}"), value)
        })
    }
}

/// A table of routes over the state `S`.
#[derive(Debug)]
pub struct Routes<S = ()> {
    router: Router<S>,
    specs: Vec<RouteSpec>,
    tag: &'static str,
    previous: Option<MethodRouter<S>>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// An empty table; the tag names the service in the documentation.
    #[must_use]
    pub fn new(tag: &'static str) -> Self {
        Self { router: Router::new(), specs: Vec::new(), tag, previous: None }
    }

    /// A route for GET (and HEAD).
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(
        self,
        path: impl Into<Cow<'static, str>>,
        access: Access,
        doc: Doc,
        handler: H,
    ) -> Self {
        self.route(Method::GET, path.into(), access, doc, on(MethodFilter::GET, handler))
    }

    /// A route for POST.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(
        self,
        path: impl Into<Cow<'static, str>>,
        access: Access,
        doc: Doc,
        handler: H,
    ) -> Self {
        self.route(Method::POST, path.into(), access, doc, on(MethodFilter::POST, handler))
    }

    /// A route for PUT.
    #[must_use]
    pub fn put<H: Handler<T, S>, T: 'static>(
        self,
        path: impl Into<Cow<'static, str>>,
        access: Access,
        doc: Doc,
        handler: H,
    ) -> Self {
        self.route(Method::PUT, path.into(), access, doc, on(MethodFilter::PUT, handler))
    }

    /// A route for DELETE.
    #[must_use]
    pub fn delete<H: Handler<T, S>, T: 'static>(
        self,
        path: impl Into<Cow<'static, str>>,
        access: Access,
        doc: Doc,
        handler: H,
    ) -> Self {
        self.route(Method::DELETE, path.into(), access, doc, on(MethodFilter::DELETE, handler))
    }

    /// The previous route under another path: the same handler, the same access, the same idempotency keys. Its
    /// parameters have the same names as the main path's.
    #[must_use]
    pub fn alias(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        let path = path.into();
        if let (Some(methods), Some(main)) = (self.previous.clone(), self.specs.last().cloned()) {
            self.router = self.router.route(&path, methods);
            let alias_of = Some(main.alias_of.unwrap_or(main.path));
            self.specs.push(RouteSpec { path, alias_of, ..main });
        }
        self
    }

    /// Adds the routes of another table over the same state.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.specs.extend(other.specs);
        self.previous = None;
        self
    }

    /// Adds a router that stands outside the table: static assets, WebSocket upgrades. It is neither documented nor
    /// authorised by the table.
    #[must_use]
    pub fn merge_router(mut self, router: Router<S>) -> Self {
        self.router = self.router.merge(router);
        self.previous = None;
        self
    }

    /// The table with its state given: ready to be merged with those of other services.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes<()> {
        Routes { router: self.router.with_state(state), specs: self.specs, tag: self.tag, previous: None }
    }

    /// Every route, aliases included.
    #[must_use]
    pub fn specs(&self) -> &[RouteSpec] {
        &self.specs
    }

    /// The router. It has no fallback: the 404 and 405 problems are set once, on the merged one.
    pub fn into_router(self) -> Router<S> {
        self.router
    }

    /// The router and the specs.
    pub fn into_parts(self) -> (Router<S>, Vec<RouteSpec>) {
        (self.router, self.specs)
    }

    fn route(
        mut self,
        method: Method,
        path: Cow<'static, str>,
        access: Access,
        doc: Doc,
        methods: MethodRouter<S>,
    ) -> Self {
        let guard = Arc::new(Guard { access, template: RouteTemplate(path.clone()) });
        let methods = methods.route_layer(middleware::from_fn_with_state(guard, authorise));
        self.router = self.router.route(&path, methods.clone());
        self.specs.push(RouteSpec { method, path, alias_of: None, access, tag: self.tag, doc });
        self.previous = Some(methods);
        self
    }
}

struct Guard {
    access: Access,
    template: RouteTemplate,
}

async fn authorise(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    if let Err(problem) = guard.access.check(request.extensions().get::<Caller>()) {
        return problem.into_response();
    }
    request.extensions_mut().insert(guard.template.clone());
    next.run(request).await
}
