/** Figures of the whole house, read from its tables with the service role. */
import type { TransactionSql } from "postgres";

export interface ImagesByState {
  readonly state: string;
  readonly images: number;
}

export async function countImages(sql: TransactionSql): Promise<ImagesByState[]> {
  return await sql<ImagesByState[]>`
    select states.state, count(images.id) as images
    from unnest(enum_range(null::parlance.image_state)) as states (state)
    left join parlance.images on images.state = states.state
    group by states.state
    order by states.state
  `;
}

export interface SpaceFigures {
  readonly space: string;
  readonly model: string;
  readonly isCurrent: boolean;
  readonly vectors: number;
}

export async function countVectors(sql: TransactionSql): Promise<SpaceFigures[]> {
  return await sql<SpaceFigures[]>`
    select spaces.name as space, spaces.model, spaces.is_current, coalesce(counted.vectors, 0) as vectors
    from parlance.embedding_spaces as spaces
    left join (
      select space_id, count(*) as vectors
      from parlance.image_vectors
      group by space_id
    ) as counted on counted.space_id = spaces.id
    order by spaces.id
    limit 1000
  `;
}

export interface WorkerFigures {
  readonly id: string;
  readonly device: string;
  readonly provider: string;
  readonly state: string;
  readonly memoryBytes: number;
  /** Models in memory. */
  readonly loaded: number;
  readonly lastSeenSeconds: number;
}

export interface GpuFigures {
  readonly host: string;
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly memoryTotalBytes: number | null;
  readonly memoryUsedBytes: number | null;
  readonly gpuPercent: number | null;
  readonly temperatureCelsius: number | null;
  readonly powerWatts: number | null;
}

/** Graphics cards seen within the last minute. */
export async function listGpus(sql: TransactionSql): Promise<GpuFigures[]> {
  return await sql<GpuFigures[]>`
    select
      host, index, uuid, name, memory_total_bytes, memory_used_bytes, gpu_percent, temperature_celsius, power_watts
    from parlance.gpu_devices
    where last_seen_at > now() - interval '1 minute'
    order by host, index, uuid
    limit 1000
  `;
}

export interface SlotFigures {
  readonly host: string;
  readonly state: string;
  readonly slots: number;
}

/** Processes of the sidecars that were seen within the last minute, by what they do. */
export async function countSlots(sql: TransactionSql): Promise<SlotFigures[]> {
  return await sql<SlotFigures[]>`
    select host, slot ->> 'state' as state, count(*) as slots
    from parlance.supervisors
    cross join lateral jsonb_array_elements(slots) as slot
    where last_seen_at > now() - interval '1 minute'
    group by host, state
    order by host, state
    limit 1000
  `;
}

export interface RecallFigures {
  readonly space: string;
  readonly filterClass: string;
  readonly path: string;
  readonly searches: number;
  readonly recall: number;
  readonly worst: number;
}

/** Of the searches that were asked again within the last day. */
export async function measureRecall(sql: TransactionSql): Promise<RecallFigures[]> {
  return await sql<RecallFigures[]>`
    select spaces.name as space, measures.filter_class, measures.path,
      sum(measures.searches) as searches,
      sum(measures.recall_sum) / sum(measures.searches) as recall,
      min(measures.recall_min) as worst
    from parlance.recall_measures as measures
    join parlance.embedding_spaces as spaces on spaces.id = measures.space_id
    where measures.measured_at > now() - interval '1 day'
    group by spaces.name, measures.filter_class, measures.path
    order by spaces.name, measures.filter_class, measures.path
    limit 1000
  `;
}

/** Those seen within the last hour. */
export async function listWorkers(sql: TransactionSql): Promise<WorkerFigures[]> {
  return await sql<WorkerFigures[]>`
    select id, device, provider, state, memory_bytes, cardinality(loaded) as loaded,
      extract(epoch from now() - last_seen_at)::double precision as last_seen_seconds
    from parlance.workers
    where last_seen_at > now() - interval '1 hour'
    order by id
    limit 1000
  `;
}
