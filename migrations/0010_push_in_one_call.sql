-- A push's transaction as one statement.

-- As in 0004_push.sql, but for its language: functions in SQL are planned with each call, and PostgreSQL takes arrays of a
-- push for shorter than those it knows nothing of, so that it planned each statement anew, every time. A push of one ref took
-- 0.55 ms of processor time for that, and takes 0.45 with plans that are kept. Nothing here is faster by another plan: each
-- ref is looked up by its key.
create or replace function ref_command_races(
  for_repo bigint, head bytea, names bytea[], old_ids bytea[], new_ids bytea[]
) returns text[] language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return (
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
  );
end
$$;

-- The branch that HEAD shall name after a push, where it names none that exists: of those that the push created main, else
-- master, else the first. Null where HEAD stays.
create function head_after_push(for_repo bigint, names bytea[], old_ids bytea[], new_ids bytea[], reasons text[])
returns bytea language plpgsql volatile
set plan_cache_mode = force_generic_plan as $$
begin
  perform from repos r join refs h on h.repo_id = r.id and h.name = r.head_target where r.id = for_repo;
  if found then return null; end if;
  return (
    select c.name
    from unnest(names, old_ids, new_ids, reasons) with ordinality as c (name, old_id, new_id, reason, position)
    where c.reason is null and c.old_id is null and c.new_id is not null
      and c.name >= 'refs/heads/'::bytea and c.name < 'refs/heads0'::bytea
    order by c.name <> 'refs/heads/main'::bytea, c.name <> 'refs/heads/master'::bytea, c.position
    limit 1
  );
end
$$;

-- Enqueues `job` ({name, payload, key, runAt}) unless one waits under its key: that keeps its time, as does one that failed
-- up to ten minutes ago. The lock keeps it from being begun before this transaction has ended, and is why the table is read
-- and not the view. add_job would do the same, and take as long as the rest of a push.
create function enqueue_unless_waiting(job jsonb) returns void language plpgsql volatile as $$
begin
  perform from graphile_worker._private_jobs waiting
  where waiting.key = job->>'key' and waiting.locked_at is null
    and (waiting.attempts = 0 or waiting.run_at > now() and waiting.updated_at > now() - interval '10 minutes')
  for key share skip locked;
  if found then return; end if;
  perform graphile_worker.add_job(
    job->>'name', payload := (job->'payload')::json, run_at := (job->>'runAt')::timestamptz,
    job_key := job->>'key', job_key_mode := 'preserve_run_at');
end
$$;

-- One push, whole or not at all: moves the refs as apply_ref_commands does and, if any was moved, makes its pack visible,
-- lets the repository serve the LFS objects that the pack points to, lets HEAD follow, and enqueues `jobs`: not every push
-- is to have one that failed tried again at once, nor are small packs to pile up for the hours to which its pauses grow.
-- `answered_body` is null, or names the request behind a push of one command, whose answer is noted if it was granted.
-- Returns one row: the reasons, the versions at which the repository then stands, and the ref that HEAD names from now on
-- where it is another one; no row where the repository is gone. Where the rules are no longer those of `seen_rules_version`
-- it says so and does nothing. Fails with HF001 where LFS objects are missing, with HF003 where the request was answered.
create function commit_push(
  for_repo bigint, by_actor bigint, is_atomic boolean, seen_rules_version bigint,
  names bytea[], old_ids bytea[], new_ids bytea[], peeled_ids bytea[],
  push_options text[], certificate bytea, certificate_pusher text, certificate_nonce_status text,
  pack jsonb, inline_pack bytea, inline_index bytea,
  is_admin boolean, lfs_oids bytea[], lfs_sizes bigint[], allow_missing_lfs boolean,
  jobs jsonb, answered_body bytea, seen_commit_id bytea
) returns table (
  reasons text[], rules_changed boolean, new_refs_version bigint, new_packs_version bigint, pack_sequence bigint,
  new_head bytea
)
language plpgsql volatile as $$
begin
  select a.reasons, a.rules_changed into reasons, rules_changed
  from apply_ref_commands(
    for_repo, by_actor, is_atomic, seen_rules_version, names, old_ids, new_ids, peeled_ids,
    push_options, certificate, certificate_pusher, certificate_nonce_status) a;
  if not found then return; end if;

  -- A null stands for a command that was granted.
  if num_nulls(variadic reasons) > 0 then
    if pack is not null then
      if cardinality(lfs_oids) > 0 then
        perform grant_pushed_lfs_objects(for_repo, by_actor, is_admin, lfs_oids, lfs_sizes, allow_missing_lfs);
      end if;
      pack_sequence := insert_pack(for_repo, pack, inline_pack, inline_index);
      update repos set packs_version = packs_version + 1 where id = for_repo;
    end if;
    if array_position(old_ids, null) is not null then
      new_head := head_after_push(for_repo, names, old_ids, new_ids, reasons);
      update repos set head_target = new_head where id = for_repo and new_head is not null;
    end if;
    perform enqueue_unless_waiting(job) from jsonb_array_elements(jobs) job;
  end if;
  select refs_version, packs_version into new_refs_version, new_packs_version from repos where id = for_repo;
  if answered_body is not null and reasons[1] is null then
    perform note_commit_answer(
      for_repo, by_actor, names[1], answered_body, seen_commit_id, new_ids[1], new_refs_version);
  end if;
  return next;
end
$$;
