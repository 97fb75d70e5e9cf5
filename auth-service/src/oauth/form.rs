//! Form-encoded requests as RFC 6749 wants them: no parameter twice, an empty one is an absent one. Parameters of the
//! query string are ignored.

use super::OAuthError;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use std::collections::BTreeMap;
use web::{
    Problem,
    json_body::{LARGEST_BODY, read_limited},
};

/// The parameters of a request.
#[derive(Default)]
pub(crate) struct OAuthForm(BTreeMap<String, String>);

/// What reading the form came to. A handler asks for the parameters once the client is known, as 401 comes first.
pub(crate) struct FormOutcome(Result<OAuthForm, OAuthError>);

impl OAuthForm {
    /// A parameter with a value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(crate) fn require(&self, name: &str, otherwise: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::InvalidRequest(otherwise))
    }

    /// The parameters of a query, for the endpoints that take them there.
    pub(crate) fn from_query(query: &str) -> Result<Self, OAuthError> {
        Self::from_pairs(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, OAuthError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            if parameters.insert(name, value).is_some() {
                return Err(OAuthError::InvalidRequest("a parameter is there twice"));
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }
}

impl FormOutcome {
    /// The parameters as far as they could be read, to find the client's credentials in.
    pub(crate) fn readable(&self) -> &OAuthForm {
        const EMPTY: &OAuthForm = &OAuthForm(BTreeMap::new());
        self.0.as_ref().unwrap_or(EMPTY)
    }

    /// The parameters.
    pub(crate) fn parameters(self) -> Result<OAuthForm, OAuthError> {
        self.0
    }
}

impl<S: Send + Sync> FromRequest<S> for FormOutcome {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_limited(body, LARGEST_BODY).await?;
        let request = Request::from_parts(parts, bytes.into());
        let form = axum::Form::<Vec<(String, String)>>::from_request(request, state).await;
        Ok(Self(match form {
            Ok(axum::Form(pairs)) => OAuthForm::from_pairs(pairs),
            Err(FormRejection::InvalidFormContentType(_)) => {
                Err(OAuthError::InvalidRequest("send the parameters as application/x-www-form-urlencoded"))
            }
            Err(_) => Err(OAuthError::InvalidRequest("the form can't be read")),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_empty_parameter_is_absent_and_a_repeated_one_is_refused() {
        let form = OAuthForm::from_pairs(pairs(&[("grant_type", "client_credentials"), ("scope", "")])).unwrap();
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert!(OAuthForm::from_pairs(pairs(&[("scope", "a"), ("scope", "a")])).is_err());
    }
}
