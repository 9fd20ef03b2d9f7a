/**
 * Writes down in the scratch database what rows alone no longer show: how often a job was ended, a picture was ended
 * and a vector was written. The house does not know of it.
 */
import type { Sql } from "postgres";

export async function installWitness(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create schema chaos;
    create table chaos.endings (what text not null, id uuid not null);
    create function chaos.note() returns trigger language plpgsql security definer as $$
    begin
      insert into chaos.endings (what, id)
      select tg_argv[0], (to_jsonb(new) ->> case tg_argv[0] when 'vector' then 'image_id' else 'id' end)::uuid;
      return null;
    end
    $$;
    create trigger note_job after update on parlance.jobs for each row
      when (new.finished_at is not null and new.finished_at is distinct from old.finished_at)
      execute function chaos.note('job');
    create trigger note_image after update on parlance.images for each row
      when (new.state in ('ready', 'failed') and old.state <> new.state)
      execute function chaos.note('image');
    create trigger note_vector after insert or update on parlance.image_vectors for each row
      execute function chaos.note('vector');
    grant usage on schema chaos to public;
    grant execute on function chaos.note() to public;
  `);
}

export interface Endings {
  /** How often, by the id of the job or the picture. */
  readonly jobs: ReadonlyMap<string, number>;
  readonly images: ReadonlyMap<string, number>;
  readonly vectors: ReadonlyMap<string, number>;
}

export async function readEndings(sql: Sql): Promise<Endings> {
  const rows = await sql<{ what: string; id: string; count: number }[]>`
    select what, id, count(*) from chaos.endings group by what, id
  `;
  const of = (what: string) =>
    new Map(rows.filter((row) => row.what === what).map((row) => [row.id, row.count]));
  return { jobs: of("job"), images: of("image"), vectors: of("vector") };
}
