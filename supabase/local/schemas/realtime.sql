-- The schema realtime of a Supabase project, as far as broadcast needs it: what the migrations, the policies and
-- supabase-js can see behaves alike; the server behind it is supabase/local/realtime. Applied by a superuser, after
-- roles.sql; safe to apply again. Behaviour as read in the source of
-- supabase/realtime 2.129; the words and the SQL are ours.

create schema if not exists realtime;

-- One plain table, where the original has a partition for every day: a missing partition is the commonest reason why
-- the original loses messages, and at the size of an embedded database a bounded delete of old rows costs nothing.
create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  -- 'broadcast' or 'presence'; policies ask for it.
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default timezone('utc', now()),
  -- The clock, not the start of the transaction: after a lost connection the server looks back from the last time.
  inserted_at timestamp not null default timezone('utc', clock_timestamp()),
  binary_payload bytea,
  skip_broadcast boolean not null default false,
  -- Ours alone: the order of messages of the same time. The clock of PGlite has milliseconds.
  write_order bigint not null generated always as identity,
  constraint messages_pkey primary key (id, inserted_at),
  constraint messages_payload_exclusive check (payload is null or binary_payload is null)
);

-- Replay asks for the latest messages of one topic; catching up and pruning ask for a stretch of time.
create index if not exists messages_topic_inserted_at_index
  on realtime.messages (topic, inserted_at desc, write_order desc)
  where extension = 'broadcast' and private is true;
create index if not exists messages_inserted_at_index on realtime.messages (inserted_at, write_order);

alter table realtime.messages enable row level security;

-- The topic that the policies of realtime.messages compare with.
create or replace function realtime.topic() returns text
language sql stable
as $$
  select nullif(current_setting('realtime.topic', true), '');
$$;

-- Writes one message as the caller. Whatever goes wrong is a warning and never an error: a lost hint must not undo the
-- work that it tells about. The topic stays set until the end of the transaction, as with the original.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
declare
  message_id uuid := gen_random_uuid();
begin
  begin
    if jsonb_typeof(payload) is distinct from 'object' then
      raise exception 'the payload must be an object';
    end if;
    perform set_config('realtime.topic', topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (
      message_id,
      case when payload ? 'id' then payload else payload || jsonb_build_object('id', message_id) end,
      event,
      topic,
      private,
      'broadcast'
    );
  exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
end;
$$;

create or replace function realtime.send_binary(payload bytea, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
begin
  begin
    perform set_config('realtime.topic', topic, true);
    insert into realtime.messages (binary_payload, event, topic, private, extension)
    values (payload, event, topic, private, 'broadcast');
  exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
end;
$$;

-- For row triggers. Always private. A wrong call is an error, unlike a failed send.
create or replace function realtime.broadcast_changes(
  topic_name text,
  event_name text,
  operation text,
  table_name text,
  table_schema text,
  new record,
  old record,
  level text default 'ROW'
)
returns void
language plpgsql
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'Failed to process the row: a trigger must be for each row, not for each statement';
  end if;
  if operation is null or operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Failed to process the row: unexpected operation %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'old_record', old,
      'record', new,
      'operation', operation,
      'table', table_name,
      'schema', table_schema
    ),
    event_name,
    topic_name
  );
end;
$$;

-- Tells the server which row to read. Only the id: a notification holds 8,000 bytes, and every role may listen to it.
-- Notifications are sent at commit and in the order of commits; the probes of the policies roll back and tell nothing.
create or replace function realtime.announce_message() returns trigger
language plpgsql
as $$
begin
  perform pg_notify('realtime_messages', new.id::text);
  return null;
end;
$$;

create or replace trigger announce_message
  after insert on realtime.messages
  for each row
  when (new.extension = 'broadcast' and not new.skip_broadcast)
  execute function realtime.announce_message();

alter table realtime.messages owner to supabase_realtime_admin;
alter function realtime.topic() owner to supabase_realtime_admin;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.send_binary(bytea, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.broadcast_changes(text, text, text, text, text, record, record, text)
  owner to supabase_realtime_admin;
alter function realtime.announce_message() owner to supabase_realtime_admin;

-- Nobody but a superuser makes objects here. Execute on the functions stays with public, as on the original: what a
-- caller may send is for the policies to say.
grant usage on schema realtime to anon, authenticated, service_role, supabase_realtime_admin, parlance_owner;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;
revoke execute on function realtime.announce_message() from public;

do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end;
$$;
alter publication supabase_realtime owner to parlance_owner;
