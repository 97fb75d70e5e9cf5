select r.order_id, r.revision, r.state, r.lines, r.expires_at, r.version, r.order_version,
       (select coalesce(jsonb_object_agg(s.product_id, s.version), '{}')
        from jsonb_object_keys(r.lines) as product join stock s on s.product_id = product::uuid) as stock_versions
from reservation r
where r.order_id = $1
