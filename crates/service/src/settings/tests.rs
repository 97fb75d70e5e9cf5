use super::*;

fn settings(environment: &[(&str, &str)], file: &str) -> Settings {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_sources(pairs, file).unwrap()
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_the_default() {
    let file = "quote_ttl = \"5m\"\n[log]\npartitions = 4\nwriters = 3\n";
    let settings = settings(&[("OMS_LOG_WRITERS", "1")], file);
    assert_eq!(settings.parse("OMS_LOG_WRITERS", 9).unwrap(), 1);
    assert_eq!(settings.parse("OMS_LOG_PARTITIONS", 9).unwrap(), 4);
    assert_eq!(settings.duration("OMS_QUOTE_TTL", Duration::ZERO).unwrap(), Duration::from_secs(300));
    assert_eq!(settings.duration("OMS_RETURN_WINDOW", Duration::ZERO).unwrap(), Duration::from_secs(14 * 86_400));
    assert_eq!(settings.with("OMS_LOG_WRITERS", "7").parse("OMS_LOG_WRITERS", 9).unwrap(), 7);
}

#[test]
fn the_usual_names_keep_their_name_in_the_file_and_lists_become_texts() {
    let file = "database_url = \"postgres://localhost/oms\"\ncors_origins = [\"https://a\", \"https://b\"]";
    let settings = settings(&[], file);
    assert_eq!(settings.optional("DATABASE_URL").as_deref(), Some("postgres://localhost/oms"));
    assert_eq!(settings.list("OMS_CORS_ORIGINS"), ["https://a", "https://b"]);
}

#[test]
fn a_wrong_value_names_the_variable_what_is_wrong_and_an_example() {
    let settings = settings(&[("OMS_LOG_WRITERS", "two"), ("OMS_QUOTE_TTL", "15"), ("OMS_FEED", "pigeon")], "");
    let text = settings.parse::<u16>("OMS_LOG_WRITERS", 1).unwrap_err().to_string();
    assert_eq!(text, "OMS_LOG_WRITERS is `two`: invalid digit found in string; for example OMS_LOG_WRITERS=2");
    let text = settings.duration("OMS_QUOTE_TTL", Duration::ZERO).unwrap_err().to_string();
    assert!(text.contains("OMS_QUOTE_TTL") && text.contains("for example OMS_QUOTE_TTL=15m"), "{text}");
    let text = settings.one_of("OMS_FEED", &["log", "kafka"]).unwrap_err().to_string();
    assert!(text.contains("log, kafka"), "{text}");
    assert!(settings.required("DATABASE_URL").unwrap_err().to_string().contains("postgres://"));
}

#[test]
fn what_is_no_toml_is_an_error() {
    assert!(Settings::from_sources([], "x = ").is_err());
    assert!(Settings::from_sources([], "x = [1]").is_err());
}

#[test]
fn unknown_names_are_noticed_and_those_that_somebody_asks_for_are_not() {
    let settings = settings(&[("OMS_TYPO", "1"), ("OMS_OWN", "1"), ("HOME", "/"), ("OMS_LISTEN", "x")], "other = 1");
    assert_eq!(settings.optional("OMS_OWN").as_deref(), Some("1"));
    assert_eq!(settings.unknown(), ["OMS_OTHER", "OMS_TYPO"]);
}

#[test]
fn an_empty_variable_is_not_set() {
    assert_eq!(settings(&[("OMS_LISTEN", "")], "").optional("OMS_LISTEN"), None);
}

#[test]
fn durations_are_whole_numbers_with_a_unit() {
    for (text, seconds) in [("2s", 2), ("30m", 1_800), ("24h", 86_400), ("14d", 1_209_600)] {
        assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
    }
    assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    for text in ["", "s", "2", "2 s", "-2s", "1.5h", "2w", "99999999999999999999s", "4000d"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn secrets_are_masked_wherever_they_are_shown() {
    let settings = settings(
        &[("INTERNAL_SERVICE_TOKEN", "hunter2hunter2hunter2"), ("DATABASE_URL", "postgres://oms:hunter2@db:5432/oms")],
        "",
    );
    let shown = format!("{settings:?} {:?}", settings.secret("INTERNAL_SERVICE_TOKEN"));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("postgres://oms:********@db:5432/oms"), "{shown}");
    let error = SettingError::wrong("OMS_CLIENT_SECRET", "hunter2", "too short").to_string();
    assert!(!error.contains("hunter2"));
}

#[test]
fn the_url_of_a_service_is_an_http_url() {
    let settings = settings(&[("OMS_AUTH_URL", "http://auth:8085/"), ("OMS_QUERY_URL", "query:8082")], "");
    assert_eq!(settings.url("OMS_AUTH_URL").unwrap().as_deref(), Some("http://auth:8085"));
    assert!(settings.url("OMS_QUERY_URL").is_err());
    assert_eq!(settings.url("OMS_INVOICE_URL").unwrap(), None);
}

#[test]
fn every_default_and_example_of_the_catalogue_is_unique_and_set() {
    let names: BTreeSet<_> = CATALOGUE.iter().map(|variable| variable.name).collect();
    assert_eq!(names.len(), CATALOGUE.len());
    assert!(CATALOGUE.iter().all(|variable| !variable.example.is_empty() && !variable.help.is_empty()));
}
