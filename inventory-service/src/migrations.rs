//! The tables of this service, in its own schema beside those of its log and its readers.

use pg::refinery::{Error, Migration, Runner};

/// Where the schema notes which of these migrations it has.
pub const HISTORY_TABLE: &str = "inventory_schema_history";

/// The migrations.
///
/// # Errors
/// None in practice: the names are fixed and tested.
pub fn migrations() -> Result<Runner, Error> {
    let migrations = [
        ("V1__catalogue_and_stock", include_str!("../migrations/V1__catalogue_and_stock.sql")),
        ("V2__locations_and_movements", include_str!("../migrations/V2__locations_and_movements.sql")),
        ("V3__product_images", include_str!("../migrations/V3__product_images.sql")),
    ];
    let migrations = migrations.into_iter().map(|(name, sql)| Migration::unapplied(name, sql));
    Ok(Runner::new(&migrations.collect::<Result<Vec<_>, _>>()?))
}
