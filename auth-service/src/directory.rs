//! Users and clients for programs: what `oms up`, the command line and the administration routes make them with. The
//! `ensure_…` variants may be repeated: what is there already stays.

mod client_rules;

pub use client_rules::ClientRules;

use crate::accounts::register::Account;
use crate::clients::{self, Client, ClientSpec};
use crate::failure::Failure;
use crate::keys::{KeyEncryptionKey, KeyError, Keys};
use crate::one_time_codes;
use crate::password::{HashError, PasswordHasher};
use crate::roles::{self, CustomRole, Deleting, RoleChoice};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::users::{self, Assigning, NewUser, Role, User};
use pg::{Database, PgError, Pool};
use shared_events::{ClientId, UserId};

/// The fewest characters of a secret that is given instead of generated. Stored secrets are hashed once, so they have
/// to be random; make one with `openssl rand -hex 32`.
pub const MIN_GIVEN_SECRET: usize = 32;

/// Why something was not made.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The schema can't be reached or migrated.
    #[error("the schema of auth-service is not available")]
    Database(#[from] PgError),
    /// The tables did not answer.
    #[error("the tables of auth-service did not answer")]
    Store(#[from] StoreError),
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Hash(#[from] HashError),
    /// The signing keys could not be opened.
    #[error("the signing keys could not be opened")]
    Key(#[from] KeyError),
    /// There is a client of this name.
    #[error("there is a client named `{0}` already")]
    NameTaken(String),
    /// There is a user with this e-mail address.
    #[error("there is a user with this e-mail address already")]
    EmailTaken,
    /// The shop has no role of this name.
    #[error("there is no role named `{0}`")]
    NoSuchRole(String),
    /// There is a role of this name.
    #[error("there is a role named `{0}` already")]
    RoleTaken(String),
    /// Somebody has the role.
    #[error("somebody has the role `{0}`: give them another one first")]
    RoleInUse(String),
    /// There is no user with this e-mail address.
    #[error("there is no user with this e-mail address")]
    NoSuchUser,
    /// Nobody could administer the shop any more.
    #[error("this is the last administrator: make another one first")]
    LastAdmin,
    /// A rule is broken.
    #[error("{0}")]
    Invalid(String),
}

impl From<tokio_postgres::Error> for DirectoryError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<pg::deadpool_postgres::PoolError> for DirectoryError {
    fn from(error: pg::deadpool_postgres::PoolError) -> Self {
        Self::Store(error.into())
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Store(error) => Self::Store(error),
            DirectoryError::Hash(error) => Self::Hash(error),
            DirectoryError::Key(error) => Self::Key(error),
            other => Self::Problem(web::Problem::validation_failed(other.to_string())),
        }
    }
}

/// What becomes of a client's secret.
#[derive(Debug, Clone)]
pub enum Secrecy {
    /// It has none: it runs where none can be kept, or proves itself by a key of its own.
    Public,
    /// A new one, told once.
    Generated,
    /// This one, of at least [`MIN_GIVEN_SECRET`] characters.
    Given(Secret),
}

/// What an `ensure_…` found or made.
#[derive(Debug, Clone)]
pub struct Ensured<Id> {
    /// Its id.
    pub id: Id,
    /// Whether it was made just now.
    pub created: bool,
}

/// Makes and finds users and clients.
#[derive(Debug, Clone)]
pub struct Directory {
    pool: Pool,
    hasher: PasswordHasher,
}

impl Directory {
    /// Opens the schema of auth-service in that database, migrating it first.
    ///
    /// # Errors
    /// [`DirectoryError`] when that fails.
    pub async fn open(database: &Database) -> Result<Self, DirectoryError> {
        Ok(Self { pool: crate::open_schema(database).await?, hasher: PasswordHasher::new()? })
    }

    pub(crate) const fn new(pool: Pool, hasher: PasswordHasher) -> Self {
        Self { pool, hasher }
    }

    /// Registers a client; its secret is answered where one was generated.
    ///
    /// # Errors
    /// [`DirectoryError::NameTaken`], or what keeps it from being made.
    pub async fn create_client(
        &self,
        spec: &ClientSpec,
        secrecy: Secrecy,
    ) -> Result<(ClientId, Option<Secret>), DirectoryError> {
        let made = self.insert_client(spec, secrecy, "cli").await?;
        let (client, secret) = made.ok_or_else(|| DirectoryError::NameTaken(spec.name.clone()))?;
        Ok((client.id, secret))
    }

    /// Registers a client with this secret (none: a public client), or makes the client of that name like it.
    ///
    /// # Errors
    /// [`DirectoryError`] when that fails.
    pub async fn ensure_client(
        &self,
        spec: &ClientSpec,
        secret: Option<&Secret>,
    ) -> Result<Ensured<ClientId>, DirectoryError> {
        let secrecy = secret.map_or(Secrecy::Public, |secret| Secrecy::Given(secret.clone()));
        if let Some((client, _)) = self.insert_client(spec, secrecy, "cli").await? {
            return Ok(Ensured { id: client.id, created: true });
        }
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let client = clients::update(&transaction, spec, secret, "cli").await?;
        transaction.commit().await?;
        let client = client.ok_or_else(|| DirectoryError::NameTaken(spec.name.clone()))?;
        Ok(Ensured { id: client.id, created: false })
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`DirectoryError::EmailTaken`], or what keeps them from being made.
    pub async fn create_user(
        &self,
        email: &str,
        password: &Secret,
        role: impl Into<RoleChoice>,
    ) -> Result<UserId, DirectoryError> {
        let user = self.insert_user(email, password, role.into()).await?;
        user.map(|user| user.id).ok_or(DirectoryError::EmailTaken)
    }

    /// Makes a user unless there is one with that address, who stays as they are, password included.
    ///
    /// # Errors
    /// [`DirectoryError`] when that fails.
    pub async fn ensure_user(
        &self,
        email: &str,
        password: &Secret,
        role: Role,
    ) -> Result<Ensured<UserId>, DirectoryError> {
        let parsed = crate::email::Email::parse(email).map_err(|error| DirectoryError::Invalid(error.to_string()))?;
        // Looked for first: the hash of a new password is expensive.
        let found = users::find_by_email(&self.pool.get().await?, &parsed).await?;
        if let Some(found) = found {
            return Ok(Ensured { id: found.user.id, created: false });
        }
        match self.insert_user(email, password, role.into()).await? {
            Some(user) => Ok(Ensured { id: user.id, created: true }),
            None => {
                let found = users::find_by_email(&self.pool.get().await?, &parsed).await?;
                let found = found.ok_or(DirectoryError::EmailTaken)?;
                Ok(Ensured { id: found.user.id, created: false })
            }
        }
    }

    /// Gives the user with that address another role, which ends their sessions.
    ///
    /// # Errors
    /// [`DirectoryError`] when there is no such user or role, or they are the last administrator.
    pub async fn assign_role(&self, email: &str, role: &RoleChoice) -> Result<UserId, DirectoryError> {
        let email = crate::email::Email::parse(email).map_err(|error| DirectoryError::Invalid(error.to_string()))?;
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let found = users::find_by_email(&transaction, &email).await?.ok_or(DirectoryError::NoSuchUser)?;
        match users::assign(&transaction, found.user.id, role, "cli").await? {
            Assigning::Done(user, _) => {
                transaction.commit().await?;
                Ok(user.id)
            }
            Assigning::LastAdmin => Err(DirectoryError::LastAdmin),
            Assigning::UnknownUser => Err(DirectoryError::NoSuchUser),
            Assigning::UnknownRole => Err(DirectoryError::NoSuchRole(role.as_str().to_owned())),
        }
    }

    /// Takes the authenticator of the user with that address away; `false` where they had none.
    ///
    /// # Errors
    /// [`DirectoryError`] when there is no such user.
    pub async fn turn_codes_off(&self, email: &str) -> Result<bool, DirectoryError> {
        let email = crate::email::Email::parse(email).map_err(|error| DirectoryError::Invalid(error.to_string()))?;
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let found = users::find_by_email(&transaction, &email).await?.ok_or(DirectoryError::NoSuchUser)?;
        let was_there = one_time_codes::turn_off(&transaction, found.user.id, "cli").await?;
        transaction.commit().await?;
        Ok(was_there)
    }

    /// Every role that the shop has made.
    ///
    /// # Errors
    /// [`DirectoryError`] when the tables don't answer.
    pub async fn roles(&self) -> Result<Vec<CustomRole>, DirectoryError> {
        Ok(roles::list(&self.pool.get().await?).await?)
    }

    /// Makes a role of these scopes.
    ///
    /// # Errors
    /// [`DirectoryError`] when the name is taken or a rule is broken.
    pub async fn create_role(&self, name: &str, scopes: &[String]) -> Result<CustomRole, DirectoryError> {
        roles::check_name(name).map_err(DirectoryError::Invalid)?;
        let scopes = roles::check_scopes(scopes).map_err(|(_, detail)| DirectoryError::Invalid(detail))?;
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let role = roles::insert(&transaction, name, scopes, "cli").await?;
        transaction.commit().await?;
        role.ok_or_else(|| DirectoryError::RoleTaken(name.to_owned()))
    }

    /// Gives a role other scopes, and ends the sessions of those who have it.
    ///
    /// # Errors
    /// [`DirectoryError`] when there is no such role or a rule is broken.
    pub async fn change_role(&self, name: &str, scopes: &[String]) -> Result<CustomRole, DirectoryError> {
        let scopes = roles::check_scopes(scopes).map_err(|(_, detail)| DirectoryError::Invalid(detail))?;
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let changed = roles::change(&transaction, name, scopes, "cli").await?;
        transaction.commit().await?;
        changed.map(|(role, _)| role).ok_or_else(|| DirectoryError::NoSuchRole(name.to_owned()))
    }

    /// Deletes a role that nobody has.
    ///
    /// # Errors
    /// [`DirectoryError`] when there is no such role or somebody has it.
    pub async fn delete_role(&self, name: &str) -> Result<(), DirectoryError> {
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        match roles::delete(&transaction, name, "cli").await? {
            Deleting::Done => Ok(transaction.commit().await?),
            Deleting::InUse => Err(DirectoryError::RoleInUse(name.to_owned())),
            Deleting::Unknown => Err(DirectoryError::NoSuchRole(name.to_owned())),
        }
    }

    /// Makes a new signing key, which signs after a minute; answers its `kid`.
    ///
    /// # Errors
    /// [`DirectoryError::Key`] when the keys can't be opened.
    pub async fn rotate_keys(&self, encryption_key: Option<KeyEncryptionKey>) -> Result<String, DirectoryError> {
        Ok(Keys::open(self.pool.clone(), encryption_key).await?.rotate().await?)
    }

    /// Inserts a client; `None` when the name is taken.
    pub(crate) async fn insert_client(
        &self,
        spec: &ClientSpec,
        secrecy: Secrecy,
        made_by: &str,
    ) -> Result<Option<(Client, Option<Secret>)>, DirectoryError> {
        let (secret, told) = match secrecy {
            Secrecy::Public => (None, false),
            Secrecy::Generated => (Some(Secret::new_client_secret()), true),
            Secrecy::Given(secret) => (Some(secret), false),
        };
        if secret.as_ref().is_some_and(|secret| secret.expose().len() < MIN_GIVEN_SECRET) {
            return Err(DirectoryError::Invalid(format!(
                "a client secret has at least {MIN_GIVEN_SECRET} random characters; make one with `openssl rand -hex 32`"
            )));
        }
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let client = clients::insert(&transaction, spec, secret.as_ref(), made_by).await?;
        transaction.commit().await?;
        Ok(client.map(|client| (client, secret.filter(|_| told))))
    }

    async fn insert_user(
        &self,
        email: &str,
        password: &Secret,
        role: RoleChoice,
    ) -> Result<Option<User>, DirectoryError> {
        let account = Account::check(email, password, None, None).map_err(|problem| {
            let details: Vec<&str> = problem.errors().iter().map(|error| error.detail.as_str()).collect();
            DirectoryError::Invalid(details.join("; "))
        })?;
        let password_hash = self.hasher.hash(password.clone()).await?;
        let new = NewUser {
            email: &account.email,
            password_hash: &password_hash,
            role: &role,
            name: None,
            phone: None,
            made_by: Some("cli"),
            address: None,
        };
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        if !role.is_there(&transaction).await? {
            return Err(DirectoryError::NoSuchRole(role.as_str().to_owned()));
        }
        let user = users::insert(&transaction, &new).await?;
        transaction.commit().await?;
        Ok(user)
    }
}
