-- Packs become visible: small ones ride in the push's own transaction, and compaction swaps many for few.

-- True where the pack's bytes lie in inline_packs instead of the bucket.
alter table packs add column is_inline boolean not null default false;

-- The bytes of small packs, durable with the push that brought them; compaction brings them to the bucket, merged with
-- others. Not in the listed row, which every server reads again after every push.
create table inline_packs (
  pack_id uuid primary key references packs (id) on delete cascade,
  pack bytea not null,
  index bytea not null
);
-- Packs are compressed already, and ids do not compress.
alter table inline_packs alter column pack set storage external, alter column index set storage external;

-- Makes a pack visible when the transaction commits; what lies in the bucket is durable by now. `pack` is a row of packs.
-- The repository's row must be locked, so that packs become visible in the order of their sequence, which is returned.
create function insert_pack(for_repo bigint, pack jsonb, inline_pack bytea, inline_index bytea)
returns bigint language plpgsql volatile
set plan_cache_mode = force_generic_plan as $$
declare
  new_sequence bigint;
begin
  insert into packs (
    id, repo_id, tier, is_thin, checksum, object_count, pack_bytes, index_bytes, outside_ids, section_counts, section_ends,
    section_checksums, root_ids, tip_ids, is_inline)
  select p.id, for_repo, p.tier, p.is_thin, p.checksum, p.object_count, p.pack_bytes, p.index_bytes, p.outside_ids,
    p.section_counts, p.section_ends, p.section_checksums, p.root_ids, p.tip_ids, inline_pack is not null
  from jsonb_populate_record(null::packs, pack) p
  returning sequence into new_sequence;
  if inline_pack is not null then
    insert into inline_packs (pack_id, pack, index) values ((pack->>'id')::uuid, inline_pack, inline_index);
  end if;
  return new_sequence;
end
$$;

-- A swap of packs as one statement, so that pushes wait for the repository's row no longer than it takes: makes the packs of
-- `added` (rows of packs) visible in place of `removed`, with their bundles ({pack_id, size_bytes} each), and notes the keys
-- of bytes that are no longer named for deletion. False where the repository is gone; fails with HF002 where a removed pack
-- is.
create function replace_packs(
  for_repo bigint, removed uuid[], added jsonb, new_bundles jsonb, doomed_keys text[], grace_seconds double precision
) returns boolean language plpgsql volatile as $$
declare
  removed_count bigint;
begin
  update repos set packs_version = packs_version + 1 where id = for_repo;
  if not found then return false; end if;

  delete from packs where repo_id = for_repo and id = any (removed);
  get diagnostics removed_count = row_count;
  if removed_count <> cardinality(removed) then
    raise exception 'A pack that was to be replaced is gone.' using errcode = 'HF002';
  end if;

  perform insert_pack(for_repo, p, null, null) from jsonb_array_elements(added) p;
  insert into bundles (pack_id, size_bytes)
  select b.pack_id, b.size_bytes from jsonb_to_recordset(new_bundles) as b (pack_id uuid, size_bytes bigint);

  insert into doomed_bytes (key, delete_after)
  select distinct key, now() + make_interval(secs => grace_seconds) from unnest(doomed_keys) as key
  on conflict (key) do nothing;
  return true;
end
$$;
