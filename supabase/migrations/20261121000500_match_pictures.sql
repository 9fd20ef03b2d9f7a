-- Finding pictures by what is known of them. Row level security keeps operators that are not leakproof (arrays, full
-- text) away from their indexes, so candidates come from functions that run with the owner's rights and decide for
-- themselves what the caller may see. What they answer is looked up under the caller's role again: a mistake here
-- would show nothing.

-- Names as they begin for a search, by owner and for everyone.
create index images_by_beginning on parlance.images (owner_id, lower(normalize(name, nfkc)) text_pattern_ops);
create index images_public_by_beginning on parlance.images (lower(normalize(name, nfkc)) text_pattern_ops) where is_public;

-- Also readers fold the keywords that they filter by.
grant execute on function parlance.fold_keywords(text[]) to anon;

-- The user who asks, or null for strangers and keys: a claim counts for nothing without the role that proves it.
create function parlance.asker_id() returns uuid
  language sql stable
  as $$ select case when current_setting('role', true) = 'authenticated' then auth.uid() end $$;

-- Whether the caller may see every row: the secret key and admins.
create function parlance.sees_everything() returns boolean
  language sql stable
  as $$
  select coalesce(
    current_setting('role', true) = 'service_role'
      or (current_setting('role', true) = 'authenticated' and parlance.is_admin()),
    false
  )
$$;

-- Whether a picture has a place that the caller may know of: its origin is for its owner and admins.
create function parlance.has_place(image_id uuid) returns boolean
  language sql stable security definer set search_path = ''
  as $$
  select exists (
    select from parlance.image_origins as origins
    where origins.image_id = has_place.image_id
      and origins.latitude is not null
      and (origins.owner_id = parlance.asker_id() or parlance.sees_everything())
  )
$$;

-- The pictures that the caller may see in a scope and that pass the filters, as a condition on `images`. Only what is
-- asked stands in it, so that each question gets a plan of its own; every value is quoted.
create function parlance.search_condition(scope text, scope_owner uuid, filters jsonb) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  asker uuid := parlance.asker_id();
  sees_everything boolean := parlance.sees_everything();
  terms text[] := array['true'];
begin
  if jsonb_typeof(filters) <> 'object' or octet_length(filters::text) > 8192 then
    raise exception 'filters must be a small object' using errcode = 'invalid_parameter_value';
  end if;
  if scope = 'own' and scope_owner is null then
    terms := terms || 'images.owner_id is null'::text;
  elsif scope = 'own' then
    terms := terms || format('images.owner_id = %L', scope_owner);
  elsif scope = 'public' then
    terms := terms || 'images.is_public and images.state = ''ready'''::text;
  elsif scope is distinct from 'all' then
    raise exception 'there is no scope %', scope using errcode = 'invalid_parameter_value';
  end if;
  if not sees_everything and scope <> 'public' and (scope = 'all' or scope_owner is distinct from asker or asker is null) then
    terms := terms || format('(images.owner_id = %L or (images.is_public and images.state = ''ready''))', asker);
  end if;
  if filters ? 'takenAfter' then terms := terms || format('images.taken_at >= %L', filters ->> 'takenAfter'); end if;
  if filters ? 'takenBefore' then terms := terms || format('images.taken_at < %L', filters ->> 'takenBefore'); end if;
  if filters ? 'addedAfter' then terms := terms || format('images.created_at >= %L', filters ->> 'addedAfter'); end if;
  if filters ? 'addedBefore' then terms := terms || format('images.created_at < %L', filters ->> 'addedBefore'); end if;
  if filters ? 'orientation' then terms := terms || format('images.orientation = %L', filters ->> 'orientation'); end if;
  if filters ? 'camera' then terms := terms || format('lower(images.camera) = lower(%L)', filters ->> 'camera'); end if;
  if filters ? 'keywords' then
    terms := terms || format(
      'images.tags @> %L::text[]',
      parlance.fold_keywords(array(select jsonb_array_elements_text(filters -> 'keywords')))
    );
  end if;
  if filters ? 'colours' then
    terms := terms || format('images.colours @> %L::text[]', array(select jsonb_array_elements_text(filters -> 'colours')));
  end if;
  if filters ? 'hasPlace' then
    terms := terms || format(
      '%sexists (select from parlance.image_origins as origins where origins.image_id = images.id '
      'and origins.latitude is not null and (%L or origins.owner_id = %L))',
      case when (filters ->> 'hasPlace')::boolean then '' else 'not ' end, sees_everything, asker
    );
  end if;
  return array_to_string(terms, ' and ');
end
$$;

-- The pictures of a scope that pass the filters, when they are at most `rows_max`; else `ids` is null. `estimate` is
-- their number, counted or guessed by the planner. Where the guess is already too many nothing is counted, unless
-- `is_sure` asks for it. Volatile only because Postgres explains in no other function.
create function parlance.match_images(
  scope text, scope_owner uuid, filters jsonb, rows_max integer, is_sure boolean, out ids uuid[], out estimate bigint
)
  language plpgsql volatile security definer set search_path = ''
  as $$
declare
  counted_max integer := least(greatest(rows_max, 0), 20000);
  query text := 'select images.id from parlance.images where ' || parlance.search_condition(scope, scope_owner, filters);
  plan jsonb;
begin
  execute 'explain (format json) ' || query into plan;
  estimate := (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric::bigint;
  if estimate > counted_max and is_sure is not true then
    return;
  end if;
  execute format('select coalesce(array_agg(id), ''{}'') from (%s limit %s) as matched', query, counted_max + 1) into ids;
  if cardinality(ids) > counted_max then
    estimate := greatest(estimate, cardinality(ids));
    ids := null;
  else
    estimate := cardinality(ids);
  end if;
end
$$;

-- Pictures whose words answer the query or whose name begins with it, and whose words do not answer `minus`; best
-- first, from a place on. Scores are above 0 and up to 1. What more than 10,000 pictures answer tells little: so many of
-- them are ranked, always the same ones.
create function parlance.match_words(
  query text, minus text, scope text, scope_owner uuid, filters jsonb,
  after_score double precision, after_id uuid, rows_max integer
) returns table (id uuid, score double precision)
  language plpgsql stable security definer set search_path = '' set synchronize_seqscans = off
  as $$
declare
  condition text := parlance.search_condition(scope, scope_owner, filters) || ' and images.state = ''ready''';
  beyond text := '';
begin
  if minus is not null then
    condition := condition || format(' and not images.words @@ plainto_tsquery(''pg_catalog.english'', %L)', minus);
  end if;
  if after_score is not null then
    beyond := format('where found.score < %1$L or (found.score = %1$L and found.id > %2$L)', after_score, after_id);
  end if;
  -- 32 divides the rank by itself plus one, which keeps it below 1. What answers only by a word that it lacks ranks 0.
  -- A minus that stands before no word is none: Postgres does not parse some dozens of them in a row.
  return query execute format(
    $query$
    select found.id, found.score
    from (
      select matched.id, max(matched.score) as score
      from (
        (
          select images.id, ts_rank(images.words, asked, 32)::double precision as score
          from parlance.images, websearch_to_tsquery('pg_catalog.english', %7$L) as asked
          where %2$s and images.words @@ asked
          limit 10000
        )
        union all
        (
          select images.id, least(1, %3$L::double precision / length(images.name))
          from parlance.images
          where %2$s and lower(normalize(images.name, nfkc)) like %4$L
          limit 10000
        )
      ) as matched
      where matched.score > 0
      group by matched.id
    ) as found
    %5$s
    order by found.score desc, found.id
    limit %6$s
    $query$,
    query, condition, length(query), replace(replace(replace(query, '\', '\\'), '%', '\%'), '_', '\_') || '%', beyond,
    least(greatest(rows_max, 0), 1001), regexp_replace(query, '-(?=[-[:space:]!&|()]|$)', ' ', 'g')
  );
end
$$;

revoke all on function
  parlance.asker_id(), parlance.sees_everything(), parlance.has_place(uuid),
  parlance.search_condition(text, uuid, jsonb),
  parlance.match_images(text, uuid, jsonb, integer, boolean),
  parlance.match_words(text, text, text, uuid, jsonb, double precision, uuid, integer)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.has_place(uuid),
  parlance.match_images(text, uuid, jsonb, integer, boolean),
  parlance.match_words(text, text, text, uuid, jsonb, double precision, uuid, integer)
to anon, authenticated, service_role;

-- ── The log of searches ─────────────────────────────────────────────────────────────────────────────────────────────

create index searches_by_asker on parlance.searches (asker, owner_id, created_at);

-- Keeps a search. Who asked comes from the claims. Every user leaves at most 120 rows an hour, all strangers together
-- as many: it is a sample, and nobody fills the disk with it.
create function parlance.log_search(
  id uuid, space_id smallint, scope text, query text, minus text, image_id uuid,
  filters jsonb, filter_class text, path text, embedding extensions.vector
) returns void
  language plpgsql volatile security definer set search_path = ''
  as $$
declare
  who uuid := parlance.asker_id();
  kind text := case
    when current_setting('role', true) = 'service_role' then 'service'
    when who is null then 'anon'
    when parlance.is_admin() then 'admin'
    else 'user'
  end;
  recent integer;
begin
  select count(*) into recent
  from (
    select from parlance.searches
    where searches.asker = kind
      and searches.owner_id is not distinct from who
      and searches.created_at > now() - interval '1 hour'
    limit 120
  ) as counted;
  if recent >= 120 then
    return;
  end if;
  insert into parlance.searches
    (id, space_id, owner_id, asker, scope, query, minus, image_id, filters, filter_class, path, embedding)
  select
    log_search.id, spaces.id, who, kind, log_search.scope, log_search.query, log_search.minus, log_search.image_id,
    log_search.filters, log_search.filter_class, log_search.path, log_search.embedding
  from parlance.embedding_spaces as spaces
  where spaces.id = log_search.space_id
    and spaces.dimensions = extensions.vector_dims(log_search.embedding);
exception
  -- The space or the user goes at this moment: nothing is left to log.
  when foreign_key_violation then null;
end
$$;

revoke all on function
  parlance.log_search(uuid, smallint, text, text, text, uuid, jsonb, text, text, extensions.vector)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.log_search(uuid, smallint, text, text, text, uuid, jsonb, text, text, extensions.vector)
to anon, authenticated, service_role;
