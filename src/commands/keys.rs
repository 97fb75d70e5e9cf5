//! `oms keys rotate`: a new key to sign tokens with.

use auth_service::KeyEncryptionKey;
use service::Settings;

use crate::cli::Keys;
use crate::system;

/// Runs one of the words after `oms keys`.
pub async fn run(command: Keys) -> anyhow::Result<()> {
    match command {
        Keys::Rotate(found) => {
            let encryption_key = Settings::load()?
                .secret("OMS_KEY_ENCRYPTION_KEY")
                .map(|key| KeyEncryptionKey::parse(key.expose()))
                .transpose()?;
            let key_id = system::directory(&found).await?.rotate_keys(encryption_key).await?;
            println!("{key_id}");
            Ok(())
        }
    }
}
