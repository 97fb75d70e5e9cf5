//! Every setting there is: its default, an example and what it does. Documentation, error messages and the warning
//! about unknown names are all taken from this list.

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when it is not set; none where the program decides.
    pub default: Option<&'static str>,
    /// A value that is right.
    pub example: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// The setting of that name.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    CATALOGUE.iter().find(|variable| variable.name == name)
}

const fn set(name: &'static str, default: Option<&'static str>, example: &'static str, help: &'static str) -> Variable {
    Variable { name, default, example, help }
}

/// Every setting, in the order of the documentation.
pub const CATALOGUE: &[Variable] = &[
    set("DATABASE_URL", None, "postgres://oms:secret@127.0.0.1:5432/oms", "Postgres; unset, `oms up` starts its own"),
    set("KAFKA_BROKERS", None, "127.0.0.1:9092", "Kafka brokers, for OMS_FEED=kafka"),
    set("RUST_LOG", None, "info,oms=debug", "what is logged (tracing's filter); info unless set"),
    set("OTEL_EXPORTER_OTLP_ENDPOINT", None, "http://127.0.0.1:4317", "where traces go; nowhere unless set"),
    set("SMTP_URL", None, "smtp://user:secret@mail.example.org:587", "the mail server; no mail unless set"),
    set("INTERNAL_SERVICE_TOKEN", None, "at-least-sixteen-characters", "the token between our own services"),
    set(
        "OMS_KEY_ENCRYPTION_KEY",
        None,
        "32 bytes in Base64",
        "seals the signing keys; a key in the database unless set",
    ),
    set("OMS_KEY_ROTATION", Some("30d"), "30d", "how old a signing key gets before a new one takes over; off: never"),
    set("OMS_LISTEN", None, "127.0.0.1:8080", "the address to listen on"),
    set("OMS_ADMIN_LISTEN", None, "127.0.0.1:9090", "where /metrics listens; on OMS_LISTEN when that is loopback"),
    set("OMS_PUBLIC_URL", None, "https://shop.example.org", "the URL clients see; the issuer of tokens"),
    set("OMS_COMMAND_URL", None, "http://127.0.0.1:8081", "command-service, when it runs elsewhere"),
    set("OMS_QUERY_URL", None, "http://127.0.0.1:8082", "query-service, when it runs elsewhere"),
    set("OMS_INVENTORY_URL", None, "http://127.0.0.1:8083", "inventory-service, when it runs elsewhere"),
    set("OMS_INVOICE_URL", None, "http://127.0.0.1:8084", "invoice-service, when it runs elsewhere"),
    set("OMS_AUTH_URL", None, "http://127.0.0.1:8085", "auth-service, when it runs elsewhere"),
    set(
        "OMS_CORS_ORIGINS",
        None,
        "https://shop.example.org,https://admin.example.org",
        "origins browsers may call from",
    ),
    set("OMS_RATE_LIMIT", Some("on"), "on", "on or off; off only on loopback"),
    set("OMS_MAX_CONCURRENT_REQUESTS", Some("512"), "512", "more at once are answered with 503 OVERLOADED"),
    set("OMS_SHUTDOWN_TIMEOUT", Some("20s"), "20s", "how long a stop waits for what is running"),
    set("OMS_LOG_FORMAT", Some("pretty"), "json", "pretty or json"),
    set("OMS_DATABASE_CONNECTIONS", Some("16"), "16", "connections of each service's pool"),
    set("OMS_LOG_WRITERS", Some("2"), "2", "transactions that append to a log at the same time, per process"),
    set("OMS_LOG_PARTITIONS", Some("8"), "8", "partitions of each log; fixed when it is created"),
    set("OMS_FEED", Some("log"), "log", "log or kafka: where readers take events from"),
    set("OMS_CURRENCY", Some("EUR"), "EUR", "the shop's currency"),
    set("OMS_PAYMENT_WINDOW", Some("30m"), "30m", "how long an order waits for its payment (card)"),
    set("OMS_PAYMENT_PROVIDER", None, "stripe", "who moves money: none, simulated (on loopback), generic or stripe"),
    set("OMS_PAYMENT_CAPTURE", Some("confirm"), "dispatch", "when held money is captured: confirm, dispatch or never"),
    set("OMS_PAYMENT_POLL", Some("5s"), "5s", "how soon a provider is asked what became of a payment or refund"),
    set("OMS_PAYMENT_URL", None, "https://payments.example.org", "the generic provider's URL"),
    set(
        "OMS_PAYMENT_SECRET",
        None,
        "whsec_dHdlbnR5LWZvdXIgYnl0ZXMgb3IgbW9yZQ==",
        "signs requests to the generic provider",
    ),
    set(
        "OMS_PAYMENT_WEBHOOK_SECRET",
        None,
        "whsec_dHdlbnR5LWZvdXIgYnl0ZXMgb3IgbW9yZQ==",
        "verifies webhooks of the generic and the simulated provider; two with a comma between while one is replaced",
    ),
    set("OMS_STRIPE_SECRET_KEY", None, "sk_live_...", "the key to Stripe's API"),
    set("OMS_STRIPE_WEBHOOK_SECRET", None, "whsec_...", "verifies Stripe's webhooks; one or two"),
    set("OMS_STRIPE_URL", Some("https://api.stripe.com"), "https://api.stripe.com", "Stripe's API"),
    set("OMS_RETURN_WINDOW", Some("14d"), "14d", "how long after the last delivery an order is completed"),
    set("OMS_QUOTE_TTL", Some("15m"), "15m", "how long a quote holds"),
    set("OMS_CART_TTL", Some("30d"), "30d", "how long a cart is kept after its last change"),
    set("OMS_PRICES_INCLUDE_TAX", Some("on"), "off", "on or off: whether the catalogue's prices contain tax"),
    set("OMS_GRAPHQL_INTROSPECTION", Some("on"), "off", "on or off: whether GraphQL clients may read the schema"),
    set("OMS_GRAPHQL_SUGGESTIONS", Some("on"), "off", "on or off: whether GraphQL errors suggest names"),
    set("OMS_RESERVATION_TTL", Some("2m"), "2m", "how long stock is kept for an order that is being placed"),
    set("OMS_SELLER_NAME", Some("The shop"), "Example Ltd", "the seller on invoices"),
    set("OMS_SELLER_EMAIL", None, "invoices@shop.example.org", "the seller's e-mail address on invoices"),
    set("OMS_SELLER_VAT_ID", None, "GB123456789", "the seller's VAT identification number on invoices"),
    set("OMS_SELLER_REGISTRATION", None, "01234567", "the seller's entry in a register on invoices"),
    set(
        "OMS_WEBHOOK_PRIVATE_ADDRESSES",
        Some("deny"),
        "loopback",
        "deny, loopback or allow: whether webhooks may go to this machine or its network",
    ),
    set("OMS_WEBHOOK_ATTEMPTS", Some("10"), "10", "how often a webhook is tried before it is a dead letter"),
    set(
        "OMS_WEBHOOK_RETRY",
        Some("5s"),
        "5s",
        "the wait after a webhook's first failure; four times as long each time",
    ),
    set("OMS_WEBHOOK_DISABLE_AFTER", Some("5d"), "5d", "an endpoint at which nothing succeeds for so long is disabled"),
    set(
        "OMS_SHIPPING_WEBHOOK_SECRETS",
        None,
        "dhl=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "the secrets that carriers sign their reports with",
    ),
    set(
        "OMS_MAIL_FROM",
        None,
        "The shop <orders@shop.example.org>",
        "who mail comes from; OMS_SELLER_EMAIL unless set, else no-reply at the public host",
    ),
    set("OMS_MAIL_RETRY", Some("10s"), "10s", "the wait after a mail's first failure; four times as long each time"),
    set("OMS_DATA_DIR", None, "/var/lib/oms", "files: the embedded server, the index, images"),
    set(
        "OMS_IMAGES",
        None,
        "s3://shop-images/oms",
        "product images: file:///folder or s3://bucket/prefix; in OMS_DATA_DIR unless set",
    ),
    set("OMS_S3_REGION", None, "eu-central-1", "the region of that bucket"),
    set("OMS_S3_ENDPOINT", None, "https://s3.example.org", "where S3 is, unless with Amazon"),
    set("OMS_S3_ACCESS_KEY_ID", None, "AKIAIOSFODNN7EXAMPLE", "who we are to S3; the machine's own role unless set"),
    set("OMS_S3_SECRET_ACCESS_KEY", None, "secret", "its secret"),
    set("OMS_CONFIG", None, "/etc/oms.toml", "the configuration file; oms.toml in the working directory unless set"),
    set("OMS_URL", None, "http://127.0.0.1:8080", "the system that CLI commands work on"),
    set("OMS_CLIENT_ID", None, "cli_01h455vb4pex5vsknk084sn02q", "the client that CLI commands act as"),
    set("OMS_CLIENT_SECRET", None, "secret", "its secret"),
];
