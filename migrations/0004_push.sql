-- The one way in which a ref moves (design.md §4, law 2).

-- Longer names fit no index page, and git itself cannot keep them as files.
alter table refs add constraint refs_name_length check (length(name) between 1 and 1024);

-- Applies the commands of one push to a repository's refs, in the caller's transaction.
--
-- Command i moves the ref names[i] from old_ids[i] to new_ids[i] (null: absent); peeled_ids[i] is what the annotated tag
-- new_ids[i] finally points to. Returns one row: for each command the reason why it was refused, or null. Returns no row
-- where the repository is gone.
--
-- The row is locked first and everything is read in later statements: only they see what the push before this one wrote.
-- (Lock and check in one statement let both `a` and `a/b` in: tried.) HEAD moves only under this lock as well, so that the
-- branch it names can be deleted by nobody.
--
-- `enable_seqscan = off` and `offset 0` (which keeps a lookup a lookup) make every access to refs go by the primary key.
-- Plans are kept as long as a connection; one made while the table was small joins by reading all of it: after an import
-- of 100,000 refs a push of one took 90 ms, and one of 100,000 minutes, until the next analyze.
create function apply_ref_commands(
  for_repo bigint, by_actor bigint, is_atomic boolean,
  names bytea[], old_ids bytea[], new_ids bytea[], peeled_ids bytea[]
) returns table (reasons text[]) language plpgsql volatile
set enable_seqscan = off as $$
declare
  next_version bigint;
  head bytea;
  moved bigint;
begin
  select refs_version + 1, head_target into next_version, head from repos where id = for_repo for no key update;
  if not found then return; end if;

  reasons := ref_command_races(for_repo, head, names, old_ids, new_ids);
  reasons := ref_command_conflicts(for_repo, names, old_ids, new_ids, reasons);
  if is_atomic and num_nonnulls(variadic reasons) > 0 then
    reasons := array(
      select coalesce(reason, 'atomic transaction failed') from unnest(reasons) with ordinality as c (reason, position)
      order by position
    );
  end if;

  -- Deleting an absent ref and moving one to where it is are granted, and change nothing.
  insert into ref_log (repo_id, version, name, old_id, new_id, actor_id)
  select for_repo, next_version, c.name, c.old_id, c.new_id, by_actor
  from unnest(names, old_ids, new_ids, reasons) as c (name, old_id, new_id, reason)
  left join lateral (
    select object_id from refs where repo_id = for_repo and refs.name = c.name offset 0
  ) r on true
  where c.reason is null and r.object_id is distinct from c.new_id;
  get diagnostics moved = row_count;

  if moved > 0 then
    delete from refs where repo_id = for_repo and name = any(array(
      select c.name from unnest(names, new_ids, reasons) as c (name, new_id, reason)
      where c.reason is null and c.new_id is null
    ));

    insert into refs as r (repo_id, name, object_id, peeled_id)
    select for_repo, c.name, c.new_id, c.peeled_id
    from unnest(names, old_ids, new_ids, peeled_ids, reasons) as c (name, old_id, new_id, peeled_id, reason)
    where c.reason is null and c.new_id is not null and c.old_id is distinct from c.new_id
    on conflict (repo_id, name) do update set object_id = excluded.object_id, peeled_id = excluded.peeled_id;

    update repos set refs_version = next_version, updated_at = now() where id = for_repo;
  end if;
  return next;
end
$$;

-- Compare and swap: what each command may not do because the ref is not where the pusher believes it to be, or because it
-- is the one that `head` names.
create function ref_command_races(for_repo bigint, head bytea, names bytea[], old_ids bytea[], new_ids bytea[])
returns text[] language sql volatile
set enable_seqscan = off as $$
  select array_agg(
    case
      when c.times > 1 then 'multiple updates for this ref'
      when length(c.name) not between 1 and 1024 then 'ref name too long'
      when c.new_id is null and c.name = head then 'deletion of the current branch prohibited'
      when c.new_id is null and r.object_id is null then null
      when c.old_id is distinct from r.object_id then 'fetch first'
    end order by c.position)
  from (
    select *, count(*) over (partition by name) as times
    from unnest(names, old_ids, new_ids) with ordinality as u (name, old_id, new_id, position)
  ) c
  left join lateral (
    select object_id from refs where repo_id = for_repo and refs.name = c.name offset 0
  ) r on true
$$;

-- A ref cannot be a folder of another: adds a reason to each new ref that stands in the way of one that stays, or of one
-- that this push makes before it. What this push deletes counts as gone. Without `enable_nestloop = off`, and with a plan
-- kept from a smaller push, 100,000 names are compared each with each; lookups by `offset 0` stay loops all the same.
create function ref_command_conflicts(
  for_repo bigint, names bytea[], old_ids bytea[], new_ids bytea[], reasons text[]
) returns text[] language plpgsql volatile
set plan_cache_mode = force_custom_plan set enable_seqscan = off set enable_nestloop = off as $$
begin
  if not exists (
    select from unnest(old_ids, new_ids, reasons) as c (old_id, new_id, reason)
    where c.reason is null and c.old_id is null and c.new_id is not null
  ) then
    return reasons;
  end if;
  return (
    with command as (
      select * from unnest(names, old_ids, new_ids, reasons) with ordinality as u (name, old_id, new_id, reason, position)
    ), created as (
      select name, position from command where reason is null and old_id is null and new_id is not null
    ), deleted as (
      select name from command where reason is null and new_id is null
    ), parent as (
      -- Every folder of every new name, from the second level (refs/heads): nothing can be called `refs`.
      select c.position, c.name as child, convert_to(array_to_string(p.parts[:depth], '/'), 'LATIN1') as name
      from created c
      cross join lateral (select string_to_array(convert_from(c.name, 'LATIN1'), '/') as parts) p
      cross join lateral generate_series(2, cardinality(p.parts) - 1) as depth
    ), existing_parent as (
      select r.name
      from (select distinct name from parent) f
      cross join lateral (select name from refs where repo_id = for_repo and refs.name = f.name offset 0) r
      where not exists (select from deleted d where d.name = r.name)
    ), conflict (position, name) as (
      select p.position, p.name from parent p join existing_parent e using (name)
      union all
      select greatest(p.position, c.position), case when p.position > c.position then c.name else p.child end
      from parent p join created c using (name)
      union all
      -- '/' and '0' are neighbours, so this is a range of the primary key.
      select c.position, r.name
      from created c
      cross join lateral (
        select name from refs
        where repo_id = for_repo and refs.name >= c.name || '/'::bytea and refs.name < c.name || '0'::bytea
        offset 0
      ) r
      where not exists (select from deleted d where d.name = r.name)
    ), first_conflict as (
      select position, max(name) as name from conflict group by position
    )
    select array_agg(
      coalesce(
        c.reason,
        '''' || convert_from(f.name, 'LATIN1') || ''' exists; cannot create ''' || convert_from(c.name, 'LATIN1') || '''')
      order by c.position)
    from command c left join first_conflict f using (position)
  );
end
$$;
