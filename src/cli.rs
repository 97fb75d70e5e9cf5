//! The words that the binary understands. What they do stands in `commands`, one file to a word.

mod moving;
mod traffic;

pub use moving::{Export, ExportOrders, Import, ImportOrders, ImportRetail};
pub use traffic::{Demo, Prove, ProveOversell};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// An event-sourced order-management backend.
#[derive(Debug, Parser)]
#[command(name = "oms", version, propagate_version = true)]
pub struct Cli {
    /// What to do; everything on this machine if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command with its options.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs everything on this machine for development, with a Postgres of its own, until Ctrl-C.
    Up(Up),
    /// Runs all services, or those named, on the database and addresses of the environment.
    Serve(Serve),
    /// Prints the effective settings, secrets masked.
    Config,
    /// Clients that get tokens by themselves.
    #[command(subcommand)]
    Client(Client),
    /// Users who log in.
    #[command(subcommand)]
    User(User),
    /// Roles of the shop's own: staff with some scopes and no others.
    #[command(subcommand)]
    Role(Role),
    /// The keys that sign tokens.
    #[command(subcommand)]
    Keys(Keys),
    /// Builds the read tables anew beside the live ones, and shows how far that is until they take over.
    Replay(Replay),
    /// What follows the logs, and what it could not handle.
    #[command(subcommand)]
    Projector(Projector),
    /// Measures the figures of the system beside their limits, on a database of its own.
    Bench(Bench),
    /// Brings in what another system knows.
    #[command(subcommand)]
    Import(Import),
    /// Takes data out of a running system, as lines of JSON on standard output.
    #[command(subcommand)]
    Export(Export),
    /// Proves on the database that nothing is lost, doubled or out of step; 1 if something is.
    Verify(Verify),
    /// Makes a shop's traffic on a running system that has the demo catalogue; 1 if an answer cannot be explained.
    Demo(Demo),
    /// Proves on a running system, over its public API alone, that a promise holds; 1 if it does not.
    #[command(subcommand)]
    Prove(Prove),
    /// The events of the logs.
    #[command(subcommand)]
    Events(Events),
    /// Orders, read from their log.
    #[command(subcommand)]
    Order(Order),
}

/// The options of `oms up`.
#[derive(Debug, Default, Args)]
pub struct Up {
    /// The port to listen on, on the loopback interface; 0 takes a free one.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Where the database and the development credentials are kept.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Gets the addresses and credentials as JSON once everything serves.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// The options of `oms serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The services to run, by name without `-service`; all if none is named.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub service: Vec<String>,
}

/// How a command finds the system that it works on.
#[derive(Debug, Args)]
pub struct System {
    /// The ready file of a running `oms up`; else DATABASE_URL, else the default data folder.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// What can be done with clients.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Registers a client and prints its id and its secret, which is shown this once.
    Create(ClientCreate),
}

/// The options of `oms client create`.
#[derive(Debug, Args)]
pub struct ClientCreate {
    /// What people call it.
    pub name: String,
    /// A scope that it may ask for; repeat it, or separate several by commas.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
    pub scopes: Vec<String>,
    /// A grant that it may use; client_credentials if none is named.
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',')]
    pub grants: Vec<String>,
    /// Where codes may be sent.
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after logging out.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    pub post_logout_redirect_uris: Vec<String>,
    /// It is the shop's own: people are not asked whether it may act for them.
    #[arg(long)]
    pub first_party: bool,
    /// Its public keys (a JSON Web Key Set, EC P-256): it proves itself by private_key_jwt and gets no secret.
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    pub jwks: Option<PathBuf>,
    /// It runs where no secret can be kept.
    #[arg(long)]
    pub public: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Makes a user; the password is read from standard input, or generated and printed.
    Create(UserCreate),
    /// Gives a user another role; their sessions end.
    Role(UserRole),
    /// Takes the authenticator of a user away, who has lost it; 1 if they had none.
    CodesOff(UserCodesOff),
}

/// The options of `oms user codes-off`.
#[derive(Debug, Args)]
pub struct UserCodesOff {
    /// The e-mail address they log in with.
    pub email: String,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms user role`.
#[derive(Debug, Args)]
pub struct UserRole {
    /// The e-mail address they log in with.
    pub email: String,
    /// customer, staff, admin, or a role that `oms role create` made.
    pub role: String,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// What can be done with roles.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Makes a role of scopes.
    Create(RoleScopes),
    /// Gives a role other scopes; the sessions of those who have it end.
    Change(RoleScopes),
    /// Deletes a role that nobody has.
    Delete(RoleDelete),
    /// Every role that the shop has made, with its scopes.
    List(RoleList),
}

/// The options of `oms role create` and `oms role change`.
#[derive(Debug, Args)]
pub struct RoleScopes {
    /// 2 to 40 lower-case letters, digits and hyphens.
    pub name: String,
    /// A scope that it gives; repeat it, or separate several by commas.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
    pub scopes: Vec<String>,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms role delete`.
#[derive(Debug, Args)]
pub struct RoleDelete {
    /// Its name.
    pub name: String,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms role list`.
#[derive(Debug, Args)]
pub struct RoleList {
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms user create`.
#[derive(Debug, Args)]
pub struct UserCreate {
    /// The e-mail address to log in with.
    pub email: String,
    /// customer, staff, admin, or a role that `oms role create` made.
    #[arg(long, default_value = "customer")]
    pub role: String,
    /// Reads the password from the first line of standard input.
    #[arg(long)]
    pub password_stdin: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Asks for nothing: says whether a rebuild runs and how far it is.
    #[arg(long)]
    pub status: bool,
    /// Prints a line of JSON for every look.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// What can be done with projectors and reactions.
#[derive(Debug, Subcommand)]
pub enum Projector {
    /// How far each of them is, in every partition, and the streams that wait for a person.
    List(ProjectorList),
    /// Has a parked stream tried again.
    Retry(ParkedStream),
    /// Gives up the event that a parked stream stands at; what waits behind it is handled.
    Skip(ParkedStream),
}

/// The options of `oms projector list`.
#[derive(Debug, Args)]
pub struct ProjectorList {
    /// Only the reader with this name.
    #[arg(value_name = "READER")]
    pub reader: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// A parked stream, for `oms projector retry` and `oms projector skip`.
#[derive(Debug, Args)]
pub struct ParkedStream {
    /// The reader that refused an event of it.
    #[arg(value_name = "READER")]
    pub reader: String,
    /// The stream.
    #[arg(value_name = "STREAM")]
    pub stream: String,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Which system.
    #[command(flatten)]
    pub system: System,
}

/// The options of `oms bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// The figures to measure, separated by commas; all if none is named.
    #[arg(long, value_name = "FIGURE", value_delimiter = ',')]
    pub only: Vec<bench::Figure>,
    /// How long each half of a pair runs.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub seconds: u64,
    /// How many pairs.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub pairs: usize,
    /// How many orders the figure `growth` goes up to.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub orders: usize,
    /// Where the data of the run is put, and removed from again; beside the data folder of `oms up` if unset.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// The table that the figure `import` brings in; without one it is left out.
    #[arg(long, value_name = "FILE")]
    pub import: Option<PathBuf>,
    /// Serves what reads are compared with, from this database; the benchmark starts it for itself.
    #[arg(long, value_name = "URL", hide = true)]
    pub reference_of: Option<String>,
    /// The document whose table gets the new figures.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Makes a new signing key; the old one verifies until its last token has expired.
    Rotate(System),
}

/// The options of `oms verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Which system.
    #[command(flatten)]
    pub system: System,
    /// How many orders are computed anew by SQL alone.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub sample: u32,
    /// What those are chosen by; the report says which seed was taken.
    #[arg(long, value_name = "N")]
    pub seed: Option<u32>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// What can be done with events.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// Prints events as they are appended, until Ctrl-C; personal fields stay sealed.
    Tail(EventsTail),
}

/// The options of `oms events tail`.
#[derive(Debug, Args)]
pub struct EventsTail {
    /// Which system.
    #[command(flatten)]
    pub system: System,
    /// Only this log: orders, inventory or invoices.
    #[arg(long, value_name = "LOG")]
    pub log: Option<String>,
    /// Only events of this type, such as OrderPlaced.
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,
    /// Only this stream, such as an order's id.
    #[arg(long, value_name = "ID")]
    pub stream: Option<String>,
    /// Begins after this position of every partition, instead of at the end.
    #[arg(long, value_name = "POSITION", conflicts_with = "from_start")]
    pub after: Option<i64>,
    /// Begins with the first event.
    #[arg(long)]
    pub from_start: bool,
    /// Prints each event whole, as a line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// What can be done with orders.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Shows an order as its events make it, with what happened, its stock and its invoices.
    Show(OrderShow),
}

/// The options of `oms order show`.
#[derive(Debug, Args)]
pub struct OrderShow {
    /// Its id or its number.
    pub order: String,
    /// Which system.
    #[command(flatten)]
    pub system: System,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}
