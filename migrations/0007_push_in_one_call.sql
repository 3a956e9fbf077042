-- A push's transaction as one statement, and small packs that ride in it.

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
returns bigint language plpgsql volatile as $$
declare
  new_sequence bigint;
begin
  insert into packs (
    id, repo_id, tier, is_thin, checksum, object_count, pack_bytes, index_bytes, outside_ids, section_counts, section_ends,
    root_ids, tip_ids, is_inline)
  select p.id, for_repo, p.tier, p.is_thin, p.checksum, p.object_count, p.pack_bytes, p.index_bytes, p.outside_ids,
    p.section_counts, p.section_ends, p.root_ids, p.tip_ids, inline_pack is not null
  from jsonb_populate_record(null::packs, pack) p
  returning sequence into new_sequence;
  if inline_pack is not null then
    insert into inline_packs (pack_id, pack, index) values ((pack->>'id')::uuid, inline_pack, inline_index);
  end if;
  return new_sequence;
end
$$;

-- Those of `oids` that somebody may let into a repository: content that is granted to it, or was uploaded there by them, or
-- that they may read elsewhere: the same facts that hub/access.ts decides on, as a set. Every token may at least read.
create function usable_lfs_oids(for_repo bigint, for_user bigint, is_admin boolean, oids bytea[])
returns setof bytea language sql stable as $$
  select o.oid from lfs_objects o
  where o.oid = any (oids) and (
    exists (select from lfs_grants g where g.repo_id = for_repo and g.oid = o.oid)
    or exists (
      select from lfs_uploads u
      where u.repo_id = for_repo and u.oid = o.oid and u.user_id = for_user and u.proven_at is not null)
    or exists (
      select from lfs_grants g join repos r on r.id = g.repo_id
      where g.oid = o.oid and (
        r.visibility = 'public' or is_admin or r.namespace_id = for_user
        or exists (
          select from organization_members m where m.organization_id = r.namespace_id and m.user_id = for_user)
        or exists (select from collaborators c where c.repo_id = r.id and c.user_id = for_user))))
$$;

-- What pointers claim and somebody may not let into the repository, sorted, each claim once. `held_bytes` is the size of
-- the content where only the claimed size is wrong. The rows behind all other claims are locked until the transaction
-- ends, so that no collection removes them meanwhile.
create function lock_usable_lfs_objects(
  for_repo bigint, for_user bigint, is_admin boolean, oids bytea[], sizes bigint[]
) returns table (oid bytea, size_bytes bigint, held_bytes bigint) language sql volatile as $$
  with held as materialized (
    select o.oid, o.size_bytes from lfs_objects o
    where o.oid in (select usable_lfs_oids(for_repo, for_user, is_admin, oids))
    order by o.oid
    for key share of o
  )
  select w.oid, w.size_bytes, h.size_bytes
  from (select distinct c.oid, c.size_bytes from unnest(oids, sizes) as c (oid, size_bytes)) w
  left join held h on h.oid = w.oid
  where h.size_bytes is distinct from w.size_bytes
  order by 1, 2
$$;

-- Lets the repository serve what pointers claim and somebody may let into it. Fails where there is anything else, unless
-- that is allowed.
create function grant_pushed_lfs_objects(
  for_repo bigint, for_user bigint, is_admin boolean, oids bytea[], sizes bigint[], allow_missing boolean
) returns void language plpgsql volatile as $$
declare
  missing_oids bytea[];
  missing_sizes bigint[];
begin
  select array_agg(m.oid), array_agg(m.size_bytes) into missing_oids, missing_sizes
  from lock_usable_lfs_objects(for_repo, for_user, is_admin, oids, sizes) m;
  if missing_oids is not null and not allow_missing then
    raise exception 'LFS objects are missing' using errcode = 'HF001';
  end if;
  insert into lfs_grants (repo_id, oid)
  select distinct for_repo, c.oid
  from (
    select * from unnest(oids, sizes) as claimed (oid, size_bytes)
    except
    select * from unnest(missing_oids, missing_sizes) as missing (oid, size_bytes)
  ) c
  order by 2
  on conflict do nothing;
end
$$;

-- One push, whole or not at all: moves the refs as apply_ref_commands does and, if any was moved, makes its pack visible,
-- lets the repository serve the LFS objects that the pack points to, and enqueues `jobs` ({name, payload, key,
-- runAt} each). One that waits keeps its time, and so does one that failed up to ten minutes ago: not every push is to
-- have it tried again at once, nor are small packs to pile up for the hours to which its pauses grow.
-- Returns one row: the reasons, and the versions at which the repository then stands; no row where it is gone. Where the
-- rules are no longer those of `seen_rules_version` it says so and does nothing. Fails with HF001 where LFS objects are
-- missing.
create function commit_push(
  for_repo bigint, by_actor bigint, is_atomic boolean, seen_rules_version bigint,
  names bytea[], old_ids bytea[], new_ids bytea[], peeled_ids bytea[],
  push_options text[], certificate bytea, certificate_pusher text, certificate_nonce_status text,
  pack jsonb, inline_pack bytea, inline_index bytea,
  is_admin boolean, lfs_oids bytea[], lfs_sizes bigint[], allow_missing_lfs boolean,
  jobs jsonb
) returns table (reasons text[], rules_changed boolean, new_refs_version bigint, new_packs_version bigint, pack_sequence bigint)
language plpgsql volatile as $$
begin
  select a.reasons, a.rules_changed into reasons, rules_changed
  from apply_ref_commands(
    for_repo, by_actor, is_atomic, seen_rules_version, names, old_ids, new_ids, peeled_ids,
    push_options, certificate, certificate_pusher, certificate_nonce_status) a;
  if not found then return; end if;

  -- A null stands for a command that was granted.
  if pack is not null and num_nulls(variadic reasons) > 0 then
    if cardinality(lfs_oids) > 0 then
      perform grant_pushed_lfs_objects(for_repo, by_actor, is_admin, lfs_oids, lfs_sizes, allow_missing_lfs);
    end if;
    pack_sequence := insert_pack(for_repo, pack, inline_pack, inline_index);
    update repos set packs_version = packs_version + 1 where id = for_repo;
  end if;
  if jobs <> '[]' and num_nulls(variadic reasons) > 0 then
    perform graphile_worker.add_job(
      j->>'name', payload := (j->'payload')::json, run_at := (j->>'runAt')::timestamptz,
      job_key := j->>'key', job_key_mode := 'preserve_run_at')
    from jsonb_array_elements(jobs) j
    where not exists (
      select from graphile_worker.jobs failed
      where failed.key = j->>'key' and failed.attempts > 0 and failed.locked_at is null
        and failed.run_at > now() and failed.updated_at > now() - interval '10 minutes');
  end if;
  select refs_version, packs_version into new_refs_version, new_packs_version from repos where id = for_repo;
  return next;
end
$$;
