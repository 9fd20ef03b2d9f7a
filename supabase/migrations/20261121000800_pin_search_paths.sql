-- Functions that run with the owner's rights find the names of types too where the owner would. An empty search path is
-- not enough: a session's own temporary schema comes before every other unless the path names it, and whoever may log
-- in may make types there whose checks would then run as the owner.
do $$
declare
  name regprocedure;
begin
  for name in
    select procedures.oid
    from pg_catalog.pg_proc as procedures
    where procedures.pronamespace = 'parlance'::regnamespace
      and (procedures.prosecdef or array_to_string(procedures.proconfig, ' ') like 'search_path=%')
  loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', name);
  end loop;
end
$$;
