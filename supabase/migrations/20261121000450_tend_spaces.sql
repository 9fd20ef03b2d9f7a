-- What tending embedding spaces needs: which of their jobs are open, and a fill that is cancelled for good.

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

revoke all on function parlance.open_jobs(text[]), parlance.stop_maintaining(uuid)
from public, anon, authenticated, service_role;
grant execute on function parlance.open_jobs(text[]) to service_role;
grant execute on function parlance.stop_maintaining(uuid) to service_role, parlance_sidecar;
