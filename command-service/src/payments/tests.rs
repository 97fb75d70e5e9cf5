//! Settings of payments.

use super::*;

fn config(values: &[(&str, &str)]) -> Result<PaymentConfig, SettingError> {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    PaymentConfig::from_settings(&Settings::from_sources(values, "").unwrap())
}

#[test]
fn a_provider_without_its_settings_stops_the_start_with_the_one_that_is_missing() {
    assert!(config(&[]).unwrap().provider.is_none());
    for (provider, missing) in [("generic", "OMS_PAYMENT_URL"), ("stripe", "OMS_STRIPE_SECRET_KEY")] {
        let error = config(&[("OMS_PAYMENT_PROVIDER", provider)]).unwrap_err().to_string();
        assert!(error.contains(missing), "{error}");
    }
    let error = config(&[("OMS_PAYMENT_PROVIDER", "paypal")]).unwrap_err().to_string();
    assert!(error.contains("OMS_PAYMENT_PROVIDER"), "{error}");
}

#[test]
fn secrets_are_never_printed() {
    let config = config(&[
        ("OMS_PAYMENT_PROVIDER", "stripe"),
        ("OMS_STRIPE_SECRET_KEY", "sk_live_visible"),
        ("OMS_STRIPE_WEBHOOK_SECRET", "whsec_visible"),
    ]);
    let told = format!("{:?}", config.unwrap());
    assert!(!told.contains("visible"), "{told}");
}

#[test]
fn a_wrong_secret_stops_the_start_without_being_shown() {
    for wrong in ["whsec_no base 64!", "whsec_c2hvcnQ=", "a,b,c"] {
        let error = config(&[("OMS_PAYMENT_WEBHOOK_SECRET", wrong)]).unwrap_err().to_string();
        assert!(error.contains("OMS_PAYMENT_WEBHOOK_SECRET") && !error.contains(wrong), "{error}");
    }
}
