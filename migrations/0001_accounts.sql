-- Accounts: users and organizations share one space of names; tokens are stored hashed.

-- One row: what all servers of an instance share. The secret signs links and sessions (design.md §3).
create table instance (
  is_single boolean primary key default true check (is_single),
  secret bytea not null,
  created_at timestamptz not null default now()
);
-- Two random UUIDs are 244 bits from the server's strong random source; hashed to spread them over 32 bytes.
insert into instance (secret) values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

create table namespaces (
  id bigint generated always as identity primary key,
  name text not null check (name <> ''),
  kind text not null check (kind in ('user', 'organization')),
  created_at timestamptz not null default now()
);
create unique index namespaces_name on namespaces (lower(name));

create table users (
  id bigint primary key references namespaces (id) on delete cascade,
  email text,
  password_hash text,
  is_admin boolean not null default false,
  disabled_at timestamptz
);

create table organizations (
  id bigint primary key references namespaces (id) on delete cascade
);

create table organization_members (
  organization_id bigint not null references organizations (id) on delete cascade,
  user_id bigint not null references users (id) on delete cascade,
  role text not null check (role in ('read', 'write', 'admin')),
  primary key (organization_id, user_id)
);
create index organization_members_user on organization_members (user_id);

create table access_tokens (
  id bigint generated always as identity primary key,
  user_id bigint not null references users (id) on delete cascade,
  name text not null,
  role text not null check (role in ('read', 'write', 'admin')),
  secret_sha256 bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index access_tokens_user on access_tokens (user_id);

-- Failed sign-ins per subject (an account name or an address) and window, shared by all servers.
create table sign_in_failures (
  subject text not null,
  window_start timestamptz not null,
  failures int not null default 1,
  primary key (subject, window_start)
);
