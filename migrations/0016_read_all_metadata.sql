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
