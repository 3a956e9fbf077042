-- Tiers of packs, and clone packs: a clone is such a pack as it lies.

alter table packs
  -- received: by a push. merged: of several small ones. clone: exactly what the heads and tags led to when it was made.
  -- rest: what the repository held besides.
  add tier text not null default 'received' check (tier in ('received', 'merged', 'clone', 'rest')),
  -- How many objects lie up to the end of each section (commits and tags, trees, blobs), and the offsets of these ends;
  -- null where types are mixed.
  add section_counts bigint[] check (cardinality(section_counts) = 3),
  add section_ends bigint[] check (cardinality(section_ends) = 3),
  -- The SHA-1 of the pack cut behind the first section, and behind the second, 20 bytes each: what of a clone pack is sent
  -- alone, without blobs or without trees, needs no hashing while it is sent. Null for packs that are no clone packs.
  add section_checksums bytea check (length(section_checksums) = 40),
  -- Of a pack that leads to nothing outside itself: ids, 20 bytes each, of its objects that no other of them refers to. If
  -- each is a tip, the pack is exactly what the tips lead to.
  add root_ids bytea,
  -- Ids, 20 bytes each, of the tips that a clone pack is the closure of.
  add tip_ids bytea,
  add constraint packs_sections check ((section_counts is null) = (section_ends is null)),
  add constraint packs_clone check (
    (tier = 'clone') = (tip_ids is not null) and (tier <> 'clone' or section_ends is not null and not is_thin)
  );
create unique index packs_clone on packs (repo_id) where tier = 'clone';

-- Bundles: what `git clone --bundle-uri` downloads, a header with refs before the bytes of a clone pack. They lie beside the
-- pack, under its id.
create table bundles (
  pack_id uuid primary key references packs (id) on delete cascade,
  size_bytes bigint not null
);
