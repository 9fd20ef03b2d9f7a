-- What tending embedding spaces needs: which of their jobs are open, a fill that is cancelled for good, and locks that
-- never make a search or an upload wait long.

-- Open jobs of these kinds, by the unique key that they were added with.
create function parlance.open_jobs(kinds text[]) returns table (id uuid, kind text, unique_key text)
  language sql stable set search_path = ''
  as $$
  select jobs.id, jobs.kind, jobs.unique_key
  from parlance.jobs
  where jobs.kind = any (kinds) and jobs.state in ('queued', 'running') and jobs.unique_key is not null
  order by jobs.id
  limit 1000
$$;

-- Whoever cancels the fill of a space wants it to stop: the space is not kept complete any longer until someone fills
-- it again. The one that searches always is.
create function parlance.stop_maintaining(fill_id uuid) returns void
  language sql volatile security definer set search_path = ''
  as $$
  update parlance.embedding_spaces as spaces
  set is_maintained = false
  from parlance.jobs
  where jobs.id = fill_id
    and jobs.kind = 'images.fill-space'
    and jobs.state = 'cancelled'
    and jobs.unique_key = spaces.id::text
    and not spaces.is_current
$$;

-- A fill that goes on tells how far it was: what came in since it began. Rows lie in the order of their age.
create index image_vectors_1_by_age on parlance.image_vectors_1 using brin (created_at);

-- Adding and dropping a partition lock tables that everyone uses. Both give up before Postgres looks for deadlocks
-- (after a second), so that it is never a search or a landing that loses; whoever asked tries again.
create or replace function parlance.add_embedding_space(
  id smallint, name text, model text, dimensions integer, model_digest text default 'built-in'
) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  partition text := 'image_vectors_' || id;
begin
  perform set_config('lock_timeout', '500ms', true);
  insert into parlance.embedding_spaces (id, name, model, dimensions, model_digest)
  values (id, name, model, dimensions, model_digest);
  execute format('create table parlance.%I partition of parlance.image_vectors for values in (%s)', partition, id);
  execute format('alter table parlance.%I alter column embedding set storage plain', partition);
  execute format(
    'alter table parlance.%I add constraint embedding_has_the_dimensions check (extensions.vector_dims(embedding) = %s)',
    partition, dimensions
  );
  execute format('create index %I on parlance.%I (owner_id)', partition || '_by_owner', partition);
  execute format('create index %I on parlance.%I using brin (created_at)', partition || '_by_age', partition);
  -- Few public pictures among many private ones are found without reading the private ones.
  execute format('create index %I on parlance.%I (image_id) where is_public', partition || '_public', partition);
  execute format(
    'create index %I on parlance.%I using hnsw ((embedding::extensions.vector(%s)) extensions.vector_ip_ops)',
    partition || '_nearest', partition, dimensions
  );
  perform parlance.protect_vectors(format('parlance.%I', partition)::regclass);
end
$$;

create or replace function parlance.drop_embedding_space(id smallint) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('lock_timeout', '500ms', true);
  lock table parlance.embedding_spaces in share row exclusive mode;
  if exists (
    select from parlance.embedding_spaces as spaces
    where spaces.id = drop_embedding_space.id and spaces.is_current
  ) then
    raise exception 'the embedding space % searches', id
      using errcode = 'check_violation', constraint = 'current_stays', schema = 'parlance', table = 'embedding_spaces';
  end if;
  execute format('drop table if exists parlance.%I', 'image_vectors_' || id);
  delete from parlance.query_vectors where space_id = drop_embedding_space.id;
  delete from parlance.embedding_spaces as spaces where spaces.id = drop_embedding_space.id;
end
$$;

revoke all on function parlance.open_jobs(text[]), parlance.stop_maintaining(uuid)
from public, anon, authenticated, service_role;
grant execute on function parlance.open_jobs(text[]) to service_role;
grant execute on function parlance.stop_maintaining(uuid) to service_role, parlance_sidecar;
