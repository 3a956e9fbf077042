-- Names that repositories had. Whoever still uses one is sent on, until another repository takes it.
create table former_repo_names (
  type text not null check (type in ('model', 'dataset', 'space')),
  namespace_id bigint not null references namespaces (id) on delete cascade,
  name text not null check (name <> ''),
  repo_id bigint not null references repos (id) on delete cascade,
  moved_at timestamptz not null default now()
);
create unique index former_repo_names_name on former_repo_names (type, namespace_id, lower(name));
create index former_repo_names_repo on former_repo_names (repo_id);
