-- Rules per ref, and what a push said about itself.

-- The rules lie in the repository's row: whoever opens a repository has them without asking again. A list of
-- {pattern, push, fastForwardOnly, noDeletion, hidden}, as hub/ref-rules.ts reads it; the version is raised by every
-- change, so that a push which was judged by older rules is judged again.
alter table repos
  add column ref_rules jsonb not null default '[]',
  add column ref_rules_version bigint not null default 0;

-- Of pushes that came with options or a certificate; `version` is that of their lines in ref_log. The certificate is kept
-- as it came, for whoever has the keys to check its signature.
create table push_details (
  repo_id bigint not null references repos (id) on delete cascade,
  version bigint not null,
  options text[] not null,
  certificate bytea,
  pusher text,
  nonce_status text check (nonce_status in ('ok', 'slop', 'bad', 'missing')),
  primary key (repo_id, version)
);

drop function apply_ref_commands(bigint, bigint, boolean, bytea[], bytea[], bytea[], bytea[]);

-- As in 0004_push.sql, and: does nothing but say so where the rules are no longer those of `seen_rules_version`; keeps
-- options and certificate where there are any and a ref has moved.
create function apply_ref_commands(
  for_repo bigint, by_actor bigint, is_atomic boolean, seen_rules_version bigint,
  names bytea[], old_ids bytea[], new_ids bytea[], peeled_ids bytea[],
  push_options text[], certificate bytea, certificate_pusher text, certificate_nonce_status text
) returns table (reasons text[], rules_changed boolean) language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  next_version bigint;
  rules_version bigint;
  head bytea;
  moved bigint;
begin
  select refs_version + 1, head_target, ref_rules_version into next_version, head, rules_version
  from repos where id = for_repo for no key update;
  if not found then return; end if;
  rules_changed := rules_version <> seen_rules_version;
  if rules_changed then
    return next;
    return;
  end if;

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

    if cardinality(push_options) > 0 or certificate is not null then
      insert into push_details (repo_id, version, options, certificate, pusher, nonce_status)
      values (for_repo, next_version, push_options, certificate, certificate_pusher, certificate_nonce_status);
    end if;

    update repos set refs_version = next_version, updated_at = now() where id = for_repo;
  end if;
  return next;
end
$$;
