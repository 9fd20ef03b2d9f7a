import { openPglite } from "../../supabase/local/database.ts";

// Commits one row after the other into the data folder and prints each number once it is committed; then leaves a
// transaction open. For tests that kill it at any moment.

const database = await openPglite({ dataDir: process.argv[2] ?? "" });
const sql = database.connect({ role: "postgres" });
await sql`create table if not exists public.things (id int primary key)`;
for (let written = 0; written < 10_000; written += 1) {
  const [row] = await sql<{ id: number }[]>`
    insert into public.things (id) select coalesce(max(id), 0) + 1 from public.things returning id
  `;
  await sql
    .begin(async (transaction) => {
      await transaction`insert into public.things (id) values (${-written - 1})`;
      console.log(row?.id);
      await transaction`select 1 / 0`;
    })
    .catch(() => {});
}
