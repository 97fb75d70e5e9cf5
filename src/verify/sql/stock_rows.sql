select product_id, on_hand, reserved, version, stream_version, elsewhere from inventory.stock
