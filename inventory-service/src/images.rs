//! The image store: pictures of products in a folder or in S3, each under the hash of its bytes, so that writing one twice
//! is writing it once, and a name in an event always means the same bytes.

use crate::config::ImageSettings;
use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};
use service::{SettingError, StartError};
use shared_events::ProductId;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLE: &str = "expected file:///path/to/a/folder or s3://bucket/prefix";

/// Where the pictures are.
#[derive(Debug, Clone)]
pub struct Images {
    store: Arc<dyn ObjectStore>,
}

impl Images {
    /// Opens the store that the settings name: `OMS_IMAGES`, else the folder `images` of the data folder.
    ///
    /// # Errors
    /// [`StartError`] where the URL is none of ours, or the folder cannot be made.
    pub async fn open(settings: &ImageSettings) -> Result<Self, StartError> {
        let store: Arc<dyn ObjectStore> = match settings.url.as_deref() {
            // Made by the first picture: a shop without any needs no folder.
            None => {
                let folder = std::path::absolute(default_folder(settings).await?)
                    .map_err(|error| StartError::step("finding the folder of images", error))?;
                let prefix = Path::from_absolute_path(folder)
                    .map_err(|error| StartError::step("naming the folder of images", error))?;
                Arc::new(PrefixStore::new(LocalFileSystem::new(), prefix))
            }
            Some(url) => match url.split_once("://") {
                Some(("file", path)) if path.starts_with('/') => folder(PathBuf::from(path))?,
                Some(("s3", place)) => s3(settings, place)?,
                _ => return Err(SettingError::wrong("OMS_IMAGES", url, EXAMPLE).into()),
            },
        };
        Ok(Self { store })
    }

    /// Keeps the bytes of a picture.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, product_id: ProductId, sha256: &str, bytes: Bytes) -> Result<(), Error> {
        self.store.put(&place(product_id, sha256), bytes.into()).await.map(drop)
    }

    /// The bytes of a picture.
    ///
    /// # Errors
    /// The store's.
    pub async fn get(&self, product_id: ProductId, sha256: &str) -> Result<Bytes, Error> {
        self.store.get(&place(product_id, sha256)).await?.bytes().await
    }
}

fn place(product_id: ProductId, sha256: &str) -> Path {
    Path::from_iter(["products", &product_id.to_string(), sha256])
}

async fn default_folder(settings: &ImageSettings) -> Result<PathBuf, StartError> {
    let data_dir = match &settings.data_dir {
        Some(data_dir) => PathBuf::from(data_dir),
        None => pg::embedded::default_data_dir()
            .await
            .map_err(|error| StartError::step("finding the data folder", error))?,
    };
    Ok(data_dir.join("images"))
}

fn folder(path: PathBuf) -> Result<Arc<dyn ObjectStore>, StartError> {
    let unusable = |error| StartError::step("opening the folder of images", error);
    std::fs::create_dir_all(&path).map_err(|error| StartError::step("making the folder of images", error))?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(path).map_err(unusable)?))
}

fn s3(settings: &ImageSettings, place: &str) -> Result<Arc<dyn ObjectStore>, StartError> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    if let Some(region) = &settings.s3_region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &settings.s3_endpoint {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    if let Some((id, secret)) = &settings.s3_credentials {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose());
    }
    let store = builder.build().map_err(|error| StartError::step("opening the bucket of images", error))?;
    Ok(if prefix.is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) })
}
