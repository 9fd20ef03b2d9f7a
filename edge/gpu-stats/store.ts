import type { TransactionSql } from "postgres";
import type { GpuDevice, GpuSample, Supervisor } from "../../shared/gpu-stats.ts";

/** Reports come every 30 seconds at the latest. */
const staleSeconds = 60;
const devicesMax = 100;
const supervisorsMax = 100;
const pointsMax = 120;

export async function listGpuDevices(sql: TransactionSql): Promise<Omit<GpuDevice, "history">[]> {
  return await sql<Omit<GpuDevice, "history">[]>`
    select
      host, index, uuid, name, driver, memory_total_bytes, memory_used_bytes, gpu_percent, memory_percent,
      temperature_celsius, power_watts, last_seen_at,
      last_seen_at < clock_timestamp() - make_interval(secs => ${staleSeconds}) as is_stale
    from parlance.gpu_devices
    order by host, index, uuid
    limit ${devicesMax}
  `;
}

export interface GpuSampleRow extends GpuSample {
  readonly host: string;
  readonly uuid: string;
}

/** The last minutes of each card, oldest first, as at most 120 means over equal spans. */
export async function listGpuSamples(sql: TransactionSql, minutes: number): Promise<GpuSampleRow[]> {
  const spanSeconds = (minutes * 60) / pointsMax;
  return await sql<GpuSampleRow[]>`
    with recent as (
      select stats.*,
        floor(extract(epoch from stats.sampled_at - started.at) / ${spanSeconds}::double precision) as span
      from parlance.gpu_stats as stats,
        (select now() - make_interval(mins => ${minutes}) as at) as started
      where stats.sampled_at >= started.at
        and stats.sampled_at < now()
    )
    select host, uuid, max(sampled_at) as at,
      avg(memory_used_bytes)::bigint as memory_used_bytes,
      round(avg(gpu_percent)::numeric, 1)::double precision as gpu_percent,
      round(avg(memory_percent)::numeric, 1)::double precision as memory_percent,
      round(avg(temperature_celsius)::numeric, 1)::double precision as temperature_celsius,
      round(avg(power_watts)::numeric, 1)::double precision as power_watts
    from recent
    where (host, uuid) in (
      select host, uuid
      from parlance.gpu_devices
      order by host, index, uuid
      limit ${devicesMax}
    )
    group by host, uuid, span
    order by host, uuid, span
    limit ${devicesMax * pointsMax}
  `;
}

export async function listSupervisors(sql: TransactionSql): Promise<Supervisor[]> {
  return await sql<Supervisor[]>`
    select id, host, gpu_source, gpu_note, device_note, slots, started_at, last_seen_at,
      last_seen_at < clock_timestamp() - make_interval(secs => ${staleSeconds}) as is_stale
    from parlance.supervisors
    order by host, id
    limit ${supervisorsMax}
  `;
}
