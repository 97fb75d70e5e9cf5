//! Compares what the clients were told with what is there, in plain SQL and over GraphQL. It shares no code with the
//! services and looks at everything before it complains.

use crate::{
    buyer::Shop,
    http::expect,
    record::{Deed, Outcome, Placed, Placing, Record, What},
    sql::{Session, Sql},
    waiting::eventually,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::Client;
use uuid::Uuid;

/// Of each question.
const MOST_COMPLAINTS: usize = 10;
const CHECKPOINTS: &str = include_str!("sql/checkpoints.sql");
const READ_TABLES: &str = "select table_name::text from information_schema.tables
    where table_schema = 'query' and table_name ~ '_view$' order by 1";
const LIVE: &str = "select coalesce(max(generation), 0)::text from query.generation where state = 'live'";
const ASK_FOR_A_REBUILD: &str =
    "insert into query.generation (shape, state) select shape, 'building' from query.generation where state = 'live'";

pub struct Checker<'a> {
    sql: Sql,
    shop: &'a Shop,
    record: &'a Record,
    complaints: Vec<String>,
}

impl<'a> Checker<'a> {
    pub fn new(database_url: &str, shop: &'a Shop, record: &'a Record) -> Self {
        let complaints = record.complaints.clone();
        Self { sql: Sql::new(database_url.to_owned()), shop, record, complaints }
    }

    /// Waits until every reader has read what there is and no reservation waits for its order.
    pub fn await_settled(&self) {
        let mut left = Vec::new();
        let session = self.sql.connect();
        let unsettled = include_str!("sql/unsettled.sql").replace("{checkpoints}", CHECKPOINTS);
        let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("everything is settled", || {
                left = session.ask(&unsettled);
                left.is_empty().then_some(())
            });
        }));
        assert!(settled.is_ok(), "{left:#?}");
    }

    /// Puts the record beside the system's tables and asks every question.
    pub fn check_tables(&mut self) {
        let session = self.sql.connect();
        session.run(include_str!("sql/record.sql"));
        session.block_on(self.write_record(&session.client));
        session.run(include_str!("sql/facts.sql"));
        for log in ["orders", "inventory", "invoices"] {
            let question = include_str!("sql/log.sql").replace("{log}", log);
            self.complaints.extend(complaints(&session, &format!("log {log}"), &question));
        }
        for (name, question) in [
            ("orders", include_str!("sql/orders.sql")),
            ("deeds", include_str!("sql/deeds.sql")),
            ("invoices", include_str!("sql/invoices.sql")),
            ("stock", include_str!("sql/stock.sql")),
            ("leftovers", include_str!("sql/leftovers.sql")),
            ("read tables", include_str!("sql/read_tables.sql")),
        ] {
            let question = question.replace("{checkpoints}", CHECKPOINTS);
            self.complaints.extend(complaints(&session, name, &question));
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

    /// Has the read tables built anew beside the live ones: every row that was there is there again, and no other.
    pub fn compare_with_a_rebuild(&mut self) {
        let session = self.sql.connect();
        let tables = session.ask(READ_TABLES);
        assert!(tables.iter().any(|table| table == "order_view"), "the read tables are {tables:?}");
        let keep = tables.iter().map(|table| {
            format!("create table faults.kept_{table} as select to_jsonb(t) as row from query.{table} t;")
        });
        session.run(&keep.collect::<String>());

        let before = session.ask(LIVE);
        session.run(ASK_FOR_A_REBUILD);
        eventually("the rebuilt tables are live", || (session.ask(LIVE) != before).then_some(()));
        for table in tables {
            let question = include_str!("sql/rebuild.sql").replace("{table}", &table);
            self.complaints.extend(complaints(&session, &table, &question));
        }
    }

    /// Fails with everything that is wrong.
    pub fn finish(self) {
        assert!(self.complaints.is_empty(), "{} complaints:\n{}", self.complaints.len(), self.complaints.join("\n"));
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

/// What a question answers, which should be nothing.
fn complaints(session: &Session<'_>, name: &str, question: &str) -> Vec<String> {
    let answers = session.ask(question);
    let more = answers.len().saturating_sub(MOST_COMPLAINTS);
    let listed = answers.into_iter().take(MOST_COMPLAINTS).map(|answer| format!("{name}: {answer}"));
    listed.chain((more > 0).then(|| format!("{name}: and {more} more"))).collect()
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
