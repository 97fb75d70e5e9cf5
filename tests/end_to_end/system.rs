//! A running system and how the tests talk to it.

use reqwest::{
    Method,
    blocking::{Client, RequestBuilder, Response},
    header::HeaderMap,
};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const GENEROUS: Duration = Duration::from_secs(120);
/// Ends the system when our end of its standard input is closed, even by a crash of the tests.
const SUPERVISED: &str = r#""$@" & pid=$!; read -r _; kill -TERM $pid 2>/dev/null; wait $pid"#;

static SHARED: OnceLock<(System, Folder)> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The system that most tests share.
pub fn shared() -> &'static System {
    let (system, _folder) = SHARED.get_or_init(|| {
        let folder = Folder::new();
        (System::start(&folder, &[]), folder)
    });
    system
}

/// A text that no other test uses.
pub fn unique(prefix: &str) -> String {
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{next}", std::process::id())
}

/// Waits for a condition, as long as it takes but not for ever.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + GENEROUS;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "it never happened: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sets a flag at the end of its scope, also where an assertion failed: threads that go on until then must not go on for
/// ever.
pub struct Sets<'a>(pub &'a AtomicBool);

impl Drop for Sets<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A data folder, removed with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(unique("oms-e2e"));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One `oms up` with its address and credentials.
pub struct System {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What `--ready-file` said.
    pub ready: Value,
    /// The file itself.
    pub ready_file: PathBuf,
    pub url: String,
    /// The token of the client that may do everything.
    pub token: String,
}

impl System {
    /// Starts the binary on a data folder and waits until it serves.
    pub fn start(folder: &Folder, environment: &[(&str, &str)]) -> Self {
        let ready_file = folder.path().join("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let data = folder.path().join("data");
        let mut child = Command::new("sh")
            .args(["-c", SUPERVISED, "sh", env!("CARGO_BIN_EXE_oms"), "up", "--port", "0", "--data-dir"])
            .arg(&data)
            .arg("--ready-file")
            .arg(&ready_file)
            .env("OMS_RATE_LIMIT", "off")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("oms.log")).unwrap())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let ready: Value = eventually("the system serves", || {
            assert!(child.try_wait().unwrap().is_none(), "the system ended before it served");
            serde_json::from_slice(&std::fs::read(&ready_file).ok()?).ok()
        });
        let url = ready["url"].as_str().unwrap().trim_end_matches('/').to_owned();
        let mut system = Self { child, stdin, ready, ready_file, url, token: String::new() };
        let service = system.client("service");
        system.token = system.client_token(&service, None);
        system
    }

    /// Stops it as Ctrl-C would and waits for its end.
    pub fn stop(mut self) {
        self.stop_in_place();
    }

    /// The process whose only child is the system.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    fn stop_in_place(&mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            let _ = stdin.write_all(b"\n");
        }
        let _ = self.child.wait();
    }

    /// One of the development clients of the ready file.
    pub fn client(&self, name: &str) -> Value {
        let clients = self.ready["clients"].as_array().unwrap();
        clients.iter().find(|client| client["name"] == name).unwrap().clone()
    }

    /// A token by client credentials.
    pub fn client_token(&self, client: &Value, scope: Option<&str>) -> String {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(scope.map(|scope| ("scope", scope)));
        let answer: Value = http()
            .post(format!("{}/oauth/token", self.url))
            .basic_auth(client["clientId"].as_str().unwrap(), client["clientSecret"].as_str())
            .form(&form)
            .send()
            .unwrap()
            .json()
            .unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// A token of the client that may do everything, narrowed to these scopes.
    pub fn token_with(&self, scopes: &str) -> String {
        self.client_token(&self.client("service"), Some(scopes))
    }

    /// A new customer: id and token.
    pub fn customer(&self) -> Customer {
        let email = format!("{}@example.org", unique("customer"));
        let body = json!({"email": email, "password": "correct horse battery staple", "name": "Ada Lovelace"});
        let answer = self.anonymous(Method::POST, "/auth/register").json(&body).send().unwrap();
        let answer = Answer::of(answer).expect(201);
        Customer { id: answer.text("/userId"), token: answer.text("/token"), email }
    }

    /// A request with the token of the client that may do everything.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as(&self.token, method, path)
    }

    pub fn request_as(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(token)
    }

    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        http().request(method, format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().unwrap())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body).send().unwrap())
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body).send().unwrap())
    }

    pub fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path).send().unwrap())
    }

    pub fn get_as(&self, token: &str, path: &str) -> Answer {
        Answer::of(self.request_as(token, Method::GET, path).send().unwrap())
    }

    pub fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        Answer::of(self.request_as(token, Method::POST, path).json(body).send().unwrap())
    }

    /// A read that waits for what `after` wrote.
    pub fn get_after(&self, after: &Answer, path: &str) -> Answer {
        let request = self.request(Method::GET, path).header("OMS-Consistency", after.header("oms-consistency"));
        Answer::of(request.send().unwrap())
    }

    /// A GraphQL query that waits for what `after` wrote, and has no errors.
    pub fn query_after(&self, after: &Answer, query: &str) -> Value {
        let request = self.request(Method::POST, "/graphql").header("OMS-Consistency", after.header("oms-consistency"));
        let answer = Answer::of(request.json(&json!({"query": query})).send().unwrap()).expect(200);
        assert!(answer.body.get("errors").is_none(), "{query}: {}", answer.body);
        answer.body["data"].clone()
    }

    /// A product at a price in euros with so many pieces in stock.
    pub fn product(&self, price: &str, on_hand: u32) -> String {
        let body = json!({
            "sku": unique("SKU"), "name": "White hanging heart T-light holder",
            "price": {"amount": price, "currency": "EUR"},
        });
        let product = self.post("/api/products", &body).expect(201).text("/productId");
        self.put(&format!("/api/inventory/{product}"), &json!({"onHand": on_hand, "reason": "delivery"})).expect(200);
        product
    }

    /// An order of one product, for a guest, by card.
    pub fn order(&self, product: &str, quantity: u32) -> Answer {
        self.post("/api/orders", &order_body(product, quantity)).expect(201)
    }

    /// Reports that a payment of an order came in.
    pub fn pay(&self, order: &str, amount: &str) -> Answer {
        let body = json!({"paymentId": unique("ch"), "amount": {"amount": amount, "currency": "EUR"}});
        self.post(&format!("/api/orders/{order}/payment/completed"), &body)
    }

    /// A product's stock as `[onHand, reserved, available]`.
    pub fn stock(&self, product: &str) -> [i64; 3] {
        let stock = self.get(&format!("/api/inventory/{product}")).expect(200).body;
        ["onHand", "reserved", "available"].map(|field| stock[field].as_i64().unwrap())
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.stop_in_place();
    }
}

/// A registered customer.
pub struct Customer {
    pub id: String,
    pub token: String,
    pub email: String,
}

/// The body of an order of one product with everything that shipping needs.
pub fn order_body(product: &str, quantity: u32) -> Value {
    json!({
        "items": [{"productId": product, "quantity": quantity}],
        "contact": {"email": "ada@example.org", "name": "Ada Lovelace"},
        "shippingAddress": address(),
        "paymentMethod": "card",
    })
}

pub fn address() -> Value {
    json!({
        "name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London", "postalCode": "SW1Y 4JH",
        "country": "GB",
    })
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The JSON, or the text as a JSON string.
    pub body: Value,
}

impl Answer {
    pub fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// The answer itself, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The answer itself, if it is this problem, in the form that all problems have.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["error"], self.body["detail"]);
        for member in ["type", "title", "detail", "instance", "traceId"] {
            assert!(self.body[member].is_string(), "{member} is missing: {}", self.body);
        }
        if matches!(status, 429 | 503) {
            assert!(!self.header("retry-after").is_empty(), "when to try again is missing");
        }
        if status == 401 {
            assert!(!self.header("www-authenticate").is_empty(), "the challenge is missing");
        }
        self
    }

    /// The pointers of the fields that a problem names.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }

    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no text at {pointer}: {}", self.body)).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A client of its own per request: the tests run in many threads and some kill the server.
pub fn http() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT
        .get_or_init(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            Client::builder().timeout(GENEROUS).pool_max_idle_per_host(64).build().unwrap()
        })
        .clone()
}
