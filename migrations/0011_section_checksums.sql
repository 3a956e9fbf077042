-- What of a clone pack is sent alone, without blobs or without trees, needs no hashing while it is sent.

-- The SHA-1 of the pack cut behind the first section, and behind the second, 20 bytes each; null for packs that were made
-- before, and for those that are no clone packs.
alter table packs add column section_checksums bytea check (length(section_checksums) = 40);

-- As before, with the new column.
create or replace function insert_pack(for_repo bigint, pack jsonb, inline_pack bytea, inline_index bytea)
returns bigint language plpgsql volatile as $$
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
