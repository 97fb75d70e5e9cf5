select product_id, location, on_hand, reserved, stock_version from stock_view
