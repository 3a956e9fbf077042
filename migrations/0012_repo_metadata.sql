-- What is known of a repository beside its refs: what its files say of it, how often it is downloaded, who likes it.

-- What was read of the repository's files at the default branch, by a job that the push enqueues. A row apart from that in
-- `repos`, which every push writes: none of these indexes makes a push slower.
create table repo_metadata (
  repo_id bigint primary key references repos (id) on delete cascade,
  -- As in `repos`, for the indexes.
  type text not null,
  -- When the default branch last moved, as far as it was read; until then when the repository was made.
  last_modified timestamptz not null,
  -- The commit that was read; null before the first, and where the repository has none.
  commit_id bytea check (length(commit_id) = 20),
  -- The version of the refs by which that was the newest: an older reading never replaces a newer one.
  refs_version bigint not null default -1,
  -- {card, config, safetensors, gguf, ...} as hub/repo-facts.ts reads them. Not jsonb: they are given out as they were written.
  facts json not null default '{}',
  -- The names of the files, unless they are many.
  files text[],
  tags text[] not null default '{}',
  pipeline_tag text,
  library_name text,
  license text,
  parameter_count bigint
);
create index repo_metadata_tags on repo_metadata using gin (tags);
-- So many repositories that have all of the tags, by the index whatever the planner thinks of their number.
create function repos_with_tags(wanted text[], rows_max int) returns setof bigint language sql stable
set enable_seqscan = off set enable_indexscan = off as $$
  select repo_id from repo_metadata where tags @> wanted limit rows_max
$$;
create index repo_metadata_last_modified on repo_metadata (type, last_modified, repo_id);

-- Counts, in a row of their own: they change without the repository changing.
create table repo_counts (
  repo_id bigint primary key references repos (id) on delete cascade,
  type text not null,
  -- Within the last 30 days.
  downloads bigint not null default 0,
  downloads_all_time bigint not null default 0,
  likes bigint not null default 0,
  -- Likes within the last 7 days.
  trending bigint not null default 0
) with (fillfactor = 90);
create index repo_counts_downloads on repo_counts (type, downloads, repo_id);
create index repo_counts_likes on repo_counts (type, likes, repo_id);
create index repo_counts_trending on repo_counts (type, trending, repo_id);

-- What `repo_counts.downloads` is the sum of.
create table repo_downloads (
  repo_id bigint not null references repos (id) on delete cascade,
  day date not null,
  downloads bigint not null,
  primary key (repo_id, day)
);
create index repo_downloads_day on repo_downloads (day);

create table likes (
  repo_id bigint not null references repos (id) on delete cascade,
  user_id bigint not null references users (id) on delete cascade,
  liked_at timestamptz not null default now(),
  primary key (repo_id, user_id)
);
create index likes_user on likes (user_id, liked_at, repo_id);

-- Every repository has its row in both, however it was made: lists walk their indexes.
create function add_repo_metadata() returns trigger language plpgsql as $$
begin
  insert into repo_metadata (repo_id, type, last_modified) values (new.id, new.type, new.created_at);
  insert into repo_counts (repo_id, type) values (new.id, new.type);
  return null;
end
$$;
create trigger add_repo_metadata after insert on repos for each row execute function add_repo_metadata();
insert into repo_metadata (repo_id, type, last_modified) select id, type, updated_at from repos;
insert into repo_counts (repo_id, type) select id, type from repos;

-- Newest first, by type; ids ascend as repositories are made.
create index repos_type on repos (type, id);

-- A search looks for a part of a name. Where PostgreSQL comes without pg_trgm, or the owner of the database may not have
-- it, the names are read one after another instead.
do $$
begin
  create extension if not exists pg_trgm;
  create index repos_name_parts on repos using gin (lower(name) gin_trgm_ops);
  create index namespaces_name_parts on namespaces using gin (lower(name) gin_trgm_ops);
exception when others then
  raise notice 'no index for parts of names: %', sqlerrm;
end
$$;

-- What the repositories say that were there before somebody read them. A new database has none, and no job runner yet.
do $$
begin
  if to_regnamespace('graphile_worker') is not null then
    perform graphile_worker.add_job(
      'read-metadata', payload := json_build_object('repoId', repo_id::text), job_key := 'read-metadata:' || repo_id)
    from repo_metadata where commit_id is null;
  end if;
end
$$;
