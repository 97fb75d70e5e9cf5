-- The pictures of a product, in their order: [{name, contentType, bytes, sha256}]. The bytes are in the image store.

alter table product add column images jsonb not null default '[]';
