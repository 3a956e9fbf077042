-- Repositories, their refs and their packs.

create table repos (
  id bigint generated always as identity primary key,
  namespace_id bigint not null references namespaces (id),
  type text not null check (type in ('model', 'dataset', 'space')),
  name text not null check (name <> ''),
  visibility text not null check (visibility in ('public', 'private')),
  -- The ref HEAD points to. Bytes, as all ref names: names in Git are bytes, and bytes compare as Git sorts.
  head_target bytea not null default 'refs/heads/main',
  -- Raised by every change of refs or of HEAD; keys rendered advertisements.
  refs_version bigint not null default 0,
  -- Raised by every change of the set of packs; keys opened pack sets.
  packs_version bigint not null default 0,
  -- Raised only when objects are dropped (design.md §7, closed store).
  removal_epoch bigint not null default 0,
  created_by bigint references users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
) with (fillfactor = 80);
create unique index repos_name on repos (type, namespace_id, lower(name));
create index repos_namespace on repos (namespace_id);

create table collaborators (
  repo_id bigint not null references repos (id) on delete cascade,
  user_id bigint not null references users (id) on delete cascade,
  role text not null check (role in ('read', 'write', 'admin')),
  primary key (repo_id, user_id)
);
create index collaborators_user on collaborators (user_id);

-- The object id is in no index, so that moving a ref is a heap-only update.
create table refs (
  repo_id bigint not null references repos (id) on delete cascade,
  name bytea not null,
  object_id bytea not null check (length(object_id) = 20),
  peeled_id bytea check (length(peeled_id) = 20),
  primary key (repo_id, name)
) with (fillfactor = 80);

create table ref_log (
  repo_id bigint not null references repos (id) on delete cascade,
  version bigint not null,
  name bytea not null,
  old_id bytea,
  new_id bytea,
  actor_id bigint references users (id) on delete set null,
  at timestamptz not null default now(),
  primary key (repo_id, version, name)
);

-- The catalogue: a row makes a pack visible. `sequence` orders packs as they became visible; a thin pack's bases lie in
-- self-contained packs or in thin packs of a lower sequence, so chains that reach across packs always end.
create table packs (
  id uuid primary key,
  repo_id bigint not null references repos (id) on delete cascade,
  sequence bigint generated always as identity,
  is_thin boolean not null,
  checksum bytea not null check (length(checksum) = 20),
  object_count bigint not null,
  pack_bytes bigint not null,
  index_bytes bigint not null,
  -- Ids, 20 bytes each, that this pack's objects refer to and that are not in it.
  outside_ids bytea not null default ''::bytea,
  created_at timestamptz not null default now()
);
create index packs_repo on packs (repo_id, sequence);

-- Deletes last: keys whose rows are gone, deleted once nobody can still be reading them.
create table doomed_bytes (
  key text primary key,
  delete_after timestamptz not null
);
create index doomed_bytes_delete_after on doomed_bytes (delete_after);
