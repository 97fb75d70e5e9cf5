//! Pictures of products.

use crate::shop::{Shop, client};
use http::Method;
use shared_events::ProductId;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nfront";
const WEBP: &[u8] = b"RIFF\x10\0\0\0WEBPVP8 front";

#[tokio::test]
async fn a_picture_is_kept_served_replaced_and_taken_away() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 0).await;
    let path = format!("/api/products/{product}/images/front.png");
    let kept = shop.put_bytes(&path, "image/png", PNG, &[]).await;
    assert_eq!((kept.status.as_u16(), kept.text("/url"), kept.text("/contentType")), (200, path.as_str(), "image/png"));
    assert_eq!(kept.header("oms-consistency"), format!("{product}@3"));
    let shown = shop.get(&format!("/api/products/{product}")).await;
    assert_eq!((shown.text("/images/0/name"), shown.body["images"][0]["bytes"].as_i64()), ("front.png", Some(13)));

    let (read, bytes) = shop.bytes(&path, &[]).await;
    assert_eq!((read.status.as_u16(), &bytes[..]), (200, PNG));
    assert_eq!(read.header("content-type"), "image/png");
    let tag = read.header("etag").to_owned();
    let (same, nothing) = shop.bytes(&path, &[("if-none-match", &tag)]).await;
    assert_eq!((same.status.as_u16(), nothing.len()), (304, 0));

    assert_eq!(
        shop.put_bytes(&path, "image/png", PNG, &[]).await.header("etag"),
        "\"3\"",
        "the same bytes are no event"
    );
    shop.put_bytes(&path, "image/webp", WEBP, &[]).await;
    let (replaced, bytes) = shop.bytes(&path, &[("if-none-match", &tag)]).await;
    assert_eq!((replaced.status.as_u16(), &bytes[..]), (200, WEBP));

    let gone = shop.send_as(Some(client()), Method::DELETE, &path, serde_json::Value::Null, &[]).await;
    assert_eq!(gone.status, 204);
    assert_eq!(shop.get(&path).await.status, 404);
    assert_eq!(shop.types(&product.to_string()).await.len(), 5, "made, priced, and three changes of its pictures");
}

#[tokio::test]
async fn what_is_no_picture_has_no_plain_name_or_belongs_to_no_product_is_refused() {
    let shop = Shop::open().await;
    let product = shop.product("MUG", 0).await;
    let path = |name: &str| format!("/api/products/{product}/images/{name}");
    for (media_type, bytes) in [
        ("image/svg+xml", &b"<svg onload='alert(1)'/>"[..]),
        ("image/png", WEBP),
        ("image/png", b""),
        ("text/html", PNG),
    ] {
        let refused = shop.put_bytes(&path("a.png"), media_type, bytes, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{media_type}");
    }
    for name in [".hidden", "a%20b", "%2e%2e"] {
        let refused = shop.put_bytes(&path(name), "image/png", PNG, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "VALIDATION_FAILED"), "{name}");
    }
    let large = [PNG, &vec![0; 1024 * 1024]].concat();
    assert_eq!(shop.put_bytes(&path("large.png"), "image/png", &large, &[]).await.status, 413);
    let foreign = format!("/api/products/{}/images/a.png", ProductId::generate());
    assert_eq!(shop.put_bytes(&foreign, "image/png", PNG, &[]).await.status, 404);
    assert_eq!(shop.get(&path("none.png")).await.status, 404);
    let stale = shop.put_bytes(&path("a.png"), "image/png", PNG, &[("if-match", "\"1\"")]).await;
    assert_eq!((stale.status.as_u16(), stale.code()), (412, "VERSION_MISMATCH"));
    assert_eq!(shop.get(&format!("/api/products/{product}")).await.body["images"], serde_json::json!([]));
}
