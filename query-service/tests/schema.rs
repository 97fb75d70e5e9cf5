//! The schema definition that is committed is the one that is served.

/// Write it anew with `UPDATE_SCHEMA=1 cargo test -p query-service --test schema`.
#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let served = query_service::graphql::sdl();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    if option_env!("UPDATE_SCHEMA") == Some("1") {
        std::fs::write(path, &served).expect("the folder of the crate can be written to");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == served, "query-service/schema.graphql is not what is served; write it anew and commit it");
}
