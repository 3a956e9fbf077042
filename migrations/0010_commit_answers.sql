-- What commits through the API were answered, so that a repeated request makes no second commit.

-- `refs_version` is that at which the commit had been made: what moved the ref later has a greater one in ref_log.
create table commit_answers (
  repo_id bigint not null references repos (id) on delete cascade,
  user_id bigint not null references users (id) on delete cascade,
  ref_name bytea not null,
  body_sha256 bytea not null check (length(body_sha256) = 32),
  commit_id bytea not null check (length(commit_id) = 20),
  refs_version bigint not null,
  answered_at timestamptz not null default now(),
  primary key (repo_id, user_id, ref_name, body_sha256)
);
create index commit_answers_age on commit_answers (answered_at);

-- Notes the answer to a request. `seen_commit_id` is the answer that is noted already and shall be replaced; fails with
-- HF003 where another one is: the request has been answered meanwhile.
create function note_commit_answer(
  for_repo bigint, by_actor bigint, ref bytea, body bytea, seen_commit_id bytea, new_commit_id bytea, new_version bigint
) returns void language plpgsql volatile as $$
begin
  insert into commit_answers as a (repo_id, user_id, ref_name, body_sha256, commit_id, refs_version)
  values (for_repo, by_actor, ref, body, new_commit_id, new_version)
  on conflict (repo_id, user_id, ref_name, body_sha256) do update
    set commit_id = excluded.commit_id, refs_version = excluded.refs_version, answered_at = now()
    where a.commit_id = seen_commit_id;
  if not found then
    raise exception 'The request has been answered.' using errcode = 'HF003';
  end if;
end
$$;

drop function commit_push(
  bigint, bigint, boolean, bigint, bytea[], bytea[], bytea[], bytea[], text[], bytea, text, text,
  jsonb, bytea, bytea, boolean, bytea[], bigint[], boolean, jsonb);

-- As in 0007_push_in_one_call.sql, and: notes the answer to the request behind a push of one command, if it was granted;
-- `answered_body` is null where there is none to note.
create function commit_push(
  for_repo bigint, by_actor bigint, is_atomic boolean, seen_rules_version bigint,
  names bytea[], old_ids bytea[], new_ids bytea[], peeled_ids bytea[],
  push_options text[], certificate bytea, certificate_pusher text, certificate_nonce_status text,
  pack jsonb, inline_pack bytea, inline_index bytea,
  is_admin boolean, lfs_oids bytea[], lfs_sizes bigint[], allow_missing_lfs boolean,
  jobs jsonb, answered_body bytea, seen_commit_id bytea
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
  if answered_body is not null and reasons[1] is null then
    perform note_commit_answer(
      for_repo, by_actor, names[1], answered_body, seen_commit_id, new_ids[1], new_refs_version);
  end if;
  return next;
end
$$;
