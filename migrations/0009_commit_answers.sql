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
