//! Compares what the clients were told with what is there, in plain SQL and over GraphQL. It shares no code with the
//! services and looks at everything before it complains.

use crate::{
    buyer::Shop,
    http::expect,
    record::{Deed, Outcome, Placed, Placing, Record, What},
    waiting::eventually,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Of each question.
const MOST_COMPLAINTS: usize = 10;
const CHECKPOINTS: &str = include_str!("sql/checkpoints.sql");
const READ_TABLES: &str = "select table_name::text from information_schema.tables
    where table_schema = $1 and table_type = 'BASE TABLE' and table_name ~ '_view$' order by 1";

pub struct Checker<'a> {
    runtime: Runtime,
    url: String,
    shop: &'a Shop,
    record: &'a Record,
    complaints: Vec<String>,
}

impl<'a> Checker<'a> {
    pub fn new(database_url: &str, shop: &'a Shop, record: &'a Record) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let complaints = record.complaints.clone();
        Self { runtime, url: database_url.to_owned(), shop, record, complaints }
    }

    /// Waits until every reader has read what there is and no reservation waits for its order.
    pub fn await_settled(&self) {
        let mut left = Vec::new();
        let client = self.connect();
        let unsettled = include_str!("sql/unsettled.sql").replace("{checkpoints}", CHECKPOINTS);
        let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("everything is settled", || {
                left = self.ask(&client, &unsettled);
                left.is_empty().then_some(())
            });
        }));
        assert!(settled.is_ok(), "{left:#?}");
    }

    /// Puts the record beside the system's tables and asks every question.
    pub fn check_tables(&mut self) {
        let client = self.connect();
        self.runtime.block_on(async {
            client.batch_execute(include_str!("sql/record.sql")).await.unwrap();
            self.write_record(&client).await;
            client.batch_execute(include_str!("sql/facts.sql")).await.unwrap();
        });
        for log in ["orders", "inventory", "invoices"] {
            let question = include_str!("sql/log.sql").replace("{log}", log);
            self.question(&client, &format!("log {log}"), &question);
        }
        let query = self.read_schema(&client);
        for (name, question) in [
            ("orders", include_str!("sql/orders.sql")),
            ("deeds", include_str!("sql/deeds.sql")),
            ("invoices", include_str!("sql/invoices.sql")),
            ("stock", include_str!("sql/stock.sql")),
            ("leftovers", include_str!("sql/leftovers.sql")),
            ("read tables", include_str!("sql/read_tables.sql")),
        ] {
            let question = question.replace("{query}", &query).replace("{checkpoints}", CHECKPOINTS);
            self.question(&client, name, &question);
        }
    }

    /// Repeats some of what was acknowledged: the answer has to be the first one.
    pub fn check_answers(&mut self) {
        let acknowledged = self.record.placings.iter().filter(|placing| placing.order.is_some());
        for placing in acknowledged.rev().take(50) {
            let again = self.shop.place(&self.shop.urls[0], placing);
            let (again, first) = (expect(again, 201), placing.order.as_ref().unwrap());
            if again["orderId"] != first.order_id.as_str() || again["orderNumber"] != first.number.as_str() {
                self.complaints.push(format!("a repeat of {placing:?} was answered with {again}"));
            }
        }
    }

    /// Reads every order through GraphQL and compares it with what its buyer was told.
    pub fn check_graphql(&mut self, url: &str) {
        let expected = Expected::of(self.record);
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut after = Value::Null;
        loop {
            let query = "query($after: String) { orders(first: 100, after: $after) {
                pageInfo { hasNextPage endCursor }
                nodes { id number status externalId note total { amount } paidTotal { amount } } } }";
            let body = json!({"query": query, "variables": {"after": after}});
            let answer = expect(self.shop.access.request(Method::POST, url, "/graphql").json(&body), 200);
            assert!(answer.get("errors").is_none(), "{answer}");
            let page = &answer["data"]["orders"];
            for order in page["nodes"].as_array().unwrap() {
                *seen.entry(order["id"].as_str().unwrap().to_owned()).or_default() += 1;
                self.complaints.extend(expected.complaint_of(order));
            }
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let missing = expected.orders.keys().filter(|id| !seen.contains_key(**id));
        self.complaints.extend(missing.map(|id| format!("GraphQL does not know the acknowledged order {id}")));
        let twice = seen.iter().filter(|(_, times)| **times > 1);
        self.complaints.extend(twice.map(|(id, times)| format!("GraphQL lists {id} {times} times")));
        println!("{} orders were read through GraphQL", seen.len());
    }

    /// Copies the read tables, to be compared with those of a rebuild.
    pub fn keep_read_tables(&self) {
        let client = self.connect();
        let schema = self.read_schema(&client);
        let keep: String = self
            .read_tables(&client, &schema)
            .iter()
            .map(|table| {
                format!("create table faults.kept_{table} as select to_jsonb(t) as row from {schema}.{table} t;")
            })
            .collect();
        self.runtime.block_on(client.batch_execute(&keep)).unwrap();
    }

    /// Every row that was there is there after the rebuild, and no other.
    pub fn compare_read_tables(&mut self) {
        let client = self.connect();
        let schema = self.read_schema(&client);
        for table in self.read_tables(&client, &schema) {
            let question = format!(
                "select format('only before the rebuild: %s', row) from
                    (select row from faults.kept_{table} except all select to_jsonb(t) from {schema}.{table} t) f
                 union all
                 select format('only after the rebuild: %s', row) from
                    (select to_jsonb(t) as row from {schema}.{table} t except all select row from faults.kept_{table}) f"
            );
            self.question(&client, &table, &question);
        }
    }

    /// Fails with everything that is wrong.
    pub fn finish(self) {
        assert!(self.complaints.is_empty(), "{} complaints:\n{}", self.complaints.len(), self.complaints.join("\n"));
    }

    /// Runs statements.
    pub fn execute(&self, statements: &str) {
        let client = self.connect();
        self.runtime.block_on(client.batch_execute(statements)).unwrap();
    }

    fn question(&mut self, client: &Client, name: &str, question: &str) {
        let answers = self.ask(client, question);
        let count = answers.len();
        self.complaints.extend(answers.into_iter().take(MOST_COMPLAINTS).map(|answer| format!("{name}: {answer}")));
        if count > MOST_COMPLAINTS {
            self.complaints.push(format!("{name}: and {} more", count - MOST_COMPLAINTS));
        }
    }

    fn ask(&self, client: &Client, question: &str) -> Vec<String> {
        let rows = self.runtime.block_on(client.query(question, &[]));
        rows.unwrap_or_else(|error| panic!("{error:?} in {question}")).iter().map(|row| row.get(0)).collect()
    }

    fn connect(&self) -> Client {
        let (client, connection) = self.runtime.block_on(tokio_postgres::connect(&self.url, NoTls)).unwrap();
        self.runtime.spawn(connection);
        client
    }

    /// The schema that the read tables are in now.
    fn read_schema(&self, _client: &Client) -> String {
        "query".to_owned()
    }

    fn read_tables(&self, client: &Client, schema: &str) -> Vec<String> {
        let rows = self.runtime.block_on(client.query(READ_TABLES, &[&schema])).unwrap();
        let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(tables.iter().any(|table| table == "order_view"), "{schema} has {tables:?}");
        tables
    }

    async fn write_record(&self, client: &Client) {
        for product in &self.shop.products {
            let insert = "insert into faults.product values ($1, $2, $3)";
            client.execute(insert, &[&product.id, &uuid_of(&product.id), &product.delivered]).await.unwrap();
        }
        for placings in self.record.placings.chunks(5_000) {
            self.write_placings(client, placings).await;
        }
        for deeds in self.record.deeds.chunks(5_000) {
            write_deeds(client, deeds).await;
        }
    }

    async fn write_placings(&self, client: &Client, placings: &[Placing]) {
        let keys: Vec<&str> = placings.iter().map(|placing| placing.key.as_str()).collect();
        let of = |field: fn(&Placed) -> &str| {
            placings.iter().map(|placing| placing.order.as_ref().map(field)).collect::<Vec<Option<&str>>>()
        };
        let (ids, numbers, totals) = (of(|order| &order.order_id), of(|order| &order.number), of(|order| &order.total));
        let words: Vec<&str> = placings.iter().map(|placing| word(&placing.outcome)).collect();
        let insert = "insert into faults.placed
            select k, o, n, t::numeric, w
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as p (k, o, n, t, w)";
        client.execute(insert, &[&keys, &ids, &numbers, &totals, &words]).await.unwrap();

        let lines = placings.iter().flat_map(|placing| placing.lines.iter().map(|line| (placing.key.as_str(), line)));
        let lines: Vec<(&str, &str, i64)> =
            lines.map(|(key, (product, pieces))| (key, self.shop.products[*product].id.as_str(), *pieces)).collect();
        let keys: Vec<&str> = lines.iter().map(|line| line.0).collect();
        let products: Vec<&str> = lines.iter().map(|line| line.1).collect();
        let pieces: Vec<i64> = lines.iter().map(|line| line.2).collect();
        let insert = "insert into faults.line select * from unnest($1::text[], $2::text[], $3::bigint[])";
        client.execute(insert, &[&keys, &products, &pieces]).await.unwrap();
    }
}

async fn write_deeds(client: &Client, deeds: &[Deed]) {
    let orders: Vec<&str> = deeds.iter().map(|deed| deed.order_id.as_str()).collect();
    let facts = deeds.iter().map(|deed| match &deed.what {
        What::Paid { payment_id, amount } => (("paid", payment_id.as_str()), Some(amount.as_str())),
        What::Cancelled { reason } => (("cancelled", reason.as_str()), None),
        What::Noted { note } => (("noted", note.as_str()), None),
    });
    let (named, amounts): (Vec<(&str, &str)>, Vec<Option<&str>>) = facts.unzip();
    let (kinds, references): (Vec<&str>, Vec<&str>) = named.into_iter().unzip();
    let words: Vec<&str> = deeds.iter().map(|deed| word(&deed.outcome)).collect();
    let insert = "insert into faults.deed
        select o, k, r, a::numeric, w
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as d (o, k, r, a, w)";
    client.execute(insert, &[&orders, &kinds, &references, &amounts, &words]).await.unwrap();
}

/// What the buyers know of each acknowledged order.
struct Expected<'a> {
    orders: BTreeMap<&'a str, Known<'a>>,
}

#[derive(Default)]
struct Known<'a> {
    key: &'a str,
    number: &'a str,
    total: &'a str,
    paid: i64,
    perhaps_paid: i64,
    cancelled: bool,
    note: Option<&'a str>,
    perhaps_noted: Vec<&'a str>,
}

impl<'a> Expected<'a> {
    fn of(record: &'a Record) -> Self {
        let mut orders: BTreeMap<&str, Known<'_>> = BTreeMap::new();
        for placing in &record.placings {
            if let Some(order) = &placing.order {
                let known = Known { key: &placing.key, number: &order.number, total: &order.total, ..Known::default() };
                orders.insert(&order.order_id, known);
            }
        }
        for deed in &record.deeds {
            let known = orders.get_mut(deed.order_id.as_str()).unwrap();
            match (&deed.what, &deed.outcome) {
                (_, Outcome::Refused(_)) => {}
                (What::Paid { amount, .. }, Outcome::Acknowledged) => known.paid += cents(amount),
                (What::Paid { amount, .. }, Outcome::Unknown) => known.perhaps_paid += cents(amount),
                (What::Cancelled { .. }, outcome) => known.cancelled |= *outcome == Outcome::Acknowledged,
                (What::Noted { note }, Outcome::Acknowledged) => known.note = Some(note),
                (What::Noted { note }, Outcome::Unknown) => known.perhaps_noted.push(note),
            }
        }
        Self { orders }
    }

    fn complaint_of(&self, order: &Value) -> Option<String> {
        let known = self.orders.get(order["id"].as_str()?)?;
        let paid = cents(order["paidTotal"]["amount"].as_str()?);
        let note = order["note"].as_str();
        let as_told = order["externalId"] == known.key
            && order["number"] == known.number
            && order["total"]["amount"] == known.total
            && (known.paid..=known.paid + known.perhaps_paid).contains(&paid)
            && (!known.cancelled || order["status"] == "CANCELLED")
            && (note == known.note || note.is_some_and(|note| known.perhaps_noted.contains(&note)));
        (!as_told).then(|| format!("GraphQL has another order than was acknowledged: {order}"))
    }
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Acknowledged => "acknowledged",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown => "unknown",
    }
}

/// The UUID of a TypeID: 26 digits of 5 bits behind the prefix.
fn uuid_of(type_id: &str) -> Uuid {
    const DIGITS: &str = "0123456789abcdefghjkmnpqrstvwxyz";
    let digits = type_id.rsplit('_').next().unwrap();
    Uuid::from_u128(digits.chars().fold(0, |sum, digit| sum << 5 | DIGITS.find(digit).unwrap() as u128))
}
