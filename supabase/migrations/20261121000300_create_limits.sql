-- What keeps the API honest under load: token buckets for rate limits, and the memory of idempotency keys.

create table parlance.rate_buckets (
  subject text not null,
  route_class text not null,
  tokens double precision not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (subject, route_class),
  constraint subject_is_short check (length(subject) <= 200)
);

comment on table parlance.rate_buckets is 'Token buckets: one a subject (user, key or address) and class of routes.';

create index rate_buckets_by_age on parlance.rate_buckets (updated_at);

create table parlance.idempotency_keys (
  owner text not null,
  route text not null,
  key text not null,
  body_hash text not null,
  locked_until timestamptz not null,
  status integer,
  headers jsonb,
  body text,
  created_at timestamptz not null default now(),
  primary key (owner, route, key),
  constraint key_is_one_to_255_characters check (length(key) between 1 and 255),
  constraint answer_is_whole check ((status is null) = (body is null)),
  constraint body_is_small check (octet_length(body) <= 262144)
);

comment on table parlance.idempotency_keys is 'Answers already given to a POST with an Idempotency-Key; kept 24 hours.';

create index idempotency_keys_by_age on parlance.idempotency_keys (created_at);

alter table parlance.rate_buckets enable row level security;
alter table parlance.idempotency_keys enable row level security;

-- Takes `cost` tokens from a bucket that holds `capacity` and refills by `refill_per_second`. Answers whether
-- they were there, what is left, and the seconds until `cost` tokens will be there again (0 when allowed).
create function parlance.take_tokens(
  subject text,
  route_class text,
  capacity double precision,
  refill_per_second double precision,
  cost double precision default 1
) returns table (allowed boolean, remaining double precision, retry_after_seconds double precision)
  language plpgsql volatile security definer set search_path = ''
  as $$
#variable_conflict use_column
declare
  bucket parlance.rate_buckets;
  filled double precision;
begin
  insert into parlance.rate_buckets (subject, route_class, tokens)
  values (take_tokens.subject, take_tokens.route_class, capacity)
  on conflict do nothing;
  select * into bucket
  from parlance.rate_buckets
  where rate_buckets.subject = take_tokens.subject and rate_buckets.route_class = take_tokens.route_class
  for update;
  filled := least(
    capacity,
    bucket.tokens + refill_per_second * greatest(0, extract(epoch from clock_timestamp() - bucket.updated_at))
  );
  allowed := filled >= cost;
  remaining := case when allowed then filled - cost else filled end;
  retry_after_seconds := case when allowed then 0 else (cost - filled) / refill_per_second end;
  update parlance.rate_buckets
  set tokens = take_tokens.remaining, updated_at = clock_timestamp()
  where rate_buckets.subject = take_tokens.subject and rate_buckets.route_class = take_tokens.route_class;
  return next;
end
$$;

revoke all on parlance.rate_buckets, parlance.idempotency_keys from public, anon, authenticated, service_role;
grant select, insert, update, delete on parlance.rate_buckets, parlance.idempotency_keys to service_role;
revoke all on function parlance.take_tokens(text, text, double precision, double precision, double precision)
  from public, anon, authenticated, service_role;
grant execute on function parlance.take_tokens(text, text, double precision, double precision, double precision)
  to service_role;
