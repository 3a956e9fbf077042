-- Bundles: what `git clone --bundle-uri` downloads, a header with refs before the bytes of a clone pack. They lie beside the
-- pack, under its id.
create table bundles (
  pack_id uuid primary key references packs (id) on delete cascade,
  size_bytes bigint not null
);
