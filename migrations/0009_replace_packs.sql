-- A swap of packs as one statement: pushes wait for the repository's row no longer than it takes.

-- Makes the packs of `added` (rows of packs) visible in place of `removed`, with their bundles ({pack_id, size_bytes} each),
-- and notes the keys of bytes that are no longer named for deletion. False where the repository is gone; fails with HF002
-- where a removed pack is.
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
