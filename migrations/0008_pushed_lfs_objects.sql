-- LFS objects that a push points to.

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
