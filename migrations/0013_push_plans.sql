-- Plans of a push that are kept. PostgreSQL takes arrays of a push for shorter than those it knows nothing of, so that it
-- planned each statement anew, every time; and functions in SQL are planned with each call. A push of one ref took 0.55 ms
-- of processor time for that, and takes 0.45. Nothing here is faster by another plan: each ref is looked up by its key.

-- As in 0004_push.sql, but for its language.
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

alter function apply_ref_commands(
  bigint, bigint, boolean, bigint, bytea[], bytea[], bytea[], bytea[], text[], bytea, text, text
) set plan_cache_mode = force_generic_plan;

alter function insert_pack(bigint, jsonb, bytea, bytea) set plan_cache_mode = force_generic_plan;
