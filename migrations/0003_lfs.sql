-- Git LFS: one copy of the bytes per instance, a grant per repository, evidence of possession per upload, locks.

create table lfs_objects (
  oid bytea primary key check (length(oid) = 32),
  size_bytes bigint not null check (size_bytes >= 0),
  key text not null unique,
  created_at timestamptz not null default now()
);

create table lfs_grants (
  repo_id bigint not null references repos (id) on delete cascade,
  oid bytea not null references lfs_objects (oid),
  granted_at timestamptz not null default now(),
  primary key (repo_id, oid)
);
create index lfs_grants_oid on lfs_grants (oid);

-- An upload that was offered. Proven (size and SHA-256) once `proven_at` is set: then its user may let pointers to the
-- oid into this repository. A client may also come back to a link without asking again, hence one row per offer.
create table lfs_uploads (
  id uuid primary key,
  repo_id bigint not null references repos (id) on delete cascade,
  user_id bigint not null references users (id) on delete cascade,
  oid bytea not null check (length(oid) = 32),
  size_bytes bigint not null,
  -- True where the store itself was bound to size and SHA-256; false where the bytes come through the server.
  is_direct boolean not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  proven_at timestamptz
);
create index lfs_uploads_repo_oid on lfs_uploads (repo_id, oid, user_id);

create table lfs_locks (
  id uuid primary key,
  repo_id bigint not null references repos (id) on delete cascade,
  path text not null,
  ref_name text,
  owner_id bigint not null references users (id) on delete cascade,
  locked_at timestamptz not null default date_trunc('second', now()),
  -- A stable order for paging, whatever is locked and unlocked meanwhile.
  position bigint generated always as identity,
  unique (repo_id, path)
);
create index lfs_locks_repo_position on lfs_locks (repo_id, position);
