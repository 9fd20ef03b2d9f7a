-- What sidecars run on: their processes, the graphics cards of their machines, and the last hour of each card.

create table parlance.supervisors (
  id uuid primary key,
  host text not null,
  gpu_source text not null,
  gpu_note text not null,
  device_note text not null,
  slots jsonb not null default '[]',
  started_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  constraint host_is_short check (length(host) between 1 and 255),
  constraint gpu_source_is_known check (gpu_source in ('nvml', 'nvidia-smi', 'none')),
  constraint notes_are_short check (length(gpu_note) <= 1000 and length(device_note) <= 1000),
  constraint slots_are_a_small_list check (jsonb_typeof(slots) = 'array' and octet_length(slots::text) <= 65536)
);

comment on table parlance.supervisors is
  'Sidecars: the processes that each watches over, one a device slot, and what reads the graphics cards of its machine.';

create index supervisors_by_last_seen on parlance.supervisors (last_seen_at);

-- Machines that share a card, as containers do, each have a row of it.
create table parlance.gpu_devices (
  host text not null,
  uuid text not null,
  index smallint not null,
  name text not null,
  driver text,
  memory_total_bytes bigint,
  memory_used_bytes bigint,
  gpu_percent real,
  memory_percent real,
  temperature_celsius real,
  power_watts real,
  last_seen_at timestamptz not null default now(),
  primary key (host, uuid),
  constraint host_is_short check (length(host) between 1 and 255),
  constraint uuid_is_short check (length(uuid) between 1 and 100),
  constraint name_is_short check (length(name) between 1 and 200),
  constraint driver_is_short check (length(driver) <= 100),
  constraint shares_are_percents check (gpu_percent between 0 and 100 and memory_percent between 0 and 100)
);

comment on table parlance.gpu_devices is 'Graphics cards with their newest values; null is what a driver does not tell.';

create index gpu_devices_by_last_seen on parlance.gpu_devices (last_seen_at);

create table parlance.gpu_stats (
  host text not null,
  uuid text not null,
  sampled_at timestamptz not null,
  memory_used_bytes bigint,
  gpu_percent real,
  memory_percent real,
  temperature_celsius real,
  power_watts real,
  foreign key (host, uuid) references parlance.gpu_devices (host, uuid) on delete cascade
);

comment on table parlance.gpu_stats is 'What each graphics card did within the last hour.';

create index gpu_stats_by_device on parlance.gpu_stats (host, uuid, sampled_at);
create index gpu_stats_by_age on parlance.gpu_stats (sampled_at);

alter table parlance.supervisors enable row level security;
alter table parlance.gpu_devices enable row level security;
alter table parlance.gpu_stats enable row level security;

create policy "admins see the supervisors" on parlance.supervisors
  for select to authenticated using ((select parlance.is_admin()));
create policy "admins see the graphics cards" on parlance.gpu_devices
  for select to authenticated using ((select parlance.is_admin()));
create policy "admins see what the graphics cards did" on parlance.gpu_stats
  for select to authenticated using ((select parlance.is_admin()));

-- A sidecar says which processes it has and what its graphics cards do. In passing, what is older than an hour goes
-- from the history, and whoever was unseen for a day goes altogether.
create function parlance.report_supervisor(
  id uuid, host text, gpu_source text, gpu_note text, device_note text, slots jsonb, gpus jsonb
) returns void
  language plpgsql volatile security definer set search_path = ''
  as $$
#variable_conflict use_column
declare
  seen_at timestamptz := clock_timestamp();
begin
  if jsonb_array_length(gpus) > 256 then
    raise exception 'a machine with % graphics cards', jsonb_array_length(gpus) using errcode = 'check_violation';
  end if;
  insert into parlance.supervisors (id, host, gpu_source, gpu_note, device_note, slots)
  values (
    report_supervisor.id, report_supervisor.host, report_supervisor.gpu_source, report_supervisor.gpu_note,
    report_supervisor.device_note, report_supervisor.slots
  )
  on conflict on constraint supervisors_pkey do update
  set slots = excluded.slots,
    gpu_source = excluded.gpu_source,
    gpu_note = excluded.gpu_note,
    last_seen_at = seen_at;

  -- In one order, so that two sidecars of one machine never wait for each other in a circle.
  insert into parlance.gpu_devices (
    host, uuid, index, name, driver, memory_total_bytes, memory_used_bytes, gpu_percent, memory_percent,
    temperature_celsius, power_watts
  )
  select distinct on (gpu.uuid)
    report_supervisor.host, gpu.uuid, gpu.index, gpu.name, gpu.driver, gpu.memory_total_bytes, gpu.memory_used_bytes,
    gpu.gpu_percent, gpu.memory_percent, gpu.temperature_celsius, gpu.power_watts
  from jsonb_to_recordset(gpus) as gpu (
    uuid text, index smallint, name text, driver text, memory_total_bytes bigint, memory_used_bytes bigint,
    gpu_percent real, memory_percent real, temperature_celsius real, power_watts real
  )
  order by gpu.uuid
  on conflict on constraint gpu_devices_pkey do update
  set index = excluded.index,
    name = excluded.name,
    driver = excluded.driver,
    memory_total_bytes = excluded.memory_total_bytes,
    memory_used_bytes = excluded.memory_used_bytes,
    gpu_percent = excluded.gpu_percent,
    memory_percent = excluded.memory_percent,
    temperature_celsius = excluded.temperature_celsius,
    power_watts = excluded.power_watts,
    last_seen_at = seen_at;

  insert into parlance.gpu_stats (
    host, uuid, sampled_at, memory_used_bytes, gpu_percent, memory_percent, temperature_celsius, power_watts
  )
  select
    devices.host, devices.uuid, seen_at, devices.memory_used_bytes, devices.gpu_percent, devices.memory_percent,
    devices.temperature_celsius, devices.power_watts
  from parlance.gpu_devices as devices
  where devices.host = report_supervisor.host
    and devices.uuid in (select gpu ->> 'uuid' from jsonb_array_elements(gpus) as gpu);

  delete from parlance.gpu_stats
  where ctid = any (array(
    select stats.ctid
    from parlance.gpu_stats as stats
    where stats.sampled_at < seen_at - interval '1 hour'
    order by stats.sampled_at
    limit 1000
    for update skip locked
  ));
  delete from parlance.gpu_devices where gpu_devices.last_seen_at < seen_at - interval '1 day';
  delete from parlance.supervisors where supervisors.last_seen_at < seen_at - interval '1 day';
end
$$;

-- A sidecar that ends in order takes its row with it; its cards stay until nobody has seen them for a day.
create function parlance.remove_supervisor(id uuid) returns void
  language sql volatile security definer set search_path = ''
  as $$ delete from parlance.supervisors where supervisors.id = remove_supervisor.id $$;

revoke all on parlance.supervisors, parlance.gpu_devices, parlance.gpu_stats
  from public, anon, authenticated, service_role;
grant select on parlance.supervisors, parlance.gpu_devices, parlance.gpu_stats to authenticated, service_role;

revoke all on function
  parlance.report_supervisor(uuid, text, text, text, text, jsonb, jsonb),
  parlance.remove_supervisor(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  parlance.report_supervisor(uuid, text, text, text, text, jsonb, jsonb),
  parlance.remove_supervisor(uuid)
to service_role, parlance_sidecar;
